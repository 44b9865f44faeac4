"""What a VB365 server can tell: sessions, jobs, log lines, and one whole look at a server.

Every datetime is aware and in UTC. Sources of the facts: Veeam's REST manuals v3 to v8; where they are silent,
a value may be missing and is then None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum


class Status(StrEnum):
    """The statuses that some version documents (v1-v4: the first five; v5-v8 add the rest; Updating: PowerShell)."""

    RUNNING = "Running"
    SUCCESS = "Success"
    WARNING = "Warning"
    FAILED = "Failed"
    STOPPED = "Stopped"
    QUEUED = "Queued"
    DISCONNECTED = "Disconnected"
    NOT_CONFIGURED = "NotConfigured"
    UPDATING = "Updating"


ENDED = frozenset({Status.SUCCESS, Status.WARNING, Status.FAILED, Status.STOPPED})
OPEN = frozenset(Status) - ENDED

_BY_WORD = {status.value.lower(): status.value for status in Status}


def canonical_status(text: str) -> str:
    """Return the documented spelling of a status; an undocumented one comes back as it is (v3 prints "success" too)."""
    return _BY_WORD.get(text.strip().lower(), text.strip())


class JobType(StrEnum):
    """What kind of work a session belongs to: of jobs (v7 and v8 say it; v6 only filters by it; before v6 all is
    backup), or work that somebody asked for and that no job repeats.
    """

    BACKUP = "backup"
    COPY = "copy"
    RESTORE = "restore"
    RETRIEVAL = "retrieval"
    SYNCHRONIZE = "synchronize"


JOB_KINDS = frozenset({JobType.BACKUP, JobType.COPY})
"""The kinds whose sessions are runs of jobs, and that are watched unless the settings say otherwise."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """A session's counters. Rates are bytes or items a second, `transferred` is bytes."""

    processing_rate_bytes: int | None = None
    processing_rate_items: int | None = None
    read_rate_bytes: int | None = None
    write_rate_bytes: int | None = None
    transferred: int | None = None
    processed_objects: int | None = None
    bottleneck: str | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """What a session that no job repeats is about. All but `name` name people or what is theirs, or may.

    `name`: of the restore or retrieval, or of the repository that is synchronized. `kind`: what is done, in words
    ("Exchange restore"). `scope`: whose data, for a restore by the portal. `host`: where it was asked for; `reason`:
    why, as somebody wrote it there. `retrieval_id`, `repository_id`: what it belongs to.
    """

    name: str | None = None
    kind: str | None = None
    organization: str | None = None
    scope: str | None = None
    initiated_by: str | None = None
    host: str | None = None
    reason: str | None = None
    retrieval_id: str | None = None
    repository_id: str | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One run of a job, or one errand, as one answer of the server showed it.

    `ended` is None while the server shows no end (missing, null, year 1 or year 9999). `progress` counts objects.
    `retry_count` is the order number of a retry, `main_session_id` its first run (v7, v8; None on a main run).
    `errand` is what there is in the place of a job, for restores, retrievals and synchronizations.
    """

    id: str
    status: str
    job_id: str | None = None
    job_type: JobType | None = None
    created: datetime | None = None
    ended: datetime | None = None
    progress: int | None = None
    retry_count: int | None = None
    main_session_id: str | None = None
    will_be_retried: bool | None = None
    details: str | None = None
    etag: int | None = None
    statistics: Statistics = Statistics()
    errand: Errand | None = None

    @property
    def is_of_job(self) -> bool:
        """Whether it is a run of a backup or copy job."""
        return self.job_type is None or self.job_type in JOB_KINDS

    @property
    def is_ended(self) -> bool:
        """Whether the status is one of the four documented ends."""
        return self.status in ENDED

    @property
    def is_recognized(self) -> bool:
        """Whether some version documents this status."""
        return self.status in ENDED or self.status in OPEN

    @property
    def is_settled(self) -> bool:
        """Whether nothing more is expected of it: an end, or an undocumented status with an end time."""
        return self.is_ended or (self.ended is not None and not self.is_recognized)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a server starts a job by itself.

    `kind`: daily, periodically, manual, or immediate (a copy job that follows its backup job). `days` of a daily one:
    everyday, workdays, weekends, or a single day. `every` of a periodical one. `closed`: the longest stretch of a week
    in which its window lets nothing begin.
    """

    kind: str
    days: str | None = None
    every: timedelta | None = None
    closed: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Job:
    """A backup or copy job with its organization's name; `last_status` and the times as `/Jobs` gives them.

    `last_backup` (v7 and later) is the last run that was good.
    """

    id: str
    name: str
    type: JobType = JobType.BACKUP
    organization: str | None = None
    enabled: bool | None = None
    last_run: datetime | None = None
    next_run: datetime | None = None
    last_backup: datetime | None = None
    last_status: str | None = None
    retry_number: int | None = None
    schedule: Schedule | None = None


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a session's log. `type`: error, warning, success, running, stop, or "" where none is given."""

    type: str
    text: str


