"""The client against the stand-in server: every version, and every way in which a server may differ."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

import httpx
import pytest

from tests.vb365.vb365_script import HASTE, NOW, Clock
from watcher.core.model import LogLine, Look, LookFailed, Memory, Session, Statistics, Status
from watcher.demo.estate import Schedule
from watcher.demo.faults import BadRow, Faults
from watcher.demo.quirks import Bound, Echo, LogShape, MainSession, OpenEnd, Order, Quirks
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.vb365.access import Access
from watcher.vb365.server import Server

VERSIONS = ("v3", "v4", "v5", "v6", "v7", "v8")
FIRST_CONTACT = NOW
EVERY = timedelta(minutes=1)


@pytest.fixture
def anyio_backend() -> str:
    """Run on one backend: httpx's ASGI transport is the same on both."""
    return "asyncio"


@dataclass
class Watching:
    """A client, the world it watches, and what a store would remember of it."""

    version: str
    quirks: Quirks
    world: World = field(default_factory=World)
    clock: Clock = field(default_factory=Clock)
    sessions: dict[str, Session] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    last: Look | None = None

    def __post_init__(self) -> None:
        """Build three jobs with a week of history, the third idle for two days, and a client of one version."""
        self.faults = Faults(self.quirks)
        self.jobs = [
            self.world.add_job(f"Job {number}", "contoso.example", schedule=Schedule(retries=3)) for number in range(3)
        ]
        for hours in range(168, 1, -2):
            for job in self.jobs if hours > 50 else self.jobs[:2]:
                begun = NOW - timedelta(hours=hours)
                self.world.end(self.world.start(job, begun), Status.SUCCESS, begun + timedelta(minutes=20))
        app = create_app(self.world, now=self.clock, versions=[self.version], faults=self.faults)
        account = self.world.account
        access = Access("vbo", "http://vbo.example", account.username, account.password)
        transport = httpx.ASGITransport(app)
        self.server = Server(access, now=self.clock, transport=transport, patience=HASTE)

    async def look(self) -> Look:
        """Take a look, and remember it as the store does; a minute passes."""
        ends = [one.ended for one in self.sessions.values() if one.is_ended and one.ended]
        tracked = {one.id: one.created for one in self.sessions.values() if not one.is_settled}
        memory = Memory(FIRST_CONTACT, max(ends, default=None), tracked)
        self.clock.time += EVERY
        self.last = await self.server.look(memory)
        self.server.confirm()
        self.sessions |= {one.id: one for one in self.last.sessions}
        self.gone |= self.last.gone
        return self.last

    def start(self, job: int = 0, *, ago: timedelta = timedelta(0)) -> str:
        """Begin a session."""
        return self.world.start(self.jobs[job], self.clock.time - ago)

    def end(self, session: str, status: str, *, will_be_retried: bool = False) -> None:
        """End a session."""
        self.world.end(session, status, self.clock.time, will_be_retried=will_be_retried)

    def status(self, session: str) -> str | None:
        """Return what is known of a session."""
        return self.sessions[session].status if session in self.sessions else None


QUIRKS: dict[str, Callable[[], Quirks]] = {
    "usual": Quirks,
    "open ends null": lambda: Quirks(open_end=OpenEnd.NULL),
    "open ends in year 1": lambda: Quirks(open_end=OpenEnd.YEAR_1),
    "open ends in year 9999": lambda: Quirks(open_end=OpenEnd.YEAR_9999),
    "main session of its own": lambda: Quirks(main_session=MainSession.OWN),
    "bound by creation": lambda: Quirks(bound=Bound.CREATED),
    "bound shows open ones": lambda: Quirks(bound_shows_open=True),
    "oldest first": lambda: Quirks(order=Order.OLDEST),
    "shuffled": lambda: Quirks(order=Order.SHUFFLED),
    "tiny pages": lambda: Quirks(page_cap=7),
    "tiny pages that lie": lambda: Quirks(page_cap=7, echo=Echo.ASKED, next_links=False),
    "tiny pages that talk nonsense": lambda: Quirks(page_cap=7, echo=Echo.WRONG, next_links=False),
    "tiny pages that are silent": lambda: Quirks(page_cap=7, echo=Echo.MISSING, next_links=False),
    "late verdicts": lambda: Quirks(verdict_late=True),
}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("quirk", QUIRKS)
async def test_every_end_is_seen_in_every_version(version: str, quirk: str) -> None:
    """Long and short runs, runs that ended between two looks or while looks failed, and those open at the start."""
    watching = Watching(version, QUIRKS[quirk]())
    ancient = watching.start(2, ago=timedelta(days=2))
    await watching.look()
    assert watching.status(ancient) == Status.RUNNING
    long = watching.start(0)
    await watching.look()
    short = watching.start(1)
    watching.end(short, Status.FAILED)
    shorter = watching.start(1)
    watching.end(shorter, Status.WARNING)
    await watching.look()
    assert (watching.status(short), watching.status(shorter)) == (Status.FAILED, Status.WARNING)
    watching.faults.fail(500, times=3)
    with pytest.raises(LookFailed):
        await watching.look()
    watching.end(long, Status.STOPPED)
    watching.end(ancient, Status.SUCCESS)
    await watching.look()
    assert (watching.status(long), watching.status(ancient)) == (Status.STOPPED, Status.SUCCESS)
    assert not watching.gone
    assert all(one.is_settled for one in watching.sessions.values())


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_value_arrives_as_it_is_in_the_world(version: str) -> None:
    """Times, names, counters and what else the version shows."""
    watching = Watching(version, Quirks())
    await watching.look()
    session = watching.start(0)
    counters = Statistics(5_662_310, 18, 6_100_000, 7_100_000, 1_288_490_188, 4031, "Source")
    watching.world.end(session, Status.FAILED, watching.clock.time, statistics=counters)
    look = await watching.look()
    seen, true = watching.sessions[session], watching.world.sessions[session]
    assert (seen.job_id, seen.created, seen.ended) == (true.job_id, true.created, true.ended)
    assert seen.statistics == counters
    job = look.jobs[watching.jobs[0]]
    assert (job.name, job.organization, job.retry_number) == ("Job 0", "contoso.example", 3)
    assert look.greeting.api_version == version
    expected = watching.world.installation_id if version >= "v6" else None
    assert look.greeting.installation_id == expected


