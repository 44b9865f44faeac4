"""The session listings of v3 and v4: a job's whole history in one array, so it is read only when it moved."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from watcher.core.model import Job, Memory, Session
from watcher.vb365.api import Api
from watcher.vb365.faults import NotFoundError
from watcher.vb365.listings import Row
from watcher.vb365.pages import read_whole
from watcher.vb365.session_row import read_session

NEWEST_KEPT = 20
LEEWAY = timedelta(minutes=2)
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Mark:
    """What /Jobs said of a job when its history was read, and the newest and the open sessions of that history."""

    last_run: datetime | None
    last_status: str | None
    newest: Session | None
    open: frozenset[str]


async def list_by_job(
    api: Api, jobs: Iterable[Job], marks: Mapping[str, Mark], memory: Memory
) -> tuple[list[Row], dict[str, Mark]]:
    """Read the histories that may have news; return their rows, and the marks to keep once the look is stored."""
    rows: list[Row] = []
    kept: dict[str, Mark] = {}
    for job in jobs:
        mark = marks.get(job.id)
        if mark is not None and not needs_reading(job, mark):
            kept[job.id] = mark
            continue
        history = await _history(api, job.id)
        if history is not None:
            rows += bounded(history, memory)
            kept[job.id] = _mark(job, history)
    return rows, kept


def needs_reading(job: Job, mark: Mark) -> bool:
    """Whether a job's history may hold news: /Jobs moved, something is open, or /Jobs does not keep up with it."""
    moved = (job.last_run, job.last_status) != (mark.last_run, mark.last_status)
    return moved or bool(mark.open) or not _explains(mark.newest, job)


def _explains(newest: Session | None, job: Job) -> bool:
    """Whether the newest session is the run of which /Jobs speaks; if not, a run may have gone by unnoticed.

    A job without a last run explains nothing: its history is empty, so reading it costs little.
    """
    if newest is None or job.last_run is None:
        return False
    if newest.status != job.last_status or newest.created is None:
        return False
    return newest.created - LEEWAY <= job.last_run <= (newest.ended or newest.created) + LEEWAY


def bounded(history: Sequence[Row], memory: Memory) -> list[Row]:
    """Leave out of a history what is over, ended before the horizon, is not tracked and not among the newest."""
    newest = {row.id for row in sorted(_sessions(history), key=_age, reverse=True)[:NEWEST_KEPT]}
    return [row for row in history if not isinstance(row, Session) or row.id in newest or _matters(row, memory)]


def _matters(row: Session, memory: Memory) -> bool:
    if not row.is_settled or row.id in memory.open:
        return True
    over = row.ended or row.created
    return over is None or over >= memory.horizon


async def _history(api: Api, job_id: str) -> list[Row] | None:
    """Read one job's history; None for a job that is gone by now."""
    resource, _ = api.dialect.sessions_of(job_id)
    try:
        return await read_whole(api, resource, read_session)
    except NotFoundError:
        return None


def _mark(job: Job, history: Iterable[Row]) -> Mark:
    sessions = _sessions(history)
    is_open = frozenset(row.id for row in sessions if not row.is_settled)
    return Mark(job.last_run, job.last_status, max(sessions, key=_age, default=None), is_open)


def _sessions(rows: Iterable[Row]) -> list[Session]:
    return [row for row in rows if isinstance(row, Session)]


def _age(row: Session) -> tuple[datetime, str]:
    return row.created or _LONG_AGO, row.id
