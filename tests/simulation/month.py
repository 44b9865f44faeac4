"""A month with the watchdogs: `python -m tests.simulation.month [SEED[:JOBS] …]` prints what they told, false and true.

The real pass over looks and the watchdogs' own, on a real store, in virtual time; only the server is made up. It looks
every ten minutes, is started anew twice, and its clock is forty seconds behind the server's.
"""

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import anyio

from tests.simulation.estate import DAY, HOUR, MINUTE, Estate
from tests.simulation.faults import Planted, plant
from watcher.core.event import ALARMS, ALARMS_OVER, Event
from watcher.core.model import Failure, Greeting, Job, JobType, LogLine, Look, LookFailed, Memory
from watcher.core.page import Rules
from watcher.core.policy import plain
from watcher.core.wanted import EVENTS
from watcher.core.watchdog.alarm import key_of
from watcher.core.watchdog.limits import Rulebook
from watcher.core.watchdog.survey import Part, Parts
from watcher.guard import Guard, guard_once
from watcher.poll import poll_once
from watcher.store import Store, open_store
from watcher.watch import Watch, Watched

T = TypeVar("T")
SKEW = timedelta(seconds=40)
SPRING = datetime(2026, 3, 10, 10, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 5, 10, tzinfo=UTC)


@dataclass
class Server:
    """An estate as the loops see it, with rows of jobs that are an hour old where nobody asks for them."""

    estate: Estate
    now: Callable[[], datetime]
    jobs: Mapping[str, Job] = field(default_factory=dict)
    read_at: datetime | None = None
    is_wanted: bool = True
    asked: int = 0

    async def greet(self) -> Greeting:
        return Greeting("v8", "0f0f", "8.4", SKEW)

    async def look(self, memory: Memory) -> Look:
        moment = self._moment()
        if self.is_wanted or self.read_at is None or self.now() - self.read_at >= HOUR:
            self.jobs = {plan.id: self.estate.job(plan, moment) for plan in self.estate.plans}
            self.read_at, self.is_wanted, self.asked = self.now(), False, self.asked + 1
        back = moment - (memory.watermark or moment) + 10 * MINUTE
        return Look(await self.greet(), tuple(self.estate.sessions(moment, back, memory.open)), jobs=self.jobs)

    def confirm(self) -> None:
        """Nothing to confirm."""

    async def log_lines(self, session_id: str) -> tuple[LogLine, ...]:
        return ()

    def login_hash(self, salt: str) -> str:
        return salt

    def want_jobs(self) -> None:
        self.is_wanted = True

    def jobs_read(self) -> Mapping[JobType, datetime]:
        return dict.fromkeys(JobType, self.read_at) if self.read_at else {}

    async def survey(self, wanted: Iterable[Part]) -> Parts:
        estate, found = self.estate, Parts()
        try:
            moment = self._moment()
        except LookFailed:
            return found
        shown: dict[Part, Callable[[datetime], Any]] = {
            Part.HEALTH: estate.health,
            Part.PROXIES: estate.proxies,
            Part.REPOSITORIES: estate.repositories,
            Part.BUCKETS: lambda _: (),
            Part.LICENSE: estate.held,
        }
        for part in wanted:
            found = found.with_read(part, shown[part](moment))
        return found

    def _moment(self) -> datetime:
        moment = self.now() + SKEW
        if self.estate.is_away(moment):
            raise LookFailed(Failure.UNREACHABLE, "the connection was refused")
        return moment


