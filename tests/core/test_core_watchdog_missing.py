"""Runs that do not come."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.watchdog_facts import DAY, HOUR, MINUTE, NIGHTLY, NOW, Kennel, a_job, a_run, moved
from watcher.core.model import Job, Schedule
from watcher.core.watchdog.facts import Past
from watcher.core.watchdog.limits import Limits, Rulebook
from watcher.core.watchdog.schedule import usual_rpo

LATE = a_job(next_run=NOW - 2 * HOUR, last_run=NOW - 26 * HOUR, last_backup=NOW - 25 * HOUR)


def test_a_run_that_was_due_and_has_not_begun_is_told_and_cleared_by_the_next() -> None:
    """Since when: since it was due."""
    kennel = Kennel()
    (event,) = kennel.judge(jobs=[LATE])
    assert (event.type, event.happened) == ("job.overdue", NOW - 2 * HOUR)
    assert event.job is not None
    assert event.job.name == "Mail"
    assert kennel.kinds(NOW + HOUR, jobs=[LATE]) == []
    assert kennel.kinds(NOW + HOUR, jobs=[LATE], open=(moved(a_run(0), 0),)) == ["job.overdue.recovered"]


def test_one_that_was_overdue_runs_again_though_its_plan_has_moved_on() -> None:
    """A next run that only moves on is no run: the alarm stays until there is one."""
    kennel = Kennel()
    assert kennel.kinds(jobs=[LATE]) == ["job.overdue"]
    later = a_job(next_run=NOW + DAY, last_run=NOW - 26 * HOUR, last_backup=NOW - 25 * HOUR)
    assert kennel.kinds(NOW + HOUR, jobs=[later]) == []
    ran = {"j1": Past(begun=NOW + 2 * HOUR)}
    assert kennel.kinds(NOW + 3 * HOUR, jobs=[later], past=ran) == ["job.overdue.recovered"]


@pytest.mark.parametrize(
    ("job", "parts"),
    [
        (a_job(next_run=NOW - 80 * MINUTE), {}),  # within the grace
        (a_job(next_run=None), {}),
        (a_job(next_run=NOW - DAY, enabled=False), {}),
        (a_job(next_run=NOW - DAY, schedule=Schedule("manual")), {}),
        (a_job(next_run=NOW - DAY, schedule=Schedule("immediate")), {}),
        (a_job(next_run=NOW - 5 * HOUR, schedule=Schedule("periodically", every=HOUR, closed=8 * HOUR)), {}),
        (a_job(next_run=NOW - 17 * HOUR, schedule=Schedule("periodically", every=8 * HOUR, closed=10 * HOUR)), {}),
        (a_job(next_run=NOW - 2 * HOUR), {"open": (moved(a_run(5), 0),)}),  # the run before still goes on
        (a_job(next_run=NOW - 5 * HOUR), {"past": {"j1": Past(NOW - 9 * HOUR, NOW - HOUR)}}),  # and was long
        (a_job(next_run=NOW - 5 * HOUR), {"past": {"j1": Past(begun=NOW - 5 * HOUR - 30 * timedelta(seconds=1))}}),
        (a_job(next_run=NOW - 5 * HOUR, last_run=NOW - 4 * HOUR), {}),
        (a_job(next_run=NOW - 5 * HOUR), {"back": NOW - HOUR}),  # the server is back for an hour
    ],
)
def test_what_has_its_reason_is_not_overdue(job: Job, parts: dict[str, Any]) -> None:
    """Scheduled starts shift, runs get in each other's way, windows are closed, servers restart."""
    assert Kennel().kinds(jobs=[job], **parts) == []


def test_rows_that_were_read_before_it_was_overdue_prove_nothing() -> None:
    """They have to be read anew, once."""
    kennel = Kennel()
    assert kennel.kinds(jobs=[LATE], read=NOW - HOUR) == []
    assert kennel.said.wants_read
    assert kennel.kinds(NOW + MINUTE, jobs=[LATE], read=NOW) == ["job.overdue"]
    assert not kennel.said.wants_read


