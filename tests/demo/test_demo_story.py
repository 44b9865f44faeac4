"""The made-up week: believable, the same for the same seed, and telling at once."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise, takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.demo.standin_visitor import visiting
from watcher.core.model import JobType, Session, Status
from watcher.demo.player import Player, living_world
from watcher.demo.server import create_app
from watcher.demo.story import ESTATE, WEEK, Act, life, week
from watcher.demo.words import _PEOPLE
from watcher.demo.world import World

START = datetime(2026, 3, 2, 14, 37, 12, tzinfo=UTC)
DEFAULT_SPEED = 600
FIRST_LOOK = START + timedelta(seconds=3 * DEFAULT_SPEED)
MINUTE_LATER = START + timedelta(seconds=50 * DEFAULT_SPEED)
"""What the demo shows in its first minute, with ten seconds to spare and three for the watcher to start."""


def _lived(seed: int, until: datetime) -> World:
    world, player = living_world(START, seed)
    player.advance(until)
    return world


def _sessions(world: World, *, of: str = "") -> list[Session]:
    found = [one for one in world.sessions.values() if of in world.jobs[one.job_id or ""].name]
    return sorted(found, key=lambda one: one.created or START)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), hour=st.integers(0, 23))
def test_first_minute_shows_all_outcomes(seed: int, hour: int) -> None:
    """Within a minute at the default speed jobs fail for good, warn, are stopped, end well, and one recovers."""
    start = START.replace(hour=hour)
    world, player = living_world(start, seed)
    shift = start - START
    player.advance(MINUTE_LATER + shift)
    told = [one for one in _sessions(world) if one.ended and one.ended > FIRST_LOOK + shift and not one.will_be_retried]
    assert {one.status for one in told} >= {Status.FAILED, Status.WARNING, Status.STOPPED, Status.SUCCESS}
    shared = [one.status for one in told if one in _sessions(world, of="Shared mailboxes")]
    assert (Status.FAILED, Status.SUCCESS) in list(pairwise(shared))


def test_there_is_history_that_is_no_news_and_a_job_that_runs() -> None:
    """At the start yesterday's sessions have ended well before; one long job is still running and ends as news."""
    world = _lived(0, START)
    ended = [one.ended for one in _sessions(world) if one.ended is not None]
    assert len(ended) > 40
    assert max(ended) < START - timedelta(minutes=15)
    (running,) = [one for one in _sessions(world) if one.status == Status.RUNNING]
    assert "SharePoint" in world.jobs[running.job_id or ""].name
    later = _lived(0, START + timedelta(hours=1)).sessions[running.id]
    assert (later.status, (later.ended or START) > FIRST_LOOK) == (Status.SUCCESS, True)


@pytest.mark.parametrize(("seed", "hour"), [(0, 14), (0, 2), (1, 5), (2, 21), (3, 23)])
def test_what_is_planned_is_what_happens(seed: int, hour: int) -> None:
    """No job's next run lies in the past, so none is overdue: not at the start, in the act, nor where weeks meet."""
    start = START.replace(hour=hour)
    world, player = living_world(start, seed)
    for minutes in range(0, 9 * 24 * 60, 7):
        moment = start + timedelta(minutes=minutes)
        player.advance(moment)
        planned = {job.name: job.next_run for job in world.jobs.values()}
        assert not {
            name: when for name, when in planned.items() if when is None or when < moment - timedelta(seconds=1)
        }


def test_same_seed_same_story() -> None:
    """The same seed and start give the same sessions, ids and logs; another seed gives others."""
    first, second, other = (_lived(seed, START + timedelta(hours=9)) for seed in (7, 7, 8))
    assert (first.sessions, first.logs, first.jobs) == (second.sessions, second.logs, second.jobs)
    assert first.sessions != other.sessions


@pytest.mark.parametrize(("seed", "hour"), [(0, 14), (1, 17), (2, 19), (3, 23)])
def test_a_week_is_believable(seed: int, hour: int) -> None:
    """No job runs twice at a time, each start has its end within the week, and retries follow only what was retried."""
    start = START.replace(hour=hour)
    steps = week(seed, start)
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    assert steps[0].at >= start
    assert steps[-1].at < start + WEEK
    runs = sorted((step.run for step in steps if step.act is Act.START), key=lambda run: run.began)
    assert len(runs) == len([step for step in steps if step.act is Act.END])
    for plan in ESTATE:
        own = [run for run in runs if run.job == plan.name]
        assert own
        assert all(a.ended <= b.began for a, b in pairwise(own))
        assert [a.will_be_retried for a in own[:-1]] == [b.attempt == a.attempt + 1 for a, b in pairwise(own)]
    assert {run.status for run in runs} == {Status.SUCCESS, Status.WARNING, Status.FAILED, Status.STOPPED}


