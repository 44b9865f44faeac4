"""Restores, retrievals and synchronizations, from each version's wire to what is told: looks, store and stand-in."""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TypeVar

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vb365.vb365_script import HASTE, Clock
from watcher.core.event import Event
from watcher.core.model import JOB_KINDS, Errand, Heard, JobType, LogLine
from watcher.core.page import Rules
from watcher.core.policy import plain
from watcher.core.wanted import EVENTS
from watcher.demo.faults import BadRow, Faults
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.poll import poll_once
from watcher.store import Store, open_store
from watcher.vb365.access import Access
from watcher.vb365.server import Server
from watcher.watch import Report, Watch, Watched

T = TypeVar("T")
EVERYTHING = frozenset(JobType)
RESTORE = Errand("Mailbox of Ann", "Vex", "contoso.example", "Ann", "VBO-01\\operator", "10.0.0.7", "She asked for it")
RESTORES_SINCE = ("v3", "v4", "v5", "v6", "v7", "v8")
SINCE_V6 = ("v6", "v7", "v8")


@pytest.fixture
def anyio_backend() -> str:
    """Run on one backend: httpx's ASGI transport is the same on both."""
    return "asyncio"


async def direct(work: Callable[[], T]) -> T:
    return work()


@dataclass
class House:
    """A world, its server, and a watcher with its store. Each look comes a minute after the last."""

    version: str = "v8"
    kinds: frozenset[JobType] = EVERYTHING
    lookback: timedelta = timedelta(0)
    world: World = field(default_factory=World)
    faults: Faults = field(default_factory=Faults)
    clock: Clock = field(default_factory=Clock)
    store: Store = field(default_factory=lambda: open_store("sqlite://"))

    def __post_init__(self) -> None:
        self.app = create_app(self.world, now=self.clock, versions=[self.version], faults=self.faults)
        self.begin()

    def begin(self) -> None:
        """Start a process that remembers nothing but the store."""
        account = self.world.account
        access = Access("vbo", "http://vbo.example", account.username, account.password)
        transport = httpx.ASGITransport(self.app)
        self.server = Server(access, now=self.clock, kinds=self.kinds, transport=transport, patience=HASTE)

        async def rules() -> Rules:
            return Rules(plain(EVENTS, {"chat": ("chat",)}), timedelta(seconds=30))

        watched = Watched("vbo", "http://vbo.example", self.lookback, timedelta(days=400), self.kinds)
        self.watch = Watch(watched, self.server, self.store, direct, rules)

    @property
    def now(self) -> datetime:
        return self.clock.time

    async def look(self, minutes: float = 1) -> list[Event]:
        """Take a look; return what it tells."""
        report = await self.report(minutes)
        assert report.failure is None, report.text
        return list(report.events)

    async def report(self, minutes: float = 1) -> Report:
        self.clock.move(minutes=minutes)
        return await poll_once(self.watch, now=self.now)

    async def told(self, minutes: float = 1) -> list[str]:
        """Take a look; return the types of what it tells."""
        return [event.type for event in await self.look(minutes)]

    def asked(self, path: str = "") -> list[str]:
        """Return what was asked for since the last time, as path and query; clears the list."""
        seen = [f"{one.path}?{one.query}" for one in self.app.state.requests if path in one.path]
        self.app.state.requests.clear()
        return seen


@pytest.mark.parametrize("version", RESTORES_SINCE)
async def test_a_restore_from_start_to_end(version: str) -> None:
    """It is told when it begins and when it ends, with who restored what, from where and why, and as no job's."""
    house = House(version)
    assert await house.told() == []
    restore = house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
    (started,) = await house.look()
    assert await house.told() == []
    for kind, item, said in (("success", "Sent items", "Restored"), ("error", "Inbox", "It was locked")):
        house.world.log_errand(restore, kind, said, house.now, item=item)
    house.world.end_errand(restore, "Failed", house.now, details="The mailbox is gone")
    (failed,) = await house.look()
    assert await house.told(60) == []

    assert (started.type, failed.type) == ("session.started", "session.failed")
    assert (started.came_from, failed.came_from, failed.went_to) == (None, "Running", "Failed")
    assert failed.job is not None
    assert failed.session is not None
    assert (failed.job.name, failed.job.type, failed.job.organization) == (RESTORE.name, "restore", "contoso.example")
    assert failed.session.details == "The mailbox is gone"
    assert failed.session.errand is not None
    seen = failed.session.errand
    assert (seen.kind, seen.initiated_by) == ("Exchange restore", RESTORE.initiated_by)
    if version in SINCE_V6:
        assert (seen.scope, seen.host, seen.reason) == (RESTORE.scope, RESTORE.host, RESTORE.reason)
    assert failed.log == (LogLine("error", "Inbox: It was locked"), LogLine("success", "Sent items: Restored"))


