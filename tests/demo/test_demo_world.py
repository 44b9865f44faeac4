"""The world: what its changes do, and that equal calls make equal worlds."""

from datetime import UTC, datetime, time, timedelta

import pytest

from watcher.core.model import LogLine, Status
from watcher.demo.estate import Account, Schedule
from watcher.demo.world import World

AT = datetime(2026, 3, 1, 22, tzinfo=UTC)


def test_a_run_is_noted_at_its_job() -> None:
    """Start and end move the job's last run, status, next run and last good backup; a failure is no backup."""
    world = World()
    job = world.add_job("Mail", "contoso.example", schedule=Schedule(daily=time(22)))
    session = world.start(job, AT)
    held = world.jobs[job]
    assert (held.last_run, held.last_status, held.next_run) == (AT, "Running", AT + timedelta(days=1))
    world.end(session, Status.FAILED, AT + timedelta(minutes=1))
    assert (world.jobs[job].last_status, world.jobs[job].last_backup) == ("Failed", None)
    world.end(world.start(job, AT, retry_of=session), Status.WARNING, AT + timedelta(minutes=9))
    assert world.jobs[job].last_backup == AT + timedelta(minutes=9)


def test_retries_name_their_first_run() -> None:
    """Each retry counts on and names the main session, whichever session of the chain it follows."""
    world = World()
    job = world.add_job("Mail", "contoso.example")
    main = world.start(job, AT)
    first = world.start(job, AT, retry_of=main)
    second = world.start(job, AT, retry_of=first)
    assert [world.sessions[one].retry_count for one in (main, first, second)] == [0, 1, 2]
    assert [world.sessions[one].main_session_id for one in (main, first, second)] == [None, main, main]


def test_status_can_be_anything() -> None:
    """A session may go to any status; back to Running it loses its end, an unknown status leaves its times alone."""
    world = World()
    session = world.start(world.add_job("Mail", "contoso.example"), AT)
    world.set_status(session, Status.DISCONNECTED)
    assert (world.sessions[session].status, world.sessions[session].ended) == ("Disconnected", None)
    world.end(session, Status.FAILED, AT)
    world.set_status(session, "Hibernating")
    assert (world.sessions[session].status, world.sessions[session].ended) == ("Hibernating", AT)
    world.set_status(session, Status.RUNNING)
    assert (world.sessions[session].status, world.sessions[session].ended) == ("Running", None)


def test_logs_are_numbered_and_go_with_their_session() -> None:
    """Log lines are numbered from 1; a removed session takes them along."""
    world = World()
    session = world.start(world.add_job("Mail", "contoso.example"), AT)
    world.log(session, "warning", "one", AT)
    world.end(session, Status.FAILED, AT, log=[LogLine("error", "two")])
    assert [(item.usn, item.type, item.text) for item in world.logs[session]] == [
        (1, "warning", "one"),
        (2, "error", "two"),
    ]
    world.remove(session)
    assert session not in world.sessions
    assert session not in world.logs


def test_forget_keeps_what_has_not_ended() -> None:
    """Only sessions that ended before the moment are forgotten."""
    world = World()
    job = world.add_job("Mail", "contoso.example")
    running, old, new = (world.start(job, AT) for _ in range(3))
    world.end(old, Status.SUCCESS, AT)
    world.end(new, Status.SUCCESS, AT + timedelta(days=2))
    world.forget(AT + timedelta(days=1))
    assert set(world.sessions) == {running, new}


def test_equal_calls_make_equal_ids() -> None:
    """Ids come from the world's name and its calls, so a test can tell one story to six versions."""
    jobs = [world.add_job("Mail", "contoso.example") for world in (World(), World(), World("other"))]
    assert jobs[0] == jobs[1] != jobs[2]


def test_an_organization_is_added_once() -> None:
    """Two jobs of one organization share it."""
    world = World()
    jobs = [world.add_job(name, "contoso.example") for name in ("Mail", "Teams")]
    assert len(world.organizations) == 1
    assert len({world.jobs[job].organization_id for job in jobs}) == 1


@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (Schedule(daily=time(23)), AT + timedelta(hours=1)),
        (Schedule(daily=time(22)), AT + timedelta(days=1)),
        (Schedule(every=timedelta(hours=2)), AT + timedelta(hours=2)),
        (Schedule(), None),
    ],
)
def test_schedules(schedule: Schedule, expected: datetime | None) -> None:
    """A daily job starts next at its time, strictly later; a periodic one after its period; a manual one not at all."""
    assert schedule.after(AT) == expected


def test_an_account_does_not_show_its_password() -> None:
    """The made-up password stays out of a repr, as a real one has to."""
    assert "hunter2" not in repr(Account("a", "hunter2"))
