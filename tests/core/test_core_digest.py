"""What a digest sums up, and when it is due."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.test_core_window import ZONES, changes
from watcher.core.digest import Digest, JobState, Run, Schedule, ServerDigest, digest

ZURICH = ZoneInfo("Europe/Zurich")
ENDS = datetime(2026, 3, 4, 7, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
DAILY, WEEKLY = Schedule(time(8), ZURICH), Schedule(time(8), ZURICH, 0)
STATUSES = ("Success", "Warning", "Failed", "Stopped")

times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 30]))


def summed(*runs: Run, weekly: bool = False, servers: tuple[ServerDigest, ...] = ()) -> Digest:
    span = 7 * DAY if weekly else DAY
    states = [JobState("HQ", job, job.upper(), status=status) for job, status in (("a", "Failed"), ("b", "Success"))]
    return digest(runs, states, servers, period=(ENDS - span, ENDS), is_weekly=weekly)


def run(job: str = "a", status: str = "Success", hours: float = 1, moved: int | None = None) -> Run:
    return Run("HQ", job, status, ENDS - hours * HOUR, moved)


def test_runs_are_counted_and_held_against_the_week_before() -> None:
    """A day against the average of its week, a week against the one before."""
    runs = [run("a", "Failed"), run("a", "Success", 2, 100), run("a", "Success", 25, 700), run("a", "Success", 200, 9)]
    (job,) = summed(*runs).jobs
    assert (job.job, job.runs, job.failures, job.status, job.moved, job.moved_before) == ("A", 2, 1, "Failed", 100, 100)
    (job,) = summed(*runs, weekly=True).jobs
    assert (job.runs, job.moved, job.moved_before) == (3, 800, 9)


def test_the_end_of_a_period_is_the_begin_of_the_next() -> None:
    """A run that ends in the very moment is counted once."""
    assert [job.runs for job in summed(run(hours=0)).jobs] == []
    assert [job.runs for job in summed(run(hours=24)).jobs] == [1]


def test_the_worst_comes_first_and_a_job_that_did_not_run_is_said() -> None:
    """Also if it is well otherwise; one that has not run for a week is left out, since it may be gone."""
    found = summed(run("b"), run("a", "Failed"), run("c", "Success", 30), run("d", "Warning"), run("old", hours=300))
    assert [(job.job, job.rank) for job in found.jobs] == [("A", 0), ("d", 2), ("c", 3), ("B", 4)]
    assert not found.is_all_well
    assert summed(run("b")).is_all_well
    assert not summed(run("b"), servers=(ServerDigest("HQ", reachable=False),)).is_all_well


_runs = st.builds(
    Run,
    st.sampled_from(["HQ", "Lab"]),
    st.sampled_from("abc"),
    st.sampled_from(STATUSES),
    st.integers(-100, 100_000).map(lambda minutes: ENDS - timedelta(minutes=minutes)),
    st.none() | st.integers(0, 1000),
)


@given(st.lists(_runs, max_size=40), st.booleans())
def test_the_sums_add_up(runs: list[Run], weekly: bool) -> None:
    """No run is lost and none is counted twice."""
    found = summed(*runs, weekly=weekly)
    inside = [one for one in runs if found.begins <= one.ended < found.ends]
    assert sum(job.runs for job in found.jobs) == len(inside)
    assert sum(job.failures for job in found.jobs) == sum(one.status == "Failed" for one in inside)
    assert sum(job.moved or 0 for job in found.jobs) == sum(one.moved or 0 for one in inside)
    assert [job.rank for job in found.jobs] == sorted(job.rank for job in found.jobs)


def test_when_it_is_due() -> None:
    """At eight by the clocks of the zone, in winter and in summer."""
    assert DAILY.last_due(datetime(2026, 3, 4, 6, 59, tzinfo=UTC)) == datetime(2026, 3, 3, 7, tzinfo=UTC)
    assert DAILY.last_due(datetime(2026, 3, 4, 7, 0, tzinfo=UTC)) == datetime(2026, 3, 4, 7, tzinfo=UTC)
    assert DAILY.last_due(datetime(2026, 7, 4, 7, 0, tzinfo=UTC)) == datetime(2026, 7, 4, 6, tzinfo=UTC)
    assert WEEKLY.last_due(datetime(2026, 3, 4, 7, 0, tzinfo=UTC)) == datetime(2026, 3, 2, 7, tzinfo=UTC)
    begins, ends = WEEKLY.period(datetime(2026, 3, 30, 6, tzinfo=UTC))
    assert ends - begins == timedelta(days=7) - HOUR


@settings(deadline=None)  # finding when a zone changes its clocks takes its time on a busy machine
@given(st.sampled_from(ZONES), times, st.none() | st.integers(0, 6), st.integers(1990, 2036), st.integers(-4000, 4000))
def test_periods_meet_in_every_zone_on_every_day(
    zone: ZoneInfo, at: time, weekday: int | None, year: int, minutes: int
) -> None:
    """Neither gap nor overlap, around the change of the clocks as well; the wall shows the time that was asked for."""
    schedule = Schedule(at, zone, weekday)
    around = changes(zone, year) or [datetime(year, 6, 1, tzinfo=UTC)]
    now = around[0] + timedelta(minutes=minutes)
    due = schedule.last_due(now)
    begins, ends = schedule.period(due)
    assert begins < ends == due <= now
    assert schedule.last_due(due) == due
    assert schedule.last_due(due - timedelta(seconds=1)) == begins
    wall = due.astimezone(zone)
    if abs(due - around[0]) > timedelta(hours=3):
        assert (wall.hour, wall.minute) == (at.hour, at.minute)
        assert weekday in {None, date(wall.year, wall.month, wall.day).weekday()}
