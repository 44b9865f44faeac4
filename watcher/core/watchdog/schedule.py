"""What a schedule leads one to expect of a job."""

from datetime import timedelta

from watcher.core.model import Schedule

_DAY, _HOUR = timedelta(days=1), timedelta(hours=1)
A_RUN = 12 * _HOUR
LEAST = _DAY
_TWO_STARTS = {"everyday": 2 * _DAY, "workdays": 4 * _DAY, "weekends": 7 * _DAY}
"""The longest that the start after the next may lie ahead: for workdays from Friday to Tuesday."""


def usual_rpo(schedule: Schedule | None) -> timedelta | None:
    """Return how old the last good end of a job may get; None where nothing is planned.

    Two starts in a row may come to nothing, and the next run may take half a day. A day at least.
    """
    if schedule is None:
        return None
    two = None
    if schedule.kind == "daily":
        two = _TWO_STARTS.get(schedule.days or "everyday", 14 * _DAY)
    elif schedule.kind == "periodically" and schedule.every is not None:
        two = 2 * (schedule.every + shut(schedule))
    return max(two + A_RUN, LEAST) if two is not None else None


def shut(schedule: Schedule | None) -> timedelta:
    """Return how long at most its window keeps a start back: of a periodical one, until the next that falls outside."""
    if schedule is None or not schedule.every:
        return schedule.closed if schedule is not None else timedelta(0)
    return -(-schedule.closed // schedule.every) * schedule.every


def is_planned(schedule: Schedule | None) -> bool:
    """Whether the server starts the job by itself, as far as is known."""
    return schedule is None or schedule.kind in {"daily", "periodically"}
