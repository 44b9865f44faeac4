"""The watchdogs' pass over one server: read what is due to be read, judge, and write down what is told.

It comes after the looks and rests on what they brought. While nothing has changed, and no time has come at which that
would matter by itself, it does nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from watcher.core.event import JOB_SHORT
from watcher.core.model import JOB_KINDS, Job, JobType, Session
from watcher.core.policy import Case, Policy
from watcher.core.record import ServerRecord
from watcher.core.watchdog.alarm import Desk, Review, review
from watcher.core.watchdog.estate import parts_of
from watcher.core.watchdog.facts import Facts, Ledger
from watcher.core.watchdog.judge import Bench, judge, limits_of
from watcher.core.watchdog.limits import Limits, Rulebook
from watcher.core.watchdog.missing import sift
from watcher.core.watchdog.running import RUNS
from watcher.core.watchdog.survey import FIELDS, NO_SURVEY, Part, Parts, Survey
from watcher.core.watchdog.yardstick import Measures
from watcher.watch import Watch

MOST_JOBS = 50
"""Of so many jobs the past is read in one pass."""

AWAY = timedelta(minutes=5)
AT_LEAST = timedelta(hours=1)
AGAIN = timedelta(minutes=1)
NOT_SERVED_FOR = timedelta(days=1)
_FRESH = 1.2  # of its pace, and a pass: so old what was read may be, which is less than the shortest grace
_SECOND = timedelta(seconds=1)
_PACE: Mapping[Part, tuple[int, timedelta]] = {
    Part.HEALTH: (6, timedelta(minutes=3)),
    Part.PROXIES: (6, timedelta(minutes=3)),
    Part.REPOSITORIES: (20, timedelta(minutes=10)),
    Part.BUCKETS: (20, timedelta(minutes=10)),
    Part.LICENSE: (120, timedelta(hours=1)),
}
"""How often each part is read: after so many intervals of the looks, but not more seldom than the time beside."""


class Surveyor(Protocol):
    """What the watchdogs need of a server; none of it raises."""

    def want_jobs(self) -> None: ...
    def jobs_read(self) -> Mapping[JobType, datetime]: ...
    async def survey(self, wanted: Iterable[Part]) -> Parts: ...


class Annals(Protocol):
    """What the watchdogs need of the store."""

    def guard(
        self, server_id: int, job_ids: Iterable[str], decide: Callable[[Ledger], Review], *, now: datetime
    ) -> Review: ...
    def runs(self, server_id: int, job_ids: Iterable[str], *, most: int) -> Mapping[str, tuple[Session, ...]]: ...


@dataclass(slots=True)
class Guard:
    """The watchdogs of one server, and what they remember between two passes to spare work, never to decide.

    `interval`: of the looks. `may_doze`: what was seen for less than an hour is seen anew after a restart; not so where
    each pass is a process of its own. `read`: when each part was read last, `asked` when it was asked for, `absent`
    until when one is taken not to be served. `succeeded`: when a look did last; `back`: when one did first after the
    server had been away for so long (`away`). `grounds`: what the last judgement rested on, and `until` when it has to
    be made again. `measures`: what runs are held against. `wanted`: when the jobs were asked for out of their turn.
    """

    watch: Watch
    surveyor: Surveyor
    annals: Annals
    rulebook: Rulebook
    interval: timedelta
    may_doze: bool = True
    survey: Survey = NO_SURVEY
    read: dict[Part, datetime] = field(default_factory=dict)
    asked: dict[Part, datetime] = field(default_factory=dict)
    absent: dict[Part, datetime] = field(default_factory=dict)
    succeeded: datetime | None = None
    back: datetime | None = None
    away: timedelta = timedelta(0)
    has_begun: bool = False
    grounds: tuple[object, ...] | None = None
    until: datetime | None = None
    skew: timedelta = timedelta(0)
    measures: Measures = field(default_factory=Measures)
    wanted: datetime | None = None

    def pace(self, part: Part) -> timedelta:
        """Return how often a part is read."""
        looks, at_least = _PACE[part]
        return max(min(looks * self.interval, at_least), self.interval, _SECOND)

    def rests_on(self) -> tuple[object, ...]:
        """Return what a judgement rests on, to be compared by identity."""
        return (self.watch.record and self.watch.record.id, self.watch.jobs, self.watch.shown, self.survey)

    def is_idle(self, now: datetime) -> bool:
        """Whether nothing has changed since the last judgement, and time has not either."""
        if self.grounds is None or (self.until is not None and now >= self.until):
            return False
        return all(old is new for old, new in zip(self.grounds, self.rests_on(), strict=True))


async def guard_once(guard: Guard, policy: Policy, *, now: datetime) -> Review:
    """Judge one server, if there is anything to judge. Errors of the store are not caught."""
    watch = guard.watch
    if watch.record is None or not watch.has_looked:
        return Review()
    if not guard.has_begun:
        _begin(guard, now)
    if _is_away(guard, now):
        return Review()
    await _survey(guard, now)
    if guard.is_idle(now):
        return Review()
    return await _judge(guard, watch.record, policy, now)


async def _judge(guard: Guard, record: ServerRecord, policy: Policy, now: datetime) -> Review:
    """Judge, and remember until when that holds.

    What to look up is chosen by the server's clock of the last time; a job that this leaves out is judged by the next
    pass, which is due at once then.
    """
    watch = guard.watch
    grounds, server_now = guard.rests_on(), now + guard.skew
    jobs, server = _jobs(watch), record.ref.name
    limits, of_server = limits_of(guard.rulebook, server, jobs), guard.rulebook.of_server(server)
    runs, is_whole = await _read_runs(guard, record.id, limits, now)
    facts = Facts(jobs, guard.surveyor.jobs_read(), guard.back, guard.away, guard.survey, runs)
    sifted = sift(jobs, limits, server_now + AGAIN)
    bench = Bench(facts, of_server, limits, guard.measures.usual, server_now, sifted, watch.watched.kinds)
    decision = _Decision(bench, Case(policy, now))
    wanted = [job_id for job_id in sifted.suspects if jobs[job_id].enabled is not False]
    said = await watch.run_db(lambda: guard.annals.guard(record.id, wanted, decision, now=now))
    _remember(guard, decision, said, grounds if is_whole else None)
    if decision.is_away:
        guard.measures.give_back(runs)  # they were not judged
    return said


def _jobs(watch: Watch) -> Mapping[str, Job]:
    """Return the jobs of the kinds that are watched."""
    kinds = watch.watched.kinds
    return watch.jobs if kinds >= JOB_KINDS else {key: job for key, job in watch.jobs.items() if job.type in kinds}


@dataclass(slots=True)
class _Decision:
    """Judges a ledger, and keeps whether the server was away and what its clock shows."""

    bench: Bench
    case: Case
    is_away: bool = False
    skew: timedelta = timedelta(0)
    short: frozenset[str] = frozenset()

    def __call__(self, ledger: Ledger) -> Review:
        """Return what changes; of a server that does not answer nothing is said."""
        self.is_away, self.skew = ledger.failing, timedelta(seconds=ledger.skew)
        self.short = frozenset(subject for kind, subject in ledger.alarms if kind == JOB_SHORT)
        if self.is_away:
            return Review()
        now, facts = self.case.now, self.bench.facts
        facts = replace(
            facts,
            jobs_read={kind: at + self.skew for kind, at in facts.jobs_read.items()},
            back=facts.back + self.skew if facts.back is not None else None,
        )
        bench = replace(self.bench, facts=facts, now=now + self.skew)
        steady = facts.survey.since
        desk = Desk(
            ledger.server, bench.now, replace(self.case, silences=ledger.silences), steady and steady + self.skew
        )
        return review(ledger.alarms, judge(ledger, bench), desk)


def _begin(guard: Guard, now: datetime) -> None:
    """Take up the watch: where this process was away, the server may have been, too."""
    guard.has_begun = True
    if guard.watch.record is not None and guard.watch.record.skew is not None:
        guard.skew = guard.watch.record.skew
    guard.survey = Survey(since=now if guard.may_doze else None)
    if guard.may_doze and guard.watch.was_away is not None and guard.watch.was_away >= AWAY:
        guard.back, guard.away = guard.watch.since, guard.watch.was_away


def _is_away(guard: Guard, now: datetime) -> bool:
    """Whether no look has succeeded for a while; note when one does again."""
    last = guard.watch.record.last_success if guard.watch.record is not None else None
    if last is None:
        return True
    long = max(AWAY, 3 * guard.interval)
    if guard.succeeded is not None and last - guard.succeeded > long:
        guard.back, guard.away = last, last - guard.succeeded
    guard.succeeded = last
    return now - last > long


async def _survey(guard: Guard, now: datetime) -> None:
    """Read the parts that are due, and forget those that could not be read for long: they say nothing any more."""
    wanted = parts_of(guard.rulebook.of_server(guard.watch.watched.name))
    due = [part for part in Part if part in wanted and _is_due(guard, part, now)]
    found = await guard.surveyor.survey(due) if due else Parts()
    for part in due:
        guard.asked[part] = now
    for part in found.absent:
        guard.absent[part] = now + NOT_SERVED_FOR
    survey, was = guard.survey, guard.survey
    for part, value in found.read.items():
        is_regained = part not in guard.read and survey.since is not None and part in guard.asked
        survey = replace(survey, **{FIELDS[part]: value, "since": now if is_regained else survey.since})
        guard.read[part] = now
    for part, at in list(guard.read.items()):
        if now - at > _FRESH * guard.pace(part) + pause(guard.interval):
            del guard.read[part]
            survey = replace(survey, **{FIELDS[part]: None})
    if was.health is not None and survey.health is not None and survey.health.is_healthy > was.health.is_healthy:
        guard.back, guard.away = now, timedelta(0)
    if survey != was:
        guard.survey = survey


def _is_due(guard: Guard, part: Part, now: datetime) -> bool:
    asked, absent = guard.asked.get(part), guard.absent.get(part)
    if absent is not None and now < absent:
        return False
    return asked is None or not timedelta(0) <= now - asked < guard.pace(part)


def pause(interval: timedelta) -> timedelta:
    """Return how long to wait between two passes over a server that is looked at so often: a minute at the most."""
    return min(max(2 * interval, _SECOND), timedelta(minutes=1))


async def _read_runs(
    guard: Guard, server_id: int, limits: Mapping[str, Limits], now: datetime
) -> tuple[Mapping[str, tuple[Session, ...]], bool]:
    """Read what open runs and new ends have to be held against, where that is not known well enough.

    Returns the last runs of jobs of which a new run may be short, and whether that is all of them.
    """
    opened, ended = guard.measures.sift(guard.watch.shown or (), limits, now)
    wanted = list(dict.fromkeys((*opened.values(), *ended)))
    chosen = wanted[:MOST_JOBS]
    runs = await guard.watch.run_db(lambda: guard.annals.runs(server_id, chosen, most=RUNS)) if chosen else {}
    guard.measures.take(runs, opened, ended, now)
    return {job_id: runs[job_id] for job_id in ended if job_id in runs}, len(wanted) == len(chosen)


def _remember(
    guard: Guard,
    decision: _Decision,
    said: Review,
    grounds: tuple[object, ...] | None,
) -> None:
    now = decision.case.now
    guard.skew, guard.until = decision.skew, said.until - decision.skew if said.until is not None else None
    if decision.is_away:
        guard.grounds = None
        return
    guard.grounds = grounds
    guard.measures.short = decision.short | {one.subject for one in said.kept if one.kind == JOB_SHORT}
    guard.until = min(guard.until or now + AT_LEAST, now + AT_LEAST)
    guard.measures.forget({run.id for run in guard.watch.shown or () if not run.is_settled})
    if said.wants_read:
        guard.until = min(guard.until, now + AGAIN)
        if guard.wanted is None or now - guard.wanted >= min(AGAIN, 2 * guard.interval):
            guard.wanted = now
            guard.surveyor.want_jobs()
