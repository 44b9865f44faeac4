"""The watchdogs over weeks of a noisy estate: nothing is told that is not so, and every planted fault is told once."""

from datetime import timedelta

import pytest

from tests.simulation.month import faulty, healthy

QUARTER = timedelta(minutes=15)


def test_healthy_weeks_make_no_alarm() -> None:
    """Over the change of the clocks, with retries, runs by hand, holidays, maintenance and restarts of the watcher."""
    assert healthy(0, jobs=15, days=20, interval=2 * QUARTER) == []


def test_each_planted_fault_is_told_once_in_time_and_cleared() -> None:
    """And nothing besides."""
    planted, besides, missed = faulty(1, jobs=8, days=20, interval=QUARTER)
    assert len(planted) == 12
    assert (besides, missed) == ([], [])


@pytest.mark.soak
def test_a_whole_month_of_two_hundred_jobs_makes_no_alarm() -> None:
    """As in docs/watchdogs.md."""
    assert healthy(1) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(2))
def test_each_fault_of_a_whole_month_is_told_once(seed: int) -> None:
    """The same."""
    planted, besides, missed = faulty(seed, jobs=40)
    assert len(planted) == 12
    assert (besides, missed) == ([], [])
