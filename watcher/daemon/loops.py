"""The loops: each is a pass and a clock. All that is decided is decided elsewhere."""

from collections import defaultdict, deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar

import anyio

from watcher.clock import Clock
from watcher.core.delivery import Delivery
from watcher.daemon.parts import Bench
from watcher.daemon.telling import Telling
from watcher.deliver import deliver
from watcher.desk import Desk, Handled
from watcher.poll import poll_once
from watcher.store import StoreError
from watcher.watch import Report, Watch
from watcher.web.health import Health

LOOK_AT_OUTBOX_EVERY = 1.0
LONGEST_PAUSE = 60.0
STORE_PAUSE = 5.0
SLICE = 15.0
POLL_WITHIN = timedelta(minutes=10)
DELIVER_WITHIN = timedelta(minutes=5)
PRUNE_EVERY = timedelta(hours=6)
BURY_EVERY = 30.0
EVENT_LOOKS_EVERY = 0.5
_T = TypeVar("_T")


class Bell:
    """Wakes the deliver loops when something new is owed."""

    def __init__(self) -> None:
        """Start with a bell that nobody has rung."""
        self._event = anyio.Event()

    def ring(self) -> None:
        """Wake everyone who waits."""
        self._event.set()
        self._event = anyio.Event()

    async def wait(self, seconds: float) -> None:
        """Wait for the bell, so many real seconds at the most."""
        event = self._event
        with anyio.move_on_after(seconds):
            await event.wait()


@dataclass(slots=True)
class Loops:
    """What the loops share: the clock, the bell, and those who are told what happened.

    `jobs`: the ids of the jobs that each server has, as its last look has shown.
    """

    bench: Bench
    health: Health
    telling: Telling
    rng: Random
    bell: Bell = field(default_factory=Bell)
    stopping: anyio.Event = field(default_factory=anyio.Event)
    looked: anyio.Event = field(default_factory=anyio.Event)
    installations: dict[int, str] = field(default_factory=dict)
    twins: set[str] = field(default_factory=set)
    trays: dict[str, deque[Delivery]] = field(default_factory=lambda: defaultdict(deque))
    jobs: dict[str, Collection[str]] = field(default_factory=dict)

    @property
    def clock(self) -> Clock:
        """The clock of this configuration."""
        return self.bench.clock

    async def poll(self, watch: Watch, interval: float, share: float = 1.0) -> None:
        """Look at one server for ever, from start to start of two looks; while it fails, ever more slowly.

        `share` of the interval passes before the second look, so that many servers are not looked at all at once.
        """
        loop = f"poll {watch.watched.name}"
        watch.hand = self._hand
        self.health.watch(loop, POLL_WITHIN, self.clock.now())
        try:
            await self._poll_for_ever(watch, loop, interval, share)
        finally:
            self.health.forget(loop)

    async def _poll_for_ever(self, watch: Watch, loop: str, interval: float, share: float) -> None:
        failures, due, is_first = 0, self.clock.ticks(), True
        while True:
            began = self.clock.ticks()
            report = await self._look(watch, loop)
            took = self.clock.ticks() - began
            failures = failures + 1 if report is None or report.failure else 0
            if failures or began >= due:  # a look that an event asked for leaves the others at their times
                due = began + _pause(report, interval, failures) * (share if is_first and not failures else 1.0)
            is_first = False
            if report is not None:
                self.telling.look(report, took, max(0.0, due - began - took))
                self._tried(watch.watched.name, loop)
                self._warn_of_twins(watch)
                if watch.has_looked:
                    self.jobs[watch.watched.name] = watch.jobs.keys()
                if report.owed:
                    self.bell.ring()
            if await self._rest(watch, loop, due, is_alive=report is not None, may_wake=not failures):
                await self.clock.sleep(began + EVENT_LOOKS_EVERY - self.clock.ticks())

    def _tried(self, server: str, loop: str) -> None:
        self.health.tried(server)
        self.health.beat(loop, self.clock.now())
        if not self.health.untried():
            self.looked.set()

    def _warn_of_twins(self, watch: Watch) -> None:
        """Say it once when two names turn out to be one installation: they share a history, each end is told once."""
        if watch.record is None:
            return
        first = self.installations.setdefault(watch.record.id, watch.watched.name)
        if first != watch.watched.name and watch.watched.name not in self.twins:
            self.twins.add(watch.watched.name)
            self.telling.twins(first, watch.watched.name)

    async def first_looks(self, within: float) -> None:
        """Wait until every server was tried once, so many seconds at the most: what is slow to start comes after."""
        with anyio.move_on_after(within):
            await self.looked.wait()

    async def _look(self, watch: Watch, loop: str) -> Report | None:
        try:
            report = await poll_once(watch, now=self.clock.now())
        except StoreError as error:
            self.store_failed(loop, error)
            return None
        self.telling.store_worked(loop)
        return report

    async def _rest(self, watch: Watch, loop: str, due: float, *, is_alive: bool, may_wake: bool) -> bool:
        """Wait until a look is due, in slices: a loop that rests for an hour because it was asked to is not stuck.

        Returns whether it was woken before its time.
        """
        wake = watch.wake if may_wake else anyio.Event()
        while (left := due - self.clock.ticks()) > 0:
            if await self.clock.wait(wake, min(left, SLICE)):
                return True
            if is_alive:
                self.health.beat(loop, self.clock.now())
        return False

    def _hand(self, claimed: Sequence[Delivery]) -> None:
        """Lay what a look has claimed on the desks of those who send it, and wake them."""
        for row in claimed:
            self.trays[row.channel].append(row)
        if claimed:
            self.bell.ring()

    async def deliver(self, desk: Desk) -> None:
        """Send what one channel is owed until it is time to stop; what is in flight then is finished first."""
        loop = f"deliver {desk.channel.name}"
        self.health.watch(loop, DELIVER_WITHIN, self.clock.now())
        stubborn = replace(desk, run_db=Stubborn(self, loop), tray=self.trays[desk.channel.name])
        await deliver(stubborn, Hours(self, loop), clock=self.clock.now, rng=self.rng)
        self.health.forget(loop)

    async def announce(self) -> None:
        """Take the channels down in the store, however long that takes: nothing is sent before."""
        while True:
            try:
                return await self.bench.announce()
            except StoreError as error:
                self.store_failed("announce", error)
                await anyio.sleep(STORE_PAUSE)

    def store_failed(self, loop: str, error: StoreError) -> None:
        """Say that the database refused, in the log and to whoever asks after our health."""
        self.health.trouble(loop, str(error))
        self.telling.store_failed(loop, error)

    async def bury(self) -> None:
        """Let what is owed to channels that are gone die when its time is over."""
        store = self.bench.store
        while True:
            now = self.clock.now()
            try:
                await self.bench.run_db(lambda now=now: store.bury(now=now))  # type: ignore[misc]
                self.telling.store_worked("bury")
            except StoreError as error:
                self.store_failed("bury", error)
            await self.clock.sleep(BURY_EVERY)

    async def prune(self) -> None:
        """Forget, every few hours, what is older than is kept."""
        while True:
            before = self.clock.now() - self.bench.settings.keep
            try:
                await self._prune(before)
                self.telling.store_worked("prune")
            except StoreError as error:
                self.store_failed("prune", error)
            await self.clock.sleep(PRUNE_EVERY.total_seconds())

    async def _prune(self, before: datetime) -> None:
        store, more = self.bench.store, 1
        while more:
            more = await self.bench.run_db(lambda: store.prune(before=before))
            await anyio.sleep(0.05)  # others want the database too

    def stop(self) -> None:
        """Let the deliver loops finish what is in flight and take nothing new."""
        self.stopping.set()
        self.bell.ring()


