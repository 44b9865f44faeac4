"""A month in the life of an estate, healthy but noisy, made by a seed; and faults that are planted in it.

Everything is laid down beforehand: runs with their waits, retries and progress, what the server says of itself, and
when it cannot be asked. `at` shows all of it as a server would at a moment.
"""

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from watcher.core.model import Job, JobType, Schedule, Session, Statistics
from watcher.core.watchdog.survey import Health, License, Proxy, Repository

ZONE = ZoneInfo("Europe/Zurich")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_WEEK = {"everyday": range(7), "workdays": range(5), "weekends": (5, 6), "wednesday": (2,), "saturday": (5,)}


@dataclass
class Run:
    """One session as it will have been. It waits in the queue until `began`; `pauses`: when nothing of it moves."""

    id: str
    created: datetime
    began: datetime
    ended: datetime
    status: str
    objects: int
    data: int
    retry_of: str | None = None
    retry: int = 0
    again: bool = False
    frozen: datetime | None = None
    odd: tuple[datetime, datetime, str] | None = None

    def at(self, moment: datetime, job: str, kind: JobType) -> Session:
        """Show it as it is at a moment."""
        is_over = moment >= self.ended
        status = self.status if is_over else "Queued" if moment < self.began else "Running"
        if self.odd and self.odd[0] <= moment < self.odd[1]:
            status = self.odd[2]
        seen = min(moment, self.frozen) if self.frozen else moment
        seen = self.odd[0] if self.odd and self.odd[0] <= seen < self.odd[1] else seen
        share = 1.0 if is_over else max(0.0, min(1.0, (seen - self.began) / (self.ended - self.began)))
        steps = int(share * 12) / 12  # what is large moves seldom
        return Session(
            self.id,
            status,
            job,
            kind,
            self.created,
            self.ended if is_over else None,
            int(self.objects * steps),
            self.retry,
            self.retry_of,
            self.again if is_over else None,
            statistics=Statistics(
                processing_rate_bytes=int(1e6 * share), transferred=int(self.data * steps), processed_objects=None
            ),
        )


