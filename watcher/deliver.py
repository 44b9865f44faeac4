"""The second loop's pass: claim what is due for one channel, send it, and settle how that went."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Protocol, TypeVar

import anyio

from watcher.core.backoff import settle
from watcher.core.delivery import Delivery, Parcel, Settlement, Verdict

LEASE = timedelta(seconds=15)
RENEW_EVERY = 5.0
_T = TypeVar("_T")


class Channel(Protocol):
    """Where messages go. `send` never raises for what the world did."""

    @property
    def name(self) -> str: ...
    @property
    def concurrency(self) -> int: ...
    async def send(self, parcel: Parcel) -> Verdict: ...


class Outbox(Protocol):
    """What is owed; each method is one transaction."""

    def claim(self, channel: str, *, now: datetime, owner: str, lease: timedelta, limit: int) -> list[Delivery]: ...
    def renew(self, ids: Sequence[int], *, owner: str, until: datetime) -> None: ...
    def settle(self, delivery_id: int, settlement: Settlement, *, owner: str, now: datetime) -> bool: ...


class RunDb(Protocol):
    """How a call to the store is made: in a thread by the daemon, directly in simulations."""

    async def __call__(self, work: Callable[[], _T]) -> _T: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """One channel's sending: its parts, who claims, how long it is patient, and what keeps secrets out of reasons."""

    channel: Channel
    outbox: Outbox
    run_db: RunDb
    owner: str
    give_up_after: timedelta
    clean: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Handled:
    """One delivery and how it went."""

    delivery: Delivery
    verdict: Verdict
    settlement: Settlement


async def deliver_once(desk: Desk, *, clock: Callable[[], datetime], rng: Random) -> list[Handled]:
    """Claim what is due, send it, settle it; an empty answer means that nothing was due.

    The claim writes the attempt down before it is made. A crash leaves the row under its lease, and it comes back.
    """
    channel, now = desk.channel, clock()
    rows = await desk.run_db(
        lambda: desk.outbox.claim(channel.name, now=now, owner=desk.owner, lease=LEASE, limit=channel.concurrency)
    )
    handled: list[Handled] = []
    if not rows:
        return handled
    in_flight = {row.id for row in rows}

    async def deliver(row: Delivery) -> None:
        handled.append(await _deliver(desk, row, clock, rng))
        in_flight.discard(row.id)

    async with anyio.create_task_group() as renewal:
        renewal.start_soon(_renew, desk, in_flight, clock)
        async with anyio.create_task_group() as sends:
            for row in rows:
                sends.start_soon(deliver, row)
        renewal.cancel_scope.cancel()
    return handled


async def _deliver(desk: Desk, row: Delivery, clock: Callable[[], datetime], rng: Random) -> Handled:
    verdict = await desk.channel.send(Parcel(row.message_id, row.destination, (row.event,)))
    verdict = Verdict(verdict.sent, desk.clean(verdict.reason), verdict.wait)
    now = clock()
    settlement = settle(row, verdict, now=now, give_up_after=desk.give_up_after, rng=rng)
    await desk.run_db(lambda: desk.outbox.settle(row.id, settlement, owner=desk.owner, now=now))
    return Handled(row, verdict, settlement)


async def _renew(desk: Desk, in_flight: set[int], clock: Callable[[], datetime]) -> None:
    """Keep the lease while a slow receiver makes up its mind, so that nobody else sends the same."""
    while True:
        await anyio.sleep(RENEW_EVERY)
        ids = tuple(in_flight)
        until = clock() + LEASE
        await desk.run_db(lambda ids=ids, until=until: desk.outbox.renew(ids, owner=desk.owner, until=until))  # type: ignore[misc]
