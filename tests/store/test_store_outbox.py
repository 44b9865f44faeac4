"""The contract of the deliver side, on every database: claims, leases and what becomes of a row."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta

import psycopg
import pytest

from tests.store.store_values import LEASE, MINUTE, NOW, event_of, explain, failed, meet, owe, page_of, sent_statements
from watcher.core.delivery import Delivery, Settlement, State
from watcher.core.parcels import Batches
from watcher.core.views import DeliveryView
from watcher.store import Store, open_store

DELIVERED = Settlement(State.DELIVERED)


def claim(store: Store, *, now: datetime = NOW, owner: str = "me", limit: int = 10) -> list[Delivery]:
    """Claim what is due for the channel of these tests."""
    return store.claim("ops", now=now, owner=owner, lease=LEASE, limit=limit)


def row_of(store: Store, delivery_id: int) -> DeliveryView:
    """Show one row."""
    return next(row for row in store.deliveries(state=None, limit=10_000) if row.id == delivery_id)


def test_a_claim_brings_the_event_and_counts_the_attempt(store: Store) -> None:
    """What is claimed is all that sending needs, with the attempt written down before it is made."""
    (row_id,) = owe(store)
    (claimed,) = claim(store)
    shown = row_of(store, row_id)
    assert (shown.state, shown.attempts, shown.next_attempt) == (State.PENDING, 1, NOW)
    assert shown.message_id is not None
    assert shown.message_id == claimed.message_id
    assert claimed == Delivery(row_id, shown.message_id, event_of(failed("s0-ops")), "ops", "", 1, NOW)


def test_nothing_due_is_nothing_claimed(store: Store) -> None:
    """Rows of the future, rows of other channels and an empty outbox bring nothing and change nothing."""
    assert claim(store) == []
    owe(store, now=NOW + MINUTE)
    owe(store, channel="boss")
    before = store.deliveries(state=None, limit=9)
    assert claim(store) == []
    assert store.deliveries(state=None, limit=9) == before


def test_the_longest_due_goes_first(store: Store) -> None:
    """A claim takes no more than its limit, and the oldest of them."""
    late = owe(store, 2, now=NOW - MINUTE)
    later = owe(store, 2)
    assert [row.id for row in claim(store, limit=3)] == [*late, later[0]]
    assert [row.id for row in claim(store, limit=3)] == [later[1]]


def test_a_leased_row_is_nobody_elses(store: Store) -> None:
    """Until its lease ends a row is claimed by nobody, its owner included."""
    owe(store)
    assert len(claim(store)) == 1
    assert claim(store, now=NOW + LEASE - timedelta(microseconds=1), owner="other") == []
    assert claim(store) == []


def test_a_lease_that_ran_out_brings_the_row_back(store: Store) -> None:
    """A dead owner's row is tried again, as a further attempt of the same message; the dead one settles nothing."""
    (row_id,) = owe(store)
    claim(store)
    message = row_of(store, row_id).message_id
    (again,) = claim(store, now=NOW + LEASE, owner="other")
    assert (again.id, again.attempts) == (row_id, 2)
    assert row_of(store, row_id).message_id == message
    assert not store.settle({row_id: DELIVERED}, owner="me", now=NOW + LEASE)
    assert store.settle({row_id: DELIVERED}, owner="other", now=NOW + LEASE)


def test_a_renewed_lease_lasts_longer(store: Store) -> None:
    """A slow send keeps its rows, and cannot keep those of others."""
    mine, other = owe(store, 2)
    claim(store, limit=1)
    claim(store, owner="other")
    store.renew([mine, other], owner="me", until=NOW + 2 * LEASE)
    assert [row.id for row in claim(store, now=NOW + LEASE, owner="third")] == [other]
    assert [row.id for row in claim(store, now=NOW + 2 * LEASE - timedelta(microseconds=1))] == []
    assert [row.id for row in claim(store, now=NOW + 2 * LEASE, owner="third")] == [mine, other]


def test_a_delivered_row_is_done(store: Store) -> None:
    """It is never claimed again, carries no error, and cannot be settled twice."""
    (row_id,) = owe(store)
    claim(store)
    assert store.settle({row_id: Settlement(State.DELIVERED, "200 OK")}, owner="me", now=NOW)
    shown = row_of(store, row_id)
    assert (shown.state, shown.last_error, shown.next_attempt) == (State.DELIVERED, None, None)
    assert claim(store, now=NOW + 10 * MINUTE) == []
    assert not store.settle({row_id: Settlement(State.DEAD, "no")}, owner="me", now=NOW)


