"""How a job stands after each end, and which event an end is because of it."""

import pytest

from tests.core.factories import at, ended
from watcher.core.model import Job
from watcher.core.outcome import judge, laid_aside, seeds
from watcher.core.record import Outcome


def tell(*statuses: str, before: Outcome | None = None) -> list[str]:
    """Return the event types of ends in a row, ten minutes apart."""
    types = []
    for number, status in enumerate(statuses, 1):
        event_type, _, before = judge(before, ended(f"s{number}", status, minutes=10 * number))
        types.append(event_type)
    return types


TABLE = [
    (["Success"], ["session.success"]),
    (["Failed", "Success"], ["session.failed", "job.recovered"]),
    (
        ["Failed", "Failed", "Success", "Success"],
        ["session.failed", "session.failed", "job.recovered", "session.success"],
    ),
    (["Failed", "Warning", "Success"], ["session.failed", "session.warning", "session.success"]),
    (["Failed", "Stopped", "Success"], ["session.failed", "session.stopped", "job.recovered"]),
    (["Stopped", "Success"], ["session.stopped", "session.success"]),
    (["Warning", "Success"], ["session.warning", "session.success"]),
]


@pytest.mark.parametrize(("statuses", "expected"), TABLE, ids=["-".join(row[0]) for row in TABLE])
def test_the_events_of_ends_in_a_row(statuses: list[str], expected: list[str]) -> None:
    """Failed is bad, Warning ends a failure, Stopped changes nothing."""
    assert tell(*statuses) == expected


def test_the_story_counts_failures() -> None:
    """The third failure in a row knows when the first was; the recovery knows all of them."""
    stands: Outcome | None = Outcome("Success", at(-60), last_good=at(-60))
    for minutes in (10, 20, 30):
        _, story, stands = judge(stands, ended(f"s{minutes}", "Failed", minutes=minutes))
    _, recovery, after = judge(stands, ended("good", "Success", minutes=40))

    assert (story.failures, story.failing_since, story.last_good) == (3, at(10), at(-60))
    assert (recovery.failures, recovery.failing_since, recovery.was_bad) == (3, at(10), True)
    assert after == Outcome("Success", at(40), last_good=at(40))


def test_an_older_end_that_shows_up_late_changes_nothing() -> None:
    """An end older than what the outcome rests on is told by its status only."""
    stands = Outcome("Failed", at(30), failures=1, failing_since=at(30))

    event_type, _, after = judge(stands, ended(status="Success", minutes=10))

    assert event_type == "session.success"
    assert after == stands


def test_history_shows_how_a_job_stands_but_counts_nothing() -> None:
    """A job that failed before our time recovers with its next good end, without invented numbers."""
    stands = laid_aside(None, ended(status="Failed", minutes=-10))
    event_type, story, _ = judge(stands, ended(status="Success", minutes=10))

    assert event_type == "job.recovered"
    assert (story.failures, story.failing_since) == (0, None)


def test_older_history_does_not_replace_newer() -> None:
    """The order in which a listing shows history does not matter."""
    newest = laid_aside(None, ended("b", "Success", minutes=-10))

    assert laid_aside(newest, ended("a", "Failed", minutes=-90)) == newest


def test_seeds_come_from_jobs_of_which_no_end_was_shown() -> None:
    """`lastStatus` tells how a job stands at first contact, where the look showed no end of it."""
    jobs = {
        "j1": Job("j1", "shown", last_status="Failed"),
        "j2": Job("j2", "not shown", last_status="Failed"),
        "j3": Job("j3", "runs now", last_status="Running"),
        "j4": Job("j4", "stopped", last_status="Stopped"),
        "j5": Job("j5", "unknown"),
    }

    assert seeds(jobs, [ended(job_id="j1")]) == {"j2": Outcome("Failed")}
