"""A believable week of backup jobs, as pure data: the same seed and start give the same week.

Every week opens with an act at fixed times in which all that a watcher tells of happens within a few hours; the rest
follows each job's schedule and chance.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import IntEnum

from watcher.core.model import LogLine, Statistics, Status
from watcher.demo.estate import Schedule
from watcher.demo.words import log_of

WEEK = timedelta(days=7)
_HISTORY = timedelta(days=2)
_MINUTE = timedelta(minutes=1)
_PROGRESS_STEPS = 6


@dataclass(frozen=True, slots=True)
class Plan:
    """A job of the story: what it backs up, about how many objects and bytes, and how many minutes that takes."""

    name: str
    organization: str
    workload: str
    schedule: Schedule
    minutes: int
    objects: int
    megabytes: int
    copy_of: str | None = None


ALDERWOOD, _BRIGHTWATER, _STONEGATE = "alderwood.example", "brightwater.example", "stonegate-school.example"


def _daily(hour: int, minute: int = 0, *, retries: int = 3) -> Schedule:
    return Schedule(daily=time(hour, minute), retries=retries)


def _hourly(hours: int, *, retries: int = 0) -> Schedule:
    return Schedule(every=timedelta(hours=hours), retries=retries)


ESTATE: Sequence[Plan] = (
    Plan("Alderwood - Exchange", ALDERWOOD, "mail", _daily(22), 70, 412, 5200),
    Plan("Alderwood - SharePoint", ALDERWOOD, "sites", _daily(23), 260, 86, 61_000),
    Plan("Alderwood - Teams", ALDERWOOD, "teams", _daily(1), 95, 58, 7400),
    Plan("Alderwood - Management mailboxes", ALDERWOOD, "mail", _hourly(1), 9, 14, 160),
    Plan("Brightwater - Exchange", _BRIGHTWATER, "mail", _daily(21, 30), 45, 187, 2300),
    Plan("Brightwater - OneDrive", _BRIGHTWATER, "files", _daily(0, 30, retries=0), 120, 187, 18_000),
    Plan("Brightwater - Shared mailboxes", _BRIGHTWATER, "mail", _hourly(2, retries=1), 14, 22, 340),
    Plan("Stonegate - Staff mail", _STONEGATE, "mail", _daily(20), 40, 131, 1900),
    Plan("Stonegate - Student OneDrive", _STONEGATE, "files", _daily(3, retries=1), 210, 940, 33_000),
    Plan("Stonegate - Classes in Teams", _STONEGATE, "teams", _hourly(4), 25, 64, 2100),
    Plan(
        "Alderwood - Exchange to bucket",
        ALDERWOOD,
        "copy",
        _daily(6, retries=0),
        35,
        412,
        5200,
        "Alderwood - Exchange",
    ),
    Plan(
        "Stonegate - Staff mail to bucket",
        _STONEGATE,
        "copy",
        _daily(5, retries=0),
        20,
        131,
        1900,
        "Stonegate - Staff mail",
    ),
)
"""Twelve jobs of three organizations, two of them copy jobs."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """What befalls the estate itself, from when to when in each week."""

    begins: timedelta
    ends: timedelta

    def is_on(self, now: datetime, start: datetime) -> bool:
        """Whether it is so at a moment of a life that began at `start`."""
        return now >= start and self.begins <= (now - start) % WEEK < self.ends


PROXY_AWAY = Trouble(100 * _MINUTE, 145 * _MINUTE)
DISK_FULL = Trouble(185 * _MINUTE, 230 * _MINUTE)
"""A proxy goes offline and comes back; a disk runs full and somebody makes room."""


@dataclass(frozen=True, slots=True)
class Run:
    """One session as it will have been. `attempt` is 0 for a main run, 1 for its first retry.

    `following`: when the job's next main run begins.
    """

    job: str
    began: datetime
    ended: datetime
    status: Status
    attempt: int
    will_be_retried: bool
    statistics: Statistics
    log: tuple[LogLine, ...]
    following: datetime | None = None


class Act(IntEnum):
    """What a step does to its session; steps of one moment happen in this order."""

    END = 0
    START = 1
    PROGRESS = 2


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happens to a session at a moment. `share` is how much of the run is done, 0 to 1."""

    at: datetime
    act: Act
    run: Run
    share: float = 1.0


def week(seed: int, start: datetime) -> list[Step]:
    """Return what happens in the week from `start` on, in order; every session ends within it."""
    return _steps(_week_runs(seed, start), _week_runs(seed + 1, start + WEEK))


def life(seed: int, start: datetime) -> Iterator[Step]:
    """Yield two days of history before `start`, a job that is running at `start`, then week upon week without end."""
    past = _past_runs(seed, start)
    busy = {run.job: run.ended for run in past}
    runs, number = [*past, *_week_runs(seed, start, busy)], 1
    while True:
        coming = _week_runs(seed + number, start + number * WEEK)
        yield from _steps(runs, coming)
        runs, number = coming, number + 1


def _week_runs(seed: int, start: datetime, busy: dict[str, datetime] | None = None) -> list[Run]:
    rng = _chance(seed, "week")
    opening = _opening(rng, start)
    free = {**(busy or {})}
    for run in opening:
        free[run.job] = max(run.ended, free.get(run.job, start))
    runs = list(opening)
    for plan in ESTATE:
        runs += _regular(plan, rng, max(free.get(plan.name, start), start), start + WEEK)
    return runs


def _past_runs(seed: int, start: datetime) -> list[Run]:
    """Return yesterday: all ended well before `start`, but for one long job that runs on into the week."""
    rng = _chance(seed, "past")
    runs = [run for plan in ESTATE for run in _regular(plan, rng, start - _HISTORY, start - 20 * _MINUTE)]
    long_job = _plan("SharePoint")
    runs = [run for run in runs if run.job != long_job.name or run.ended < start - 170 * _MINUTE]
    return [*runs, _run(long_job, rng, start - 160 * _MINUTE, 205, Status.SUCCESS)]