@pytest.mark.parametrize("version", ["v7", "v8"])
@pytest.mark.parametrize("quirk", ["usual", "late verdicts"])
async def test_the_word_on_a_retry_is_there_with_the_end(version: str, quirk: str) -> None:
    """Also where the server writes it down only after the first answer that shows the end."""
    watching = Watching(version, QUIRKS[quirk]())
    await watching.look()
    session = watching.start(0)
    watching.end(session, Status.FAILED, will_be_retried=True)
    await watching.look()
    assert watching.sessions[session].will_be_retried is True


@pytest.mark.parametrize("version", VERSIONS)
async def test_an_emptied_listing_ends_nothing(version: str) -> None:
    """What is tracked is found by its id."""
    watching = Watching(version, Quirks())
    await watching.look()
    session = watching.start(0)
    await watching.look()
    watching.faults.empty_listings = True
    look = await watching.look()
    assert not look.gone
    assert watching.status(session) == Status.RUNNING
    watching.end(session, Status.SUCCESS)
    await watching.look()
    assert watching.status(session) == Status.SUCCESS


@pytest.mark.parametrize("version", VERSIONS)
async def test_one_bad_row_costs_one_row(version: str) -> None:
    """And none at all where the session itself can be read."""
    watching = Watching(version, Quirks())
    await watching.look()
    good, spoiled, bad = (watching.start(number) for number in range(3))
    for session in (good, spoiled, bad):
        watching.end(session, Status.FAILED)
    watching.faults.bad_rows[spoiled] = BadRow({"id": spoiled, "status": "Failed", "endTime": "soon"})
    watching.faults.bad_rows[bad] = BadRow({"id": bad}, bad_by_id=True)
    watching.faults.stray_rows = [None, 7, {"status": "Failed"}]
    look = await watching.look()
    assert (watching.status(good), watching.status(spoiled)) == (Status.FAILED, Status.FAILED)
    assert look.unreadable == {bad}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("shape", LogShape)
async def test_the_log_of_a_session_is_read(version: str, shape: LogShape) -> None:
    """The error first, then the warning."""
    watching = Watching(version, Quirks(log_shape=shape))
    await watching.look()
    session = watching.start(0)
    told = [LogLine("warning", "Mailbox was skipped"), LogLine("error", "Access is denied")]
    watching.world.end(session, Status.FAILED, watching.clock.time, log=told)
    assert await watching.server.log_lines(session) == (told[1], told[0])


@pytest.mark.parametrize("version", VERSIONS)
async def test_nothing_but_gets_and_tokens_is_sent(version: str) -> None:
    """The watched server is never changed."""
    sent: list[tuple[str, str]] = []

    watching = Watching(version, Quirks())
    inner = cast("httpx.ASGITransport", watching.server._http._transport)

    class Recording(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            sent.append((request.method, request.url.path))
            return await inner.handle_async_request(request)

    watching.server._http._transport = Recording()
    await watching.look()
    [finding async for finding in watching.server.examine()]
    await watching.server.aclose()
    posts = {path for method, path in sent if method != "GET"}
    assert posts
    assert all(path.split("/")[2:] in (["token"], ["token", "logout"]) for path in posts)


async def test_random_but_valid_answers_raise_nothing_else() -> None:
    """Whatever JSON comes, a look succeeds or is given up; sense is made again of the next good answer."""
    watching = Watching("v8", Quirks())
    watching.faults.nonsense(path="/v8/(?!token)", times=None)
    for _ in range(60):
        with suppress(LookFailed):
            await watching.look()
    watching.faults.clear()
    assert len((await watching.look()).jobs) == 3
