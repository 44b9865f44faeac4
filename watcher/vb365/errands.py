"""The listings of what no job repeats: restores, retrievals and synchronizations, each for itself.

A look lives by the sessions of jobs. What goes wrong here costs one kind for a while: it is said once, asked for ever
more seldom, and caught up with from where it was read last.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import anyio

from watcher.core.model import OVERLAP, Errand, Failure, JobType, LookFailed, Memory, Session
from watcher.vb365.api import Api
from watcher.vb365.errand_row import Reader, read_restore, read_retrieval, read_synchronization
from watcher.vb365.faults import NotFoundError
from watcher.vb365.job_row import read_repository
from watcher.vb365.listings import LONGEST_RUN, SHORT_PAGE, Enough, Row, falls
from watcher.vb365.pages import read_pages, read_whole
from watcher.vb365.session_row import BadRow

logger = logging.getLogger(__name__)

WITHIN = 30.0
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=30)
BAD_ROW_FOR = timedelta(days=1)
NAMES_EVERY = timedelta(hours=1)
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Kind:
    """Where one kind is found: its resource, since which version, and how its rows are read. `noun` is for the log."""

    kind: JobType
    resource: str
    since: int
    read: Reader
    noun: str


_KINDS = (
    _Kind(JobType.RESTORE, "RestoreSessions", 3, read_restore, "restores"),
    _Kind(JobType.RETRIEVAL, "DataRetrievalSessions", 6, read_retrieval, "retrievals"),
    _Kind(JobType.SYNCHRONIZE, "RepositorySynchronizeSessions", 6, read_synchronization, "synchronizations"),
)


@dataclass(frozen=True, slots=True)
class Brought:
    """What one look brings of all kinds. `gone`: tracked ids that answered 404; `marks`: up to where kinds were read,
    where that has moved.
    """

    sessions: tuple[Session, ...] = ()
    gone: frozenset[str] = frozenset()
    marks: Mapping[JobType, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class _Part:
    """One kind, and how reading it went: failures in a row, and when it is worth asking again."""

    of: _Kind
    failures: int = 0
    again: datetime | None = None
    named: frozenset[str] = frozenset()

    def is_due(self, now: datetime) -> bool:
        return self.again is None or not timedelta(0) < self.again - now <= LONGEST_PAUSE

    def fail(self, why: str, now: datetime) -> None:
        """Ask at the next look, then ever more seldom: a refusal may cost a login each time."""
        if not self.failures:
            logger.warning("%s; nothing is known of %s until that works, the rest goes on", why, self.of.noun)
        pause = FIRST_PAUSE * (1 << min(self.failures - 1, 10)) if self.failures else timedelta(0)
        self.failures, self.again = self.failures + 1, now + min(pause, LONGEST_PAUSE)

    def succeed(self, server: str) -> None:
        if self.failures:
            logger.info("%s: %s are seen again", server, self.of.noun)
        self.failures, self.again = 0, None


class Errands:
    """The kinds of one server that are watched besides jobs."""

    def __init__(self, server: str, kinds: Collection[JobType]) -> None:
        """Take the server's name, for the log, and what is watched."""
        self._server = server
        self._parts = [_Part(one) for one in _KINDS if one.kind in kinds]
        self._repositories: Mapping[str, str] = {}
        self._named_at: datetime | None = None
        self._said: set[tuple[str, JobType]] = set()
        self._last: tuple[Session, ...] = ()
        self._joined: tuple[tuple[Session, ...], ...] = ((), (), ())

    async def look(self, api: Api, memory: Memory, *, now: datetime, server_now: datetime) -> Brought:
        """Read every kind that answers; raises LookFailed only for a refused login.

        As long as nothing moves, `sessions` is the very same tuple.
        """
        found = Brought()
        for part in self._parts:
            if self._is_served(api, part.of) and part.is_due(now):
                found = _joined(found, await self._read(api, part, memory, now, server_now))
        if found.sessions == self._last:
            return replace(found, sessions=self._last)
        self._last = found.sessions
        return found

    def beside(self, of_jobs: tuple[Session, ...], found: tuple[Session, ...]) -> tuple[Session, ...]:
        """Join the sessions of jobs and these; where both are what they were, the very same tuple comes back."""
        if not found:
            return of_jobs
        if self._joined[0] is not of_jobs or self._joined[1] is not found:
            self._joined = (of_jobs, found, of_jobs + found)
        return self._joined[2]

    def kind_of(self, session_id: str) -> JobType | None:
        """Return what kind a session of the last look is; None for runs of jobs."""
        return next((one.job_type for one in self._last if one.id == session_id), None)

    def _is_served(self, api: Api, kind: _Kind) -> bool:
        if api.dialect.number >= kind.since:
            return True
        if (api.dialect.version, kind.kind) not in self._said:
            self._said.add((api.dialect.version, kind.kind))
            text = "%s: %s of its API has no %s, so none are watched"
            logger.warning(text, self._server, api.dialect.version, kind.noun)
        return False

    async def _read(self, api: Api, part: _Part, memory: Memory, now: datetime, server_now: datetime) -> Brought:
        try:
            with anyio.fail_after(WITHIN):
                if part.of.kind is JobType.SYNCHRONIZE:
                    await self._name_repositories(api, now)
                brought = await self._read_kind(api, part, memory, server_now)
        except TimeoutError:
            part.fail(f"{self._server}: reading {part.of.noun} takes longer than {WITHIN:.0f} s", now)
        except LookFailed as failure:
            if failure.kind is Failure.LOGIN_REFUSED:
                raise
            part.fail(str(failure), now)
        else:
            part.succeed(self._server)
            return brought
        return Brought()

    async def _read_kind(self, api: Api, part: _Part, memory: Memory, server_now: datetime) -> Brought:
        kind, mark = part.of.kind, memory.marks.get(part.of.kind)
        stop = _reach(memory, mark, server_now)
        rows = await _listed(api, part.of, stop)
        shown = {row.id: row for row in rows if isinstance(row, Session)}
        tracked = {one for one, of in memory.errands.items() if of is kind}
        bad = {row.id: row.why for row in rows if isinstance(row, BadRow) and row.id}
        singles = await _singles(api, part.of, sorted((tracked | bad.keys()) - shown.keys()))
        shown |= {one: row for one, row in singles.items() if isinstance(row, Session)}
        bad = {one: why for one, why in bad.items() if one not in shown}
        self._name_bad(part, bad)
        moved = _moved(shown.values(), mark or memory.horizon, server_now, is_whole=not bad)
        wanted = (one for one in shown.values() if _matters(one, stop) or one.id in tracked)
        return Brought(
            tuple(self._named(one) for one in wanted),
            frozenset(one for one, row in singles.items() if row is None and one in tracked),
            {} if moved == mark else {kind: moved},
        )

    def _name_bad(self, part: _Part, bad: Mapping[str, str]) -> None:
        for session_id in sorted(bad.keys() - part.named):
            noun = part.of.noun.removesuffix("s")
            logger.warning("%s: %s %r cannot be read: %s", self._server, noun, session_id, bad[session_id])
        part.named = frozenset(bad)

    def _named(self, session: Session) -> Session:
        """Give a synchronization the name of its repository."""
        errand = session.errand or Errand()
        name = self._repositories.get(errand.repository_id or "")
        is_nameless = session.job_type is JobType.SYNCHRONIZE and name is not None
        return replace(session, errand=replace(errand, name=name)) if is_nameless else session

    async def _name_repositories(self, api: Api, now: datetime) -> None:
        """Read what the repositories are called, hourly; names stay as they are where that fails."""
        if self._named_at is not None and timedelta(0) <= now - self._named_at < NAMES_EVERY:
            return
        self._named_at = now
        try:
            rows = await read_pages(api, "BackupRepositories", read_repository)
        except LookFailed as failure:
            if failure.kind is Failure.LOGIN_REFUSED:
                raise
            logger.debug("%s; repositories are called as before", failure)
            return
        self._repositories = {row.id: row.name for row in rows if row.id and row.name}


