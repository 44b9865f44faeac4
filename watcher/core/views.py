"""What people and programs ask the database for; the field names are those of the public JSON (contract, section 3)."""

from dataclasses import dataclass
from datetime import datetime

from watcher.core.delivery import State
from watcher.core.event import Event
from watcher.core.model import LARGEST_SKEW, Job
from watcher.core.record import Chain, Known
from watcher.core.ruling import Ruling


@dataclass(frozen=True, slots=True)
class ServerView:
    """One watched server. `reachable`: the last look at it succeeded; None before the first look.

    `skew_seconds`: its clock less ours. `reading`: how far a long first reading is, in words. `failing_since`: when the
    first of the looks that fail was given up.
    """

    name: str
    url: str
    api_version: str | None
    reachable: bool | None
    last_poll: datetime | None
    last_success: datetime | None
    open_sessions: int
    last_error: str | None
    first_contact: datetime | None = None
    skew_seconds: float | None = None
    reading: str | None = None
    failing_since: datetime | None = None

    @property
    def remark(self) -> str:
        """What there is to say of it besides: a first reading under way, or a clock that is off."""
        if self.reading:
            return self.reading
        if self.skew_seconds is None or abs(self.skew_seconds) <= LARGEST_SKEW.total_seconds():
            return ""
        return f"its clock is {abs(self.skew_seconds):.0f} s {'ahead of' if self.skew_seconds > 0 else 'behind'} ours"


@dataclass(frozen=True, slots=True)
class ChannelView:
    """One channel and what is owed to it. `gone`: it is in no settings any more, so its rows wait unsent.

    `oldest_seconds` is the age of its oldest pending row; `sick_since` is None unless one of its destinations is sick.
    """

    name: str
    address: str
    pending: int
    dead: int
    gone: bool
    oldest_seconds: float = 0.0
    sick_since: datetime | None = None
    sick_reason: str = ""


@dataclass(frozen=True, slots=True)
class AlarmView:
    """What the watchdogs have told of a server, and is not over. `event`: as `proxy.offline`.

    `subject`: the id of the job, run, proxy, repository or license, "" for the server itself; `name`: that of the job,
    proxy or repository, else the server's. `since` is on the server's clock.
    """

    server: str
    event: str
    subject: str
    name: str
    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class OutboxView:
    """All that is owed. `oldest_seconds` is the age of the oldest pending row, 0 without one."""

    pending: int
    dead: int
    oldest_seconds: float


@dataclass(frozen=True, slots=True)
class StatusView:
    """What `watcher status` and `/api/status` show."""

    servers: tuple[ServerView, ...]
    outbox: OutboxView
    channels: tuple[ChannelView, ...] = ()
    alarms: tuple[AlarmView, ...] = ()


@dataclass(frozen=True, slots=True)
class SessionView:
    """One session, as `watcher sessions` shows it; `job` is the job's name, or its id where no name is known."""

    server: str
    id: str
    job: str | None
    status: str
    creation_time: datetime | None
    end_time: datetime | None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """One event for one destination, as `watcher deliveries` shows it; rows that left as one share `message_id`.

    `held`: why it waits for its first attempt, where that is quiet hours.
    """

    id: int
    event_id: str
    event: str
    channel: str
    destination: str
    message_id: str | None
    state: State
    attempts: int
    next_attempt: datetime | None
    last_error: str | None
    created: datetime
    held: str | None = None


@dataclass(frozen=True, slots=True)
class Revived:
    """What `watcher retry` came to: the deliveries put back, and those that were not, each with a clause why.

    `known`: those of `ids` that the other channel has got or is owed anyway, so that no message comes of them.
    """

    ids: tuple[int, ...]
    refused: tuple[tuple[int, str], ...]
    known: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Trial:
    """How a test message to one destination went; `reason` is empty where it was delivered."""

    destination: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class KnownJob:
    """A job and the name of its server."""

    server: str
    job: Job


@dataclass(frozen=True, slots=True)
class Footprint:
    """One event, what was decided of it (None before this was kept), and its deliveries."""

    event: Event
    ruling: Ruling | None
    deliveries: tuple[DeliveryView, ...] = ()


@dataclass(frozen=True, slots=True)
class Trail:
    """What is known of one session: its job, its server's first contact, its run's attempts, and what was told."""

    server: str
    known: Known
    job: Job | None
    first_contact: datetime | None
    news_from: datetime | None
    runs: tuple[Chain, ...]
    told: tuple[Footprint, ...]
