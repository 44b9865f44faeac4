"""The first error and warning lines of a session's log.

Up to v7 an item is a `title` that begins with its severity in brackets, from v8 on it has `type` and `message`.
Sources: Veeam's manuals and OpenAPI files; the words behind `[Error]` before v8 are assumed, so `[Failed]` counts too.
"""

import re
from contextlib import suppress

import anyio
import msgspec

from watcher.core.model import LogLine, LookFailed
from watcher.vb365.api import Api
from watcher.vb365.decode import UnreadableError, fields, text, whole
from watcher.vb365.dialect import session
from watcher.vb365.http import Answer
from watcher.vb365.pages import FULL_PAGE, rows_of

MOST_LINES = 20
MOST_PAGES = 2
WITHIN = 5.0
_PREFIX = re.compile(r"\[(\w+)\]\s*")
_TYPES = {
    "error": "error",
    "failed": "error",
    "warning": "warning",
    "success": "success",
    "running": "running",
    "stop": "stop",
    "stopped": "stop",
}
_TELLING = ("error", "warning")


async def read_log(api: Api, session_id: str) -> tuple[LogLine, ...]:
    """Return the first errors, then the first warnings of a session; at most 20, from two pages, within 5 s.

    Best effort: what could not be read in time is left out, and nothing is raised.
    """
    lines: list[LogLine] = []
    with anyio.move_on_after(WITHIN):
        with suppress(LookFailed):
            await _collect(api, f"{session(session_id)}/LogItems", lines)
    return tuple(line for kind in _TELLING for line in lines if line.type == kind)[:MOST_LINES]


async def _collect(api: Api, resource: str, lines: list[LogLine]) -> None:
    if api.dialect.typed_logs:
        for kind in ("Error", "Warning"):
            lines += lines_of(await api.get(resource, {"type": kind, "limit": str(MOST_LINES), "offset": "0"}))
        return
    offset = 0
    for _ in range(MOST_PAGES):
        answer = await api.get(resource, {"limit": str(FULL_PAGE), "offset": str(offset)})
        page = rows_of(answer)
        lines += lines_of(answer)
        offset += len(page.rows)
        if not page.has_next:
            return


def lines_of(answer: Answer) -> list[LogLine]:
    """Read the lines of one page in their own order, which `usn` counts."""
    numbered = [_numbered(raw) for raw in rows_of(answer).rows]
    return [line for _, line in sorted(numbered, key=lambda pair: pair[0])]


def _numbered(raw: msgspec.Raw) -> tuple[int, LogLine]:
    try:
        row = fields(raw)
    except UnreadableError:
        return 0, LogLine("", "")
    return whole(row.get("usn")) or 0, _line(text(row.get("type")), text(row.get("message")) or text(row.get("title")))


def _line(kind: str | None, words: str | None) -> LogLine:
    words = words or ""
    prefix = _PREFIX.match(words) if kind is None else None
    if prefix and prefix[1].lower() in _TYPES:
        return LogLine(_TYPES[prefix[1].lower()], words[prefix.end() :])
    return LogLine(_TYPES.get((kind or "").lower(), ""), words)
