"""All rules over one server: what each says now, with what explains what."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from watcher.core.event import (
    JOB_DISABLED,
    JOB_OVERDUE,
    JOB_SHORT,
    JOB_STALE,
    PROXY_OFFLINE,
    REPOSITORY_INVALID,
    REPOSITORY_LOW,
    SERVER_UNHEALTHY,
    SESSION_DISCONNECTED,
)
from watcher.core.model import JOB_KINDS, Job, JobType
from watcher.core.watchdog.alarm import BY_SESSION, Alarm, Key, Says, Verdict
from watcher.core.watchdog.estate import of_survey
from watcher.core.watchdog.facts import NOTHING, Facts, Ledger, as_ref, job_ref
from watcher.core.watchdog.limits import Limits, Rulebook
from watcher.core.watchdog.missing import Sifted, Standing, disabled, overdue, stale
from watcher.core.watchdog.running import of_run
from watcher.core.watchdog.short import short
from watcher.core.watchdog.survey import Survey

_OF_JOBS = frozenset({JOB_OVERDUE, JOB_STALE, JOB_DISABLED, JOB_SHORT})


@dataclass(frozen=True, slots=True)
class Bench:
    """What judging rests on besides the ledger. `usual`: how long each run that is under way may take, by its id.

    `limits`: of each job. `sifted`: the jobs that have to be looked at, besides those with alarms and with new runs.
    `kinds`: the kinds of work that are watched.
    """

    facts: Facts
    server_limits: Limits
    limits: Mapping[str, Limits]
    usual: Mapping[str, timedelta | None]
    now: datetime
    sifted: Sifted
    kinds: frozenset[JobType] = JOB_KINDS


def limits_of(rulebook: Rulebook, server: str, jobs: Mapping[str, Job]) -> Mapping[str, Limits]:
    """Return the limits of each job."""
    if not rulebook.overrides:
        return dict.fromkeys(jobs, rulebook.limits)
    return {job_id: rulebook.of_job(server, job) for job_id, job in jobs.items()}


def judge(ledger: Ledger, bench: Bench) -> Iterator[Verdict]:
    """Yield what the rules say of a server that answers.

    While it is not healthy, or a proxy is offline, what that may explain is not raised besides. An alarm that nobody
    asks for any more is closed, whatever there would be to say of it.
    """
    ours = [alarm for alarm in ledger.alarms.values() if _is_ours(alarm, ledger, bench)]
    closed = [verdict for alarm in ours if (verdict := _unwatched(alarm, bench))]
    yield from closed
    keys = (ledger.alarms.keys() - {alarm.key for alarm in ours}) | {verdict.key for verdict in closed}
    ledger = replace(ledger, alarms={key: alarm for key, alarm in ledger.alarms.items() if key not in keys})
    verdicts = [verdict for verdict in _verdicts(ledger, bench) if verdict.key not in keys]
    known = {verdict.key for verdict in verdicts}
    yield from verdicts
    for alarm in ledger.alarms.values():
        if alarm.key not in known and (gone := _gone(alarm, ledger, bench.facts)):
            yield replace(gone, job=alarm.job, thing=alarm.thing)


def _is_ours(alarm: Alarm, ledger: Ledger, bench: Bench) -> bool:
    """Whether an alarm is to be judged here: another watcher of the same store may watch other kinds of jobs."""
    kind = alarm.job.type if alarm.job is not None else None
    return kind is None or kind in bench.kinds or kind not in ledger.kinds


def _unwatched(alarm: Alarm, bench: Bench) -> Verdict | None:
    """Return the end of an alarm whose rule is off for what it is about; None if it is on, or if nobody can say."""
    if alarm.job is not None and alarm.job.type is not None and alarm.job.type not in bench.kinds:
        return _closed(alarm, "its kind of job is not watched any more")
    limits = bench.limits.get(alarm.job.id) if alarm.job is not None else bench.server_limits
    if limits is None or limits.watch(alarm.kind, alarm.session):
        return None
    return _closed(alarm, "its rule is switched off")


def _closed(alarm: Alarm, reason: str) -> Verdict:
    return Verdict(alarm.kind, alarm.subject, Says.NO, reason, is_unwatched=True)


def _verdicts(ledger: Ledger, bench: Bench) -> Iterator[Verdict]:
    of_server = list(of_survey(bench.facts.survey, bench.server_limits, ledger.alarms, bench.now))
    is_ill = any(one.kind == SERVER_UNHEALTHY and one.says is Says.YES for one in of_server)
    is_away = any(one.kind == PROXY_OFFLINE and one.says is Says.YES for one in of_server)
    yield from of_server
    of_runs = list(_of_runs(ledger, bench))
    busy = {one.job.id for one in of_runs if one.job is not None and one.says is Says.YES}
    busy |= {alarm.job.id for alarm in ledger.alarms.values() if alarm.raised and alarm.job and _is_of_run(alarm)}
    for verdict in (*of_runs, *_of_jobs(ledger, bench, busy)):
        is_explained = is_ill or (is_away and verdict.kind == SESSION_DISCONNECTED)
        yield _unsure(verdict) if is_explained and verdict.says is Says.YES else verdict


def _is_of_run(alarm: Alarm) -> bool:
    return alarm.kind in BY_SESSION


def _unsure(verdict: Verdict) -> Verdict:
    return Verdict(verdict.kind, verdict.subject, Says.UNSURE)


def _of_runs(ledger: Ledger, bench: Bench) -> Iterator[Verdict]:
    jobs = bench.facts.jobs
    for known in ledger.open:
        job_id = known.session.job_id
        if job_id is None or not known.session.is_of_job:
            continue  # nobody waits for a restore that somebody has open
        limits = bench.limits.get(job_id, bench.server_limits)
        ref = job_ref(job_id, jobs)
        yield from of_run(known, ref, limits, bench.usual.get(known.session.id), bench.now)


def _of_jobs(ledger: Ledger, bench: Bench, busy: Iterable[str]) -> Iterator[Verdict]:
    facts, alarms, busy = bench.facts, ledger.alarms, frozenset(busy)
    running = {known.session.job_id for known in ledger.open}
    alarmed = {alarm.subject for alarm in alarms.values() if alarm.kind in _OF_JOBS}
    for job_id in bench.sifted.suspects | (facts.runs.keys() | alarmed) & facts.jobs.keys():
        job, limits = facts.jobs[job_id], bench.limits[job_id]
        ref, past = as_ref(job), ledger.past.get(job_id, NOTHING)
        read = facts.jobs_read.get(job.type)
        one = Standing(job, ref, ledger.met, past, job_id in running, read, facts.back, facts.away)
        late = overdue(one, limits, bench.now, alarms.get((JOB_OVERDUE, job_id)))
        yield late
        is_explained = job_id in busy or late.says is Says.YES or _is_raised(alarms, JOB_OVERDUE, job_id, late)
        yield stale(one, limits, bench.now, is_explained=is_explained)
        yield disabled(job, ref, limits)
        if job_id in facts.runs and (empty := short(facts.runs[job_id], ref, limits, alarms.get((JOB_SHORT, job_id)))):
            yield empty
    yield Verdict(JOB_OVERDUE, "", Says.UNSURE, until=bench.sifted.until)


def _is_raised(alarms: Mapping[Key, Alarm], kind: str, subject: str, verdict: Verdict) -> bool:
    alarm = alarms.get((kind, subject))
    return alarm is not None and alarm.raised and verdict.says is not Says.NO


def _gone(alarm: Alarm, ledger: Ledger, facts: Facts) -> Verdict | None:
    """Return the end of an alarm about what is there no longer; None if it is there, or if nobody can say.

    A listing of jobs that is empty proves nothing.
    """
    if alarm.kind in BY_SESSION:
        is_open = any(known.session.id == alarm.subject for known in ledger.open)
        return None if is_open else Verdict(alarm.kind, alarm.subject, Says.NO, "the run is over")
    there: set[str] | None = None
    if alarm.kind in _OF_JOBS:
        there = set(facts.jobs) or None
    elif alarm.kind == PROXY_OFFLINE and facts.survey.proxies is not None:
        there = {one.id for one in facts.survey.proxies}
    elif alarm.kind in {REPOSITORY_LOW, REPOSITORY_INVALID}:
        there = _repositories(facts.survey)
    if there is None or alarm.subject in there:
        return None
    return Verdict(alarm.kind, alarm.subject, Says.NO, "it is not there any more")


def _repositories(survey: Survey) -> set[str] | None:
    if survey.repositories is None or survey.buckets is None:
        return None
    return {one.id for one in (*survey.repositories, *survey.buckets)}