LARGEST_SKEW = timedelta(minutes=1)
"""A server's clock may be so far from ours before somebody should know."""

OVERLAP = timedelta(minutes=10)
"""So far a look reaches back behind the last end that the one before has seen."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a server says of itself once a login worked.

    `installation_id` is None before v6 or where it could not be read. `skew` is the server's clock less ours, from the
    `Date` header; None without one; zero when it is within what the header can show.
    """

    api_version: str
    installation_id: str | None = None
    product_version: str | None = None
    skew: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """What is known before a look, for the look to be short.

    Times are on the server's clock. `horizon`: an unknown session that ended before it is nobody's news.
    `watermark`: the latest end of a job's session seen by a look that succeeded. `open`: tracked sessions of jobs
    without an end and when they were created; `errands`: the other tracked sessions, with their kinds. `marks`: up to
    where each other kind was dealt with; one without a mark was not read yet. `held`: the earliest end that waits for
    its retry and was told to nobody. `installation`: what the server is known by; one that says otherwise is asked
    again. `hints`: sessions of which its event feed has said something new, each with the status it gave.
    """

    horizon: datetime
    watermark: datetime | None = None
    open: Mapping[str, datetime | None] = field(default_factory=dict)
    held: datetime | None = None
    installation: str | None = None
    hints: Mapping[str, str] = field(default_factory=dict)
    errands: Mapping[str, JobType] = field(default_factory=dict)
    marks: Mapping[JobType, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Heard:
    """What a server's event feed said: up to where it was heard now, and of which sessions, with their status.

    `restores`: those of which it said only that they have changed.
    """

    token: str
    statuses: Mapping[str, str] = field(default_factory=dict)
    restores: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Look:
    """What one whole look at a server brought; a look that broke off brings nothing but its error.

    `sessions`: each id once. `gone`: tracked ids that answered 404 themselves, in a look whose listings succeeded.
    `unreadable`: ids of rows that could not be understood, even read by themselves. `marks`: up to where other kinds
    are dealt with now, where that has moved.
    """

    greeting: Greeting
    sessions: tuple[Session, ...] = ()
    gone: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    jobs: Mapping[str, Job] = field(default_factory=dict)
    marks: Mapping[JobType, datetime] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a long first reading is: jobs that are done, of how many, and sessions read so far."""

    done: int
    jobs: int
    sessions: int


class Failure(StrEnum):
    """Why a look was given up; the words appear in logs, in `status` and as the metric's `outcome`."""

    UNREACHABLE = "unreachable"
    TLS = "tls"
    TIMEOUT = "timeout"
    UNAUTHORIZED = "unauthorized"
    LOGIN_REFUSED = "login_refused"
    BUSY = "busy"
    SERVER_ERROR = "server_error"
    BAD_ANSWER = "bad_answer"
    NO_VERSION = "no_version"
    REPLACED = "replaced"
    STORE = "store"


class LookFailed(Exception):  # noqa: N818 - it is said as a sentence: "look failed"
    """A look that was given up. Its text is one sentence with the request and no secret; `wait` is in seconds.

    `other` is the installation that answered, where that was not the one that is known.
    """

    def __init__(self, kind: Failure, text: str, *, wait: float | None = None, other: str | None = None) -> None:
        """Keep the class of failure, its sentence, and how long the server asked us to stay away."""
        super().__init__(text)
        self.kind = kind
        self.wait = wait
        self.other = other
