"""The second loop: claim what is due for one channel, send it, and settle how that went.

Each attempt is written down before it is made and its outcome after it. Outcomes that come in while one transaction is
being written share the next one. Sending goes on meanwhile, but only so far: a crash repeats at most what was in flight
and the few messages whose outcome was not written down yet.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from random import Random

import anyio
from anyio.abc import TaskGroup

from watcher.core.backoff import INTERRUPTED, OnUnknown, settle_all
from watcher.core.delivery import LEASE, Delivery, Parcel, Sent, Settlement, Verdict
from watcher.core.pace import Bucket, full, refill, take, wait_for_token
from watcher.core.parcels import Batches, Binder, Joined
from watcher.core.sickness import Attempt, Condition, Notice, Place, notice
from watcher.desk import Desk, Handled, Hours

RENEW_EVERY = 5.0
AHEAD = 4
AHEAD_AT_LEAST = 64
BEHIND = 4
BEHIND_AT_LEAST = 16
LINGER = 10
_SLICE = 1.0


async def deliver_once(desk: Desk, *, clock: Callable[[], datetime], rng: Random) -> list[Handled]:
    """Send what is due until nothing is; return how each delivery went."""
    once = _Once()
    await deliver(desk, once, clock=clock, rng=rng)
    return once.done


async def deliver(desk: Desk, hours: Hours, *, clock: Callable[[], datetime], rng: Random) -> None:
    """Send what is due and becomes due for as long as the desk is open; what is in flight then is finished first."""
    await _Sending(desk, hours, clock, rng).run()


@dataclass(slots=True)
class _Once:
    done: list[Handled] = field(default_factory=list)

    def is_open(self) -> bool:
        return True

    async def rest(self) -> bool:
        return False

    def handled(self, handled: Sequence[Handled]) -> None:
        self.done.extend(handled)


@dataclass(frozen=True, slots=True)
class _Result:
    """How one message went, for each of its rows."""

    rows: tuple[Delivery, ...]
    verdict: Verdict
    settlements: tuple[Settlement, ...]

    def handled(self) -> list[Handled]:
        return [Handled(row, self.verdict, end) for row, end in zip(self.rows, self.settlements, strict=True)]


class _Sending:
    """One desk at work: what it has claimed, what is in flight, and what is not yet written down.

    As many workers as the channel can use send; one writer writes down how it went.
    """

    def __init__(self, desk: Desk, hours: Hours, clock: Callable[[], datetime], rng: Random) -> None:
        self.desk = desk
        self.hours = hours
        self.clock = clock
        self.rng = rng
        self.claimed: deque[tuple[Delivery, ...]] = deque()
        self.held: set[int] = set()
        self.asked_to_wait: dict[str, datetime] = {}
        self.bucket: Bucket = full(desk.rate, clock())
        self.unwritten: list[_Result] = []
        self.news = anyio.Event()
        self.nothing_left = False
        self.all_sent = False
        self.counter = anyio.Lock(fast_acquire=True)
        self.shelf = anyio.Lock(fast_acquire=True)
        self.known = anyio.Semaphore(self._behind(), fast_acquire=True)

    async def run(self) -> None:
        async with anyio.create_task_group() as around:
            around.start_soon(self._renew)
            async with anyio.create_task_group() as writing:
                writing.start_soon(self._write)
                async with anyio.create_task_group() as sends:
                    for _ in range(self.desk.channel.concurrency):
                        sends.start_soon(self._work, sends)
                self.all_sent = True
                self.news.set()
            await self._release()
            around.cancel_scope.cancel()

    async def _work(self, sends: TaskGroup) -> None:
        while True:
            await self.known.acquire()
            async with self.counter:
                rows = await self._next()
            if rows is None:
                return self.known.release()
            if self._low() and len(self.claimed) == self._low():
                sends.start_soon(self._claim)  # so that nobody has to wait for it
            result = await self._tried(rows)
            self.unwritten.append(result)
            self.news.set()

    async def _next(self) -> tuple[Delivery, ...] | None:
        """Wait for the next message and take it; None when it is time to stop."""
        while self.hours.is_open() and not self.nothing_left:
            if wait := self._wait_for_token():
                await anyio.sleep(min(wait, _SLICE))
                continue
            self._take_tray()
            if not self.claimed:
                await self._claim()
            if self.claimed:
                self.bucket = take(self.bucket)
                return self.claimed.popleft()
            if self.hours.is_open():
                self.nothing_left = not await self.hours.rest()
        return None

    def _take_tray(self) -> None:
        """Take what was claimed when it was made."""
        while self.desk.tray:
            row = self.desk.tray.popleft()
            self.held.add(row.id)
            self.claimed.append((row,))

    def _wait_for_token(self) -> float:
        """Return in how many seconds the rate lets the next message go."""
        if not self.desk.rate.tokens:
            return 0.0
        self.bucket = refill(self.bucket, self.desk.rate, self.clock())
        return wait_for_token(self.bucket, self.desk.rate).total_seconds()

    async def _claim(self) -> None:
        async with self.shelf:
            if len(self.claimed) <= self._low():
                await self._claim_more()

    async def _claim_more(self) -> None:
        desk, now = self.desk, self.clock()
        rows = await desk.run_db(
            lambda: desk.outbox.claim(
                desk.channel.name, now=now, owner=desk.owner, lease=LEASE, limit=self._ahead(), binder=self._binder()
            )
        )
        # After a long stop a lease of our own may have run out while its outcome waits to be written down.
        fresh = [row for row in rows if row.id not in self.held]
        self.held.update(row.id for row in fresh)
        self.claimed.extend(tuple(message) for _, message in groupby(fresh, key=self._leaves_with))

    def _leaves_with(self, row: Delivery) -> tuple[str, bool]:
        """Say what the rows of one message have in common: what must not leave twice takes none of the news along."""
        return row.message_id, self._is_over(row)

    def _is_over(self, row: Delivery) -> bool:
        """Whether a row may have arrived already, by a send that was interrupted, and must not be sent twice."""
        return row.interrupted and self.desk.patience.on_unknown == OnUnknown.DROP

    def _ahead(self) -> int:
        """Return how many messages to claim at once: a few more than can be sent, where nothing speaks against it."""
        if self._is_careful():
            return 1
        return max(AHEAD * self.desk.channel.concurrency, AHEAD_AT_LEAST)

    def _low(self) -> int:
        """Return at how many claimed messages the next ones are claimed."""
        return 0 if self._is_careful() else self.desk.channel.concurrency

    def _behind(self) -> int:
        """Return how many messages may have left, or be leaving, whose outcome is not written down.

        It bounds what a crash repeats. Where there is no rate, a program listens, which knows a repeat by its id.
        """
        concurrency = self.desk.channel.concurrency
        return concurrency + (0 if self._is_careful() else max(BEHIND * concurrency, BEHIND_AT_LEAST))

    def _is_careful(self) -> bool:
        return bool(self.desk.rate.tokens) or self.desk.patience.on_unknown == OnUnknown.DROP

    def _binder(self) -> Binder:
        if self.desk.batch is not None:
            return Batches(self.desk.batch)
        return Joined(self.desk.patience.expires_after, self.asked_to_wait)

    async def _tried(self, rows: tuple[Delivery, ...]) -> _Result:
        verdict = await self._send(rows)
        ends = settle_all(rows, verdict, now=self.clock(), patience=self.desk.patience, rng=self.rng)
        self._note_wait(rows[0].destination, verdict, ends[0])
        return _Result(rows, verdict, tuple(ends))

    async def _send(self, rows: tuple[Delivery, ...]) -> Verdict:
        if self._is_over(rows[0]):
            return Verdict(Sent.UNKNOWN, INTERRUPTED)
        held = next((row.held for row in rows if row.held), "")
        parcel = Parcel(rows[0].message_id, rows[0].destination, tuple(row.event for row in rows), held)
        verdict = await self.desk.channel.send(parcel)
        return Verdict(verdict.sent, self.desk.clean(verdict.reason), verdict.wait) if verdict.reason else verdict

    def _note_wait(self, destination: str, verdict: Verdict, end: Settlement) -> None:
        if verdict.sent == Sent.WAIT_UNTIL and end.next_attempt:
            self.asked_to_wait[destination] = end.next_attempt
        else:
            self.asked_to_wait.pop(destination, None)

    async def _write(self) -> None:
        """Write down outcomes as they come, together with all others that are there by then."""
        while self.unwritten or not self.all_sent:
            await self.news.wait()
            self.news = anyio.Event()
            await self._linger()
            results, self.unwritten = self.unwritten, []
            if results:
                await self._store(results)
            for one in results:
                self.held.difference_update(row.id for row in one.rows)
                self.known.release()
                self.hours.handled(one.handled())

    async def _linger(self) -> None:
        """Let more outcomes come in while there is more to send: a transaction for each is what costs."""
        for _ in range(LINGER):
            if not self.claimed or 2 * len(self.unwritten) > self._behind():
                return
            await anyio.sleep(0.001)

    async def _store(self, results: Sequence[_Result]) -> None:
        desk, now = self.desk, self.clock()
        ends = {row.id: end for one in results for row, end in zip(one.rows, one.settlements, strict=True)}
        attempts = [Attempt(one.rows[0].destination, one.verdict) for one in results]

        def note(before: Mapping[Place, Condition]) -> Notice:
            return notice(desk.channel.name, attempts, before, desk.policy, now)

        await desk.run_db(lambda: desk.outbox.settle(ends, owner=desk.owner, now=now, note=note))

    async def _release(self) -> None:
        """Give back what was claimed and not sent, as if it had not been claimed."""
        self._take_tray()
        ids = [row.id for message in self.claimed for row in message]
        if ids:
            await self.desk.run_db(lambda: self.desk.outbox.release(ids, owner=self.desk.owner))

    async def _renew(self) -> None:
        """Keep the lease while a slow receiver makes up its mind, so that nobody else sends the same."""
        while True:
            await anyio.sleep(RENEW_EVERY)
            ids, until = (*self.held, *(row.id for row in self.desk.tray)), self.clock() + LEASE
            if ids:
                await self._renew_once(ids, until)

    def _renew_once(self, ids: Sequence[int], until: datetime) -> Awaitable[None]:
        return self.desk.run_db(lambda: self.desk.outbox.renew(ids, owner=self.desk.owner, until=until))
