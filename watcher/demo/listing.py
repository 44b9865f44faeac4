"""Which sessions a listing shows, in which order, and what stands in each of its rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from watcher.core.model import JobType, Session
from watcher.demo.estate import Job
from watcher.demo.faults import Faults
from watcher.demo.quirks import Bound, Order, Quirks
from watcher.demo.wire import Ask, array_or_page, moment, word
from watcher.demo.wire_sessions import session_body
from watcher.demo.world import World

_STATUS_FILTER = {name: name for name in ("Stopped", "Running", "Failed", "Warning")} | {"Succeeded": "Success"}
_JOB_TYPE = {"Backup": JobType.BACKUP, "Copy": JobType.COPY}
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Desk:
    """What answers are made from. `shown` are the ended sessions that some answer has shown already."""

    world: World
    faults: Faults
    shown: set[str] = field(default_factory=set)

    def sessions(self, version: int) -> list[Session]:
        """Return the sessions a version knows; there are no copy jobs before v6."""
        known = list(self.world.sessions.values())
        return [one for one in known if version >= 6 or one.job_type is not JobType.COPY]

    def jobs(self, kind: JobType) -> list[Job]:
        """Return the jobs of a kind, as they are or as `faults.jobs_as_of` goes on showing them."""
        return [job for job in list((self.faults.jobs_as_of or self.world.jobs).values()) if job.type is kind]


@dataclass(frozen=True, slots=True)
class Stray:
    """A row of a listing that is no session at all."""

    row: Any


def listing(desk: Desk, ask: Ask, sessions: Sequence[Session]) -> Any:
    """Return the listing of some sessions: an array up to v4, a page from v5; with what the faults do to it."""
    listed = _ordered([one for one in sessions if not desk.faults.hides(one.id)], ask.wire.quirks.order)
    rows: list[Session | Stray] = [*(Stray(row) for row in desk.faults.stray_rows), *listed]
    answer = array_or_page(ask, rows, lambda row: _listed_row(desk, ask, row), page_since=5)
    if desk.faults.between_pages is not None:
        desk.faults.between_pages()
    return answer


def _listed_row(desk: Desk, ask: Ask, row: Session | Stray) -> Any:
    if isinstance(row, Stray):
        return row.row
    bad = desk.faults.bad_rows.get(row.id)
    return bad.row if bad is not None else row_of(desk, ask, row)


def row_of(desk: Desk, ask: Ask, session: Session) -> Any:
    """Return a session's own body, as a listing and a read by id both show it."""
    job = desk.world.jobs[session.job_id or ""]
    if ask.wire.quirks.verdict_late and session.is_ended and session.id not in desk.shown:
        desk.shown.add(session.id)
        session = replace(session, will_be_retried=None)
    return session_body(ask.wire, session, job)


def filtered(sessions: list[Session], ask: Ask) -> list[Session]:
    """Return the sessions that pass the query's filters; each version knows more. May raise BadParameterError."""
    if ask.wire.version >= 6:
        sessions = _by_type(_after(sessions, ask), ask)
    if ask.wire.version >= 7:
        sessions = _by_job(_before(sessions, ask), ask)
    if ask.wire.version >= 8:
        sessions = _by_status(sessions, ask)
    return sessions


def _by_type(sessions: list[Session], ask: Ask) -> list[Session]:
    wanted = word(ask.query, "jobType", tuple(_JOB_TYPE))
    return [one for one in sessions if wanted is None or one.job_type is _JOB_TYPE[wanted]]


def _by_job(sessions: list[Session], ask: Ask) -> list[Session]:
    wanted = ask.query.get("jobid", "").lower()
    return [one for one in sessions if not wanted or one.job_id == wanted]


def _by_status(sessions: list[Session], ask: Ask) -> list[Session]:
    wanted = word(ask.query, "status", tuple(_STATUS_FILTER))
    return [one for one in sessions if wanted is None or one.status == _STATUS_FILTER[wanted]]


def _after(sessions: list[Session], ask: Ask) -> list[Session]:
    bound = moment(ask.query, "endTimeLowerBound")
    return [one for one in sessions if bound is None or _passes(one, ask.wire.quirks, lambda at: at >= bound)]


def _before(sessions: list[Session], ask: Ask) -> list[Session]:
    bound = moment(ask.query, "endTimeUpperBound")
    return [one for one in sessions if bound is None or _passes(one, ask.wire.quirks, lambda at: at <= bound)]


def _passes(session: Session, quirks: Quirks, holds: Callable[[datetime], bool]) -> bool:
    compared = session.ended if quirks.bound is Bound.ENDED else session.created
    return quirks.bound_shows_open if compared is None else holds(compared)


def _ordered(sessions: list[Session], order: Order) -> list[Session]:
    if order is Order.SHUFFLED:
        return sorted(sessions, key=lambda one: sha256(one.id.encode()).digest())
    newest_first = order is Order.NEWEST
    return sorted(sessions, key=lambda one: (one.created or _NEVER, one.id), reverse=newest_first)
