"""Any history on any server: looks tell each end once, and a whole sweep afterwards has nothing to add."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import TypeVar

import anyio
import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.vb365.vb365_script import HASTE, NOW, Clock
from watcher.core.model import Session
from watcher.core.page import Rules
from watcher.core.policy import plain
from watcher.core.wanted import EVENTS
from watcher.demo.faults import Faults
from watcher.demo.quirks import Bound, Echo, MainSession, OpenEnd, Order, Quirks
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.poll import poll_once
from watcher.store import open_store
from watcher.sweep import sweep_once
from watcher.vb365.access import Access
from watcher.vb365.server import Server
from watcher.watch import Watch, Watched

T = TypeVar("T")
VERSIONS = ("v3", "v5", "v6", "v7", "v8")
ENDS = ("Failed", "Warning", "Stopped", "Success")
TOLD = {"session.failed", "session.warning", "session.stopped", "session.success", "job.recovered"}


async def direct(work: Callable[[], T]) -> T:
    return work()


async def no_pause(_seconds: float) -> None:
    """Hurry."""


@pytest.fixture
def anyio_backend() -> str:
    """Run on one backend: httpx's ASGI transport is the same on both."""
    return "asyncio"


@dataclass
class Estate:
    """A world that is watched through any of its changes."""

    version: str
    quirks: Quirks
    clock: Clock = field(default_factory=Clock)
    told: list[str] = field(default_factory=list)
    truth: dict[str, bool] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world, self.faults = World(), Faults(self.quirks)
        self.jobs = [self.world.add_job(f"Job {number}", "contoso.example") for number in range(3)]
        for hours in range(60, 1, -1):
            begun = NOW - timedelta(hours=hours)
            self.world.end(self.world.start(self.jobs[hours % 3], begun), "Success", begun + timedelta(minutes=9))
        self.app = create_app(self.world, now=self.clock, versions=[self.version], faults=self.faults)
        self.store = open_store("sqlite://")
        self.begin()

    def begin(self) -> None:
        """Start a process that remembers nothing but the store."""
        account = self.world.account
        access = Access("vbo", "http://vbo.example", account.username, account.password)
        self.server = Server(access, now=self.clock, transport=httpx.ASGITransport(self.app), patience=HASTE)

        async def rules() -> Rules:
            return Rules(plain(EVENTS, {}, is_final=False), timedelta(seconds=30))

        watched = Watched("vbo", "http://vbo.example", timedelta(0), timedelta(days=400))
        self.watch = Watch(watched, self.server, self.store, direct, rules)

    async def look(self) -> bool:
        """Take a look; return whether it succeeded."""
        report = await poll_once(self.watch, now=self.clock.time)
        self.told += [event.session.id for event in report.events if event.session and event.type in TOLD]
        return report.failure is None

    def open(self) -> list[str]:
        """Return what runs, the oldest first."""
        return [one.id for one in self.world.sessions.values() if not one.is_settled]

    async def do(self, step: tuple[str, int, str]) -> None:
        """Let something happen."""
        kind, number, status = step
        self.clock.move(seconds=number * 40)
        if kind == "start":
            self.world.start(self.jobs[number % 3], self.clock.time)
        elif kind == "end" and self.open():
            session = self.open()[number % len(self.open())]
            self.world.end(session, status, self.clock.time)
            self.truth[session] = True
        elif kind == "short":
            session = self.world.start(self.jobs[number % 3], self.clock.time - timedelta(seconds=20))
            self.world.end(session, status, self.clock.time)
            self.truth[session] = True
        elif kind == "prune":
            self.world.forget(NOW - timedelta(hours=number))
        elif kind == "fault":
            self.faults.fail(503, path="/jobsessions", times=number % 5)
        elif kind == "restart":
            self.begin()
        else:
            await self.look()

    def move(self, rng: Random) -> None:
        """Let sessions come, end and go while a listing is read."""
        fate = rng.random()
        if fate < 0.2:
            self.world.start(self.jobs[rng.randrange(3)], self.clock.time)
        elif fate < 0.4 and self.open():
            self.end(rng.choice(self.open()), rng.choice(ENDS))
        elif fate < 0.8:
            gone = [one.id for one in self.world.sessions.values() if one.id in self.told or self.is_history(one)]
            for session in gone[-rng.randint(1, 5) :]:
                self.world.remove(session)

    def burst(self, rng: Random) -> None:
        """Let many sessions begin and end since the last look."""
        for _ in range(rng.randint(0, 30)):
            begun = self.clock.time - timedelta(seconds=rng.randint(1, 25))
            self.end(self.world.start(self.jobs[rng.randrange(3)], begun), rng.choice(ENDS))

    def end(self, session: str, status: str) -> None:
        """End a session, which has to be told from now on."""
        self.world.end(session, status, self.clock.time)
        self.truth[session] = True

    def is_history(self, session: Session) -> bool:
        """Whether a session was over before the watcher came."""
        return session.is_settled and session.id not in self.truth