@dataclass
class Plan:
    """A job: its schedule on the wall of its server, how long it takes about, and what it does."""

    id: str
    name: str
    schedule: Schedule
    at: time
    minutes: float
    objects: int
    data: int
    retries: int
    late_row: bool
    kind: JobType = JobType.BACKUP
    runs: list[Run] = field(default_factory=list)
    stopped: tuple[datetime, datetime] | None = None
    disabled: tuple[datetime, datetime] | None = None
    fails: tuple[datetime, datetime] | None = None

    def starts(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Yield when it begins by itself."""
        if self.schedule.kind == "periodically" and self.schedule.every:
            first = datetime(2026, 1, 1, 0, self.at.minute, tzinfo=UTC)
            moment = first + -(-(since - first) // self.schedule.every) * self.schedule.every
            while moment < until:
                if not (self.schedule.closed and 8 <= moment.astimezone(ZONE).hour < 18):
                    yield moment
                moment += self.schedule.every
        elif self.schedule.kind == "daily":
            day = since.astimezone(ZONE).date()
            while (moment := self._on(day)) < until:
                if day.weekday() in _WEEK[self.schedule.days or "everyday"] and moment >= since:
                    yield moment
                day += DAY

    def _on(self, day: date) -> datetime:
        return datetime.combine(day, self.at, tzinfo=ZONE).astimezone(UTC)


class Estate:
    """The jobs of a month, and what surrounds them. `faults`: what was planted, and what has to be told of it."""

    def __init__(self, seed: int, *, begins: datetime, days: int, jobs: int) -> None:
        self.rng = Random(seed)
        self.begins, self.ends, self.days = begins, begins + days * DAY, days
        self.number = 0
        self.away: list[tuple[datetime, datetime]] = []
        self.holidays = {self.day(self.rng.randrange(3, days)).date() for _ in range(2)}
        sunday = next(self.day(n) for n in range(min(7, days - 7), days) if self.day(n).weekday() == 6)
        self.away.append((sunday + 1 * HOUR, sunday + 3.5 * HOUR))
        self.proxies_away: list[tuple[int, datetime, datetime, bool]] = [
            (0, sunday + 10 * HOUR, sunday + 13 * HOUR, True),
            *((n % 3, *self.span(2 * MINUTE), False) for n in range(8)),
        ]
        self.free: Callable[[datetime], float] = lambda _: 0.35
        self.invalid: tuple[datetime, datetime] | None = None
        self.unhealthy = [self.span(2 * MINUTE) for _ in range(3)]
        self.license: Callable[[datetime], datetime] = lambda _: self.begins + 300 * DAY
        self.plans = [self._plan(number) for number in range(jobs)]

    def day(self, number: int) -> datetime:
        """Return midnight of a day, on the wall of the server."""
        local = (self.begins + number * DAY).astimezone(ZONE)
        return local.replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)

    def moment(self) -> datetime:
        """Return any moment."""
        return self.begins + self.rng.uniform(1, self.days - 1) * DAY

    def span(self, length: timedelta) -> tuple[datetime, datetime]:
        """Return any stretch of time."""
        begin = self.moment()
        return begin, begin + length

    def live(self) -> None:
        """Lay down all runs, now that it is known what goes wrong."""
        for plan in self.plans:
            self._live(plan)

    def _plan(self, number: int) -> Plan:
        rng, every, days, closed = self.rng, None, None, timedelta(0)
        kind = rng.choices(("daily", "periodically", "manual"), (60, 35, 5))[0]
        at, minutes = time(rng.choice((0, 1, 2, 2, 3, 20, 21, 22, 23)), rng.randrange(0, 60, 5)), rng.uniform(4, 150)
        if kind == "daily":
            days = rng.choices(tuple(_WEEK), (70, 15, 5, 5, 5))[0]
        elif kind == "periodically":
            every = rng.choice((15 * MINUTE, 30 * MINUTE, HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 12 * HOUR))
            minutes = every / MINUTE * rng.uniform(0.1, 0.6)
            closed = rng.choice((timedelta(0), timedelta(0), 10 * HOUR))
        return Plan(
            f"job-{number}",
            f"Tenant {number:03d}",
            Schedule(kind, days, every, closed),
            at,
            minutes,
            rng.choice((1, 3, 20, 150, 900)),
            int(rng.uniform(1e6, 5e10)),
            rng.choice((0, 1, 3)),
            rng.random() < 0.5,
            JobType.COPY if rng.random() < 0.15 else JobType.BACKUP,
        )

    def _live(self, plan: Plan) -> None:
        rng, free = self.rng, self.begins - 3 * DAY
        starts = list(plan.starts(self.begins - 2 * DAY, self.ends))
        starts += [self.moment() for _ in range(rng.choice((0, 0, 1, 3)))]  # somebody starts it by hand
        for start in sorted(starts):
            moment = start
            if any(begin <= moment < end for begin, end in self.away):
                moment = next(end for begin, end in self.away if begin <= moment < end) + rng.uniform(1, 20) * MINUTE
            off = plan.disabled or (self.ends, self.ends)
            stop = plan.stopped or (self.ends, self.ends)
            if moment < free or off[0] <= moment < off[1] or stop[0] <= moment < stop[1]:
                continue
            free = self._chain(plan, moment)

    def _chain(self, plan: Plan, moment: datetime) -> datetime:
        """Lay down a run and its retries; returns when the last of them is over."""
        main, free = None, moment
        for attempt in range(plan.retries + 1):
            status = self._status(plan, moment, attempt)
            again = status in {"Failed", "Warning"} and attempt < plan.retries
            run = self._run(plan, moment, status, attempt)
            run.retry_of, run.again = main, again
            plan.runs.append(run)
            main, free = main or run.id, run.ended
            if not again:
                break
            moment = run.ended + 10 * MINUTE
        return free

    def _status(self, plan: Plan, moment: datetime, attempt: int) -> str:
        """Draw how a run ends. After a bad night a good one comes: a job that has two in a row is not healthy."""
        if plan.fails is not None and plan.fails[0] <= moment < plan.fails[1]:
            return "Failed"
        was_bad = bool(plan.runs) and plan.runs[-1].status not in GOOD
        weights = (86, 14, 0, 0) if was_bad and not attempt else (86, 9, 4, 1)
        return self.rng.choices(("Success", "Warning", "Failed", "Stopped"), weights)[0]

    def _run(self, plan: Plan, moment: datetime, status: str, attempt: int) -> Run:
        rng, self.number = self.rng, self.number + 1
        created = moment + timedelta(seconds=rng.uniform(0, 40))
        began = created + timedelta(minutes=rng.choice((0, 0, 0, 0, 2, 25)) * rng.random())
        minutes = plan.minutes * rng.lognormvariate(0, 0.16) * (0.2 if attempt else 1.0)
        if created.astimezone(ZONE).hour == 1:
            minutes += min(1.2 * minutes, 40)  # an hour in which everybody runs
        if status in {"Failed", "Stopped"}:
            minutes *= rng.uniform(0.05, 0.9)
        local = created.astimezone(ZONE)
        slack = 0.15 if local.weekday() > 4 else 1.0
        slack *= 0.02 if local.date() in self.holidays else 1.0
        objects = max(1, round(plan.objects * rng.uniform(0.93, 1.0) * (0.05 if attempt else 1.0)))
        data = int(plan.data * slack * rng.lognormvariate(0, 0.8))
        return Run(f"s{self.number}", created, began, began + minutes * MINUTE, status, objects, data)

    def is_away(self, moment: datetime) -> bool:
        """Whether the server cannot be asked."""
        return any(begin <= moment < end for begin, end in self.away)

    def job(self, plan: Plan, moment: datetime) -> Job:
        """Show the row of a job."""
        place = bisect_right(plan.runs, moment, key=lambda run: run.created)
        last = plan.runs[place - 1] if place else None
        good = [
            run.ended for run in plan.runs[max(0, place - 40) : place] if run.ended <= moment and run.status in GOOD
        ]
        off = plan.disabled is not None and plan.disabled[0] <= moment < plan.disabled[1]
        return Job(
            plan.id,
            plan.name,
            plan.kind,
            "contoso",
            enabled=not off,
            last_run=last.created if last else None,
            next_run=self._next(plan, last, moment),
            last_backup=max(good, default=None),
            last_status=last.at(moment, plan.id, plan.kind).status if last else None,
            schedule=plan.schedule,
        )

    def _next(self, plan: Plan, last: Run | None, moment: datetime) -> datetime | None:
        """Return when it says that it will run: from its last start, or for some only once that run is over."""
        since = moment
        if plan.stopped and plan.stopped[0] <= moment < plan.stopped[1]:
            since = plan.stopped[0]
        elif plan.late_row and last is not None and last.ended > moment:
            since = last.created - MINUTE
        elif self.is_away(moment - 25 * MINUTE):
            since = moment - 25 * MINUTE  # just back, and not done with what was missed
        start = next(plan.starts(since, since + 15 * DAY), None)
        if start is not None and plan.late_row and plan.schedule.kind == "daily":
            start -= _offset(since) - _offset(start)  # reckoned without the clocks' being changed in between
        return start

    def sessions(self, moment: datetime, back: timedelta, tracked: Collection[str]) -> list[Session]:
        """Show the sessions that run, those that ended within a time, and those that somebody asks for."""
        found = []
        for plan in self.plans:
            place = bisect_right(plan.runs, moment, key=lambda run: run.created)
            recent = plan.runs[max(0, place - 6) : place]
            shown = (run for run in recent if run.ended > moment - back or run.id in tracked)
            found += [run.at(moment, plan.id, plan.kind) for run in shown]
        return found

    def proxies(self, moment: datetime) -> tuple[Proxy, ...]:
        """Show the proxies."""
        shown = [Proxy(f"p{number}", f"proxy-{number}", is_online=True) for number in range(3)]
        for number, begin, end, is_planned in self.proxies_away:
            if begin <= moment < end:
                shown[number] = replace(shown[number], is_online=False, in_maintenance=is_planned)
        return tuple(shown)

    def repositories(self, moment: datetime) -> tuple[Repository, ...]:
        """Show the repositories: one whose free space goes up and down, and one without a size."""
        total = 8 * 10**12
        wave = 0.05 * ((moment - self.begins) / DAY % 1)
        bad = self.invalid is not None and self.invalid[0] <= moment < self.invalid[1]
        return (
            Repository(
                "r0", "Disk", total, int(total * (self.free(moment) + wave * (self.free(moment) > 0.2))), is_invalid=bad
            ),
            Repository("r1", "Bucket", None, None, is_invalid=False),
        )

    def held(self, moment: datetime) -> License:
        """Show the license."""
        return License("l0", is_expired=False, expires=self.license(moment), total=500, used=480)

    def health(self, moment: datetime) -> Health:
        """Show the server's own report."""
        ill = any(begin <= moment < end for begin, end in self.unhealthy)
        return Health(is_healthy=not ill, ills=("nats",) if ill else ())


GOOD = ("Success", "Warning")


def _offset(moment: datetime) -> timedelta:
    return moment.astimezone(ZONE).utcoffset() or timedelta(0)
