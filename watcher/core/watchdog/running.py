"""Runs that do not end: slow, stalled, queued and disconnected ones."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from watcher.core.event import JOB_SLOW, JOB_STALLED, SESSION_DISCONNECTED, JobRef
from watcher.core.model import Session, Status
from watcher.core.record import Known
from watcher.core.render.units import duration
from watcher.core.usual import slow_after
from watcher.core.watchdog.alarm import Says, Verdict
from watcher.core.watchdog.facts import GOOD
from watcher.core.watchdog.limits import Limits

RUNS = 200
"""So many of a job's last runs say what is usual for it."""

_OFTEN = 3
_LONG_KNOWN = timedelta(days=3)


def usual_limit(runs: Iterable[Session]) -> timedelta | None:
    """Return how long a run of a job may take by its own good runs; None if they are too few.

    It is what `core.usual` says, and no shorter than the third longest run that is remembered: what has taken so long
    three times before, as the one run of a night that has more to do than those of the day, is usual too. While the
    runs tell of less than three days, nobody has seen all that is usual, and it is twice that.
    """
    good = [run for run in runs if is_good(run) and run.ended is not None and run.created is not None]
    lengths = sorted((run.ended - run.created for run in good if run.ended and run.created), reverse=True)
    limit = slow_after(lengths)
    if limit is None:
        return None
    begun = [run.created for run in good if run.created is not None]
    return max(limit, lengths[_OFTEN - 1]) * (1 if max(begun) - min(begun) >= _LONG_KNOWN else 2)


def is_good(run: Session) -> bool:
    """Whether a run ended well and did all there was to do; a retry does only what is left."""
    return run.status in GOOD and not run.retry_count and run.main_session_id is None


def of_run(
    known: Known, ref: JobRef | None, limits: Limits, usual: timedelta | None, now: datetime
) -> Iterator[Verdict]:
    """Yield what the rules say of a run that is under way. `usual`: how long it may take by its job's history."""
    yield _slow(known, ref, limits, usual, now)
    yield _stalled(known, ref, limits, now)
    yield _disconnected(known, ref, limits, now)


def _slow(known: Known, ref: JobRef | None, limits: Limits, usual: timedelta | None, now: datetime) -> Verdict:
    run = known.session
    limit = usual if limits.is_slow_usual else limits.slow_after
    if limit is None or run.created is None or run.status != Status.RUNNING:
        return Verdict(JOB_SLOW, run.id, Says.UNSURE)
    due = (known.began or run.created) + limit  # what it waited in the queue has a limit of its own
    if now < due:
        return Verdict(JOB_SLOW, run.id, Says.UNSURE, until=due)
    than = "than its own runs do" if limits.is_slow_usual else "than it may"
    reason = f"it runs for more than {duration(limit)}, longer {than}"
    return Verdict(JOB_SLOW, run.id, Says.YES, reason, since=due, job=ref, session=run)


def _stalled(known: Known, ref: JobRef | None, limits: Limits, now: datetime) -> Verdict:
    run = known.session
    if run.status == Status.QUEUED:
        since, limit, word = run.created or known.moved, limits.queued_after, "it waits in the queue for more than {}"
    elif run.status == Status.RUNNING and _shows_progress(run):
        since, limit, word = known.moved, limits.stalled_after, "no progress and no statistics have moved for {}"
    else:
        return Verdict(JOB_STALLED, run.id, Says.UNSURE)
    if since is None:
        return Verdict(JOB_STALLED, run.id, Says.UNSURE)
    if limit is None:  # what was told of it was that it waits, or it would be closed
        return Verdict(JOB_STALLED, run.id, Says.NO, "it goes on")
    if now < since + limit:
        return Verdict(JOB_STALLED, run.id, Says.NO, "it goes on", until=since + limit)
    return Verdict(JOB_STALLED, run.id, Says.YES, word.format(duration(limit)), since=since, job=ref, session=run)


def _disconnected(known: Known, ref: JobRef | None, limits: Limits, now: datetime) -> Verdict:
    run, limit = known.session, limits.disconnected_after
    if run.status != Status.DISCONNECTED or limit is None or known.moved is None:
        return Verdict(SESSION_DISCONNECTED, run.id, Says.NO)
    if now < known.moved + limit:
        return Verdict(SESSION_DISCONNECTED, run.id, Says.NO, until=known.moved + limit)
    reason = f"it has been disconnected for more than {duration(limit)}"
    return Verdict(SESSION_DISCONNECTED, run.id, Says.YES, reason, since=known.moved, job=ref, session=run)


def _shows_progress(run: Session) -> bool:
    """Whether there is anything that could move."""
    counters = (run.progress, run.statistics.transferred, run.statistics.processed_objects)
    return any(one is not None for one in counters)