STEPS = st.tuples(
    st.sampled_from(["start", "start", "end", "end", "short", "look", "look", "look", "prune", "fault", "restart"]),
    st.integers(0, 30),
    st.sampled_from(ENDS),
)
QUIRKS = st.builds(
    Quirks,
    open_end=st.sampled_from([None, *OpenEnd]),
    main_session=st.sampled_from(list(MainSession)),
    verdict_late=st.booleans(),
    bound=st.sampled_from(list(Bound)),
    bound_shows_open=st.booleans(),
    order=st.sampled_from(list(Order)),
    page_cap=st.sampled_from([None, 7, 30]),
    echo=st.sampled_from(list(Echo)),
    next_links=st.booleans(),
)


@pytest.mark.parametrize("version", VERSIONS)
def test_looks_and_a_sweep_agree(version: str) -> None:
    """Histories, page sizes, orders, prunings, failures and restarts, drawn at random."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(quirks=QUIRKS, steps=st.lists(STEPS, max_size=25))
    def check(quirks: Quirks, steps: list[tuple[str, int, str]]) -> None:
        anyio.run(live, version, quirks, steps)

    check()


@pytest.mark.parametrize("version", ["v5", "v6", "v7", "v8"])
def test_looks_agree_while_the_pages_move(version: str) -> None:
    """After each answer sessions begin, end and are pruned; small pages, so that there are many."""

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(rng=st.randoms(use_true_random=False), looks=st.integers(1, 6))
    def check(rng: Random, looks: int) -> None:
        anyio.run(live_moving, version, rng, looks)

    check()


async def live_moving(version: str, rng: Random, looks: int) -> None:
    estate = Estate(version, Quirks(page_cap=rng.choice([7, 12, 30]), echo=rng.choice(list(Echo))))
    await estate.look()
    estate.faults.between_pages = lambda: estate.move(rng)
    for _ in range(looks):
        estate.clock.move(seconds=30)
        estate.burst(rng)
        assert await estate.look()
    estate.faults.between_pages = None
    estate.clock.move(seconds=30)
    assert await estate.look()
    assert sorted(estate.told) == sorted(estate.truth)
    assert await sweep_once(estate.watch, estate.server, estate.store, now=estate.clock.time, pause=no_pause) == ()
    estate.store.close()


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_server_that_was_restored_from_a_backup(version: str) -> None:
    """Ended sessions run again and may end otherwise: that is told; what the backup does not know has vanished."""
    estate = Estate(version, Quirks())
    await estate.look()
    known, lost = estate.world.start(estate.jobs[0], estate.clock.time), ""
    await estate.look()
    estate.clock.move(minutes=1)
    snapshot = estate.clock.time
    estate.clock.move(minutes=1)
    estate.world.end(known, "Failed", estate.clock.time)
    lost = estate.world.start(estate.jobs[1], estate.clock.time)
    await estate.look()
    assert estate.told == [known]
    estate.world.restore(snapshot)
    for _ in range(3):
        estate.clock.move(minutes=1)
        assert await estate.look()
    assert estate.told == [known]
    estate.world.end(known, "Success", estate.clock.time)
    assert await estate.look()
    assert estate.told == [known, known]
    assert lost not in estate.watch.open
    estate.store.close()


async def live(version: str, quirks: Quirks, steps: list[tuple[str, int, str]]) -> None:
    estate = Estate(version, quirks)
    await estate.look()
    for step in steps:
        await estate.do(step)
    estate.faults.clear()
    estate.clock.move(minutes=1)
    assert await estate.look()
    estate.clock.move(minutes=1)
    assert await estate.look()
    assert sorted(estate.told) == sorted(estate.truth)
    assert await sweep_once(estate.watch, estate.server, estate.store, now=estate.clock.time, pause=no_pause) == ()
    estate.store.close()
