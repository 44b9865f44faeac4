"""How long a job usually runs, by its own history."""

from collections.abc import Iterable
from datetime import timedelta
from math import ceil

RUNS_AT_LEAST = 5
TWICE = 2
MORE = timedelta(minutes=15)
_SHARE = 0.95


def percentile(durations: Iterable[timedelta]) -> timedelta | None:
    """Return the 95th percentile (the nearest one that was seen) of good runs; None for too few of them."""
    ordered = sorted(durations)
    if len(ordered) < RUNS_AT_LEAST:
        return None
    return ordered[ceil(_SHARE * len(ordered)) - 1]


def slow_after(durations: Iterable[timedelta]) -> timedelta | None:
    """Return how long a run may take before it is slow: both twice the 95th percentile and 15 minutes more than it.

    None for a job with too few good runs to say what is usual.
    """
    usual = percentile(durations)
    return max(TWICE * usual, usual + MORE) if usual is not None else None
