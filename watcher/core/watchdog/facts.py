"""What the rules about jobs and runs rest on. All times are on the server's clock."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watcher.core.event import JobRef, ServerRef
from watcher.core.model import JOB_KINDS, Job, JobType, Session, Status
from watcher.core.record import Known
from watcher.core.silence import Silence
from watcher.core.watchdog.alarm import Alarm, Key
from watcher.core.watchdog.survey import NO_SURVEY, Survey

GOOD = frozenset({Status.SUCCESS, Status.WARNING})
"""Ends after which there is a backup to restore from, of most if not of all."""


@dataclass(frozen=True, slots=True)
class Past:
    """What the store says of a job's sessions: when the last one began, when one ended, and when one ended well."""

    begun: datetime | None = None
    ended: datetime | None = None
    good: datetime | None = None


NOTHING = Past()
"""What is known of a job that was not asked for."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """What the store knows that the rules need. `failing`: the last look at the server failed.

    `met`: the first contact. `skew`: the server's clock less ours, in seconds. `past`: of the jobs that were asked for.
    `kinds`: the work that is watched by whoever shares the store.
    """

    server: ServerRef
    met: datetime
    failing: bool = False
    skew: float = 0.0
    alarms: Mapping[Key, Alarm] = field(default_factory=dict)
    open: tuple[Known, ...] = ()
    past: Mapping[str, Past] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    kinds: frozenset[JobType] = JOB_KINDS


@dataclass(frozen=True, slots=True)
class Facts:
    """What was read from the server, and since when it can be trusted.

    `jobs_read`: when jobs of each kind were read. `back`: when the server, or this process, came back after having been
    away for so long (`away`); None if neither was. `runs`: the last sessions that are over, newest first, of jobs of
    which one is new.
    """

    jobs: Mapping[str, Job] = field(default_factory=dict)
    jobs_read: Mapping[JobType, datetime] = field(default_factory=dict)
    back: datetime | None = None
    away: timedelta = timedelta(0)
    survey: Survey = NO_SURVEY
    runs: Mapping[str, tuple[Session, ...]] = field(default_factory=dict)


def job_ref(job_id: str | None, jobs: Mapping[str, Job]) -> JobRef | None:
    """Return how an event speaks of a job; by its id where its name is not known."""
    if job_id is None:
        return None
    job = jobs.get(job_id)
    return as_ref(job) if job is not None else JobRef(job_id, job_id)


def as_ref(job: Job) -> JobRef:
    """Return how an event speaks of a job that is known."""
    return JobRef(job.id, job.name, job.type, job.organization)


def latest(*moments: datetime | None) -> datetime | None:
    """Return the latest of some moments, if there is any."""
    return max((one for one in moments if one is not None), default=None)