def test_retries_are_chained() -> None:
    """Each retry of the story is a retry of the session before it; every other run starts a chain of its own."""
    world = _lived(0, START + timedelta(hours=8))
    for job in world.jobs:
        own = [one for one in _sessions(world) if one.job_id == job]
        for before, after in pairwise(own):
            chain = before.main_session_id or before.id if before.will_be_retried else None
            assert after.main_session_id == chain
    assert any(one.retry_count for one in world.sessions.values())


def test_weeks_follow_one_another() -> None:
    """After a week the next begins, with new dates and other chances."""
    steps = list(takewhile(lambda step: step.at < START + 2 * WEEK, life(0, START)))
    assert [step.at for step in steps] == sorted(step.at for step in steps)
    second = [step for step in steps if step.at >= START + WEEK]
    assert second == week(1, START + WEEK)


def test_estate_is_twelve_jobs_of_three_organizations() -> None:
    """The demo's estate: twelve jobs, two of them copies of jobs that are there."""
    world, _ = living_world(START)
    assert (len(world.jobs), len(world.organizations)) == (12, 3)
    copies = [job for job in world.jobs.values() if job.type is JobType.COPY]
    assert [world.jobs[job.backup_job_id or ""].type for job in copies] == [JobType.BACKUP] * 2


def test_player_may_be_late_or_asked_often() -> None:
    """One long stride and many small ones lead to the same world."""
    until = START + timedelta(hours=6)
    world, player = living_world(START, 3)
    moment = START
    while moment <= until:
        player.advance(moment)
        moment += timedelta(minutes=1)
    assert world.sessions == _lived(3, until).sessions


def test_old_sessions_are_forgotten() -> None:
    """A demo that runs on forgets what is older than the history it keeps, so it does not grow."""
    world, player = living_world(START)
    player.advance(START + timedelta(days=3))
    assert min(one.created or START for one in _sessions(world)) < START
    for day in range(4, 40):
        player.advance(START + timedelta(days=day))
    ends = [one.ended for one in _sessions(world) if one.ended is not None]
    assert min(ends) > START + timedelta(days=39 - 29)


def test_progress_grows_while_a_job_runs() -> None:
    """A running session's objects and bytes grow until its end."""
    seen = [
        _sessions(_lived(0, START + timedelta(minutes=minutes)), of="Alderwood - SharePoint")[-1]
        for minutes in (-150, -60, 0, 60)
    ]
    counts = [one.progress or 0 for one in seen]
    assert counts == sorted(counts)
    assert len(set(counts)) == 4
    assert seen[-1].statistics.transferred


async def test_server_lives_the_story(anyio_backend: str) -> None:
    """The server lets time pass before each answer, so that a listing shows what has happened by now."""
    world, player = living_world(START)
    moment = [START]
    app = create_app(world, now=lambda: moment[0], player=player)
    async with visiting(app, world) as visitor:
        before = (await visitor.json("/v8/JobSessions", limit=1000))["results"]
        moment[0] += timedelta(hours=2)
        after = (await visitor.json("/v8/JobSessions", limit=1000))["results"]
    assert len(after) > len(before) > 40
    assert after[0]["creationTime"] > before[0]["creationTime"]


def test_logs_fit_their_ends() -> None:
    """A failed session's log has an error, a warning's has warnings and no error, a stopped one says who stopped it."""
    world = _lived(0, START + timedelta(hours=8))
    for session in _sessions(world):
        kinds = {item.type for item in world.logs[session.id]}
        if session.ended:
            assert ("error" in kinds) == (session.status == Status.FAILED)
            assert ("stop" in kinds) == (session.status == Status.STOPPED)
            assert session.status != Status.WARNING or "warning" in kinds


def test_nobody_is_spoken_of_twice_in_a_log() -> None:
    """A mailbox that is not found is not busy besides."""
    world = _lived(0, START + timedelta(days=5))
    told = [[item.text for item in items if item.type in {"warning", "error"}] for items in world.logs.values()]
    for name in _PEOPLE:
        assert max(sum(name in text for text in texts) for texts in told) <= 1


def test_player_needs_no_story() -> None:
    """A player without steps leaves the world alone."""
    world = World()
    Player(world, []).advance(START)
    assert not world.sessions


def test_somebody_is_given_something_back() -> None:
    """The first hour has a restore, for whoever wants to see what that looks like."""
    world, player = living_world(START)
    player.advance(START + timedelta(minutes=55))
    (restore,) = world.errands.values()
    assert (restore.status, restore.created) == ("Running", START + timedelta(minutes=52))
    player.advance(START + timedelta(days=8))
    assert [one.status for one in world.errands.values()] == ["Success", "Success"]
