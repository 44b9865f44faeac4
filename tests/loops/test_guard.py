"""The watchdogs' pass, on the real store and beside real looks at a server that answers by script."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from watcher.core.model import Failure, Greeting, Job, JobType, LogLine, Look, LookFailed, Memory, Schedule, Session
from watcher.core.page import Rules
from watcher.core.policy import plain
from watcher.core.wanted import EVENTS
from watcher.core.watchdog.alarm import Review
from watcher.core.watchdog.limits import Limits, Rulebook
from watcher.core.watchdog.survey import Health, License, Part, Parts, Proxy
from watcher.guard import MOST_JOBS, Guard, guard_once, pause
from watcher.poll import poll_once
from watcher.store import Store, open_store
from watcher.watch import Watch, Watched

T = TypeVar("T")
T0 = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
INTERVAL = timedelta(seconds=30)
POLICY = plain(EVENTS, {"chat": ("chat",)})
OFFLINE, ONLINE = (Proxy("p1", "proxy-01", is_online=False),), (Proxy("p1", "proxy-01", is_online=True),)


def at(minutes: float) -> datetime:
    return T0 + minutes * MINUTE


def nightly(**fields: Any) -> Job:
    usual = {"enabled": True, "last_backup": at(-60), "next_run": at(24 * 60), "schedule": Schedule("daily")}
    return Job("j1", "Mail", **{**usual, **fields})


@dataclass
class Script:
    """A server that shows what the test puts there; its jobs are read anew only when somebody wants that."""

    now: datetime = T0
    skew: timedelta = timedelta(0)
    job: Job = field(default_factory=nightly)
    sessions: tuple[Session, ...] = ()
    failure: LookFailed | None = None
    parts: dict[Part, Any] = field(default_factory=lambda: {Part.PROXIES: ONLINE})
    jobs: Mapping[str, Job] = field(default_factory=dict)
    read: datetime | None = None
    wanted: int = 0
    asked: list[tuple[datetime, tuple[Part, ...]]] = field(default_factory=list)

    async def greet(self) -> Greeting:
        return Greeting("v8", "0f0f", "8.4", self.skew)

    async def look(self, memory: Memory) -> Look:
        if self.failure:
            raise self.failure
        if self.read is None:
            self.jobs, self.read = {"j1": self.job}, self.now
        return Look(await self.greet(), self.sessions, jobs=self.jobs)

    def confirm(self) -> None:
        """Nothing to confirm."""

    async def log_lines(self, session_id: str) -> tuple[LogLine, ...]:
        return ()

    def login_hash(self, salt: str) -> str:
        return salt

    def want_jobs(self) -> None:
        self.wanted, self.read = self.wanted + 1, None

    def jobs_read(self) -> Mapping[JobType, datetime]:
        return {JobType.BACKUP: self.read} if self.read else {}

    async def survey(self, wanted: Iterable[Part]) -> Parts:
        self.asked.append((self.now, tuple(wanted)))
        parts = {part: self.parts[part] for part in wanted if self.parts.get(part) is not None}
        return Parts(parts, frozenset(part for part in wanted if part not in self.parts))


async def direct(work: Callable[[], T]) -> T:
    return work()


class Crash(BaseException):
    """The end of a process."""


class House:
    """A server, its looks and its watchdogs; the store outlives a restart."""

    def __init__(self, store: Store, script: Script, rulebook: Rulebook | None = None) -> None:
        self.store, self.script, self.rulebook = store, script, rulebook or Rulebook()
        self.calls, self.dies_before, self.dies_after = 0, 0, 0
        self.restart()

    def restart(self) -> None:
        """Forget all that is not in the store."""

        async def rules() -> Rules:
            return Rules(POLICY, INTERVAL)

        async def counted(work: Callable[[], T]) -> T:
            self.calls += 1
            if self.calls == self.dies_before:
                raise Crash
            result = work()
            if self.calls == self.dies_after:
                raise Crash
            return result

        watched = Watched("HQ", "https://hq", timedelta(0), timedelta(days=400))
        watch = Watch(watched, self.script, self.store, counted, rules)
        self.guard = Guard(watch, self.script, self.store, self.rulebook, INTERVAL)

    async def passes(self, minutes: float) -> list[str]:
        """Look and judge at a time; returns the kinds of events that the watchdogs told."""
        await self.look(minutes)
        return [event.type for event in (await self.judge(minutes)).events]

    async def live(self, begin: float, end: float) -> list[str]:
        """Look and judge every three minutes from a time on, and before another."""
        told: list[str] = []
        while begin < end:
            told += await self.passes(begin)
            begin += 3
        return told

    async def look(self, minutes: float) -> None:
        self.script.now = at(minutes)
        await poll_once(self.guard.watch, now=at(minutes))

    async def judge(self, minutes: float) -> Review:
        self.script.now = at(minutes)
        return await guard_once(self.guard, POLICY, now=at(minutes))


@pytest.fixture
def store() -> Iterator[Store]:
    store = open_store("sqlite://")
    yield store
    store.close()


async def test_nothing_is_judged_before_a_look(store: Store) -> None:
    """Nor asked for."""
    house = House(store, Script())
    assert (await house.judge(0)).is_empty
    assert house.script.asked == []


async def test_rows_are_read_anew_before_a_job_is_called_overdue(store: Store) -> None:
    """Once, and with the next look; on the server's clock, which is twenty minutes ahead."""
    house = House(store, Script(skew=20 * MINUTE, job=nightly(next_run=at(30))))
    assert await house.live(0, 99) == []
    house.script.job = nightly(next_run=at(30), last_run=at(-50))
    assert await house.passes(99) == []
    assert (house.script.wanted, house.guard.until) == (0, at(100))
    assert await house.passes(101) == []
    assert house.script.wanted == 1
    assert await house.passes(102) == ["job.overdue"]
    assert await house.passes(103) == []
    assert house.script.wanted == 1


