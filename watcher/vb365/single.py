"""Sessions read one by one: those that no listing showed, or showed without what is needed."""

import logging
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from watcher.core.model import Failure, JobType, LookFailed, Memory, Session, Status
from watcher.vb365.api import Api
from watcher.vb365.decode import UnreadableError, fields
from watcher.vb365.dialect import session
from watcher.vb365.faults import NotFoundError
from watcher.vb365.http import Answer
from watcher.vb365.session_row import BadRow, read_session

logger = logging.getLogger(__name__)

MOST_BAD_ROWS = 100
MOST_UNFINISHED = 50
FAILURES_IN_A_ROW = 3
_ITS_OWN = frozenset({Failure.SERVER_ERROR, Failure.BAD_ANSWER})
_Found: TypeAlias = Session | BadRow | None


@dataclass(slots=True)
class Sighting:
    """What one look brings of sessions. `gone`: tracked ids that answered 404 themselves. `asked`: by how many ids."""

    sessions: dict[str, Session]
    gone: set[str] = field(default_factory=set)
    unreadable: set[str] = field(default_factory=set)
    asked: int = 0


class Singles:
    """Completes what listings showed, and remembers what was said and asked already, so that no look repeats it."""

    def __init__(self, server: str) -> None:
        """Take the server's name, for the log."""
        self._server = server
        self._named: frozenset[str] = frozenset()
        self._nameless = 0
        self._asked_again: frozenset[str] = frozenset()

    async def complete(
        self, api: Api, rows: Sequence[Session | BadRow], memory: Memory, *, since: datetime
    ) -> Sighting:
        """Read by id: bad rows, tracked sessions that are not shown, ends after `since` that lack something, and hints.

        A session that cannot be read costs only itself, unless several in a row show that the server is sick: then
        their failure is raised as LookFailed, like whatever keeps all answers away.
        """
        seen = Sighting({row.id: row for row in rows if isinstance(row, Session)})
        faults = self._bad_rows(rows, seen)
        shown = {session_id: row.status for session_id, row in seen.sessions.items()}
        hinted = {one for one, status in memory.hints.items() if shown.get(one) != status}
        unshown = hinted | (memory.open.keys() - shown.keys())
        unfinished = self._unfinished(api, seen.sessions, since)
        wanted = dict.fromkeys([*list(faults)[:MOST_BAD_ROWS], *sorted(unshown), *unfinished])
        seen.asked = len(wanted)
        found = await _read_each(api, wanted)
        seen.unreadable.update(faults.keys() - found.keys())
        _sort_in(seen, found, memory)
        self._name({**{row_id: row.why for row_id, row in found.items() if isinstance(row, BadRow)}, **faults})
        return seen

    def _bad_rows(self, rows: Iterable[Session | BadRow], seen: Sighting) -> dict[str, str]:
        """Return why which rows are bad, by id; those without one can only be counted."""
        bad = [row for row in rows if isinstance(row, BadRow) and row.id not in seen.sessions]
        nameless = sum(row.id is None for row in bad)
        if nameless and nameless != self._nameless:
            logger.warning("%s: %d sessions without an id cannot be read", self._server, nameless)
        self._nameless = nameless
        return {row.id: row.why for row in bad if row.id is not None}

    def _unfinished(self, api: Api, sessions: Mapping[str, Session], since: datetime) -> list[str]:
        """Pick the ends that may not be written down to their last field yet; each is asked for again only once."""
        lacking = [row for row in sessions.values() if _lacks_something(row, api, since)]
        fresh = [row for row in lacking if row.id not in self._asked_again]
        fresh.sort(key=lambda row: row.created.timestamp() if row.created else 0.0, reverse=True)
        picked = [row.id for row in fresh[:MOST_UNFINISHED]]
        self._asked_again &= {row.id for row in lacking}
        self._asked_again |= frozenset(picked)
        return picked

    def _name(self, faults: Mapping[str, str]) -> None:
        for session_id in sorted(faults.keys() - self._named):
            logger.warning("%s: session %r cannot be read: %s", self._server, session_id, faults[session_id])
        self._named = frozenset(faults)


def _lacks_something(row: Session, api: Api, since: datetime) -> bool:
    """Whether an end has no time, or a bad end no word on its retry, which a server may add a moment later."""
    if not row.is_ended or row.ended is None:
        return row.is_ended
    may_be_retried = row.status in {Status.FAILED, Status.WARNING} and row.job_type is not JobType.COPY
    return api.dialect.retry_verdict and may_be_retried and row.will_be_retried is None and row.ended >= since


async def _read_each(api: Api, ids: Collection[str]) -> dict[str, _Found]:
    found: dict[str, _Found] = {}
    failed = 0
    for session_id in ids:
        try:
            found[session_id] = await _read(api, session_id)
            failed = 0
        except LookFailed as failure:
            failed += 1
            if failure.kind not in _ITS_OWN or failed == FAILURES_IN_A_ROW:
                raise
            found[session_id] = BadRow(session_id, str(failure))
    return found


async def _read(api: Api, session_id: str) -> _Found:
    """Read one session; None if it answers 404 itself. Raises LookFailed."""
    try:
        answer = await api.get(session(session_id))
    except NotFoundError:
        return None
    row = read_session(answer.body)
    if isinstance(row, BadRow):
        _refuse_no_object(answer)
        return BadRow(session_id, f"{answer.where}: {row.why}")
    if row.id.lower() != session_id.lower():
        return BadRow(session_id, f"{answer.where}: another session came back")
    return replace(row, id=session_id)


def _refuse_no_object(answer: Answer) -> None:
    """Raise LookFailed for HTML, nothing, and half an answer: that is the server's state, not the session's."""
    try:
        fields(answer.body)
    except UnreadableError as error:
        raise LookFailed(Failure.BAD_ANSWER, f"{answer.where}: answered {answer.status}, but {error}") from None


def _sort_in(seen: Sighting, found: Mapping[str, _Found], memory: Memory) -> None:
    for session_id, row in found.items():
        if isinstance(row, Session):
            seen.sessions[session_id] = row
        elif session_id in seen.sessions:
            continue  # what the listing showed of it still holds
        elif row is None and session_id in memory.open:
            seen.gone.add(session_id)
        elif row is None and session_id in memory.hints:
            continue  # it was there a moment ago; nothing is owed for it
        else:
            seen.unreadable.add(session_id)