@pytest.mark.parametrize("version", RESTORES_SINCE)
async def test_a_first_contact_makes_history_of_what_was_before(version: str) -> None:
    """A restore that was over is never told; one under way is told when it ends, as no start of ours."""
    house = House(version)
    old = house.world.begin_errand(JobType.RESTORE, house.now - timedelta(hours=3), RESTORE)
    house.world.end_errand(old, "Failed", house.now - timedelta(hours=2))
    working = house.world.begin_errand(JobType.RESTORE, house.now - timedelta(hours=1), RESTORE)
    assert await house.told() == []
    assert await house.told() == []
    house.world.end_errand(working, "Success", house.now)
    assert await house.told() == ["session.success"]


@pytest.mark.parametrize("version", RESTORES_SINCE)
async def test_short_ones_are_told_and_a_failed_one_is_not_made_good(version: str) -> None:
    """What begins and ends between two looks is told once; the next good restore is a success, and no recovery."""
    house = House(version)
    await house.look()
    for status in ("Failed", "Success"):
        restore = house.world.begin_errand(JobType.RESTORE, house.now, replace(RESTORE, name=None, kind="Vet"))
        house.world.end_errand(restore, status, house.now + timedelta(seconds=20))
    events = await house.look()
    assert [event.type for event in events] == ["session.failed", "session.success"]
    assert [event.job and event.job.name for event in events] == ["Teams restore"] * 2
    assert all(not event.story.was_bad for event in events)


@pytest.mark.parametrize("version", SINCE_V6)
async def test_a_retrieval_from_start_to_end(version: str) -> None:
    """Its name, its kind and its objects are told."""
    house = House(version)
    await house.look()
    errand = Errand("Mails of 2019", "RetrievalChangeAvailabilityPeriodDays", retrieval_id="r-1", repository_id="p-1")
    retrieval = house.world.begin_errand(JobType.RETRIEVAL, house.now, errand)
    assert await house.told() == ["session.started"]
    for kind, said in (("success", "Mail 1 was fetched"), ("warning", "Mail 2 was not")):
        house.world.log_errand(retrieval, kind, said, house.now)
    house.world.end_errand(retrieval, "Warning", house.now)
    (ended,) = await house.look()
    assert ended.log == (LogLine("warning", "Mail 2 was not"),)
    assert (ended.type, ended.job and ended.job.type) == ("session.warning", "retrieval")
    assert ended.session is not None
    assert ended.session.errand is not None
    assert (ended.session.errand.retrieval_id, ended.session.errand.name) == ("r-1", "Mails of 2019")
    assert ended.session.errand.kind == "Change of how long retrieved data is kept"


@pytest.mark.parametrize("version", SINCE_V6)
async def test_a_synchronization_has_the_times_at_which_it_was_seen(version: str) -> None:
    """A bad end is told when it shows, a good one when the state is None or the session is gone for two looks."""
    house = House(version)
    repository = next(iter(house.world.repositories.values()))
    errand = Errand(repository_id=repository.id)

    def begin(status: str = "Running") -> str:
        return house.world.begin_errand(JobType.SYNCHRONIZE, None, errand, status)

    old, under_way = begin("Failed"), begin()
    assert await house.told() == []
    house.world.end_errand(under_way, "Failed", None, details="The bucket does not answer")
    (failed,) = await house.look()
    seen = house.now
    assert (failed.type, failed.happened) == ("session.failed", seen)
    assert failed.job is not None
    assert failed.session is not None
    assert (failed.job.name, failed.job.type) == (repository.name, "synchronize")
    assert failed.session.details == "The bucket does not answer"

    good, gone = begin(), begin()
    assert await house.told() == ["session.started"] * 2
    house.world.end_errand(good, "Success", None)
    house.world.forget_errand(gone)
    assert await house.told() == ["session.success"]
    house.begin()  # what was seen is in the store
    (ended,) = await house.look()
    assert (ended.type, ended.session and ended.session.id, ended.happened) == ("session.success", gone, house.now)
    begin("Failed"), begin("Success")
    assert await house.told() == ["session.failed"]
    assert await house.told() == []
    house.world.end_errand(old, "Running", None)  # the id of an old one is used again
    assert await house.told() == []
    house.world.end_errand(old, "Failed", None)
    assert await house.told() == ["session.failed"]


