"""An event: something worth telling, with everything that a message or a program needs to know of it."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from watcher.core.digest import Digest
from watcher.core.heartbeat import Heartbeat
from watcher.core.model import JobType, LogLine, Session

SESSION_FAILED = "session.failed"
SESSION_WARNING = "session.warning"
SESSION_STOPPED = "session.stopped"
SESSION_SUCCESS = "session.success"
SESSION_STARTED = "session.started"
SESSION_UNRECOGNIZED = "session.unrecognized"
SESSION_VANISHED = "session.vanished"
JOB_RECOVERED = "job.recovered"
JOB_FAILING = "job.failing"
SERVER_REPLACED = "server.replaced"
SERVER_UNREACHABLE = "server.unreachable"
SERVER_UNAUTHORIZED = "server.unauthorized"
SERVER_RECOVERED = "server.recovered"
SERVER_UNHEALTHY = "server.unhealthy"
SESSION_DISCONNECTED = "session.disconnected"
JOB_OVERDUE = "job.overdue"
JOB_STALE = "job.stale"
JOB_DISABLED = "job.disabled"
JOB_SLOW = "job.slow"
JOB_STALLED = "job.stalled"
JOB_SHORT = "job.short"
PROXY_OFFLINE = "proxy.offline"
REPOSITORY_LOW = "repository.low"
REPOSITORY_INVALID = "repository.invalid"
LICENSE_EXPIRING = "license.expiring"
WATCHER_DIGEST = "watcher.digest"
WATCHER_HEARTBEAT = "watcher.heartbeat"
CHANNEL_TEST = "channel.test"
CHANNEL_FAILING = "channel.failing"
CHANNEL_RECOVERED = "channel.recovered"


_ANSWERING = frozenset({SERVER_UNREACHABLE, SERVER_UNAUTHORIZED, SERVER_RECOVERED, SERVER_UNHEALTHY})
OVER = ".recovered"
LASTING = ".lasting"

ALARMS = frozenset(
    {
        SERVER_UNHEALTHY,
        SESSION_DISCONNECTED,
        JOB_OVERDUE,
        JOB_STALE,
        JOB_DISABLED,
        JOB_SLOW,
        JOB_STALLED,
        JOB_SHORT,
        PROXY_OFFLINE,
        REPOSITORY_LOW,
        REPOSITORY_INVALID,
        LICENSE_EXPIRING,
    }
)
"""What the watchdogs tell."""


UNWATCHED = "Unwatched"
"""Where an alarm goes that is closed because nobody asks for it any more, be it over or not."""


def over(kind: str) -> str | None:
    """Return the event that says that an alarm is over; None for one whose end is told otherwise."""
    if kind == SESSION_DISCONNECTED:
        return None
    return SERVER_RECOVERED if kind == SERVER_UNHEALTHY else f"{kind}{OVER}"


ALARMS_OVER = frozenset(name for kind in ALARMS if (name := over(kind)))
"""What the watchdogs tell when an alarm is over; `server.recovered` is also told of one that answers again."""

REMINDERS = frozenset({JOB_FAILING}) | {
    f"{kind}{LASTING}" for kind in ALARMS | {SERVER_UNREACHABLE, SERVER_UNAUTHORIZED}
}
"""What is said again of what lasts. No word of `notify_on` stands for these: a route's `remind_every` asks for them."""


def alarm_of(event_type: str) -> str:
    """Return the alarm that an event is about, also where it tells of its end or is a reminder."""
    return event_type.removesuffix(OVER).removesuffix(LASTING)


@dataclass(frozen=True, slots=True)
class ServerRef:
    """The server an event speaks of."""

    name: str
    installation_id: str | None = None

    @property
    def identity(self) -> str:
        """What the server is known by: its installation (v6 and later), else its name."""
        return self.installation_id or self.name


OURSELVES = ServerRef("vb365-watcher")
"""In the place of a server in events of our own, which speak of none."""


@dataclass(frozen=True, slots=True)
class JobRef:
    """The job an event speaks of; `name` is its id where the name could not be read."""

    id: str
    name: str
    type: JobType | None = None
    organization: str | None = None


@dataclass(frozen=True, slots=True)
class Thing:
    """The proxy, repository or licence that an event speaks of, by its id and its name."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Story:
    """What happened to the job before this end.

    `failures`: ends in a row that were Failed, this one counted. `failing_since`: the first of them.
    `last_good`: the last good end before this one. `was_bad`: the outcome before was a failure. For the end of a
    failure, `failures` and `failing_since` are those that it ends; 0 and None if they were before our time.
    """

    failures: int = 0
    failing_since: datetime | None = None
    last_good: datetime | None = None
    was_bad: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. `happened` is on the server's clock, `decided` on ours."""

    id: str
    type: str
    server: ServerRef
    happened: datetime
    decided: datetime
    late: bool = False
    job: JobRef | None = None
    session: Session | None = None
    came_from: str | None = None
    went_to: str | None = None
    attempts: tuple[str, ...] = ()
    log: tuple[LogLine, ...] = ()
    reason: str | None = None
    story: Story = Story()
    channel: str | None = None
    digest: Digest | None = None
    heartbeat: Heartbeat | None = None
    thing: Thing | None = None

    @property
    def subject(self) -> str:
        """What it speaks of: the messages about one job, one thing, or how a server answers, leave in their order.

        Other events are each by themselves.
        """
        if self.job is not None:
            return f"{self.server.identity}/{self.job.id}"
        if self.thing is not None:
            return f"{self.server.identity}/{alarm_of(self.type)}/{self.thing.id}"
        return f"{self.server.identity}/" if self.type.removesuffix(LASTING) in _ANSWERING else self.id


def event_id(server: ServerRef, subject: str, event_type: str, status: str | None, ended: datetime | None) -> str:
    """Hash what makes an event itself: the same on every attempt, after every restart and from a second watcher."""
    parts = (server.identity, subject, event_type, status or "", ended.isoformat() if ended else "")
    return sha256("\x1f".join(parts).encode()).hexdigest()[:32]
