"""What is owed to a channel, and how sending it went."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from watcher.core.event import Event

LEASE = timedelta(seconds=15)
"""How long a row belongs to who claimed it. It is renewed while he sends, and short: a dead one's rows come back."""


class Sent(StrEnum):
    """The classes of outcome that the edge tells apart, since each calls for something else."""

    DELIVERED = "delivered"
    REFUSED = "refused"  # wrong token, gone, malformed: trying again changes nothing
    TRY_AGAIN = "try_again"  # surely not delivered: refused connection, DNS, 5xx
    WAIT_UNTIL = "wait_until"  # 429, or 503 with Retry-After
    UNKNOWN = "unknown"  # the request left and no answer came: it may have arrived


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one send went. `reason` is one clause without a secret; `wait` is seconds, for WAIT_UNTIL."""

    sent: Sent
    reason: str = ""
    wait: float | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event owed to one destination of one channel, as claimed for sending.

    `attempts` counts this one too: an attempt is written down before it is made. `message_id` names the message that
    it leaves in, the same at every attempt. `interrupted`: somebody was sending it and died; it may have arrived.
    `held`: why it had to wait before the first attempt (quiet hours).
    """

    id: int
    message_id: str
    event: Event
    channel: str
    destination: str
    attempts: int
    first_due: datetime
    interrupted: bool = False
    held: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """What leaves in one message: one event or several, for one destination. `held`: what some of it waited for."""

    message_id: str
    destination: str
    events: tuple[Event, ...]
    held: str = ""


class State(StrEnum):
    """The states of a delivery; in flight is pending too."""

    PENDING = "pending"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What becomes of a delivery after an attempt. `next_attempt` is set only for PENDING."""

    state: State
    reason: str = ""
    next_attempt: datetime | None = None
