"""What is usual, and what is slow beside it."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.usual import percentile, slow_after

_MINUTE = timedelta(minutes=1)
_DURATIONS = st.lists(st.timedeltas(timedelta(0), timedelta(days=2)), min_size=5, max_size=60)


@pytest.mark.parametrize(
    ("minutes", "limit"),
    [
        ([10, 10, 10, 10], None),  # too few to know
        ([10, 10, 10, 10, 10], 25),  # a quarter of an hour more counts where twice is little
        ([60, 60, 60, 60, 60], 120),  # twice counts where it is much
        ([10] * 19 + [600], 25),  # one outlier of twenty does not move it
        ([10] * 9 + [600], 1200),  # one of ten does: it is a tenth of what was seen
        ([0, 0, 0, 0, 0], 15),
    ],
)
def test_beyond_both_twice_its_95th_percentile_and_a_quarter_of_an_hour(minutes: list[int], limit: int | None) -> None:
    found = slow_after(one * _MINUTE for one in minutes)
    assert found == (limit * _MINUTE if limit is not None else None)


@given(_DURATIONS)
def test_at_most_a_twentieth_of_what_was_seen_is_above_the_percentile(durations: list[timedelta]) -> None:
    usual = percentile(durations)
    assert usual in durations
    assert sum(one > usual for one in durations) <= len(durations) / 20


@given(_DURATIONS)
def test_no_order_matters_and_usual_runs_are_never_slow(durations: list[timedelta]) -> None:
    limit, usual = slow_after(durations), percentile(durations)
    assert limit is not None
    assert usual is not None
    assert slow_after(reversed(durations)) == limit
    assert usual < limit
