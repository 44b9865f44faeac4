"""When to try a delivery again, and when to stop."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from watcher.core.delivery import Delivery, Sent, Settlement, State, Verdict

if TYPE_CHECKING:  # only its name: the random numbers come in as an argument
    from random import Random

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(minutes=30)
SHORTEST_WAIT = timedelta(seconds=1)
LONGEST_ASKED_WAIT = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)
EXPIRES_AFTER = timedelta(hours=24)
INTERRUPTED = "the watcher was ended while it was being sent"


class OnUnknown(StrEnum):
    """What becomes of a message that may have arrived: sent once more, or not (a pager that must not ring twice)."""

    RESEND = "resend"
    DROP = "drop"


_DELIVERED = Settlement(State.DELIVERED)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a channel's deliveries are tried, when they are old news, and what is done where nobody knows."""

    give_up_after: timedelta = GIVE_UP_AFTER
    expires_after: timedelta = EXPIRES_AFTER
    on_unknown: OnUnknown = OnUnknown.RESEND


def settle_all(
    rows: Sequence[Delivery], verdict: Verdict, *, now: datetime, patience: Patience, rng: "Random"
) -> list[Settlement]:
    """Decide what becomes of the deliveries that left as one message: what is tried again comes back as one.

    Waits grow from 5 s to 30 min with full jitter, so that many rows do not come back as one wave; a receiver that
    says when to come back is taken at its word, up to an hour. `give_up_after` counts from the first due moment.
    """
    if verdict.sent == Sent.DELIVERED:
        return [_DELIVERED] * len(rows)
    again = now + _wait(max(row.attempts for row in rows), verdict, rng)
    return [_settle(row, verdict, now, patience, again) for row in rows]


def _settle(delivery: Delivery, verdict: Verdict, now: datetime, patience: Patience, again: datetime) -> Settlement:
    if verdict.sent == Sent.REFUSED:
        return Settlement(State.DEAD, verdict.reason)
    if verdict.sent == Sent.UNKNOWN and patience.on_unknown == OnUnknown.DROP:
        return Settlement(State.DEAD, f"it may have arrived, so it is not sent again: {verdict.reason}")
    if now - delivery.first_due >= patience.give_up_after:
        return Settlement(State.DEAD, f"given up after {delivery.attempts} attempts: {verdict.reason}")
    reason = f"it may have arrived: {verdict.reason}" if verdict.sent == Sent.UNKNOWN else verdict.reason
    return Settlement(State.PENDING, reason, again)


def _wait(attempts: int, verdict: Verdict, rng: "Random") -> timedelta:
    if verdict.sent == Sent.WAIT_UNTIL and verdict.wait is not None:
        return min(max(timedelta(seconds=verdict.wait), SHORTEST_WAIT), LONGEST_ASKED_WAIT)
    doublings = min(max(attempts - 1, 0), 20)
    ceiling = min(FIRST_WAIT * (1 << doublings), LONGEST_WAIT)
    return max(SHORTEST_WAIT, ceiling * rng.random())
