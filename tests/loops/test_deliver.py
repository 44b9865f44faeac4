"""One pass of the deliver loop, on the real store in memory and a channel that answers by script."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from random import Random
from typing import TypeVar

import anyio
import pytest

from watcher.core.backoff import OnUnknown, Patience
from watcher.core.delivery import LEASE, Delivery, Parcel, Sent, State, Verdict
from watcher.core.event import Event, JobRef, ServerRef
from watcher.core.model import Greeting
from watcher.core.pace import Rate
from watcher.core.policy import plain
from watcher.core.record import Owed, Page
from watcher.deliver import deliver, deliver_once
from watcher.desk import Desk, Handled
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
    most_at_once: int = 0
    at_once: int = 0
    takes: float = 0.0
    got: list[Parcel] = field(default_factory=list)

    async def send(self, parcel: Parcel) -> Verdict:
        self.got.append(parcel)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await anyio.sleep(self.takes)
        finally:
            self.at_once -= 1
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


def owe(store: Store, *event_ids: str, channel: str = "chat", job: str | None = None, now: datetime = T0) -> None:
    """Write events that one channel is owed."""
    server = store.meet("HQ", "https://vbo.example:4443", Greeting("v8"), first_contact=T0, news_from=T0)
    about = JobRef(job, job) if job else None
    events = tuple(Event(name, "session.failed", ServerRef("HQ"), now, now, job=about) for name in event_ids)
    page = Page(events=events, owed=tuple(Owed(name, channel, channel) for name in event_ids))
    store.record(server.id, [], [], lambda _: page, now=now)


def desk(store: Store, channel: Channel, *, give_up_after: timedelta = timedelta(days=3)) -> Desk:
    patience = Patience(give_up_after=give_up_after)
    return Desk(channel, store, direct, "me", lambda text: text.replace("s3cret", "***"), patience)


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
            await deliver_once(Desk(other, store, direct, "you", str), clock=clock, rng=Random(1))

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
    await deliver_once(Desk(other, store, direct, "you", str), clock=clock, rng=Random(1))

    assert [parcel.events[0].id for parcel in other.got] == ["a"]
    assert states(store) == {"a": State.DELIVERED}


async def test_a_channel_is_owed_its_own_rows_only(store: Store) -> None:
    """One channel neither sends nor waits for what another is owed."""
    owe(store, "a", channel="mail")
    channel = Channel([Verdict(Sent.DELIVERED)])

    assert await deliver_once(desk(store, channel), clock=Ticking(0), rng=Random(1)) == []


async def test_messages_of_one_job_leave_in_order_and_joined(store: Store) -> None:
    """What could not be sent leaves with the end that overtook it, as one message."""
    owe(store, "failed", job="mail")
    channel = Channel([Verdict(Sent.TRY_AGAIN, "answered 500"), Verdict(Sent.DELIVERED)])
    clock = Ticking(anyio.current_time())
    await deliver_once(desk(store, channel), clock=clock, rng=Random(1))
    await anyio.sleep(0.5)
    owe(store, "recovered", job="mail", now=clock())
    owe(store, "other", job="files", now=clock())
    await deliver_once(desk(store, channel), clock=clock, rng=Random(1))

    assert [[event.id for event in parcel.events] for parcel in channel.got] == [
        ["failed"],
        ["failed", "recovered"],
        ["other"],
    ]
    rows = {row.event_id: row.message_id for row in store.deliveries(state=None, limit=9)}
    assert rows["failed"] == rows["recovered"] == channel.got[0].message_id != rows["other"]


async def test_a_hanging_receiver_holds_one_worker(store: Store) -> None:
    """The others of the channel go on with all that is due."""
    owe(store, *(f"e{number}" for number in range(20)))
    channel, clock = Channel([Verdict(Sent.DELIVERED)], concurrency=4), Ticking(anyio.current_time())

    async def send(parcel: Parcel) -> Verdict:
        channel.got.append(parcel)
        if len(channel.got) == 1:
            await anyio.sleep(60)
        return Verdict(Sent.DELIVERED)

    channel.send = send  # type: ignore[method-assign]
    with anyio.move_on_after(30):
        await deliver_once(replace(desk(store, channel), batch=1), clock=clock, rng=Random(1))

    assert len(channel.got) == 20
    assert len(store.deliveries(state=State.DELIVERED, limit=99)) == 19


async def test_never_more_at_once_than_the_channel_takes(store: Store) -> None:
    """The pool is bounded."""
    owe(store, *(f"e{number}" for number in range(50)))
    channel, clock = Channel([Verdict(Sent.DELIVERED)], concurrency=4, takes=1), Ticking(anyio.current_time())
    await deliver_once(replace(desk(store, channel), batch=1), clock=clock, rng=Random(1))

    assert channel.most_at_once == 4
    assert states(store) == {f"e{number}": State.DELIVERED for number in range(50)}


async def test_a_batch_that_failed_is_sent_again_unchanged(store: Store) -> None:
    """What has come meanwhile goes by itself."""
    owe(store, "a", "b", "c")
    channel = Channel([Verdict(Sent.DELIVERED), Verdict(Sent.TRY_AGAIN, "answered 500"), Verdict(Sent.DELIVERED)])
    clock, two = Ticking(anyio.current_time()), replace(desk(store, channel), batch=2)
    await deliver_once(two, clock=clock, rng=Random(1))
    owe(store, "d", now=clock())
    await anyio.sleep(10)
    await deliver_once(two, clock=clock, rng=Random(1))

    sent = [[event.id for event in parcel.events] for parcel in channel.got]
    assert sent[:2] == [["a", "b"], ["c"]]
    assert sorted(sent[2:]) == [["c"], ["d"]]


async def test_a_rate_is_kept(store: Store) -> None:
    """Two at once, then one each half minute; what waits for its turn is not lost."""
    owe(store, *"abcd")
    channel, clock = Channel([Verdict(Sent.DELIVERED)]), Ticking(anyio.current_time())
    began, times = anyio.current_time(), []

    async def send(parcel: Parcel) -> Verdict:
        times.append(round(anyio.current_time() - began))
        return Verdict(Sent.DELIVERED)

    channel.send = send  # type: ignore[method-assign]
    slow = replace(desk(store, channel), rate=Rate(2, timedelta(minutes=1)))
    await deliver_once(slow, clock=clock, rng=Random(1))

    assert times == [0, 0, 30, 60]


@pytest.mark.parametrize(("on_unknown", "state"), [(OnUnknown.RESEND, State.PENDING), (OnUnknown.DROP, State.DEAD)])
async def test_what_may_have_arrived(store: Store, on_unknown: OnUnknown, state: State) -> None:
    """It is sent again, or not where a second call would be worse than none; the row says so."""
    owe(store, "a")
    channel = Channel([Verdict(Sent.UNKNOWN, "no answer within 30 s")])
    careful = replace(desk(store, channel), patience=Patience(on_unknown=on_unknown))
    await deliver_once(careful, clock=Ticking(anyio.current_time()), rng=Random(1))

    (row,) = store.deliveries(state=state, limit=9)
    assert row.last_error is not None
    assert row.last_error.startswith("it may have arrived")


async def test_a_pager_is_not_rung_twice_over_a_crash(store: Store) -> None:
    """What was in flight when the watcher died may have arrived, too."""
    owe(store, "a", "b")
    channel, clock = Channel([Verdict(Sent.DELIVERED)], takes=3600), Ticking(anyio.current_time())
    careful = replace(desk(store, channel), patience=Patience(on_unknown=OnUnknown.DROP))
    with anyio.move_on_after(1):
        await deliver_once(careful, clock=clock, rng=Random(1))
    assert store.take_over("next") == 1
    other = Channel([Verdict(Sent.DELIVERED)])
    await deliver_once(replace(careful, channel=other, owner="next"), clock=clock, rng=Random(1))

    assert states(store) == {"a": State.DEAD, "b": State.DELIVERED}
    assert [parcel.events[0].id for parcel in other.got] == ["b"]


async def test_news_of_a_job_reaches_the_pager_after_a_crash(store: Store) -> None:
    """It is of the same job as what was in flight when the watcher died, but it surely did not arrive."""
    owe(store, "a", job="mail")
    channel, clock = Channel([Verdict(Sent.DELIVERED)], takes=3600), Ticking(anyio.current_time())
    careful = replace(desk(store, channel), patience=Patience(on_unknown=OnUnknown.DROP))
    with anyio.move_on_after(1):
        await deliver_once(careful, clock=clock, rng=Random(1))
    assert store.take_over("next") == 1
    owe(store, "b", job="mail", now=clock())
    other = Channel([Verdict(Sent.DELIVERED)])
    await deliver_once(replace(careful, channel=other, owner="next"), clock=clock, rng=Random(1))

    assert states(store) == {"a": State.DEAD, "b": State.DELIVERED}
    assert [[event.id for event in parcel.events] for parcel in other.got] == [["b"]]


async def test_what_lies_in_the_tray_stays_ours(store: Store) -> None:
    """It was claimed when it was made; while all workers are busy with slow receivers, nobody else may take it."""
    owe(store, "a", "b")
    channel, clock = Channel([Verdict(Sent.DELIVERED)], takes=60), Ticking(anyio.current_time())
    one = desk(store, channel)
    lying = store.claim("chat", now=clock(), owner=one.owner, lease=LEASE, limit=1)[0]
    async with anyio.create_task_group() as group:
        group.start_soon(partial(deliver_once, one, clock=clock, rng=Random(1)))
        await anyio.sleep(1)
        one.tray.append(lying)
        await anyio.sleep(40)
        assert store.claim("chat", now=clock(), owner="another", lease=LEASE, limit=9) == []

    assert states(store) == {"a": State.DELIVERED, "b": State.DELIVERED}
    assert len(channel.got) == 2


@dataclass
class Brief:
    """Hours that end after so many messages."""

    left: int

    def is_open(self) -> bool:
        self.left -= 1
        return self.left >= 0

    async def rest(self) -> bool:
        return False

    def handled(self, handled: Sequence[Handled]) -> None:
        """Nobody is told."""


async def test_what_was_claimed_and_not_sent_is_given_back(store: Store) -> None:
    """When the desk closes, the next one finds it as if nobody had touched it."""
    owe(store, *(f"e{number}" for number in range(9)))
    channel, clock = Channel([Verdict(Sent.TRY_AGAIN, "down")]), Ticking(anyio.current_time())
    await deliver(desk(store, channel), Brief(2), clock=clock, rng=Random(1))

    rows = store.deliveries(state=State.PENDING, limit=99)
    assert sorted(row.attempts for row in rows) == [0] * 7 + [1] * 2
    assert len(store.claim("chat", now=clock(), owner="next", lease=timedelta(seconds=15), limit=99)) == 7


async def test_a_sick_channel_is_told_through_the_others(store: Store) -> None:
    """Once, in the transaction of the outcome, and never to itself; and that it works again."""
    store.announce([], [("chat", "x"), ("mail", "y")], now=T0, destinations={"chat": ["chat"], "mail": ["m"]})
    owe(store, "a")
    channel, clock = Channel([Verdict(Sent.TRY_AGAIN, "answered 500")]), Ticking(anyio.current_time())
    everyone = plain(frozenset({"channel.failing", "channel.recovered"}), {"chat": ("chat",), "mail": ("m",)})
    telling = replace(desk(store, channel), policy=everyone)
    for _ in range(60):
        await deliver_once(telling, clock=clock, rng=Random(1))
        await anyio.sleep(5)
    (sick,) = [one for one in store.status(now=clock()).channels if one.sick_since]
    channel.verdicts = [Verdict(Sent.DELIVERED)]
    await anyio.sleep(1800)
    await deliver_once(telling, clock=clock, rng=Random(1))

    assert (sick.name, sick.sick_reason) == ("chat", "answered 500")
    told = [(row.channel, row.event) for row in reversed(store.deliveries(state=State.PENDING, limit=9))]
    assert told == [("mail", "channel.failing"), ("mail", "channel.recovered")]
    assert not any(one.sick_since for one in store.status(now=clock()).channels)


async def test_old_news_leaves_as_one_message(store: Store) -> None:
    """A receiver that was down for a day gets what it missed at once, marked late, and nothing of it is dead."""
    owe(store, "a", job="a")
    owe(store, "b", job="b")
    channel, clock = Channel([Verdict(Sent.TRY_AGAIN, "down")]), Ticking(anyio.current_time())
    for _ in range(26 * 6):
        await deliver_once(desk(store, channel), clock=clock, rng=Random(1))
        await anyio.sleep(600)
    channel.got.clear()
    channel.verdicts = [Verdict(Sent.DELIVERED)]
    await anyio.sleep(1800)
    await deliver_once(desk(store, channel), clock=clock, rng=Random(1))

    (parcel,) = channel.got
    assert [(event.id, event.late) for event in parcel.events] == [("a", True), ("b", True)]


def owe_claimed(store: Store, *event_ids: str) -> list[Delivery]:
    """Write events for a channel, claimed by the desk of these tests."""
    server = store.meet("HQ", "https://vbo.example:4443", Greeting("v8"), first_contact=T0, news_from=T0)
    events = tuple(Event(name, "session.failed", ServerRef("HQ"), T0, T0) for name in event_ids)
    page = Page(events=events, owed=tuple(Owed(name, "chat", "chat", claimant="me") for name in event_ids))
    return list(store.record(server.id, [], [], lambda _: page, now=T0).claimed)


async def test_what_lies_on_the_tray_leaves_without_being_claimed(store: Store) -> None:
    """It was claimed when it was made: it is sent after what was there before, and each is settled once."""
    channel, clock = Channel([Verdict(Sent.DELIVERED)]), Ticking(anyio.current_time())
    owe(store, "older")
    place = replace(desk(store, channel), batch=1)
    place.tray.extend(owe_claimed(store, "a", "b"))

    done = await deliver_once(place, clock=clock, rng=Random(1))

    assert sorted(parcel.events[0].id for parcel in channel.got) == ["a", "b", "older"]
    assert {one.delivery.attempts for one in done} == {1}
    assert states(store) == {"older": State.DELIVERED, "a": State.DELIVERED, "b": State.DELIVERED}


async def test_what_still_lies_on_the_tray_at_the_end_is_given_back(store: Store) -> None:
    """The next process need not wait for the lease to be over."""
    channel, clock = Channel([Verdict(Sent.DELIVERED)]), Ticking(anyio.current_time())
    place = desk(store, channel)
    place.tray.extend(owe_claimed(store, "a"))

    await deliver(place, Closed(), clock=clock, rng=Random(1))

    assert channel.got == []
    (row,) = store.claim("chat", now=T0, owner="next", lease=timedelta(seconds=15), limit=9)
    assert row.attempts == 1


async def test_what_never_reached_the_tray_comes_back_after_its_lease(store: Store) -> None:
    """A look that was cut off between writing and handing over costs fifteen seconds, and no event."""
    channel, clock = Channel([Verdict(Sent.DELIVERED)]), Ticking(anyio.current_time())
    owe_claimed(store, "a")

    assert await deliver_once(desk(store, channel), clock=clock, rng=Random(1)) == []
    await anyio.sleep(15.1)
    await deliver_once(desk(store, channel), clock=clock, rng=Random(1))

    assert states(store) == {"a": State.DELIVERED}


class Closed:
    """Hours that are over."""

    def is_open(self) -> bool:
        return False

    async def rest(self) -> bool:
        return False

    def handled(self, handled: Sequence[Handled]) -> None:
        """Nobody is told."""
