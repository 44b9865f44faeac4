"""One watched server, as the poll loop sees it."""

import logging
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import anyio
import httpx

from watcher.core.finding import Finding
from watcher.core.model import (
    JOB_KINDS,
    Failure,
    Greeting,
    Heard,
    JobType,
    LogLine,
    Look,
    LookFailed,
    Memory,
    Reading,
    Session,
)
from watcher.core.watchdog.survey import Part, Parts
from watcher.vb365.access import Access
from watcher.vb365.api import Api
from watcher.vb365.dialect import Listing
from watcher.vb365.errand_log import read_errand_log
from watcher.vb365.errands import Errands
from watcher.vb365.estate import read_parts
from watcher.vb365.examine import failure_findings, greeting_findings, mail_finding
from watcher.vb365.faults import NotFoundError
from watcher.vb365.feed import SPOKEN_OF, read_events
from watcher.vb365.history import Mark, list_by_job, read_history
from watcher.vb365.http import Http, Patience
from watcher.vb365.identity import Identity, is_past
from watcher.vb365.job_row import read_job
from watcher.vb365.kinds import Kinds
from watcher.vb365.listings import Row, list_filtered, list_newest, list_open_of_jobs, reach, sweep_pages
from watcher.vb365.log import read_log
from watcher.vb365.login import Login
from watcher.vb365.names import Names
from watcher.vb365.pages import read_whole
from watcher.vb365.retries import with_verdicts
from watcher.vb365.single import Sighting, Singles
from watcher.vb365.version import find_newer, find_version

logger = logging.getLogger(__name__)

NEWER_EVERY = timedelta(days=1)
PROVE_EVERY = timedelta(hours=1)
LEAVE_WITHIN = 3.0


@dataclass(frozen=True, slots=True)
class _Marks:
    """What may only move once a look is stored: when versions were looked for and ends of listings proved, jobs' marks.

    `is_first`: no look was stored yet.
    """

    searched: datetime
    proved: datetime | None = None
    is_first: bool = True
    jobs: Mapping[str, Mark] = field(default_factory=dict)