def test_a_dead_row_keeps_its_reason(store: Store) -> None:
    """The dead box says why, and the row is not tried again."""
    (row_id,) = owe(store)
    claim(store)
    assert store.settle({row_id: Settlement(State.DEAD, "404: gone")}, owner="me", now=NOW)
    shown = row_of(store, row_id)
    assert (shown.state, shown.last_error, shown.next_attempt) == (State.DEAD, "404: gone", None)
    assert claim(store, now=NOW + 10 * MINUTE) == []


def test_a_row_to_be_tried_again_waits_for_its_moment(store: Store) -> None:
    """The backoff is in the row, so that a restart goes on where it was; the first due moment stays."""
    (row_id,) = owe(store)
    claim(store)
    again = Settlement(State.PENDING, "connection refused", NOW + MINUTE)
    assert store.settle({row_id: again}, owner="me", now=NOW)
    shown = row_of(store, row_id)
    assert (shown.state, shown.last_error, shown.next_attempt) == (State.PENDING, "connection refused", NOW + MINUTE)
    assert claim(store, now=NOW + MINUTE - timedelta(microseconds=1)) == []
    (row,) = claim(store, now=NOW + MINUTE)
    assert (row.attempts, row.first_due) == (2, NOW)
    assert store.settle({row_id: DELIVERED}, owner="me", now=NOW + MINUTE)
    assert row_of(store, row_id).last_error is None


def test_a_pending_row_without_a_moment_is_due_at_once(store: Store) -> None:
    """No settlement can make a row that never comes back."""
    (row_id,) = owe(store)
    claim(store)
    assert store.settle({row_id: Settlement(State.PENDING, "lost")}, owner="me", now=NOW)
    assert [row.id for row in claim(store)] == [row_id]


def test_a_batch_that_is_cut_by_the_limit_is_claimed_whole(store: Store) -> None:
    """It was made when batches were larger; sent again it is the same message, however few rows are asked for."""
    ids = owe(store, 7)

    def take(size: int, limit: int, now: datetime) -> list[tuple[int, str]]:
        rows = store.claim("ops", now=now, owner="me", lease=LEASE, limit=limit, binder=Batches(size))
        return [(row.id, row.message_id) for row in rows]

    first = take(5, 2, NOW)
    assert [number for number, _ in first] == ids
    assert len({name for _, name in first[:5]}) == len({name for _, name in first[5:]}) == 1
    again = Settlement(State.PENDING, "503", NOW + MINUTE)
    store.settle(dict.fromkeys(ids, again), owner="me", now=NOW)
    assert take(1, 2, NOW + MINUTE) == first[:5]
    assert take(1, 2, NOW + MINUTE) == first[5:]


def test_take_over_voids_the_leases_of_the_dead(store: Store) -> None:
    """Where one process holds the database all other owners are dead; on PostgreSQL they may live."""
    owe(store, 3)
    claim(store, owner="dead", limit=2)
    claim(store, owner="me")
    freed = store.take_over("me")
    if store.backend == "postgresql":
        assert freed == 0
        assert claim(store) == []
    else:
        assert freed == 2
        assert [row.attempts for row in claim(store)] == [2, 2]


def test_due_open_counts_what_is_due_and_not_settled(store: Store) -> None:
    """In flight counts, waiting for a later moment does not, nor does another channel."""
    first, second, _third = owe(store, 3)
    owe(store, channel="boss")
    claim(store)
    store.settle({first: DELIVERED}, owner="me", now=NOW)
    store.settle({second: Settlement(State.PENDING, "429", NOW + MINUTE)}, owner="me", now=NOW)
    assert store.due_open(["ops"], now=NOW) == 1
    assert store.due_open(["ops", "boss"], now=NOW) == 2
    assert store.due_open([], now=NOW) == 0


def test_two_claimers_at_once_never_share_a_row(opened: Callable[[], Store]) -> None:
    """Two processes' worth of connections empty one outbox: every row goes to exactly one of them."""
    rows = owe(opened(), 120)

    def drain(owner: str) -> list[int]:
        store, mine = opened(), []
        while claimed := claim(store, owner=owner, limit=7):
            mine += [row.id for row in claimed]
            assert all(store.settle({row.id: DELIVERED}, owner=owner, now=NOW) for row in claimed)
        return mine

    with ThreadPoolExecutor() as pool:
        one, two = pool.map(drain, ["one", "two"])
    assert sorted(one + two) == rows


