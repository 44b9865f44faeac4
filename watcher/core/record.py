"""What is kept between two looks, and what one page of a look changes in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watcher.core.delivery import Delivery
from watcher.core.event import Event, ServerRef
from watcher.core.model import JobType, Session
from watcher.core.ruling import Ruling, Told
from watcher.core.silence import Silence


@dataclass(frozen=True, slots=True)
class End:
    """One end of a session. `ended` is None where the server gave no time for it."""

    status: str
    ended: datetime | None

    def is_same(self, other: "End") -> bool:
        """Whether both are one end; a time that was missing once may have been filled in later."""
        return self.status == other.status and (self.ended == other.ended or self.ended is None or other.ended is None)


@dataclass(frozen=True, slots=True)
class Known:
    """A session as the store knows it.

    `settled`: the ends that need no telling any more, told or laid aside as history. `doubts`: looks in a row in which
    the session itself answered 404. `closed`: given up as vanished. `strange`: undocumented statuses already told.
    A session whose row could not be read yet has the status "". `moved`: when its status, progress or statistics were
    last seen to change while it was open, and `began` when it was seen to leave the queue, on the server's clock.
    """

    session: Session
    settled: tuple[End, ...] = ()
    doubts: int = 0
    closed: bool = False
    strange: tuple[str, ...] = ()
    moved: datetime | None = None
    began: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether its end is still awaited, so that each look has to find it."""
        return not self.closed and not self.session.is_settled


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job stands: its latest Success, Warning or Failed end; Stopped changes nothing.

    `failures` counts Failed ends in a row, `failing_since` is the end of the first of them, `last_good` the latest
    Success. `told`: who was told of the failure that lasts.
    """

    status: str
    ended: datetime | None = None
    failures: int = 0
    failing_since: datetime | None = None
    last_good: datetime | None = None
    told: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """A run and its retries, as far as they are over.

    `id` is the first run's. `attempts` are the sessions that are over, oldest first; `last` is the latest of them, and
    `came_from` what it was before. `held`: when the first end was over of which nobody was told yet; None if nothing
    waits. `told`: something of it was told before its end. `over`: when it was told to its end, on the server's clock.
    """

    id: str
    job_id: str | None = None
    attempts: tuple[str, ...] = ()
    last: Session | None = None
    came_from: str | None = None
    held: datetime | None = None
    told: bool = False
    over: datetime | None = None


@dataclass(frozen=True, slots=True)
class Owed:
    """One event that one destination of a channel has to get. `due`: None is at once.

    `group`: what it may leave together with, if anything. `held`: why it waits, where that is not only for others.
    `claimant`: the process that sends it at once, so that its first attempt counts from the moment it is owed.
    """

    event_id: str
    channel: str
    destination: str
    due: datetime | None = None
    group: str = ""
    held: str = ""
    claimant: str = ""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the store knows of the sessions and jobs that one page of a look speaks of, and all chains under way.

    `silences`: those of the moment that somebody has set.
    """

    sessions: Mapping[str, Known] = field(default_factory=dict)
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """What one page changes, written in one transaction: what we know and what we owe.

    `rulings`: what was decided of each event, by its id. `claimed`: what of it is to be sent at once, as it was stored.
    """

    sessions: tuple[Known, ...] = ()
    outcomes: Mapping[str, Outcome] = field(default_factory=dict)
    events: tuple[Event, ...] = ()
    owed: tuple[Owed, ...] = ()
    chains: tuple[Chain, ...] = ()
    rulings: Mapping[str, Ruling] = field(default_factory=dict)
    claimed: tuple[Delivery, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A login that the server refused: when, and a salted hash of the login (accounts get locked by trying again)."""

    at: datetime
    salt: str
    login: str


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """A watched server as the store knows it.

    `first_contact`, `news_from` and `watermark` are on the server's clock, `last_poll` and `last_success` on ours.
    `news_from` is the first contact less the lookback: what ended before it is history. `doubted`: another
    installation that answered last under this name; it is believed when it does so again.
    `feed_token`: up to where its events were dealt with. `swept`: when it was last swept, on our clock.
    `kinds`: from when on the ends of each kind of work that is watched are news, on the server's clock.
    """

    id: int
    ref: ServerRef
    first_contact: datetime
    news_from: datetime
    watermark: datetime | None = None
    api_version: str | None = None
    skew: timedelta | None = None
    last_poll: datetime | None = None
    last_success: datetime | None = None
    last_error: str | None = None
    doubted: str | None = None
    feed_token: str | None = None
    swept: datetime | None = None
    refusal: Refusal | None = None
    kinds: Mapping[JobType, datetime] = field(default_factory=dict)
