"""Runs that ended well, but did next to nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from watcher.core.event import JOB_SHORT, JobRef
from watcher.core.model import Session, Status
from watcher.core.render.units import number, size
from watcher.core.watchdog.alarm import Alarm, Says, Verdict
from watcher.core.watchdog.facts import GOOD
from watcher.core.watchdog.limits import Limits
from watcher.core.watchdog.running import is_good

RUNS_AT_LEAST = 10
OBJECTS_AT_LEAST = 4
DATA_RUNS_AT_LEAST = 20
DATA_DAYS_AT_LEAST = timedelta(days=14)
DATA_AT_LEAST = 100_000_000
DATA_SHARE = 100
USUAL_AFTER = 7
"""After so many good runs what they do counts as usual, whatever was before."""


def short(runs: Sequence[Session], ref: JobRef, limits: Limits, alarm: Alarm | None) -> Verdict | None:
    """Hold the last good run of a job against those before; None where there is nothing to hold it against.

    How many objects a run goes through is what a job is about; how much data it moves is what happened in a day, so
    data only counts where next to none comes from a job that has moved plenty in each of many runs.
    """
    place = next((place for place, run in enumerate(runs) if is_good(run)), None)
    if place is None or limits.short_below is None:
        return None
    run, before = runs[place], runs[place + 1 :]
    if _may_be_a_retry(run, before):
        return None
    raised = alarm.since if alarm is not None and alarm.raised else None
    if raised is not None:
        return _again(run, [one for one in runs if is_good(one)], ref, limits, raised)
    why = _why_short(run, [one for one in before if is_good(one)], limits.short_below)
    if why is None:
        return Verdict(JOB_SHORT, ref.id, Says.NO)
    return Verdict(JOB_SHORT, ref.id, Says.YES, why, since=run.ended, job=ref, session=run)


def _again(run: Session, good: Sequence[Session], ref: JobRef, limits: Limits, raised: datetime) -> Verdict:
    """Judge a run after a short one: by what was usual before that, until it has been so for a week of runs."""
    since = [one for one in good if one.ended is not None and one.ended >= raised]
    usual = [one for one in good if one not in since]
    if len(since) > USUAL_AFTER:
        return Verdict(JOB_SHORT, ref.id, Says.NO, "it has done no more in a week of runs, so that is usual now")
    if _why_short(run, usual, limits.short_below or 0) is None:
        return Verdict(JOB_SHORT, ref.id, Says.NO, "it has done as much as it used to")
    return Verdict(JOB_SHORT, ref.id, Says.UNSURE)


def _may_be_a_retry(run: Session, before: Sequence[Session]) -> bool:
    """Whether a run may be the retry of one that ended badly, where sessions do not say (v3 to v5)."""
    if run.retry_count is not None:
        return False
    return bool(before) and before[0].status not in GOOD - {Status.WARNING}


def _why_short(run: Session, before: Sequence[Session], percent: int) -> str | None:
    return _few_objects(run, before, percent) or _little_data(run, before)


def _few_objects(run: Session, before: Sequence[Session], percent: int) -> str | None:
    done = [one.progress for one in before if one.progress is not None]
    fewest = min(done, default=0)
    if run.progress is None or len(done) < RUNS_AT_LEAST or fewest < OBJECTS_AT_LEAST:
        return None
    if run.progress * 100 >= fewest * percent:
        return None
    return f"it went through {number(run.progress)} objects, and never through fewer than {number(fewest)} before"


def _little_data(run: Session, before: Sequence[Session]) -> str | None:
    moved = [one.statistics.transferred for one in before if one.statistics.transferred is not None]
    least, now = min(moved, default=0), run.statistics.transferred
    if now is None or least < DATA_AT_LEAST or len(moved) < DATA_RUNS_AT_LEAST or not _is_long(before):
        return None
    if now * DATA_SHARE >= least:
        return None
    return f"it moved {size(now)}, and never less than {size(least)} before"


def _is_long(before: Sequence[Session]) -> bool:
    ends = [one.ended for one in before if one.ended is not None]
    return bool(ends) and max(ends) - min(ends) >= DATA_DAYS_AT_LEAST
