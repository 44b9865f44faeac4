"""Runs that do not come: overdue, stale and disabled jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from watcher.core.event import JOB_DISABLED, JOB_OVERDUE, JOB_STALE, JobRef
from watcher.core.model import Job
from watcher.core.render.units import duration
from watcher.core.watchdog.alarm import Alarm, Says, Verdict
from watcher.core.watchdog.facts import GOOD, NOTHING, Past, latest
from watcher.core.watchdog.limits import Limits
from watcher.core.watchdog.schedule import is_planned, shut, usual_rpo

NEAR = timedelta(minutes=1)
"""A session that begins so shortly before its time is that run."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One job, and what is known of it. `read`: when the job was read; `met`: when its server was met first.

    `back`: when its server came back after so long a time (`away`). `runs_now`: it has a session that is open.
    """

    job: Job
    ref: JobRef
    met: datetime
    past: Past = NOTHING
    runs_now: bool = False
    read: datetime | None = None
    back: datetime | None = None
    away: timedelta = timedelta(0)


def due_since(job: Job, limits: Limits) -> datetime | None:
    """Return when a job's next run has been due for longer than the grace; None for a job that is not started."""
    if limits.overdue_grace is None or job.enabled is False or job.next_run is None or not is_planned(job.schedule):
        return None
    return job.next_run + limits.overdue_grace + shut(job.schedule)


def overdue(one: Standing, limits: Limits, now: datetime, alarm: Alarm | None) -> Verdict:
    """Its next run was due, and a grace is over; nothing runs, and nothing has begun since.

    The grace begins anew with the end of a run that was in the way, and when the server comes back.
    """

    due = due_since(one.job, limits)
    if due is None or one.job.next_run is None or limits.overdue_grace is None:
        why = "it is disabled" if one.job.enabled is False else "no run of it is planned any more"
        return _overdue(one, Says.NO, why)
    if one.runs_now:
        return _overdue(one, Says.NO, "it runs now")
    begun = latest(one.past.begun, one.job.last_run)
    if alarm is not None and alarm.raised:
        has_begun = begun is not None and begun >= alarm.since - NEAR
        return _overdue(one, Says.NO, "it has run since") if has_begun else _overdue(one, Says.UNSURE)
    waits = latest(one.past.ended, one.back)
    due = max(due, waits + limits.overdue_grace) if waits is not None else due
    has_begun = begun is not None and begun >= one.job.next_run - NEAR
    if has_begun or now < due:
        return _overdue(one, Says.NO, until=None if has_begun else due)
    if one.read is None or one.read < due:
        return replace(_overdue(one, Says.UNSURE), wants_read=True)
    return _overdue(one, Says.YES, "its next run was due and has not begun")


def _overdue(one: Standing, word: Says, reason: str = "", *, until: datetime | None = None) -> Verdict:
    since = one.job.next_run if word is Says.YES else None
    return Verdict(JOB_OVERDUE, one.job.id, word, reason, since=since, until=until, job=one.ref)


def rpo_of(job: Job, limits: Limits) -> timedelta | None:
    """Return how old the last good end of a job may get; None where that is not asked for."""
    if limits.rpo is not None:
        return limits.rpo
    return usual_rpo(job.schedule) if limits.is_rpo_usual and job.next_run is not None else None


def last_good(job: Job, past: Past = NOTHING) -> datetime | None:
    """Return when a job ended well last, by what its row and the store say."""
    return latest(job.last_backup, past.good, job.last_run if job.last_status in GOOD else None)


def stale(one: Standing, limits: Limits, now: datetime, *, is_explained: bool) -> Verdict:
    """It has not ended well for longer than it should. `is_explained`: another alarm says why.

    While a run is under way, only a limit that somebody has set counts. After the server was away, its jobs have time
    to make good for that.
    """

    def says(word: Says, reason: str = "", *, since: datetime | None = None, until: datetime | None = None) -> Verdict:
        return Verdict(JOB_STALE, one.job.id, word, reason, since=since, until=until, job=one.ref)

    rpo = rpo_of(one.job, limits)
    if rpo is None or one.job.enabled is False:
        return says(Says.NO, "it is disabled" if one.job.enabled is False else "no run of it is planned any more")
    good = last_good(one.job, one.past)
    since = good or one.met
    due = since + rpo
    if now < due:
        return says(Says.NO, "it has ended well", until=due)
    if one.back is not None and limits.rpo is None and now < (again := one.back + min(rpo / 2, one.away)):
        return says(Says.UNSURE, until=again)
    if is_explained or (one.runs_now and limits.rpo is None):
        return says(Says.UNSURE)
    if one.read is None or one.read < due:
        return replace(says(Says.UNSURE), wants_read=True)
    never = "" if good is not None else ", as far as is known"
    return says(Says.YES, f"it has not ended well for more than {duration(rpo)}{never}", since=since)


def disabled(job: Job, ref: JobRef, limits: Limits) -> Verdict:
    """Somebody has disabled it, and it still is after half a day: it may have been forgotten."""
    if limits.disabled_after is None or job.enabled is True:
        return Verdict(JOB_DISABLED, job.id, Says.NO, "it is enabled", job=ref)
    if job.enabled is None:
        return Verdict(JOB_DISABLED, job.id, Says.UNSURE)
    reason = f"it has been disabled for more than {duration(limits.disabled_after)}"
    return Verdict(JOB_DISABLED, job.id, Says.YES, reason, after=limits.disabled_after, job=ref)


@dataclass(frozen=True, slots=True)
class Sifted:
    """Jobs of which more has to be known than their rows say; of all others nothing is to be said until a time."""

    suspects: frozenset[str] = frozenset()
    until: datetime | None = None


def sift(jobs: Mapping[str, Job], limits: Mapping[str, Limits], now: datetime) -> Sifted:
    """Tell jobs that may be missing a run from those of which their rows say that all is well for now."""
    suspected, earliest = [], None
    for job_id, job in jobs.items():
        calm, until = _calm(job, limits[job_id], now)
        if not calm:
            suspected.append(job_id)
        elif until is not None and (earliest is None or until < earliest):
            earliest = until
    return Sifted(frozenset(suspected), earliest)


def _calm(job: Job, limits: Limits, now: datetime) -> tuple[bool, datetime | None]:
    """Return whether neither overdue nor stale nor disabled can be said of a job, and until when."""
    if job.enabled is not True:
        return False, None
    due = due_since(job, limits)
    if due is not None and now >= due:
        return False, None
    rpo = rpo_of(job, limits)
    if rpo is None:
        return True, due
    good = last_good(job)
    if good is None or now >= good + rpo:
        return False, None
    return True, min(due, good + rpo) if due is not None else good + rpo
