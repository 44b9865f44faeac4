"""What happened in a restore, item by item, and the log of a retrieval.

Sources: Veeam's OpenAPI files of v6 to v8 (`/RestoreSessions/{id}/Events`, `/DataRetrievalSessions/{id}/LogItems`);
before v6 the manual of v2 names the former. Its statuses Cancelled and Skipped are warnings for who waits for an item.
"""

from contextlib import suppress
from urllib.parse import quote

import anyio
import msgspec

from watcher.core.model import JobType, LogLine, LookFailed
from watcher.vb365.api import Api
from watcher.vb365.decode import UnreadableError, fields, text, whole
from watcher.vb365.log import WITHIN, lines_of
from watcher.vb365.pages import FULL_PAGE, rows_of

MOST_LINES = 20
_TYPES = {
    "failed": "error",
    "warning": "warning",
    "cancelled": "warning",
    "skipped": "warning",
    "success": "success",
}
_BY_WEIGHT = ("error", "warning", "success")


async def read_errand_log(api: Api, session_id: str, kind: JobType) -> tuple[LogLine, ...]:
    """Return the lines that tell most: errors, then warnings, then what a restore gave back; at most 20, within 5 s.

    Best effort: what could not be read in time is left out, and nothing is raised. Synchronizations have no log.
    """
    lines: list[LogLine] = []
    one_page = {"limit": str(FULL_PAGE), "offset": "0"}
    with anyio.move_on_after(WITHIN), suppress(LookFailed):
        if kind is JobType.RESTORE:
            answer = await api.get(f"RestoreSessions/{quote(session_id, safe='')}/Events", one_page)
            events = sorted((_event(raw) for raw in rows_of(answer).rows), key=lambda pair: pair[0])
            lines += [line for _, line in events]
        elif kind is JobType.RETRIEVAL:
            answer = await api.get(f"DataRetrievalSessions/{quote(session_id, safe='')}/LogItems", one_page)
            lines += [line for line in lines_of(answer) if line.type != "success"]
    return tuple(line for kind_of in _BY_WEIGHT for line in lines if line.type == kind_of)[:MOST_LINES]


def _event(raw: msgspec.Raw) -> tuple[int, LogLine]:
    """Read what became of one item: its place, and a line that names it."""
    try:
        row = fields(raw)
    except UnreadableError:
        return 0, LogLine("", "")
    said = text(row.get("message")) or text(row.get("title")) or ""
    item = text(row.get("itemname"))
    words = f"{item}: {said}" if item and item not in said else said
    return whole(row.get("order")) or 0, LogLine(_TYPES.get((text(row.get("status")) or "").lower(), ""), words)