async def test_two_watchers_see_one_end_of_what_has_no_times() -> None:
    """The moment at which it was seen first counts for both."""
    house = House()
    await house.look()
    other = House(world=house.world, clock=house.clock, store=house.store)
    await other.look()
    house.world.begin_errand(JobType.SYNCHRONIZE, None, Errand(), "Failed")
    assert await house.told() == ["session.failed"]
    assert await other.told() == []


async def test_a_second_watcher_that_watches_less_costs_the_first_nothing() -> None:
    """At its start it forgets what it does not watch; within a minute the first puts that back, and says so."""
    house = House()
    await house.look()
    under_way = house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
    assert await house.told() == ["session.started"]
    other = House(world=house.world, clock=house.clock, store=house.store, kinds=JOB_KINDS)
    assert await other.told() == []
    house.world.end_errand(under_way, "Failed", house.now)
    short = house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
    house.world.end_errand(short, "Success", house.now)
    sync = house.world.begin_errand(JobType.SYNCHRONIZE, None, Errand(), "Failed")
    report = await house.report()
    assert report.forgotten == EVERYTHING - JOB_KINDS
    assert sorted(event.type for event in report.events) == ["session.failed", "session.failed", "session.success"]
    assert sync in {event.session.id for event in report.events if event.session}
    assert [(await one.report()).forgotten for one in (house, other, house)] == [frozenset()] * 3
    short = house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
    house.world.end_errand(short, "Success", house.now)
    house.begin()  # no first contact
    assert await house.told() == ["session.success"]
    assert await other.told() == []


async def test_a_kind_that_is_watched_from_now_on_begins_with_a_first_contact() -> None:
    """What ended before, or while it was not watched, is history; what is under way is told when it ends."""
    house = House(kinds=JOB_KINDS)
    await house.look()
    restores = [house.world.begin_errand(JobType.RESTORE, house.now, RESTORE) for _ in range(2)]
    house.world.end_errand(restores[0], "Failed", house.now)
    assert await house.told(30) == []
    house.kinds = EVERYTHING
    house.begin()
    assert await house.told() == []
    house.kinds = JOB_KINDS
    house.begin()
    house.asked()
    assert await house.told() == []
    assert not [path for path in house.asked() if "restore" in path or restores[1] in path]
    house.world.end_errand(restores[1], "Failed", house.now)
    house.kinds = EVERYTHING
    house.clock.move(minutes=5)
    house.begin()
    assert await house.told() == []


async def test_a_restart_and_a_time_without_us_lose_nothing() -> None:
    """Restores that came and went meanwhile are told, once."""
    house = House()
    await house.look()
    restore = house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
    await house.look()
    house.clock.move(hours=30)
    house.world.end_errand(restore, "Success", house.now - timedelta(hours=20))
    short = house.world.begin_errand(JobType.RESTORE, house.now - timedelta(hours=15), RESTORE)
    house.world.end_errand(short, "Stopped", house.now - timedelta(hours=14))
    house.begin()
    assert await house.told() == ["session.success", "session.stopped"]
    assert await house.told() == []


@pytest.mark.parametrize("version", ["v3", "v8"])
async def test_a_lookback_reaches_restores_too(version: str) -> None:
    """What ended within it is told, as late; what ended before is history."""
    house = House(version, lookback=timedelta(days=1))
    for hours in (30, 3):
        begun = house.now - timedelta(hours=hours)
        house.world.end_errand(house.world.begin_errand(JobType.RESTORE, begun, RESTORE), "Failed", begun)
    (event,) = await house.look()
    assert event.late
    assert await house.told() == []


@pytest.mark.parametrize("version", RESTORES_SINCE)
async def test_a_look_costs_the_same_whatever_lies_behind(version: str) -> None:
    """One small request for each kind; an open one is read by its id only where the listing does not reach it."""
    house = House(version)
    for hours in range(400):
        begun = house.now - timedelta(hours=hours + 1)
        house.world.end_errand(house.world.begin_errand(JobType.RESTORE, begun, RESTORE), "Success", begun)
    house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
    for _ in range(3):
        await house.look(20)
    house.asked()
    await house.look(20)
    paths = [one.partition("?")[0].removeprefix(f"/{version}/") for one in house.asked("session")]
    other = ["dataretrievalsessions", "repositorysynchronizesessions"] if version in SINCE_V6 else []
    (of_jobs,) = {path for path in paths if path.startswith("job")} or {""}
    assert [path for path in paths if path != of_jobs and len(path) < 40] == ["restoresessions", *other]
    assert len(paths) <= 6


