"""The session listings of v3 and v4: a job's whole history in one array, so it is read only when it moved.

It is read while it comes in, and what cannot matter is dropped on the way: a history may hold a million sessions.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import heappush, heapreplace

import msgspec

from watcher.core.model import ENDED, Job, Memory, Reading, Session
from watcher.vb365.api import Api
from watcher.vb365.decode import UnreadableError
from watcher.vb365.faults import NotFoundError
from watcher.vb365.listings import Row
from watcher.vb365.pages import no_listing, read_pages
from watcher.vb365.session_row import read_session
from watcher.vb365.splitter import PagedError, Splitter

NEWEST_KEPT = 20
LEEWAY = timedelta(minutes=2)
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
_ENDED = frozenset(status.lower() for status in ENDED)


@dataclass(frozen=True, slots=True)
class Mark:
    """What /Jobs said of a job when its history was read, and the newest and the open sessions of that history."""

    last_run: datetime | None
    last_status: str | None
    newest: Session | None
    open: frozenset[str]


async def list_by_job(
    api: Api,
    jobs: Collection[Job],
    marks: Mapping[str, Mark],
    memory: Memory,
    *,
    since: datetime,
    tell: Callable[[Reading | None], None],
) -> tuple[list[Row], dict[str, Mark]]:
    """Read the histories that may have news; return their rows, and the marks to keep once the look is stored.

    `since`: what ended before it and is not tracked is nobody's news. `tell` is shown how far the reading is.
    """
    rows: list[Row] = []
    kept: dict[str, Mark] = {}
    read = 0
    for number, job in enumerate(jobs):
        mark = marks.get(job.id)
        if mark is not None and not needs_reading(job, mark):
            kept[job.id] = mark
            continue
        before = read
        history = await read_history(
            api,
            job.id,
            memory.open,
            since,
            lambda so_far: tell(Reading(number, len(jobs), before + so_far)),  # noqa: B023
        )
        if history is not None:
            read += history.read
            rows += history.rows
            kept[job.id] = _mark(job, history.rows)
    tell(None)
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


class _Brief(msgspec.Struct, rename="camel", gc=False):
    """What decides whether a row matters; a row in which one of these is odd is read with more care."""

    id: str
    status: str
    creation_time: str
    end_time: str | None = None


class History:
    """What matters of one job's history, while its rows go by: `rows`, of `read` in all.

    Open, tracked, ended since a moment, the newest twenty, and what cannot be understood.
    """

    def __init__(self, tracked: Collection[str], since: datetime, tell: Callable[[int], None] = lambda _: None) -> None:
        """Begin before the first row."""
        self._tracked = tracked
        self._since = since
        self._tell = tell
        self._splitter = Splitter()
        self._newest: list[tuple[datetime, int, msgspec.Raw]] = []
        self.read = 0
        self.rows: list[Row] = []

    def feed(self, chunk: bytes) -> None:
        """Take more bytes of the answer."""
        for raws in self._splitter.feed(chunk):
            self._take(raws)
            self._tell(self.read)

    def end(self) -> None:
        """Take the end of the answer. Raises UnreadableError."""
        self._take(self._splitter.end())
        self.rows += [read_session(raw) for _, _, raw in sorted(self._newest, reverse=True)]
        self._newest.clear()

    def _take(self, raws: list[msgspec.Raw]) -> None:
        for raw in raws:
            self.read += 1
            try:
                brief = msgspec.json.decode(raw, type=_Brief)
                created, matters = _time(brief.creation_time), self._matters(brief)
            except (msgspec.DecodeError, UnicodeDecodeError, ValueError, RecursionError):
                self.rows.append(read_session(raw))
                continue
            if matters:
                self.rows.append(read_session(raw))
            elif len(self._newest) < NEWEST_KEPT:
                heappush(self._newest, (created, self.read, raw.copy()))
            elif created > self._newest[0][0]:
                heapreplace(self._newest, (created, self.read, raw.copy()))

    def _matters(self, brief: _Brief) -> bool:
        if brief.status.lower() not in _ENDED or brief.end_time is None or brief.id in self._tracked:
            return True
        return _time(brief.end_time) >= self._since


def _time(text: str) -> datetime:
    when = datetime.fromisoformat(text)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when


async def read_history(
    api: Api, job_id: str, tracked: Collection[str], since: datetime, tell: Callable[[int], None] = lambda _: None
) -> History | None:
    """Read one job's history; None for a job that is gone by now. Raises LookFailed."""
    resource, _ = api.dialect.sessions_of(job_id)
    histories: list[History] = []

    def begin() -> History:
        histories.append(History(tracked, since, tell))
        return histories[-1]

    try:
        answer = await api.get(resource, sink=begin)
        histories[-1].end()
    except NotFoundError:
        return None
    except PagedError:
        history = History(tracked, since)
        history.rows = list(await read_pages(api, resource, read_session))
        return history
    except UnreadableError as error:
        raise no_listing(answer, error) from None
    return histories[-1]


def _mark(job: Job, history: Iterable[Row]) -> Mark:
    sessions = [row for row in history if isinstance(row, Session)]
    is_open = frozenset(row.id for row in sessions if not row.is_settled)
    return Mark(job.last_run, job.last_status, max(sessions, key=_age, default=None), is_open)


def _age(row: Session) -> tuple[datetime, str]:
    return row.created or _LONG_AGO, row.id
