"""From a page of a look to what is written: events, what is owed, and their ids."""

from dataclasses import replace
from datetime import UTC, time, timedelta

import pytest

from tests.core.factories import HORIZON, HQ, JOBS, T0, at, ended, rules, scene, session
from watcher.core.diff import Sight
from watcher.core.event import ServerRef, event_id
from watcher.core.model import Errand, JobType, LogLine, Session
from watcher.core.page import MOST_EAGER, turn
from watcher.core.policy import Quiet
from watcher.core.record import Chain, Known, Ledger, Outcome
from watcher.core.ruling import Told
from watcher.core.window import Window

FAILED = ended(status="Failed")


def test_an_end_is_an_event_that_every_channel_is_owed() -> None:
    """One end makes one event, and one row for each destination of each channel."""
    told = rules(chat=("room-a", "room-b"), mail=("ops",))

    page = turn(Ledger({"s1": Known(session())}), Sight((FAILED,)), scene(rules=told))

    (event,) = page.events
    assert (event.type, event.came_from, event.went_to) == ("session.failed", "Running", "Failed")
    assert event.job is not None
    assert (event.job.name, event.job.organization) == ("Contoso - Mail", "Contoso")
    assert [(row.channel, row.destination) for row in page.owed] == [
        ("chat", "room-a"),
        ("chat", "room-b"),
        ("mail", "ops"),
    ]


def test_what_notify_on_does_not_name_is_recorded_and_owed_to_nobody() -> None:
    """Who is told never decides whether it is recorded."""
    page = turn(Ledger(), Sight((FAILED,)), scene(rules=rules(frozenset())))

    assert [event.type for event in page.events] == ["session.failed"]
    assert page.owed == ()


def test_a_job_whose_name_is_not_known_goes_by_its_id() -> None:
    """Names that could not be read never hold an event."""
    page = turn(Ledger(), Sight((FAILED,)), scene(jobs={}))

    assert page.events[0].job is not None
    assert page.events[0].job.name == "j1"


@pytest.mark.parametrize(("interval", "minutes", "late"), [(30, 14.9, False), (30, 15.1, True), (120, 16, False)])
def test_late_is_three_intervals_or_five_minutes(interval: int, minutes: float, late: bool) -> None:
    """An end at minute 10 is late when told after max(3 intervals, 5 minutes)."""
    told = replace(rules(), interval=timedelta(seconds=interval))

    page = turn(Ledger(), Sight((FAILED,)), scene(minutes, rules=told))

    assert page.events[0].late is late


def test_what_the_lookback_brings_is_late() -> None:
    """An end before first contact that the lookback makes news is late however fresh it is."""
    looked_back = replace(scene(0.1), horizon=replace(HORIZON, news_from=at(-60)))

    page = turn(Ledger(), Sight((ended(minutes=-1, created=at(-30)),)), looked_back)

    assert page.events[0].late is True


def test_the_log_goes_with_the_event() -> None:
    """Log lines that were read stand in the event."""
    lines = (LogLine("error", "Unauthorized."),)

    page = turn(Ledger(), Sight((FAILED,)), scene(logs={"s1": lines}))

    assert page.events[0].log == lines


def test_seeds_are_written_once_and_make_a_recovery() -> None:
    """A job that stood at Failed when we came recovers with its first good end, in the same look or later."""
    seeds = {"j1": Outcome("Failed")}

    page = turn(Ledger(), Sight((ended(),)), scene(seeds=seeds))
    later = turn(Ledger(outcomes={"j1": Outcome("Success", at(5))}), Sight(), scene(seeds=seeds))

    assert [event.type for event in page.events] == ["job.recovered"]
    assert later.outcomes == {}


def test_a_page_that_is_seen_again_changes_nothing() -> None:
    """Applying a page to what it has already written writes nothing."""
    first = turn(Ledger(), Sight((FAILED,)), scene())
    ledger = Ledger({known.session.id: known for known in first.sessions}, first.outcomes)

    again = turn(ledger, Sight((FAILED,)), scene())

    assert (again.sessions, again.outcomes, again.events, again.owed) == ((), {}, (), ())