@pytest.mark.parametrize("fault", ["404", "500", "403", "html", "empty"])
async def test_a_listing_that_fails_alone_costs_only_its_kind(fault: str, caplog: pytest.LogCaptureFixture) -> None:
    """Jobs and other kinds are told as ever; it is said once, and once when it works again, and nothing is lost."""
    caplog.set_level(logging.INFO)
    house = House()
    job = house.world.add_job("Mail", "contoso.example")
    await house.look()
    path = "/restoresessions"
    plan: dict[str, Callable[[], None]] = {
        "html": lambda: house.faults.html(path=path, times=None),
        "empty": lambda: house.faults.empty(path=path, times=None),
    }
    plan.get(fault, lambda: house.faults.fail(int(fault), path=path, times=None))()
    restore = house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
    house.world.end_errand(restore, "Failed", house.now)
    house.world.end(house.world.start(job, house.now), "Success", house.now)
    house.world.end_errand(house.world.begin_errand(JobType.RETRIEVAL, house.now, Errand("A")), "Success", house.now)
    assert sorted(await house.told()) == ["session.success"] * 2
    house.asked()
    for _ in range(40):
        assert await house.told() == []
    assert 1 <= len(house.asked(path)) <= 40
    house.faults.clear()
    assert await house.told(31) == ["session.failed"]
    said = [record.message for record in caplog.records if "restore" in record.message.lower()]
    assert [line for line in said if "nothing is known of restores" in line] == said[:1]
    assert said[-1] == "vbo: restores are seen again"


async def test_a_restore_that_is_gone_is_told_as_such() -> None:
    """Two looks in a row have to answer so."""
    house = House()
    await house.look()
    restore = house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
    await house.look()
    house.world.forget_errand(restore)
    assert await house.told() == []
    (vanished,) = await house.look()
    assert (vanished.type, vanished.came_from) == ("session.vanished", "Running")


async def test_an_old_version_answers_500_for_a_restore_that_it_has_forgotten() -> None:
    """So v5 says that one is gone; from v6 on an error is an error."""
    told: dict[str, list[str]] = {}
    for version in ("v5", "v6"):
        house = House(version)
        await house.look()
        restore = house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
        await house.look()
        house.world.forget_errand(restore)
        house.faults.fail(500, path="/restoresessions/", times=None)
        told[version] = [kind for _ in range(3) for kind in await house.told()]
    assert told == {"v5": ["session.vanished"], "v6": []}


