"""Dead deliveries put back, channels that are gone, and channels whose destinations have changed."""

from datetime import timedelta

import pytest

from tests.store.store_values import LEASE, MINUTE, NOW, failed, meet, owe, page_of, write
from watcher.core.delivery import Settlement, State
from watcher.store import NoSuchChannel, Store

DAY = timedelta(days=1)


def announce(store: Store, **channels: list[str]) -> None:
    """Name the channels of the settings, each with its destinations."""
    store.announce([], [(name, f"{name}://") for name in channels], now=NOW, destinations=channels)


def settle(store: Store, row: int, state: State, *, channel: str = "ops") -> None:
    """Claim all that is due, settle one row, and give the rest back."""
    claimed = store.claim(channel, now=NOW, owner="me", lease=LEASE, limit=99)
    assert store.settle({row: Settlement(state, "because")}, owner="me", now=NOW) == {row}
    store.release([one.id for one in claimed], owner="me")


def places(store: Store) -> list[tuple[str, str, str]]:
    """Return event, channel and destination of all pending rows."""
    return sorted(
        (row.event_id, row.channel, row.destination) for row in store.deliveries(state=State.PENDING, limit=99)
    )


def test_a_dead_delivery_begins_anew(store: Store) -> None:
    """It is due at once, with its attempts and its age at zero, under a new message."""
    (row_id,) = owe(store)
    settle(store, row_id, State.DEAD)
    revived = store.revive([row_id], to=None, now=NOW + 9 * DAY)
    assert (revived.ids, revived.refused) == ((row_id,), ())
    (row,) = store.deliveries(state=State.PENDING, limit=9)
    assert (row.attempts, row.message_id, row.last_error) == (0, None, None)
    (claimed,) = store.claim("ops", now=NOW + 9 * DAY, owner="me", lease=LEASE, limit=9)
    assert claimed.first_due == NOW + 9 * DAY
    assert not claimed.interrupted


def test_all_dead_ones_at_once(store: Store) -> None:
    """And only those."""
    dead, delivered, _ = owe(store, 3)
    settle(store, dead, State.DEAD)
    settle(store, delivered, State.DELIVERED)
    assert store.revive(None, to=None, now=NOW).ids == (dead,)
    assert store.revive(None, to=None, now=NOW).ids == ()


def test_what_cannot_be_put_back_says_why(store: Store) -> None:
    """One clause for each, and the others go."""
    dead, delivered, pending = owe(store, 3)
    settle(store, dead, State.DEAD)
    settle(store, delivered, State.DELIVERED)
    revived = store.revive([4711, dead, delivered, pending, dead], to=None, now=NOW)
    assert revived.ids == (dead,)
    assert dict(revived.refused) == {4711: "is no delivery", delivered: "is delivered", pending: "is pending already"}


def test_rows_go_to_another_channel(store: Store) -> None:
    """Dead ones and those of a channel that is gone, to each destination that does not have the event yet."""
    dead, pending = owe(store, 2, channel="old")
    settle(store, dead, State.DEAD, channel="old")
    announce(store, ops=["a", "b"])
    store.revive([dead, pending], to="ops", now=NOW)
    events = sorted({event for event, _, _ in places(store)})
    assert places(store) == sorted((event, "ops", place) for event in events for place in ("a", "b"))
    assert len(events) == 2
    assert len(store.claim("ops", now=NOW, owner="me", lease=LEASE, limit=99)) == 4


def test_what_the_other_channel_has_already_is_said(store: Store) -> None:
    """No message comes of it: an event goes to a destination once. One that is dead there, too, begins anew."""
    announce(store, old=["o"], ops=["a"])
    write(store, meet(store).id, page_of(failed("s1"), failed("s2"), channels=["old"], destinations=["o"]))
    write(store, meet(store).id, page_of(failed("s1"), failed("s2"), destinations=["a"]))
    rows = {(row.channel, row.event_id): row.id for row in store.deliveries(state=None, limit=9)}
    (first, second) = sorted(event for channel, event in rows if channel == "ops")
    settle(store, rows["ops", first], State.DELIVERED)
    settle(store, rows["ops", second], State.DEAD)
    revived = store.revive([rows["old", first], rows["old", second]], to="ops", now=NOW)
    assert (len(revived.ids), revived.known) == (2, (rows["old", first],))
    assert places(store) == [(second, "ops", "a")]


def test_a_dead_row_of_the_same_channel_begins_anew(store: Store) -> None:
    """To name its own channel is the same as to name none."""
    (dead,) = owe(store)
    settle(store, dead, State.DEAD)
    announce(store, ops=[""])
    assert store.revive([dead], to="ops", now=NOW).ids == (dead,)
    assert [row.id for row in store.deliveries(state=State.PENDING, limit=9)] == [dead]


def test_an_unknown_channel_is_named_with_those_that_are_known(store: Store) -> None:
    """Nothing is moved."""
    (dead,) = owe(store)
    settle(store, dead, State.DEAD)
    announce(store, mail=["m"], chat=["c"])
    with pytest.raises(NoSuchChannel, match=r"no channel is called `male`: .* are chat, mail$"):
        store.revive([dead], to="male", now=NOW)
    assert len(store.deliveries(state=State.DEAD, limit=9)) == 1


def test_a_named_channel_with_a_new_url_takes_its_rows_along(store: Store) -> None:
    """Pending rows go to its new destinations, and only pending ones."""
    pending, done = owe(store, 2)
    settle(store, done, State.DELIVERED)
    announce(store, ops=["", "stays"])
    assert [place for _, _, place in places(store)] == [""]
    announce(store, ops=["stays", "new"])
    assert [place for _, _, place in places(store)] == ["new", "stays"]
    assert [row.id for row in store.deliveries(state=State.DELIVERED, limit=9)] == [done]
    assert pending != done


def test_rows_of_a_channel_that_is_gone_die_in_time(store: Store) -> None:
    """Three days from the first due moment, or what the channel itself had said."""
    for channel in ("old", "brief", "ops"):
        owe(store, channel=channel)
    store.announce([], [("brief", "x"), ("old", "z")], now=NOW, give_up_after={"brief": timedelta(hours=1)})
    store.announce([], [("ops", "y")], now=NOW)
    assert store.bury(now=NOW + timedelta(hours=1) - MINUTE) == 0
    assert store.bury(now=NOW + timedelta(hours=1)) == 1
    (row,) = store.deliveries(state=State.DEAD, limit=9)
    assert (row.channel, row.last_error) == ("brief", "channel removed")
    assert store.bury(now=NOW + 3 * DAY - MINUTE) == 0
    assert store.bury(now=NOW + 3 * DAY) == 1
    assert [channel for _, channel, _ in places(store)] == ["ops"]