async def test_a_clock_that_is_far_ahead_is_known_from_the_second_pass_on(store: Store) -> None:
    """The first one knows only what the rows say; it leaves out what it cannot know yet, and says that it is due."""
    house = House(store, Script(skew=5 * HOUR, job=nightly(next_run=at(60))))
    assert await house.passes(0) == []
    assert house.guard.until is not None
    assert house.guard.until <= at(0)
    assert await house.passes(1) == ["job.overdue"]


async def test_a_run_that_the_fresh_rows_know_of_is_not_overdue(store: Store) -> None:
    """The rows of an hour ago did not."""
    house = House(store, Script(job=nightly(next_run=at(30))))
    await house.live(0, 121)
    house.script.job = nightly(next_run=at(26 * 60), last_run=at(30))
    assert [await house.passes(minutes) for minutes in (121, 122, 123)] == [[], [], []]
    assert house.script.wanted == 1


async def test_a_listing_that_fails_is_asked_for_once_a_minute(store: Store) -> None:
    """Politely, and for as long as it takes."""
    house = House(store, Script(job=nightly(next_run=at(30))))
    await house.live(0, 120)
    house.script.read = at(0)
    house.script.want_jobs = lambda: wanted.append(house.script.now)  # type: ignore[method-assign]
    wanted: list[datetime] = []
    for seconds in range(0, 300, 20):
        assert await house.passes(121 + seconds / 60) == []
    assert wanted == [at(121 + minute) for minute in range(5)]


async def test_a_server_that_was_away_has_its_grace_again(store: Store) -> None:
    """While it is away nothing is judged; when it is back, what it missed may still begin."""
    house = House(store, Script(job=nightly(next_run=at(30))))
    await house.passes(0)
    house.script.failure = LookFailed(Failure.UNREACHABLE, "gone")
    house.script.parts[Part.PROXIES] = OFFLINE
    for minutes in range(20, 200, 10):
        assert await house.passes(minutes) == []
    assert [when for when, _ in house.script.asked] == [at(0)]
    house.script.failure, house.script.parts[Part.PROXIES] = None, ONLINE
    assert await house.passes(200) == []
    for minutes in range(201, 291, 5):
        assert await house.passes(minutes) == []
    assert [await house.passes(minutes) for minutes in (291, 292)] == [[], ["job.overdue"]]


async def test_one_look_that_fails_puts_judging_off(store: Store) -> None:
    """Until one succeeds."""
    house = House(store, Script(job=nightly(next_run=at(-300))))
    await house.look(0)
    house.script.failure = LookFailed(Failure.UNREACHABLE, "gone")
    await house.look(1)
    assert (await house.judge(1)).is_empty
    house.script.failure = None
    assert await house.passes(2) == ["job.overdue"]