def _opening(rng: random.Random, start: datetime) -> list[Run]:
    """Return the act of the first hours: minutes after the start, minutes long, how it ends."""

    def run(job: str, at: int, minutes: int, status: Status, attempt: int = 0, *, again: bool = False) -> Run:
        return _run(_plan(job), rng, start + at * _MINUTE, minutes, status, attempt, will_be_retried=again)

    return [
        run("Management mailboxes", 35, 9, Status.SUCCESS),
        run("Shared mailboxes", 30, 20, Status.FAILED, again=True),
        run("Shared mailboxes", 60, 18, Status.FAILED, 1),
        run("Classes in Teams", 70, 35, Status.WARNING),
        run("Brightwater - OneDrive", 75, 55, Status.STOPPED),
        run("Shared mailboxes", 150, 16, Status.SUCCESS),
        run("Stonegate - Staff mail", 175, 20, Status.FAILED, again=True),
        run("Stonegate - Staff mail", 205, 32, Status.SUCCESS, 1),
    ]


def _regular(plan: Plan, rng: random.Random, since: datetime, until: datetime) -> Iterator[Run]:
    """Yield a job's runs by its schedule, as far as their chains end before `until`."""
    at = plan.schedule.after(since)
    while at is not None and at < until:
        chain = list(_chain(plan, rng, at))
        if chain[-1].ended >= until:
            return
        yield from chain
        at = plan.schedule.after(max(chain[-1].ended, at))


def _chain(plan: Plan, rng: random.Random, at: datetime) -> Iterator[Run]:
    """Yield a run and its retries."""
    for attempt in range(plan.schedule.retries + 1):
        status = _outcome(rng, is_retry=attempt > 0)
        bad = status in {Status.FAILED, Status.WARNING}
        again = bad and attempt < plan.schedule.retries
        run = _run(plan, rng, at, _minutes(plan, rng, status), status, attempt, will_be_retried=again)
        yield run
        if not again:
            return
        at = run.ended + plan.schedule.retry_wait


def _outcome(rng: random.Random, *, is_retry: bool) -> Status:
    weights = (70, 12, 18, 0) if is_retry else (84, 8, 6, 2)
    return rng.choices((Status.SUCCESS, Status.WARNING, Status.FAILED, Status.STOPPED), weights)[0]


def _minutes(plan: Plan, rng: random.Random, status: Status) -> int:
    share = rng.uniform(0.8, 1.25) if status in {Status.SUCCESS, Status.WARNING} else rng.uniform(0.1, 0.7)
    return max(2, round(plan.minutes * share))


def _run(
    plan: Plan,
    rng: random.Random,
    at: datetime,
    minutes: int,
    status: Status,
    attempt: int = 0,
    *,
    will_be_retried: bool = False,
) -> Run:
    began = at + timedelta(microseconds=rng.randrange(4_000_000))
    ended = began + timedelta(minutes=minutes, microseconds=rng.randrange(20_000_000))
    share = min(1.0, minutes / plan.minutes) if status in {Status.FAILED, Status.STOPPED} else 1.0
    statistics = _statistics(plan, rng, share, (ended - began).total_seconds())
    log = log_of(status, plan.workload, plan.objects, began, rng)
    return Run(plan.name, began, ended, status, attempt, will_be_retried, statistics, log)


def _statistics(plan: Plan, rng: random.Random, share: float, seconds: float) -> Statistics:
    objects = max(1, round(plan.objects * share * rng.uniform(0.95, 1.0)))
    transferred = round(plan.megabytes * share * rng.uniform(0.6, 1.3) * 1024**2)
    items = objects * rng.randint(3, 40)
    return Statistics(
        processing_rate_bytes=round(transferred / seconds),
        processing_rate_items=round(items / seconds),
        read_rate_bytes=round(transferred / seconds * 1.6),
        write_rate_bytes=round(transferred / seconds * 1.1),
        transferred=transferred,
        processed_objects=objects,
        bottleneck=rng.choice(("Source", "Source", "Target")),
    )


def _steps(runs: Sequence[Run], coming: Sequence[Run]) -> list[Step]:
    """Return the steps of some runs, in order; `coming`: the runs after those."""
    steps = [step for run in _planned(runs, coming) for step in _steps_of(run)]
    return sorted(steps, key=lambda step: (step.at, step.act, step.run.job))


def _planned(runs: Sequence[Run], coming: Sequence[Run]) -> Iterator[Run]:
    """Yield runs that know when their job's next one begins: what the server says of that is what will happen."""
    begins: dict[str, list[datetime]] = {}
    for run in sorted((*runs, *coming), key=lambda run: run.began):
        if not run.attempt:
            begins.setdefault(run.job, []).append(run.began)
    for run in runs:
        later = (began.replace(microsecond=0) for began in begins[run.job] if began > run.began)
        yield replace(run, following=next(later, None))


def _steps_of(run: Run) -> Iterator[Step]:
    yield Step(run.began, Act.START, run, 0.0)
    for number in range(1, _PROGRESS_STEPS):
        share = number / _PROGRESS_STEPS
        yield Step(run.began + (run.ended - run.began) * share, Act.PROGRESS, run, share)
    yield Step(run.ended, Act.END, run)


def _plan(part: str) -> Plan:
    return next(plan for plan in ESTATE if part in plan.name)


def _chance(seed: int, part: str) -> random.Random:
    return random.Random(f"{seed}/{part}")  # noqa: S311 - a made-up story, no secret