def test_the_time_at_which_it_would_be_overdue_is_said() -> None:
    """Nobody has to look before."""
    kennel = Kennel()
    kennel.judge(jobs=[a_job(next_run=NOW + HOUR)])
    assert kennel.said.until == NOW + HOUR + 90 * MINUTE


def test_a_job_that_does_not_end_well_for_too_long_is_told_once() -> None:
    """By its schedule: two nights and half a day."""
    kennel = Kennel()
    past = {"j1": Past(begun=NOW - 10 * HOUR, ended=NOW - 9 * HOUR, good=NOW - 59 * HOUR)}
    job = a_job(last_backup=NOW - 59 * HOUR, last_status="Failed")
    assert kennel.kinds(jobs=[job], past=past) == []
    assert kennel.said.until == NOW + HOUR
    (event,) = kennel.judge(NOW + HOUR, jobs=[job], past=past)
    assert (event.type, event.happened) == ("job.stale", NOW - 59 * HOUR)
    assert kennel.kinds(NOW + 9 * HOUR, jobs=[job], past=past) == []
    good = {"j1": Past(good=NOW + 12 * HOUR)}
    assert kennel.kinds(NOW + 13 * HOUR, jobs=[job], past=good) == ["job.stale.recovered"]


def test_what_explains_it_is_told_alone() -> None:
    """A job that does not run has no good end either; while it runs, its limit by schedule does not count."""
    old = a_job(last_run=NOW - 9 * DAY, last_backup=NOW - 9 * DAY, next_run=NOW - 8 * DAY)
    kennel = Kennel()
    assert kennel.kinds(jobs=[old]) == ["job.overdue"]
    assert kennel.kinds(NOW + DAY, jobs=[old]) == []
    assert Kennel().kinds(jobs=[old], open=(moved(a_run(60), 0),)) == []
    assert Kennel(Rulebook(Limits(rpo=DAY))).kinds(jobs=[old], open=(moved(a_run(60), 0),)) == ["job.stale"]


def test_after_a_long_absence_of_the_server_its_jobs_have_time() -> None:
    """Two hundred of them would be told at its return; a limit that somebody has set counts all the same."""
    old = a_job(last_run=NOW - 80 * HOUR, last_backup=NOW - 80 * HOUR, next_run=NOW + 60 * HOUR)
    away: dict[str, Any] = {"back": NOW - HOUR, "away": 72 * HOUR}
    kennel = Kennel()
    assert kennel.kinds(jobs=[old], **away) == []
    assert kennel.said.until == NOW + 29 * HOUR
    assert kennel.kinds(NOW + 29 * HOUR, jobs=[old], **away) == ["job.stale"]
    assert Kennel().kinds(jobs=[old], back=NOW - HOUR, away=10 * MINUTE) == ["job.stale"]  # a restart is no excuse
    assert Kennel(Rulebook(Limits(rpo=DAY))).kinds(jobs=[old], **away) == ["job.stale"]


def test_a_manual_job_may_rest_unless_somebody_says_otherwise() -> None:
    """Nothing is planned, so nothing is missed."""
    old = a_job(last_run=NOW - 90 * DAY, last_backup=NOW - 90 * DAY, next_run=None, schedule=Schedule("manual"))
    assert Kennel().kinds(jobs=[old]) == []
    assert Kennel(Rulebook(Limits(rpo=7 * DAY))).kinds(jobs=[old]) == ["job.stale"]


def test_a_job_of_which_no_good_end_is_known_counts_from_first_contact() -> None:
    """Up to v6 no row says when it last ended well."""
    job = a_job(last_backup=None, last_status="Failed")
    assert [event.happened for event in Kennel().judge(jobs=[job])] == [NOW - 30 * DAY]