def _pause(report: Report | None, interval: float, failures: int) -> float:
    """Return how long from the start of a look to the start of the next, in seconds.

    While a server is down, the interval doubles up to a minute, never under its own.
    """
    if report is None:
        return max(interval, STORE_PAUSE)
    if not failures:
        return interval
    doubled = min(interval * (1 << min(failures - 1, 10)), max(LONGEST_PAUSE, interval))
    return max(doubled, report.wait or 0.0)


@dataclass(frozen=True, slots=True)
class Stubborn:
    """Calls to the store that are made again until they succeed: an outcome that is known must not be forgotten."""

    loops: Loops
    loop: str

    async def __call__(self, work: Callable[[], _T]) -> _T:
        """Make one call; return what it returns."""
        while True:
            try:
                done = await self.loops.bench.run_db(work)
            except StoreError as error:
                self.loops.store_failed(self.loop, error)
                await anyio.sleep(STORE_PAUSE)
            else:
                self.loops.telling.store_worked(self.loop)
                return done


@dataclass(frozen=True, slots=True)
class Hours:
    """When a deliver loop works: until it is time to stop, and at every ring of the bell."""

    loops: Loops
    loop: str

    def is_open(self) -> bool:
        """Whether something new may be taken; asking is progress."""
        self.loops.health.beat(self.loop, self.loops.clock.now())
        return not self.loops.stopping.is_set()

    async def rest(self) -> bool:
        """Wait for the bell, or look again in a second: another process may have put something back."""
        await self.loops.bell.wait(LOOK_AT_OUTBOX_EVERY)
        return not self.loops.stopping.is_set()

    def handled(self, handled: Sequence[Handled]) -> None:
        """Tell of deliveries, and wake the others: they may have to tell that this channel is sick."""
        self.loops.telling.deliveries(handled)


def leaf(error: BaseExceptionGroup[Exception]) -> Exception:
    """Return the first of the errors that a group holds."""
    first = error.exceptions[0]
    return leaf(first) if isinstance(first, BaseExceptionGroup) else first