class Server:
    """One watched server; it satisfies the Protocol `Source` of the poll loop.

    One request at a time is made, an event feed's aside. Everything remembered between looks spares requests and log
    lines, no more. `reading` says how far a long look is. Where the listings show what they showed
    last time, and nothing had to be read besides, a look has the very same `sessions` as the one before.
    """

    def __init__(
        self,
        access: Access,
        *,
        now: Callable[[], datetime],
        kinds: Collection[JobType] = JOB_KINDS,
        transport: httpx.AsyncBaseTransport | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Take what reaches the server; nothing is opened yet. `kinds` is watched, `transport` replaces the net."""
        self._access = access
        self._now = now
        self._http = Http(access, now=now, transport=transport, patience=patience)
        self._login = Login(self._http, access)
        self._identity = Identity(access.name, self._http, self._login, now)
        self._names = Names(access.name)
        self._singles = Singles(access.name)
        self._kinds = Kinds(kinds)
        self._heard = SPOKEN_OF.intersection(kinds)
        self._errands = Errands(access.name, kinds)
        self._api: Api | None = None
        self._doubt: LookFailed | None = None
        self.reading: Reading | None = None
        self._quiet: tuple[tuple[object, ...], tuple[Session, ...]] | None = None
        self._marks = _Marks(now())
        self._next = self._marks

    async def greet(self) -> Greeting:
        """Log in, find the version, and read what the server says of itself; raises LookFailed.

        A listing that fails for now is the next look's failure: what ends from here on is news all the same.
        """
        self._login.forgive()
        self._http.skew.reset()
        return self._identity.greeting(await self._ready())

    async def look(self, memory: Memory) -> Look:
        """Take one whole look; raises LookFailed when it has to be given up.

        A 404 of the session listing, and only that, makes the next look search for the version again.
        """
        self._login.forgive()
        self._http.skew.reset()
        self._next = self._marks
        try:
            api = await self._ready()
            self._settle_doubt()
            return await self._look(api, memory)
        except NotFoundError as missing:
            self._api = None
            self._identity.doubt()
            text = f"{missing}; the next look searches for the version again"
            raise LookFailed(Failure.NO_VERSION, text) from None
        except LookFailed:
            self._identity.doubt()
            raise

    def confirm(self) -> None:
        """Take note that what the last look brought is stored, so that it need not be read again."""
        self._marks = replace(self._next, is_first=False)

    async def sweep(self, back: timedelta) -> AsyncIterator[tuple[Session, ...]]:
        """Show all sessions that ended within a time, and more, page by page; raises LookFailed.

        It takes the way round what spares a look its work. Before the first look there is nothing to show.
        """
        if self._api is None:
            return
        api, since = self._api, self._identity.server_now() - back
        if not self._kinds.are_listed(api.dialect):
            return
        if api.dialect.listing is not Listing.BY_JOB:
            async for page in sweep_pages(api, since, self._kinds.filter(api.dialect)):
                yield self._kinds.sessions((row for row in page if isinstance(row, Session)), self._names.jobs())
            return
        for job_id in self._names.jobs():
            history = await read_history(api, job_id, (), since)
            if history is not None:
                yield tuple(row for row in history.rows if isinstance(row, Session))

    async def log_lines(self, session_id: str) -> tuple[LogLine, ...]:
        """Return the first error and warning lines of a session, best effort: () where they cannot be had quickly."""
        if self._api is None:
            return ()
        kind = self._errands.kind_of(session_id)
        return await (read_errand_log(self._api, session_id, kind) if kind else read_log(self._api, session_id))

    def want_jobs(self) -> None:
        """Have the jobs read anew with the next look."""
        self._names.want()

    def jobs_read(self) -> Mapping[JobType, datetime]:
        """Return when the jobs of each kind were read last, on our clock."""
        return self._names.read_at()

    async def survey(self, wanted: Iterable[Part]) -> Parts:
        """Read some of what the server says of itself, best effort: a part that cannot be had is missing."""
        return Parts() if self._api is None else await read_parts(self._api, wanted)

    async def listen(self, token: str | None) -> Heard | None:
        """Wait for what comes after a token of the event feed; None where there is no feed, or no look was made yet.

        Raises LookFailed. Looks go on meanwhile.
        """
        if self._api is None or not self._api.dialect.events or not self._heard:
            return None
        return await read_events(self._api, token, self._heard)

    async def examine(self) -> AsyncIterator[Finding]:
        """Look at address, TLS, login, version, clock and the server's own mail, in this order; ends at a failure."""
        try:
            greeting = await self.greet()
            self._settle_doubt()
        except LookFailed as failure:
            for finding in failure_findings(self._access, failure, is_logged_in=self._login.is_done):
                yield finding
            return
        for finding in greeting_findings(self._access, greeting):
            yield finding
        if self._api is not None and (own_mail := await mail_finding(self._api)):
            yield own_mail

    def login_hash(self, salt: str) -> str:
        """Return a salted hash of address, user and password (hex)."""
        return self._access.login_hash(salt)

    async def aclose(self) -> None:
        """Log out where the version knows how, best effort within 3 s, and close the connection."""
        with anyio.move_on_after(LEAVE_WITHIN, shield=True):
            try:
                if self._api is not None:
                    await self._login.leave(self._api.dialect)
            except LookFailed as failure:
                logger.debug("%s; the token stays until it runs out", failure)
        with anyio.CancelScope(shield=True):
            await self._http.aclose()

    async def _ready(self) -> Api:
        """Return the version to speak, looked for where that is due, and know what the server says of itself."""
        now = self._now()
        if self._api is None:
            found = await find_version(self._http, self._login, self._access)
            self._api, self._doubt = found.api, found.doubt
            self._next = replace(self._next, searched=now)
            if found.doubt is None:
                logger.info("%s: %s speaks %s", self._access.name, self._access.base, self._api.dialect.version)
        elif not self._access.is_fixed and is_past(self._marks.searched, NEWER_EVERY, now):
            self._next = replace(self._next, searched=now)
            await self._look_upwards(self._api)
        await self._identity.know(self._api)
        return self._api

    def _settle_doubt(self) -> None:
        """Raise why no look is possible, if that is so, and have the version searched for again next time."""
        if self._doubt is not None:
            doubt, self._doubt, self._api = self._doubt, None, None
            raise doubt

    async def _look_upwards(self, api: Api) -> None:
        if newer := await find_newer(api):
            logger.info("%s: speaks %s now", self._access.name, newer.dialect.version)
            self._api = newer
            self._identity.doubt()

    async def _look(self, api: Api, memory: Memory) -> Look:
        now = self._now()
        if is_past(self._marks.proved, PROVE_EVERY, now):
            api.ends.clear()
            self._next = replace(self._next, proved=now)
        since = reach(memory, server_now=self._identity.server_now())
        rows = await self._rows(api, memory, since)
        await self._identity.make_sure(api, memory.installation)
        await self._names.refresh(api, now=now, wanted=_job_ids(rows))
        if memory.watermark is None and self._marks.is_first and api.dialect.listing is not Listing.BY_JOB:
            rows += await list_open_of_jobs(api, rows, self._kinds.jobs(self._names.jobs()))
        seen, sessions = await self._completed(api, rows, memory, since)
        errands = await self._errands.look(api, memory, now=now, server_now=self._identity.server_now())
        return Look(
            self._identity.greeting(api),
            sessions=self._errands.beside(sessions, errands.sessions),
            gone=frozenset(seen.gone) | errands.gone,
            unreadable=frozenset(seen.unreadable),
            jobs=self._names.jobs(),
            marks=errands.marks,
        )

    async def _completed(
        self, api: Api, rows: list[Row], memory: Memory, since: datetime
    ) -> tuple[Sighting, tuple[Session, ...]]:
        """Return what is to be seen of jobs' sessions; they are the very same as last time where nothing has moved."""
        jobs = self._names.jobs()
        grounds = (since, dict(memory.open), rows, jobs)
        if self._quiet is not None and self._quiet[0] == grounds and not memory.hints:
            return Sighting({}), self._quiet[1]
        seen = await self._singles.complete(api, rows, memory, since=since)
        sessions = self._kinds.sessions(with_verdicts(api.dialect, seen.sessions.values(), jobs), jobs)
        is_quiet = not seen.asked and not memory.hints
        self._quiet = (grounds, sessions) if is_quiet else None
        return seen, sessions

    async def _rows(self, api: Api, memory: Memory, since: datetime) -> list[Row]:
        if not self._kinds.are_listed(api.dialect):
            await api.get(*api.dialect.probe)  # whether it answers has to be known all the same
            return []
        if api.dialect.listing is Listing.FILTERED:
            return await list_filtered(api, since, self._kinds.filter(api.dialect))
        if api.dialect.listing is Listing.NEWEST_FIRST:
            return await list_newest(api, memory, since, self._kinds.filter(api.dialect))
        jobs = await read_whole(api, "Jobs", read_job)
        self._names.take_jobs(jobs, self._now())
        known = [row.job for row in jobs if row.id]
        rows, marks = await list_by_job(api, known, self._marks.jobs, memory, since=since, tell=self._tell)
        self._next = replace(self._next, jobs=marks)
        return rows

    def _tell(self, reading: Reading | None) -> None:
        self.reading = reading


def _job_ids(rows: Iterable[Row]) -> frozenset[str]:
    return frozenset(row.job_id for row in rows if isinstance(row, Session) and row.job_id)