async def test_each_part_has_its_pace_and_a_long_silence_makes_it_unknown(store: Store) -> None:
    """What was seen once and could not be read again is not told."""
    house = House(store, Script(parts={Part.PROXIES: OFFLINE, Part.LICENSE: License("l1"), Part.HEALTH: None}))
    await house.passes(0)
    assert set(house.script.asked[0][1]) == set(Part)
    house.script.parts[Part.PROXIES] = None  # it fails
    for minutes in range(1, 61):
        assert await house.passes(minutes) == []
    asked = [part for _, parts in house.script.asked[1:] for part in parts]
    assert {part: asked.count(part) for part in set(asked)} == {Part.PROXIES: 20, Part.HEALTH: 20, Part.LICENSE: 1}
    assert house.guard.survey.proxies is None
    house.script.parts[Part.PROXIES] = OFFLINE
    told = [await house.passes(minutes) for minutes in range(62, 70)]
    assert told == [[], [], [], [], [], [], ["proxy.offline"], []]


async def test_what_is_not_served_is_asked_for_daily(store: Store) -> None:
    """A 404 is no failure."""
    house = House(store, Script(parts={Part.PROXIES: ONLINE}))
    for hour in range(50):
        await house.passes(hour * 60)
    asked = [when for when, parts in house.script.asked if Part.LICENSE in parts]
    assert asked == [at(0), at(24 * 60), at(48 * 60)]


async def test_a_restart_forgets_what_was_seen_for_a_moment_and_no_alarm(store: Store) -> None:
    """A proxy has to be away for five minutes in one watch; what was told is not told again."""
    house = House(store, Script(parts={Part.PROXIES: OFFLINE}))
    assert [await house.passes(minutes) for minutes in (0, 4)] == [[], []]
    house.restart()
    assert [await house.passes(minutes) for minutes in (6, 10)] == [[], []]
    assert await house.passes(11) == ["proxy.offline"]
    house.restart()
    assert await house.passes(30) == []
    house.script.parts[Part.PROXIES] = ONLINE
    house.restart()
    assert await house.passes(60) == ["proxy.offline.recovered"]


async def test_by_single_passes_what_was_seen_in_two_of_them_counts(store: Store) -> None:
    """`run --once` from a timer is a process of its own each time."""
    house = House(store, Script(parts={Part.PROXIES: OFFLINE}))
    told = []
    for minutes in (0, 10, 20):
        house.restart()
        house.guard.may_doze = False
        told += await house.passes(minutes)
    assert told == ["proxy.offline"]


async def test_a_restart_after_a_long_time_gives_its_grace_again(store: Store) -> None:
    """Who was away with us may be just back; at first contact nobody was."""
    house = House(store, Script(job=nightly(next_run=at(60))))
    await house.passes(0)
    house.script.want_jobs()
    house.restart()
    assert await house.live(400, 490) == []
    assert [await house.passes(minutes) for minutes in (491, 492)] == [[], ["job.overdue"]]
    fresh = House(open_store("sqlite://"), Script(now=at(400), job=nightly(next_run=at(60))))
    assert await fresh.passes(400) == ["job.overdue"]
    fresh.store.close()


async def test_while_nothing_changes_nothing_is_done(store: Store) -> None:
    """Not a single question to the store."""
    house = House(store, Script(parts={Part.PROXIES: ONLINE, Part.HEALTH: Health(is_healthy=True)}))
    await house.passes(0)
    house.calls = 0
    for minutes in range(1, 59):
        assert (await house.judge(minutes)).is_empty or minutes > 5  # without looks it is away after five minutes
    assert house.calls == 0


async def test_a_run_is_held_against_those_before_it(store: Store) -> None:
    """Slow while it runs, short at its end; what is usual is asked for once a run."""
    runs = [
        Session(f"r{n}", "Success", "j1", created=at(n * 60), ended=at(n * 60 + 10), progress=100, retry_count=0)
        for n in range(1, 100)
    ]
    house = House(store, Script(job=nightly(next_run=None)))
    await house.passes(0)
    for run in runs:
        house.script.sessions = (run,)
        assert await house.passes((run.ended and (run.ended - T0) / MINUTE) or 0) == []
    slow = Session("slow", "Running", "j1", created=at(6000), progress=1, retry_count=0)
    house.script.sessions = (slow,)
    assert [await house.passes(minutes) for minutes in (6001, 6020, 6024)] == [[], [], []]
    assert await house.passes(6026) == ["job.slow"]
    house.script.sessions = (replace(slow, status="Success", ended=at(6030), progress=3),)
    assert sorted(await house.passes(6031)) == ["job.short", "job.slow.recovered"]
    assert house.guard.measures.usual == {}
    house.script.sessions = (replace(runs[0], id="well", created=at(6040), ended=at(6050)),)
    assert await house.passes(6051) == ["job.short.recovered"]


