"""When to try a delivery again, and when to stop."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from watcher.core.delivery import Delivery, Sent, Settlement, State, Verdict

if TYPE_CHECKING:  # only its name: the random numbers come in as an argument
    from random import Random

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=30)
SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_ASKED_WAIT = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)


def settle(
    delivery: Delivery, verdict: Verdict, *, now: datetime, give_up_after: timedelta, rng: "Random"
) -> Settlement:
    """Decide what becomes of a delivery after an attempt.

    Waits grow from 5 s to 30 min with full jitter, so that many rows do not come back as one wave; a receiver that
    says when to come back is taken at its word, up to an hour. `give_up_after` counts from the first due moment.
    """
    if verdict.sent == Sent.DELIVERED:
        return Settlement(State.DELIVERED)
    if verdict.sent == Sent.REFUSED:
        return Settlement(State.DEAD, verdict.reason)
    if now - delivery.first_due >= give_up_after:
        return Settlement(State.DEAD, f"given up after {delivery.attempts} attempts: {verdict.reason}")
    return Settlement(State.PENDING, verdict.reason, now + _wait(delivery.attempts, verdict, rng))


def _wait(attempts: int, verdict: Verdict, rng: "Random") -> timedelta:
    if verdict.sent == Sent.WAIT_UNTIL and verdict.wait is not None:
        return min(max(timedelta(seconds=verdict.wait), SHORTEST_WAIT), LONGEST_ASKED_WAIT)
    doublings = min(max(attempts - 1, 0), 20)
    ceiling = min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
    return max(SHORTEST_WAIT, ceiling * rng.random())