def test_a_disabled_job_is_told_after_half_a_day_and_nothing_else_of_it() -> None:
    """It is neither overdue nor stale; that it is enabled again is told."""
    kennel = Kennel()
    off = a_job(enabled=False, next_run=NOW - 9 * DAY, last_backup=NOW - 9 * DAY)
    assert kennel.kinds(jobs=[off]) == []
    assert kennel.kinds(NOW + 11 * HOUR, jobs=[off]) == []
    assert kennel.kinds(NOW + 12 * HOUR, jobs=[off]) == ["job.disabled"]
    on = a_job(next_run=NOW + 2 * DAY, last_backup=NOW)
    assert kennel.kinds(NOW + 20 * HOUR, jobs=[on]) == ["job.disabled.recovered"]


def test_a_job_that_is_deleted_ends_its_alarm_but_an_empty_listing_does_not() -> None:
    """Distrust a sudden emptiness."""
    kennel = Kennel()
    kennel.judge(jobs=[LATE])
    assert kennel.kinds(NOW + HOUR, jobs=[]) == []
    (event,) = kennel.judge(NOW + HOUR, jobs=[Job("j2", "Other")])
    assert (event.type, event.reason) == ("job.overdue.recovered", "it is not there any more")


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        (NIGHTLY, 2.5),
        (Schedule("daily", "workdays"), 4.5),
        (Schedule("daily", "weekends"), 7.5),
        (Schedule("daily", "monday"), 14.5),
        (Schedule("periodically", every=5 * MINUTE), 1),
        (Schedule("periodically", every=12 * HOUR), 1.5),
        (Schedule("periodically", every=4 * HOUR, closed=14 * HOUR), 52 / 24),
        (Schedule("manual"), None),
        (Schedule("immediate"), None),
        (Schedule("periodically"), None),
        (None, None),
    ],
)
def test_what_a_schedule_leads_one_to_expect(schedule: Schedule | None, days: float | None) -> None:
    """Two planned starts in a row may come to nothing."""
    assert usual_rpo(schedule) == (days * DAY if days else None)


@given(st.sampled_from(["everyday", "workdays", "weekends", "friday"]), st.integers(0, 200), st.floats(0, 8))
def test_one_run_that_comes_to_nothing_makes_no_job_stale(days: str, start: int, length: float) -> None:
    """Whatever the days it runs on, and if it takes up to eight hours."""
    week = {"everyday": range(7), "workdays": range(5), "weekends": (5, 6), "friday": (4,)}[days]
    starts = [day for number in range(60) if (day := NOW + (start + number) * DAY).weekday() in week]
    good, _bad, after = starts[0] + length * HOUR, starts[1], starts[2] + 8 * HOUR
    rpo = usual_rpo(Schedule("daily", days))
    assert rpo is not None
    assert after - good <= rpo


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1)),
    st.one_of(st.none(), st.integers(0, 4000)),
    st.one_of(st.none(), st.integers(0, 4000)),
    st.sampled_from([None, True, False]),
    st.integers(0, 4000),
)
def test_what_is_said_to_change_at_a_time_does_not_change_before(
    moment: datetime, next_run: int | None, last: int | None, enabled: bool | None, later: int
) -> None:
    """A judgement may be spared until then: with the same facts it would be the same."""
    now = moment.replace(tzinfo=NOW.tzinfo)
    job = a_job(
        enabled=enabled,
        next_run=now + (next_run - 2000) * MINUTE if next_run is not None else None,
        last_run=now - last * MINUTE if last is not None else None,
        last_backup=now - last * MINUTE if last is not None else None,
    )
    kennel = Kennel()
    kennel.judge(now, jobs=[job], read=now)
    until, alarms = kennel.said.until, dict(kennel.alarms)
    between = now + later * MINUTE
    if until is None or between < until:
        assert kennel.judge(between, jobs=[job], read=now) == []
        assert kennel.alarms == alarms
