"""What is said by the clock: after a silence, and while a failure lasts."""

from dataclasses import replace
from datetime import UTC, time, timedelta

import pytest

from tests.core.factories import HQ, T0, at, ended
from watcher.core.event import Event, JobRef, Thing
from watcher.core.followup import Diary, FollowUp, Muted, follow_up, still_holds
from watcher.core.match import Match, pattern
from watcher.core.model import JobType
from watcher.core.policy import Case, Policy, Quiet, Route, rule
from watcher.core.reach import Reach
from watcher.core.record import Outcome
from watcher.core.reminder import AlarmStand, JobStand
from watcher.core.ruling import Decision, Told
from watcher.core.silence import Silence
from watcher.core.wanted import EVENTS
from watcher.core.watchdog.alarm import Alarm
from watcher.core.window import Window

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


LATE = Alarm("job.overdue", "j1", T0, "it was due", raised=True, job=JOB, told=(Told("ops", "r", at(10)),))
DISK = Alarm("repository.low", "r1", T0, "3 TB are free", raised=True, level=1, thing=Thing("r1", "Vault"))
AWAY = Reach(1, HQ, at(10), T0, "unreachable", "no route", ("server.unreachable",), T0, (Told("ops", "r", at(10)),))


def again(hours: float, *alarms: Alarm, policy: Policy = POLICY, **parts: tuple[object, ...]) -> FollowUp:
    """Follow up so many hours after all of them were told."""
    stands = tuple(AlarmStand(1, HQ, alarm) for alarm in alarms)
    return follow_up(Diary(alarms=stands, **parts), policy, at(10 + 60 * hours))  # type: ignore[arg-type]


def kinds(found: FollowUp) -> list[str]:
    return [one.type for _, one in found.events]


def test_an_alarm_that_stands_is_told_again() -> None:
    """As a failure that lasts: a day after it was told last, twice at the most; it says since when it is so."""
    assert again(23.9, LATE) == FollowUp()
    first = again(24, LATE)
    (_, said), (_, alarm) = first.events[0], first.alarms[0]
    assert (said.type, said.job, said.reason) == ("job.overdue.lasting", JOB, "it was due")
    assert (said.happened, said.story.failing_since) == (at(10 + 60 * 24), T0)
    assert [(row.channel, row.destination) for row in first.owed] == [("ops", "a"), ("ops", "b")]
    assert alarm.told == (Told("ops", "r", at(10 + 60 * 24), 1),)
    assert again(47.9, alarm) == FollowUp()
    ((_, alarm),) = again(48, alarm).alarms
    assert again(500, alarm) == FollowUp()


def test_what_belongs_to_a_server_is_told_again_too() -> None:
    """And that it does not answer; each with a subject of its own, as it was told first."""
    found = again(24, replace(DISK, told=LATE.told), servers=(AWAY,))
    assert kinds(found) == ["repository.low.lasting", "server.unreachable.lasting"]
    disk, away = (one for _, one in found.events)
    assert (disk.thing, disk.subject) == (DISK.thing, replace(disk, type="repository.low").subject)
    assert (away.reason, away.story.failing_since) == ("no route", T0)
    assert away.subject == replace(away, type="server.recovered").subject
    assert found.servers == (replace(AWAY, told=(Told("ops", "r", at(10 + 60 * 24), 1),)),)


def test_an_alarm_that_nobody_was_told_of_is_no_reminder() -> None:
    """A silence kept it back; nor is one whose route has no `remind_every`."""
    assert again(48, replace(LATE, told=()), replace(LATE, subject="j2", told=(Told("ops", "gone", T0),))) == FollowUp()


def test_a_job_that_was_spoken_of_meanwhile_is_left_alone() -> None:
    """One that fails each night is told each night; and what was told at different times comes together."""
    failed_since = JobStand(1, HQ, JOB, replace(FAILED, told=(Told("ops", "r", at(10 + 60 * 12)),)))
    assert again(35.9, LATE, failing=(failed_since,)) == FollowUp()
    found = again(36, LATE, failing=(failed_since,))
    assert kinds(found) == ["job.failing", "job.overdue.lasting"]
    others = (replace(failed_since, job=JobRef("j2", "Other")), replace(failed_since, server_id=2))
    assert kinds(again(24, LATE, failing=others)) == ["job.overdue.lasting"]


def test_a_reminder_of_an_alarm_keeps_to_silences_and_quiet_hours() -> None:
    """A silence of the alarm is one of its reminders."""
    silence = Silence(Match((("event", pattern(["job.overdue"])),)), T0, at(60 * 48), "ann", "", 1)
    found = again(24, LATE, silences=(silence,))
    assert (found.events, found.owed) == ((), ())
    assert found.alarms[0][1].told[0].at == at(10 + 60 * 24)
    night = Quiet((Window(time(0), time(23, 59), UTC),))
    held = again(24, LATE, policy=replace(POLICY, routes=(replace(POLICY.routes[0], quiet=night),)))
    assert {one.held for one in held.rulings[held.events[0][1].id].decisions} == {"quiet hours"}


def test_a_silence_that_ends_is_no_reason_to_remind_besides() -> None:
    """What it kept back is told, and the next word is due a day after that."""
    told = Event("e2", "job.overdue", HQ, at(10), at(10), job=JOB)
    alarm = replace(LATE, event_id="e2", told=())
    kept = Muted(told, rule(told, Case(POLICY, at(10), (PATCHES,))), None, None, alarm, 1)
    found = again(24, alarm, muted=(kept,))
    assert (kinds(found), {row.event_id for row in found.owed}) == ([], {"e2"})
    assert {one.at for one in found.alarms[0][1].told} == {at(10 + 60 * 24)}


def test_a_reminder_of_an_alarm_has_the_same_id_whoever_makes_it() -> None:
    """And another one each time."""
    first, later = again(25, LATE), again(26, LATE)
    assert first.events[0][1].id == later.events[0][1].id
    assert again(50, first.alarms[0][1]).events[0][1].id != first.events[0][1].id