async def test_a_row_that_cannot_be_read_is_named_once_and_told_when_it_can_be(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its neighbours are told at once."""
    house = House()
    await house.look()
    bad = house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
    house.faults.bad_rows[bad] = BadRow({"id": bad, "state": "Working", "creationTime": "yesterday"}, bad_by_id=True)
    house.world.begin_errand(JobType.RESTORE, house.now + timedelta(seconds=1), RESTORE)
    assert await house.told() == ["session.started"]
    house.clock.move(hours=1)
    house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
    assert await house.told() == ["session.started"]
    assert await house.told(30) == []
    house.world.end_errand(bad, "Success", house.now)
    house.faults.bad_rows.clear()
    assert await house.told(30) == ["session.success"]
    assert len([record for record in caplog.records if "cannot be read" in record.message]) == 1


@pytest.mark.parametrize("version", ["v3", "v5", "v6", "v7", "v8"])
@pytest.mark.parametrize("kind", sorted(JOB_KINDS))
async def test_only_backups_or_only_copies(version: str, kind: JobType) -> None:
    """What is not watched is neither told nor known; before v6 there are no copies."""
    house = House(version, kinds=frozenset({kind}))
    backup = house.world.add_job("Mail", "contoso.example")
    jobs = {JobType.BACKUP: backup, JobType.COPY: house.world.add_job("Copy", "contoso.example", copy_of=backup)}
    for job in jobs.values():
        house.world.start(job, house.now - timedelta(minutes=2))
    await house.look()
    sessions = {one: house.world.start(job, house.now) for one, job in jobs.items()}
    started = await house.look()
    for session in [one.id for one in house.world.sessions.values()]:
        house.world.end(session, "Failed", house.now)
    ended = await house.look()
    is_known = kind is JobType.BACKUP or version in SINCE_V6
    ids = [sessions[kind]] if is_known else []
    assert [event.session and event.session.id for event in started] == ids
    assert sorted(event.type for event in ended) == ["session.failed"] * (2 * len(ids))
    known = {view.job for view in house.store.sessions(limit=99)}
    assert known == ({"Mail" if kind is JobType.BACKUP else "Copy"} if is_known else set())


async def test_a_feed_that_says_nothing_of_restores_is_not_mute() -> None:
    """It speaks of the sessions of jobs, as far as we listen."""
    house = House()
    await house.look()
    house.watch.ear.token = "OPAQUE-0"
    for _ in range(4):
        restore = house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
        assert not (await house.report()).mute
        house.world.end_errand(restore, "Failed", house.now)
        assert not (await house.report()).mute


async def test_a_feed_is_heard_of_what_is_watched_only() -> None:
    """Else each step of a backup would wake a look that shows nothing."""
    house = House(kinds=frozenset({JobType.COPY}))
    backup = house.world.add_job("Mail", "contoso.example")
    copy = house.world.add_job("Copy", "contoso.example", copy_of=backup)
    await house.look()
    latest = await house.server.listen(None)
    assert latest is not None
    sessions = {job: house.world.start(job, house.now) for job in (backup, copy)}
    heard = await house.server.listen(latest.token)
    assert heard is not None
    assert heard.statuses == {sessions[copy]: "Running"}


async def test_restores_alone() -> None:
    """Without any job's sessions a look still finds out whether the server answers, and the feed speaks of them."""
    house = House(kinds=frozenset({JobType.RESTORE}))
    job = house.world.add_job("Mail", "contoso.example")
    await house.look()
    first = await house.server.listen(None)
    assert first is not None
    house.world.end(house.world.start(job, house.now), "Failed", house.now)
    restore = house.world.begin_errand(JobType.RESTORE, house.now, RESTORE)
    heard = await house.server.listen(first.token)
    assert heard is not None
    assert heard == Heard(heard.token, {}, frozenset({restore}))
    assert await house.told() == ["session.started"]
    house.faults.fail(503, times=None)
    assert (await house.report()).failure is not None


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "begin", "end", "short", "fault", "restart", "wait"]),
        st.integers(0, 9),
        st.sampled_from(["Success", "Warning", "Failed"]),
        st.booleans(),
    ),
    min_size=6,
    max_size=20,
)


@settings(max_examples=60, deadline=None)
@given(version=st.sampled_from(["v3", "v5", "v6", "v8"]), steps=STEPS)
async def test_each_end_of_a_restore_is_told_once_whatever_happens(
    version: str, steps: list[tuple[str, int, str, bool]]
) -> None:
    """Listings that fail, restarts, long absences, restores that come and go between two looks, or outlast many."""
    house = House(version, kinds=frozenset({JobType.BACKUP, JobType.RESTORE}))
    told = Counter(one.session.id for one in await house.look() if one.session)
    truth: set[str] = set()

    def begin(seconds: int) -> str:
        return house.world.begin_errand(JobType.RESTORE, house.now - timedelta(seconds=seconds), RESTORE)

    for kind, number, status, with_look in steps:
        house.clock.move(minutes=1 + number * 4)
        working = [one.id for one in house.world.errands.values() if not one.is_ended]
        if kind == "begin":
            begin(number)
        elif kind == "short" or (kind == "end" and working):
            over = begin(20) if kind == "short" else working[number % len(working)]
            house.world.end_errand(over, status, house.now)
            truth.add(over)
        elif kind == "fault":
            house.faults.fail((404, 500, 403)[number % 3], path="/restoresessions", times=number)
        elif kind == "restart":
            house.begin()
        elif kind == "wait":
            house.clock.move(hours=number * 5)
        report = await house.report(0) if with_look else None
        told.update(ends_of(report.events) if report else ())
    house.faults.clear()
    for _ in range(2):
        told.update(ends_of(await house.look(61)))
    house.store.close()
    assert told == Counter(truth)


def ends_of(events: Iterable[Event]) -> list[str]:
    """Return the sessions of which some events tell the end."""
    return [one.session.id for one in events if one.session and one.session.is_ended]