async def test_many_new_runs_are_held_against_others_bit_by_bit(store: Store) -> None:
    """A start after a long night reads no thousand histories at once; the rest comes with the next pass."""
    house = House(store, Script())
    await house.passes(0)
    house.script.jobs = {f"j{n}": replace(nightly(), id=f"j{n}") for n in range(3 * MOST_JOBS - 20)}
    house.script.sessions = tuple(
        Session(f"s{n}", "Running", f"j{n}", created=at(1)) for n in range(3 * MOST_JOBS - 20)
    )
    known = []
    for minutes in (2, 3, 4, 5):
        await house.passes(minutes)
        known.append(len(house.guard.measures.usual))
    assert known == [MOST_JOBS, 2 * MOST_JOBS, 3 * MOST_JOBS - 20, 3 * MOST_JOBS - 20]


@pytest.mark.parametrize("call", range(1, 30))
@pytest.mark.parametrize("is_done", [True, False])
async def test_a_crash_at_any_call_to_the_store_repeats_and_loses_nothing(
    store: Store, call: int, is_done: bool
) -> None:
    """What is remembered of an alarm, what is told and whom that is owed to are one transaction."""
    stories = [(OFFLINE, nightly(next_run=at(-120))), (ONLINE, nightly(next_run=at(1440), last_run=at(9)))]
    house = House(store, Script())
    house.dies_after, house.dies_before = (call, 0) if is_done else (0, call)
    for number, (proxies, job) in enumerate(stories):
        house.script.parts[Part.PROXIES], house.script.job = proxies, job
        for minutes in range(20 * number, 20 * number + 20, 2):
            house.script.want_jobs()
            try:
                await house.passes(minutes)
            except Crash:
                house.restart()
    told = sorted(row.event for row in store.deliveries(state=None, limit=99))
    kinds = ["job.overdue", "proxy.offline"]
    assert told == sorted([*kinds, *(f"{kind}.recovered" for kind in kinds)])


async def test_limits_may_differ_by_job(store: Store) -> None:
    """An override of the settings reaches the judgement."""
    house = House(store, Script(job=nightly(next_run=at(-30))), Rulebook(Limits(overdue_grace=10 * MINUTE)))
    assert await house.passes(0) == ["job.overdue"]


async def test_jobs_of_kinds_that_are_not_watched_are_nobody_s_care(store: Store) -> None:
    """Who watches copies alone does not hear that a backup job is overdue."""
    house = House(store, Script(job=nightly(next_run=at(-30))), Rulebook(Limits(overdue_grace=10 * MINUTE)))
    house.guard.watch.watched = replace(house.guard.watch.watched, kinds=frozenset({JobType.COPY}))
    assert await house.passes(0) == []


async def test_what_no_rule_asks_for_is_not_read(store: Store) -> None:
    """Each request is one that the server has to answer."""
    off = Limits(unhealthy_after=None, repository_low=(), license_days=())
    house = House(store, Script(), Rulebook(off))
    await house.passes(0)
    assert [set(parts) for _, parts in house.script.asked] == [{Part.PROXIES, Part.REPOSITORIES}]


def test_passes_are_a_minute_apart_at_most() -> None:
    """And a second at least, where looks follow each other closely."""
    spans = [timedelta(seconds=seconds) for seconds in (0.1, 5, 30, 600)]
    assert [pause(span).total_seconds() for span in spans] == [1, 10, 60, 60]


async def test_a_rule_that_is_switched_off_closes_its_alarm(store: Store) -> None:
    """By new settings, with a word to who was told; what it asked for is read no longer, and nothing of it is left."""
    house = House(store, Script(parts={Part.HEALTH: Health(is_healthy=False)}))
    assert [await house.passes(minutes) for minutes in (0, 3, 6)] == [[], [], ["server.unhealthy"]]
    house.rulebook = Rulebook(Limits(unhealthy_after=None))
    house.restart()
    await house.look(9)
    (ended,) = (await house.judge(9)).events
    assert (ended.type, ended.reason) == ("server.recovered", "its rule is switched off")
    assert Part.HEALTH not in house.script.asked[-1][1]
    assert store.status(now=at(9)).alarms == ()
    assert (await house.judge(10)).is_empty
