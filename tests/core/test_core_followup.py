"""What is said by the clock: after a silence, and while a failure lasts."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.core.factories import HQ, T0, at, ended
from watcher.core.event import Event, JobRef
from watcher.core.followup import Diary, FollowUp, JobStand, Muted, follow_up, still_holds
from watcher.core.match import Match, pattern
from watcher.core.model import JobType
from watcher.core.policy import Case, Policy, Route, rule
from watcher.core.record import Outcome
from watcher.core.ruling import Decision, Told
from watcher.core.silence import Silence
from watcher.core.wanted import EVENTS

JOB = JobRef("j1", "Contoso - Mail")
DAY = timedelta(days=1)
POLICY = Policy((Route("r", EVENTS, remind_every=DAY, remind_at_most=2),), {"ops": ("a", "b"), "hr": ("c",)})
PATCHES = Silence(Match(), T0, at(60), "ann", "patches", 1)


def event(kind: str = "session.failed", status: str = "Failed") -> Event:
    return Event("e1", kind, HQ, at(10), at(10), job=JOB, session=ended(status=status, minutes=10))


def muted(one: Event, stands: Outcome | None) -> Muted:
    ruling = rule(one, Case(POLICY, at(10), (PATCHES,), (Told("ops", "r", T0),)))
    assert ruling.muted_by == 1
    return Muted(one, ruling, JobStand(1, HQ, JOB, stands) if stands else None)


def said(minute: float, *kept: Muted, silences: tuple[Silence, ...] = ()) -> FollowUp:
    return follow_up(Diary(kept, silences=silences), POLICY, at(minute))


FAILED = Outcome("Failed", at(10), 1, at(10))


def test_what_is_still_true_when_a_silence_ends_is_told() -> None:
    """And it is noted who knows of it now, for the recovery."""
    found = said(61, muted(event(), FAILED))
    assert [(row.channel, row.destination) for row in found.owed] == [("ops", "a"), ("ops", "b"), ("hr", "c")]
    assert found.let_go == ("e1",)
    assert found.events == ()
    assert [one.channel for one in found.jobs[0].stands.told] == ["ops", "hr"]
    assert {row.reason for row in found.rulings["e1"].decisions} == {"silence 1 by ann (patches) is over"}


def test_what_is_no_longer_true_is_not_told() -> None:
    """The job is good again, or has failed anew, of which its own event speaks; `explain` says so."""
    for stands in (Outcome("Success", at(20)), replace(FAILED, ended=at(20)), None):
        found = said(61, muted(event(), stands))
        assert (found.owed, found.let_go) == ((), ("e1",))
        assert "no longer held" in found.rulings["e1"].decisions[0].reason


def test_a_restore_that_failed_in_a_silence_is_told_after_it() -> None:
    """No job stands behind it that could be good again, nor does another restore make it good."""
    restore = replace(event(), session=ended(status="Failed", minutes=10, job_id=None, job_type=JobType.RESTORE))
    found = said(61, muted(restore, None))
    assert [row.channel for row in found.owed] == ["ops", "ops", "hr"]
    assert found.jobs == ()
    assert not still_holds(replace(restore, type="session.success"), None)


def test_while_another_silence_lasts_it_stays() -> None:
    """Two silences that overlap are over when the last one is."""
    longer = Silence(Match((("job", pattern(["Contoso*"])),)), T0, at(90), "bob", "", 2)
    assert said(61, muted(event(), FAILED), silences=(longer,)) == FollowUp()
    assert said(61, muted(event(), FAILED), silences=(replace(longer, match=Match((("job", pattern(["X"])),))),)).owed


def test_a_recovery_is_told_to_who_knew() -> None:
    """Who was told of the failure before the silence hears that it is over."""
    good = event("job.recovered", "Success")
    found = said(61, muted(good, Outcome("Success", at(10))))
    assert {row.channel for row in found.owed} == {"ops"}


@pytest.mark.parametrize(
    ("kind", "holds"),
    [("session.success", False), ("session.started", False), ("channel.failing", False), ("server.replaced", True)],
)
def test_what_was_only_news_then_is_none_now(kind: str, holds: bool) -> None:
    """A begin of four hours ago says nothing; that a server was replaced does."""
    assert still_holds(event(kind), None) is holds


def reminded(hours: float, told: Told) -> tuple[list[str], Told]:
    stands = replace(FAILED, failures=3, told=(told,))
    found = follow_up(Diary(failing=(JobStand(1, HQ, JOB, stands),)), POLICY, at(10 + 60 * hours))
    after = found.jobs[0].stands.told[0] if found.jobs else told
    return [f"{one.type} {[row.destination for row in found.owed]}" for _, one in found.events], after


def test_who_was_told_is_reminded_while_it_lasts() -> None:
    """A day after it was told last, twice at the most, through all destinations of the channel."""
    told = Told("ops", "r", at(10))
    assert reminded(23.9, told) == ([], told)
    first, told = reminded(24, told)
    assert first == ["job.failing ['a', 'b']"]
    assert reminded(47.9, told)[0] == []
    second, told = reminded(48, told)
    assert (len(second), told.reminders) == (1, 2)
    assert reminded(500, told)[0] == []


def test_what_was_missed_is_one_reminder() -> None:
    """After a week of downtime nobody gets seven."""
    told = Told("ops", "r", at(10))
    first, told = reminded(24 * 7, told)
    assert (len(first), told.reminders) == (1, 1)


def test_a_route_that_is_gone_reminds_nobody() -> None:
    """Nor one without `remind_every`."""
    assert reminded(48, Told("ops", "gone", at(10)))[0] == []


def test_a_reminder_has_the_same_id_whoever_makes_it() -> None:
    """Two watchers on one database remind once."""
    stands = replace(FAILED, told=(Told("ops", "r", at(10)), Told("hr", "r", at(10))))
    diary = Diary(failing=(JobStand(1, HQ, JOB, stands),))
    one, two = (follow_up(diary, POLICY, at(10 + 60 * hours)) for hours in (24, 25))
    assert [found.events[0][1].id for found in (one, two)] == [one.events[0][1].id] * 2
    assert [row.channel for row in one.owed] == ["ops", "ops", "hr"]


def test_a_channel_that_is_gone_breaks_nothing() -> None:
    """Neither a reminder nor the end of a silence: who is left is told."""
    assert reminded(48, Told("gone", "r", at(10)))[0] == []
    kept = muted(event(), FAILED)
    told = Decision("gone", tell=True, reason="then", route="r")
    found = said(61, replace(kept, ruling=replace(kept.ruling, decisions=(*kept.ruling.decisions, told))))
    assert {row.channel for row in found.owed} == {"ops", "hr"}