def test_event_ids_depend_on_nothing_but_the_event() -> None:
    """The id is the same from a renamed server, at another time, by another watcher - and differs by end."""
    renamed = ServerRef("Head office", HQ.installation_id)
    one = turn(Ledger(), Sight((FAILED,)), scene()).events[0]
    other = turn(Ledger(), Sight((FAILED,)), replace(scene(500, jobs={}), server=renamed)).events[0]
    another_end = turn(Ledger(), Sight((ended(status="Failed", minutes=12),)), scene()).events[0]

    assert one.id == other.id
    assert one.id != another_end.id
    assert one.id == event_id(HQ, "s1", "session.failed", "Failed", at(10))
    assert JOBS["j1"].name not in one.id


def test_who_was_told_of_a_failure_is_remembered_until_it_ends() -> None:
    """Also over further failures that somebody else is told of; then nobody is owed a recovery any more."""
    knew = Told("pager", "night", at(1))
    before = Outcome("Failed", at(5), 1, at(5), told=(knew,))
    failed = turn(Ledger(outcomes={"j1": before}), Sight((FAILED,)), scene()).outcomes["j1"]
    assert failed.told == (knew, Told("chat", "all", at(11)))
    good = ended("s2", "Success", minutes=12)
    assert turn(Ledger(outcomes={"j1": failed}), Sight((good,)), scene(13)).outcomes["j1"].told == ()


def test_what_can_be_sent_at_once_is_claimed_as_it_is_owed() -> None:
    """For eager channels the process that decides has claimed it; what waits, or is too much at once, is free."""
    policy = replace(rules(hook=("h",), chat=("c",)).policy, claimant="me", eager=frozenset({"hook"}))
    many = tuple(ended(f"s{n}", status="Failed", job_id=f"j{n}", minutes=5 + n / 100) for n in range(MOST_EAGER + 5))

    page = turn(Ledger(), Sight(many), scene(rules=replace(rules(), policy=policy)))

    claimed = [row.event_id for row in page.owed if row.claimant == "me"]
    assert claimed == [event.id for event in page.events[:MOST_EAGER]]
    assert {row.channel for row in page.owed if row.claimant} == {"hook"}
    assert len(page.owed) == 2 * len(many)


def test_nobody_claims_for_others() -> None:
    """A process that does not send leaves all that is owed to whoever does, and so does one in quiet hours."""
    policy = rules(hook=("h",)).policy
    night = Quiet((Window(time(0), time(23, 59), UTC),))
    asleep = replace(policy, claimant="me", eager=frozenset({"hook"}), routes=(replace(policy.routes[0], quiet=night),))

    for one in (replace(policy, eager=frozenset({"hook"})), replace(policy, claimant="me"), asleep):
        page = turn(Ledger(), Sight((FAILED,)), scene(rules=replace(rules(), policy=one)))
        assert [row.claimant for row in page.owed] == [""]


def _restore(session_id: str, status: str, minutes: float) -> Session:
    kind = {"job_id": None, "job_type": JobType.RESTORE, "errand": Errand("Mailbox of Ann")}
    return ended(session_id, status, minutes, created=at(minutes), **kind)


def test_restores_stand_for_no_job() -> None:
    """One that failed leaves no outcome, a good one after it is no recovery, and neither ends a wait for a retry."""
    waiting = ended("s1", "Failed", 5, job_id=None, will_be_retried=True)
    held = Chain("s1", None, ("s1",), waiting, "Running", held=at(5))
    sight = Sight((_restore("r1", "Failed", 6), _restore("r2", "Success", 7)))
    page = turn(Ledger(chains={"s1": held}), sight, scene())
    assert [event.type for event in page.events] == ["session.failed", "session.success"]
    assert [event.subject for event in page.events] == [f"{HQ.identity}/r1", f"{HQ.identity}/r2"]
    assert (page.outcomes, page.chains) == ({}, ())


def test_a_kind_that_is_watched_since_later_has_its_own_history() -> None:
    """What ended before it was watched is none of its news; jobs go by the first contact as ever."""
    horizon = replace(HORIZON, kinds={JobType.RESTORE: at(20), JobType.BACKUP: T0})
    sight = Sight((_restore("r1", "Failed", 19), _restore("r2", "Failed", 21), ended("s1", "Failed", 5)))
    page = turn(Ledger(), sight, replace(scene(), horizon=horizon))
    assert [event.session.id for event in page.events if event.session] == ["s1", "r2"]
    assert {known.session.id for known in page.sessions} == {"s1", "r1", "r2"}