def test_a_claim_passes_over_rows_that_another_transaction_holds(postgres_url: str) -> None:
    """PostgreSQL: a claimer that is in the middle of its claim delays nobody."""
    store = open_store(postgres_url)
    first, second = owe(store, 2)
    with psycopg.connect(postgres_url) as other:
        other.execute("SELECT id FROM deliveries WHERE id = %s FOR UPDATE", [first])
        assert [row.id for row in claim(store)] == [second]
    assert [row.id for row in claim(store)] == [first]
    store.close()


@pytest.mark.parametrize("question", ["claim", "due_open", "pending", "dead"])
def test_questions_of_the_outbox_read_a_small_index(store: Store, question: str) -> None:
    """With a long history what is pending or dead must stay cheap to find: both have an index of their own."""
    with sent_statements(store) as sent:
        if question == "claim":
            claim(store)
        elif question == "due_open":
            store.due_open(["ops"], now=NOW)
        else:
            store.status(now=NOW)
    small = {"ix_deliveries_dead"} if question == "dead" else {"ix_deliveries_pending", "ix_deliveries_subject"}
    plans = [explain(store, *one) for one in sent]
    assert any(index in plan for plan in plans for index in small)


@pytest.mark.parametrize("state", list(State))
def test_the_words_of_states_are_those_of_the_indexes(store: Store, state: State) -> None:
    """Asking for one state shows the rows of that state, and only those."""
    rows = dict(zip(State, owe(store, 3), strict=True))
    claim(store)
    store.settle({rows[State.DELIVERED]: DELIVERED}, owner="me", now=NOW)
    store.settle({rows[State.DEAD]: Settlement(State.DEAD, "no")}, owner="me", now=NOW)
    assert [row.id for row in store.deliveries(state=state, limit=9)] == [rows[state]]


def test_what_is_claimed_as_it_is_owed_is_its_claimants(store: Store) -> None:
    """Its attempt counts from the beginning; nobody else gets it before the lease is over, and then it comes back."""
    server = meet(store)
    page = page_of(failed("s1"), failed("s2"), channels=["ops"])
    page = replace(page, owed=tuple(replace(one, claimant="me") for one in page.owed))
    stored = store.record(server.id, [], [], lambda _: page, now=NOW)

    assert [row.event.id for row in stored.claimed] == [event.id for event in page.events]
    assert {(row.attempts, row.channel, row.first_due, row.interrupted) for row in stored.claimed} == {
        (1, "ops", NOW, False)
    }
    assert len({row.message_id for row in stored.claimed}) == 2
    assert claim(store, owner="other", limit=9) == []
    ids = [row.id for row in stored.claimed]
    assert store.settle({ids[0]: Settlement(State.DELIVERED)}, owner="me", now=NOW) == {ids[0]}
    (again,) = claim(store, owner="other", limit=9, now=NOW + 2 * LEASE)
    assert (again.id, again.attempts, again.message_id) == (ids[1], 2, stored.claimed[1].message_id)


def test_what_is_owed_already_is_not_claimed_anew(store: Store) -> None:
    """A page that comes twice, or says of one debt what another says, claims each debt once."""
    server = meet(store)
    page = page_of(failed("s1"), channels=["ops", "boss"])
    free, boss = page.owed
    page = replace(page, owed=(free, replace(boss, claimant="me")))
    first = store.record(server.id, [], [], lambda _: page, now=NOW)
    again = replace(page, owed=tuple(replace(one, claimant="me") for one in page.owed))
    second = store.record(server.id, [], [], lambda _: again, now=NOW)

    assert [row.channel for row in first.claimed] == ["boss"]
    assert second.claimed == ()
    assert [row.attempts for row in claim(store)] == [1]


def test_an_unsent_claim_is_given_back(store: Store) -> None:
    """What was claimed as it was owed, and not sent after all, is as if it had not been claimed."""
    server = meet(store)
    page = page_of(failed("s1"), channels=["ops"])
    page = replace(page, owed=tuple(replace(one, claimant="me") for one in page.owed))
    stored = store.record(server.id, [], [], lambda _: page, now=NOW)
    store.release([row.id for row in stored.claimed], owner="me")
    assert [row.attempts for row in claim(store, owner="other")] == [1]
