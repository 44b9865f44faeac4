"""What becomes of a delivery after an attempt."""

from datetime import timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.factories import HQ, T0, at
from watcher.core.backoff import LONGEST_WAIT, Patience, settle_all
from watcher.core.delivery import Delivery, Sent, Settlement, State, Verdict
from watcher.core.event import Event

EVENT = Event("e1", "session.failed", HQ, T0, T0)


def after(verdict: Verdict, *, attempts: int = 1, minutes: float = 0, seed: int = 1) -> Settlement:
    row = Delivery(1, "m1", EVENT, "chat", "chat", attempts, T0)
    (settlement,) = settle_all([row], verdict, now=at(minutes), patience=Patience(), rng=Random(seed))
    return settlement


TABLE = [
    (Verdict(Sent.DELIVERED), State.DELIVERED),
    (Verdict(Sent.REFUSED, "answered 404"), State.DEAD),
    (Verdict(Sent.TRY_AGAIN, "answered 500"), State.PENDING),
    (Verdict(Sent.UNKNOWN, "no answer"), State.PENDING),
    (Verdict(Sent.WAIT_UNTIL, "answered 429", 17), State.PENDING),
]


@pytest.mark.parametrize(("verdict", "state"), TABLE, ids=[row[0].sent for row in TABLE])
def test_each_class_of_outcome(verdict: Verdict, state: State) -> None:
    """Only a refusal is final at the first attempt."""
    assert after(verdict).state == state


@given(st.integers(1, 5000), st.integers())
def test_waits_stay_between_a_second_and_half_an_hour(attempts: int, seed: int) -> None:
    """However often it was tried, the next attempt is neither at once nor beyond half an hour."""
    settlement = after(Verdict(Sent.TRY_AGAIN), attempts=attempts, seed=seed)

    assert settlement.next_attempt is not None
    assert timedelta(seconds=1) <= settlement.next_attempt - at(0) <= LONGEST_WAIT


def test_the_first_wait_is_seconds() -> None:
    """A short hiccup costs at most five seconds."""
    settlement = after(Verdict(Sent.TRY_AGAIN))

    assert settlement.next_attempt is not None
    assert settlement.next_attempt - at(0) <= timedelta(seconds=5)


@pytest.mark.parametrize(("asked", "waits"), [(17, 17), (0, 1), (-5, 1), (86400, 3600)])
def test_a_receiver_that_names_a_time_is_taken_at_its_word(asked: float, waits: float) -> None:
    """`Retry-After` counts, up to an hour and not at once."""
    settlement = after(Verdict(Sent.WAIT_UNTIL, "answered 429", asked))

    assert settlement.next_attempt == at(0) + timedelta(seconds=waits)


def test_patience_ends_after_three_days() -> None:
    """Counted from the first due moment, whatever the number of attempts."""
    almost = after(Verdict(Sent.TRY_AGAIN, "answered 500"), minutes=3 * 24 * 60 - 1)
    over = after(Verdict(Sent.TRY_AGAIN, "answered 500"), attempts=99, minutes=3 * 24 * 60)

    assert almost.state == State.PENDING
    assert (over.state, over.reason) == (State.DEAD, "given up after 99 attempts: answered 500")
