"""One pass of the deliver loop, on the real store in memory and a channel that answers by script."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import TypeVar

import anyio
import pytest

from watcher.core.delivery import Parcel, Sent, State, Verdict
from watcher.core.event import Event, ServerRef
from watcher.core.model import Greeting
from watcher.core.record import Owed, Page
from watcher.deliver import Desk, deliver_once
from watcher.store import Store, open_store

T = TypeVar("T")
T0 = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)


async def direct(work: Callable[[], T]) -> T:
    return work()


@dataclass
class Channel:
    """A channel that gives the verdicts of a script, the last one for ever."""

    verdicts: list[Verdict]
    name: str = "chat"
    concurrency: int = 1
    takes: float = 0.0
    got: list[Parcel] = field(default_factory=list)

    async def send(self, parcel: Parcel) -> Verdict:
        self.got.append(parcel)
        await anyio.sleep(self.takes)
        return self.verdicts.pop(0) if len(self.verdicts) > 1 else self.verdicts[0]


@dataclass
class Ticking:
    """A clock that shows the test's virtual time."""

    started: float

    def __call__(self) -> datetime:
        return T0 + timedelta(seconds=anyio.current_time() - self.started)


@pytest.fixture
def store() -> Iterator[Store]:
    store = open_store("sqlite://")
    yield store
    store.close()


def owe(store: Store, *event_ids: str, channel: str = "chat") -> None:
    """Write events that one channel is owed."""
    server = store.meet("HQ", "https://vbo.example:4443", Greeting("v8"), first_contact=T0, news_from=T0)
    events = tuple(Event(name, "session.failed", ServerRef("HQ"), T0, T0) for name in event_ids)
    page = Page(events=events, owed=tuple(Owed(name, channel, channel) for name in event_ids))
    store.record(server.id, [], [], lambda _: page, now=T0)


def desk(store: Store, channel: Channel, *, give_up_after: timedelta = timedelta(days=3)) -> Desk:
    return Desk(channel, store, direct, "me", give_up_after, lambda text: text.replace("s3cret", "***"))


def states(store: Store) -> dict[str, State]:
    return {row.event_id: row.state for row in store.deliveries(state=None, limit=99)}


async def test_what_is_owed_is_sent_once(store: Store) -> None:
    """A delivery leaves once, in order, and is then settled."""
    owe(store, "a", "b")
    channel, clock = Channel([Verdict(Sent.DELIVERED)]), Ticking(anyio.current_time())

    while await deliver_once(desk(store, channel), clock=clock, rng=Random(1)):
        pass

    assert [parcel.events[0].id for parcel in channel.got] == ["a", "b"]
    assert states(store) == {"a": State.DELIVERED, "b": State.DELIVERED}


async def test_a_failure_waits_and_is_tried_again(store: Store) -> None:
    """What did not arrive stays owed, not due at once, and arrives later; the reason is kept without secrets."""
    owe(store, "a")
    channel = Channel([Verdict(Sent.TRY_AGAIN, "refused for s3cret"), Verdict(Sent.DELIVERED)])
    clock = Ticking(anyio.current_time())

    await deliver_once(desk(store, channel), clock=clock, rng=Random(1))
    (row,) = store.deliveries(state=State.PENDING, limit=9)
    nothing_due = await deliver_once(desk(store, channel), clock=clock, rng=Random(1))
    await anyio.sleep(5)
    await deliver_once(desk(store, channel), clock=clock, rng=Random(1))

    assert row.last_error == "refused for ***"
    assert nothing_due == []
    assert states(store) == {"a": State.DELIVERED}


async def test_a_receiver_that_is_down_for_a_day_is_waited_for(store: Store) -> None:
    """Backoff grows to half an hour, so a day of refusals is some fifty attempts, and then it arrives."""
    owe(store, "a")
    channel, clock = Channel([Verdict(Sent.TRY_AGAIN, "refused")]), Ticking(anyio.current_time())
    rng = Random(1)
    for _ in range(24 * 60):
        await anyio.sleep(60)
        await deliver_once(desk(store, channel), clock=clock, rng=rng)
    tries = len(channel.got)
    channel.verdicts = [Verdict(Sent.DELIVERED)]
    await anyio.sleep(1800)
    await deliver_once(desk(store, channel), clock=clock, rng=rng)

    assert 48 <= tries <= 150
    assert states(store) == {"a": State.DELIVERED}


async def test_given_up_after_three_days(store: Store) -> None:
    """What could not be delivered for so long stands in the dead box with its reason."""
    owe(store, "a")
    channel, clock = Channel([Verdict(Sent.TRY_AGAIN, "refused")]), Ticking(anyio.current_time())

    await deliver_once(desk(store, channel), clock=clock, rng=Random(1))
    await anyio.sleep(3 * 86400)
    await deliver_once(desk(store, channel), clock=clock, rng=Random(1))

    (row,) = store.deliveries(state=State.DEAD, limit=9)
    assert row.last_error == "given up after 2 attempts: refused"


async def test_refused_is_dead_at_once(store: Store) -> None:
    """A wrong token does not get better by trying."""
    owe(store, "a", "b")
    channel, clock = Channel([Verdict(Sent.REFUSED, "answered 404"), Verdict(Sent.DELIVERED)]), Ticking(0)

    while await deliver_once(desk(store, channel), clock=clock, rng=Random(1)):
        pass

    assert states(store) == {"a": State.DEAD, "b": State.DELIVERED}


async def test_a_slow_receiver_keeps_its_lease(store: Store) -> None:
    """While a send takes longer than the lease, nobody else can claim the row."""
    owe(store, "a")
    channel, clock = Channel([Verdict(Sent.DELIVERED)], takes=60), Ticking(anyio.current_time())
    other = Channel([Verdict(Sent.DELIVERED)])

    async def second_worker() -> None:
        for _ in range(55):
            await anyio.sleep(1)
            await deliver_once(Desk(other, store, direct, "you", timedelta(days=3), str), clock=clock, rng=Random(1))

    async with anyio.create_task_group() as both:
        both.start_soon(lambda: deliver_once(desk(store, channel), clock=clock, rng=Random(1)))
        both.start_soon(second_worker)

    assert other.got == []
    assert states(store) == {"a": State.DELIVERED}


async def test_a_crash_in_flight_comes_back_within_twenty_seconds(store: Store) -> None:
    """A worker that died with a row in its hands loses it to the next when its lease is over."""
    owe(store, "a")
    channel, clock = Channel([Verdict(Sent.DELIVERED)], takes=3600), Ticking(anyio.current_time())
    with anyio.move_on_after(1):
        await deliver_once(desk(store, channel), clock=clock, rng=Random(1))
    other = Channel([Verdict(Sent.DELIVERED)])

    await anyio.sleep(16)
    await deliver_once(Desk(other, store, direct, "you", timedelta(days=3), str), clock=clock, rng=Random(1))

    assert [parcel.events[0].id for parcel in other.got] == ["a"]
    assert states(store) == {"a": State.DELIVERED}


async def test_a_channel_is_owed_its_own_rows_only(store: Store) -> None:
    """One channel neither sends nor waits for what another is owed."""
    owe(store, "a", channel="mail")
    channel = Channel([Verdict(Sent.DELIVERED)])

    assert await deliver_once(desk(store, channel), clock=Ticking(0), rng=Random(1)) == []