def _reach(memory: Memory, mark: datetime | None, server_now: datetime) -> datetime:
    """Return how far back a listing reaches: by the mark less an overlap, at first a day before the horizon.

    So a first contact knows what is still under way then.
    """
    back = OVERLAP if mark is not None else OVERLAP + LONGEST_RUN
    return max(min(mark or memory.horizon, server_now), _LONG_AGO + back) - back


async def _listed(api: Api, kind: _Kind, stop: datetime) -> Sequence[Row]:
    if kind.kind is JobType.SYNCHRONIZE:
        return await read_whole(api, kind.resource, kind.read)
    params: dict[str, str] = {}
    if kind.kind is JobType.RESTORE and api.dialect.number >= 6:
        params["startTimeFrom"] = stop.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    if kind.kind is JobType.RESTORE and api.dialect.number >= 8:
        params |= {"orderBy": "CreationTime", "orderAsc": "false"}
    return await read_pages(
        api,
        kind.resource,
        kind.read,
        params,
        until=Enough(stop).is_reached,
        is_newest_first=_falls,
        first_page=SHORT_PAGE,
    )


def _falls(page: Sequence[Row]) -> bool:
    return falls(row.created for row in page if isinstance(row, Session))


async def _singles(api: Api, kind: _Kind, ids: Sequence[str]) -> dict[str, Row | None]:
    """Read sessions by their ids; None for one that is gone. One that cannot be read is left for the next look."""
    found: dict[str, Row | None] = {}
    for session_id in ids:
        try:
            row = kind.read((await api.get(f"{kind.resource}/{quote(session_id, safe='')}")).body)
        except NotFoundError:
            found[session_id] = None
        except LookFailed as failure:
            if failure.kind is Failure.LOGIN_REFUSED:
                raise
            if failure.kind is Failure.SERVER_ERROR and api.dialect.number <= 5:
                found[session_id] = None  # so those versions answer for a restore that they have forgotten
            else:
                logger.debug("%s; it is read again at the next look", failure)
        else:
            if row.id and row.id.lower() == session_id.lower():
                found[session_id] = replace(row, id=session_id)
    return found


def _moved(shown: Collection[Session], mark: datetime, server_now: datetime, *, is_whole: bool) -> datetime:
    """Return up to where a kind is read now: its latest beginning; never back, never past the server's present.

    While a row cannot be read, a day stays within reach for it.
    """
    latest = max((session.created for session in shown if session.created is not None), default=mark)
    return max(mark, min(latest, server_now) - (timedelta(0) if is_whole else BAD_ROW_FOR))


def _matters(session: Session, stop: datetime) -> bool:
    when = session.ended or session.created
    return not session.is_settled or when is None or when >= stop


def _joined(one: Brought, other: Brought) -> Brought:
    return Brought(one.sessions + other.sessions, one.gone | other.gone, {**one.marks, **other.marks})
