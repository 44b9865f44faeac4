"""The digest: what every job did in a day or a week, said also when all is well, since silence is no proof of life."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from watcher.core.model import Status
from watcher.core.window import first_time

BEFORE = timedelta(days=7)
"""So far back lies what the data of a period is held against."""


@dataclass(frozen=True, slots=True)
class JobDigest:
    """What one job did. `status`: how it stands now, "" if that is not known. Data is in bytes, None where no run said.

    `moved_before`: the data of the week before; for a day, the average of its days.
    """

    server: str
    job: str
    organization: str | None = None
    runs: int = 0
    failures: int = 0
    warnings: int = 0
    stopped: int = 0
    status: str = ""
    last_good: datetime | None = None
    moved: int | None = None
    moved_before: int | None = None

    @property
    def rank(self) -> int:
        """How bad it is, 0 the worst: stands failed, had failures, had warnings, did not run, good."""
        if self.status == Status.FAILED:
            return 0
        if self.failures:
            return 1
        if self.warnings or self.status == Status.WARNING:
            return 2
        return 4 if self.runs else 3

    @property
    def is_well(self) -> bool:
        """Whether there is nothing to say of it."""
        return self.rank == 4


@dataclass(frozen=True, slots=True)
class ServerDigest:
    """Whether a server answers, and when it did last."""

    name: str
    reachable: bool | None
    last_success: datetime | None = None


@dataclass(frozen=True, slots=True)
class Digest:
    """All jobs of all servers over a period, the worst first."""

    begins: datetime
    ends: datetime
    is_weekly: bool
    jobs: tuple[JobDigest, ...] = ()
    servers: tuple[ServerDigest, ...] = ()

    @property
    def unreachable(self) -> tuple[ServerDigest, ...]:
        """The servers that do not answer."""
        return tuple(server for server in self.servers if server.reachable is False)

    @property
    def is_all_well(self) -> bool:
        """Whether each server answers and each job ran well, every time."""
        return not self.unreachable and all(job.is_well for job in self.jobs)


@dataclass(frozen=True, slots=True)
class Run:
    """One session that ended, as far as a digest needs it."""

    server: str
    job_id: str
    status: str
    ended: datetime
    moved: int | None = None


@dataclass(frozen=True, slots=True)
class JobState:
    """A job that is known, and how it stands."""

    server: str
    job_id: str
    name: str
    organization: str | None = None
    status: str = ""
    last_good: datetime | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """When digests are due: at a time of a zone's clocks, every day, or on one day of the week (0 is Monday)."""

    at: time
    zone: tzinfo
    weekday: int | None = None

    def last_due(self, now: datetime) -> datetime:
        """Return when the last one was due. A time that the clocks skip is due when they go on."""
        day = now.astimezone(self.zone).date() + timedelta(days=1)
        while True:
            if self.weekday in {None, day.weekday()}:
                due = first_time(day, self.at, self.zone)
                if due <= now:
                    return due
            day -= timedelta(days=1)

    def period(self, due: datetime) -> tuple[datetime, datetime]:
        """Return from when to when a digest speaks: from the one before, so that there is neither gap nor overlap."""
        return self.last_due(due - timedelta(seconds=1)), due


@dataclass(slots=True)
class _Sum:
    runs: int = 0
    failures: int = 0
    warnings: int = 0
    stopped: int = 0
    moved: int | None = None
    before: int | None = None


def digest(
    runs: Iterable[Run],
    states: Iterable[JobState],
    servers: Iterable[ServerDigest],
    *,
    period: tuple[datetime, datetime],
    is_weekly: bool,
) -> Digest:
    """Sum up the runs of a period and hold them against the seven days before it.

    A job that ran in neither is left out: it may be gone, and nobody can tell.
    """
    begins, ends = period
    sums: dict[tuple[str, str], _Sum] = {}
    for run in runs:
        if begins - BEFORE <= run.ended < ends:
            _add(sums.setdefault((run.server, run.job_id), _Sum()), run, begins)
    known = {(state.server, state.job_id): state for state in states}
    days = 1 if is_weekly else BEFORE.days
    jobs = sorted(_jobs(sums, known, days), key=lambda job: (job.rank, job.server.casefold(), job.job.casefold()))
    return Digest(begins, ends, is_weekly, tuple(jobs), tuple(servers))


def _add(total: _Sum, run: Run, begins: datetime) -> None:
    if run.ended < begins:
        total.before = _plus(total.before, run.moved)
        return
    total.runs += 1
    total.failures += run.status == Status.FAILED
    total.warnings += run.status == Status.WARNING
    total.stopped += run.status == Status.STOPPED
    total.moved = _plus(total.moved, run.moved)


def _plus(one: int | None, other: int | None) -> int | None:
    return one if other is None else (one or 0) + other


def _jobs(
    sums: Mapping[tuple[str, str], _Sum], known: Mapping[tuple[str, str], JobState], days: int
) -> Iterator[JobDigest]:
    for key, total in sums.items():
        state = known.get(key) or JobState(key[0], key[1], key[1])
        yield JobDigest(
            state.server,
            state.name,
            state.organization,
            total.runs,
            total.failures,
            total.warnings,
            total.stopped,
            state.status,
            state.last_good,
            total.moved,
            None if total.before is None else total.before // days,
        )