@dataclass
class Month:
    """An estate watched from its begin to its end; `told`: when each of the watchdogs' events came."""

    estate: Estate
    interval: timedelta
    rulebook: Rulebook = field(default_factory=Rulebook)
    told: list[tuple[datetime, Event]] = field(default_factory=list)
    now: datetime = SPRING

    def run(self) -> None:
        """Live through it."""
        store = open_store("sqlite://")
        try:
            anyio.run(self._live, store)
        finally:
            store.close()

    async def _live(self, store: Store) -> None:
        self.now = self.estate.begins
        restarts = [self.estate.begins + self.estate.days * DAY * share for share in (0, 0.3, 0.7)]
        while self.now < self.estate.ends:
            if restarts and self.now >= restarts[0]:
                del restarts[0]
                watch, guard = self._start(store)
            await poll_once(watch, now=self.now)
            said = await guard_once(guard, plain(EVENTS, {}), now=self.now + timedelta(seconds=2))
            self.told += [(self.now + SKEW, event) for event in said.events]
            self.now += self.interval

    def _start(self, store: Store) -> tuple[Watch, Guard]:
        server = Server(self.estate, lambda: self.now)

        async def rules() -> Rules:
            return Rules(plain(EVENTS, {}), self.interval)

        watched = Watched("HQ", "https://hq:4443", timedelta(0), timedelta(days=400))
        watch = Watch(watched, server, store, direct, rules)
        return watch, Guard(watch, server, store, self.rulebook, self.interval)

    def compare(self, planted: Iterable[Planted]) -> tuple[list[str], list[str]]:
        """Return what was told though nothing was wrong, and what was not told as it should have been."""
        left = [one for one in self.told if one[1].type in ALARMS | ALARMS_OVER]
        missed: list[str] = []
        for fault in planted:
            for kind, earliest, latest in fault.events:
                meant = [one for one in left if one[1].type == kind and _subject(one[1]) == fault.subject]
                fits = [one for one in meant if earliest <= one[0] <= latest]
                if len(fits) != 1:
                    came = [f"{when:%d %H:%M}" for when, _ in meant]
                    missed.append(f"{fault.name}: {kind} due {earliest:%d %H:%M} to {latest:%d %H:%M}, came {came}")
                left = [one for one in left if one not in fits]
        return [f"{when:%d %H:%M} {event.type} {_subject(event)}: {event.reason}" for when, event in left], missed


def _subject(event: Event) -> str:
    key = key_of(event)
    return key[1] if key else ""


async def direct(work: Callable[[], T]) -> T:
    """Call the store at once."""
    return work()


def healthy(seed: int, *, jobs: int = 200, days: int = 30, interval: timedelta = 10 * MINUTE) -> list[str]:
    """Return what is told of a month in which nothing is wrong, which should be nothing."""
    estate = Estate(seed, begins=AUTUMN if seed % 2 else SPRING, days=days, jobs=jobs)
    estate.live()
    month = Month(estate, interval)
    month.run()
    return month.compare([])[0]


def faulty(
    seed: int, *, jobs: int = 200, days: int = 30, interval: timedelta = 10 * MINUTE
) -> tuple[list[Planted], list[str], list[str]]:
    """Return what was planted in a month, what was told besides, and what was not told as it should have been."""
    estate = Estate(seed, begins=AUTUMN if seed % 2 else SPRING, days=days, jobs=jobs)
    planted = plant(estate, interval)
    month = Month(estate, interval)
    month.run()
    return planted, *month.compare(planted)


def main(wanted: Iterable[str]) -> None:
    """Print the figures of docs/watchdogs.md."""
    days = false = events = found = 0
    for seed, _, count in (word.partition(":") for word in wanted):
        began, jobs = time.monotonic(), int(count or 200)
        alarms = healthy(int(seed), jobs=jobs)
        planted, besides, missed = faulty(int(seed), jobs=jobs)
        told = sum(len(fault.events) for fault in planted)
        days, false = days + 2 * 30 * jobs, false + len(alarms) + len(besides)
        events, found = events + len(planted), found + len(planted) - len({one.partition(":")[0] for one in missed})
        took = time.monotonic() - began
        print(f"seed {seed}: {len(alarms)} and {len(besides)} false, {len(missed)} of {told} missed, {took:.0f} s")
        for line in (*alarms[:20], *besides[:20], *missed):
            print(f"    {line}")
    print(f"false alarms per 1,000 job-days: {false * 1000 / days:.3f} of {days} job-days")
    print(f"faults found, told once, in time and cleared: {found} of {events}")


if __name__ == "__main__":
    main(sys.argv[1:] or ["0", "1"])
