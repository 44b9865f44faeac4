"""Rules that are switched off while an alarm of theirs stands: it is closed with a word, to whoever was told."""

from dataclasses import replace
from typing import Any

import pytest

from tests.core.watchdog_facts import DAY, KNOWS, NOW, REF, Kennel, a_job, a_run, moved
from watcher.core.event import ALARMS, UNWATCHED, JobRef, Thing, over
from watcher.core.match import Match, pattern
from watcher.core.model import JOB_KINDS, JobType
from watcher.core.render import Severity
from watcher.core.render.words import outcome, wording
from watcher.core.watchdog.alarm import Alarm
from watcher.core.watchdog.limits import RULES, Limits, Override, Rulebook
from watcher.core.watchdog.survey import Health, License, Proxy, Repository, Survey

SINCE = NOW - DAY
RUN = a_run(9)
QUEUED = a_run(9, "Queued")
OFF: dict[str, dict[str, Any]] = {
    "job.overdue": {"overdue_grace": None},
    "job.stale": {"rpo": None, "is_rpo_usual": False},
    "job.disabled": {"disabled_after": None},
    "job.slow": {"slow_after": None, "is_slow_usual": False},
    "job.stalled": {"stalled_after": None},
    "job.short": {"short_below": None},
    "session.disconnected": {"disconnected_after": None},
    "server.unhealthy": {"unhealthy_after": None},
    "proxy.offline": {"proxy_offline_after": None},
    "repository.low": {"repository_low": ()},
    "repository.invalid": {"repository_invalid_after": None},
    "license.expiring": {"license_days": ()},
}
"""What switches each rule off."""

ILL = Survey(
    Health(is_healthy=False),
    (Proxy("p1", "proxy-01", is_online=False),),
    (Repository("r1", "Vault", 1000, 1, is_invalid=True),),
    (),
    License("l1", expires=NOW + DAY),
)


def standing(kind: str) -> Alarm:
    """Make an alarm of a kind that stands, and of which somebody was told."""
    subjects = {"job.slow": RUN.id, "job.stalled": RUN.id, "session.disconnected": RUN.id, "server.unhealthy": ""}
    thing = {"proxy": Thing("p1", ""), "repository": Thing("r1", ""), "license": Thing("l1", "")}.get(
        kind.partition(".")[0]
    )
    of_run = kind in {"job.slow", "job.stalled", "session.disconnected"}
    subject = subjects.get(kind, thing.id if thing else REF.id)
    job = REF if kind.startswith("job.") or of_run else None
    session = RUN if of_run else None
    return Alarm(kind, subject, SINCE, "so it is", raised=True, job=job, session=session, thing=thing, told=KNOWS)


def kennel(alarm: Alarm, limits: Limits | None = None, *overrides: Override) -> Kennel:
    one = Kennel(Rulebook(limits or Limits(), overrides))
    one.alarms = {alarm.key: alarm}
    return one


@pytest.mark.parametrize("survey", [ILL, Survey()], ids=["ill", "not read"])
@pytest.mark.parametrize("kind", sorted(ALARMS))
def test_an_alarm_of_a_rule_that_is_off_is_closed(kind: str, survey: Survey) -> None:
    """Whether it is still so or not, and though what it is about is read no longer; once."""
    dogs = kennel(standing(kind), replace(Limits(), **OFF[kind]))
    facts: dict[str, Any] = {"jobs": [a_job()], "open": (moved(RUN, 9),), "survey": survey}
    told = [event for event in dogs.judge(**facts) if event.story.failing_since == SINCE]
    assert (kind, standing(kind).subject) not in dogs.alarms
    assert [event.type for event in told] == [name for name in (over(kind),) if name]
    for event in told:
        assert (event.went_to, event.reason) == (UNWATCHED, "its rule is switched off")
        assert wording(event).severity is Severity.INFO
        assert outcome(event).endswith(", no longer watched")
        assert {one.channel for one in dogs.said.rulings[event.id].decisions if one.knew} == {"chat"}
    assert not [event for event in dogs.judge(**facts) if event.story.failing_since == SINCE]


def test_every_rule_can_be_switched_off() -> None:
    """And none is forgotten here."""
    assert OFF.keys() == RULES.keys() == ALARMS


def test_a_rule_that_is_on_closes_nothing() -> None:
    """Also where its alarm is older than what was read."""
    for kind in sorted(ALARMS - {"job.disabled", "job.stale"}):  # this job is enabled, and well
        dogs = kennel(standing(kind))
        dogs.judge(jobs=[a_job()], open=(moved(RUN, 9),))
        assert not [event for event in dogs.said.events if event.went_to == UNWATCHED]


def test_an_override_takes_a_job_out_of_a_rule() -> None:
    """That job, and only that; while nobody knows the jobs, nobody knows that."""
    mail = Override(Match((("job", pattern(["Mail"])),)), (("short_below", None), ("is_slow_usual", False)))
    for kind in ("job.short", "job.slow"):
        dogs = kennel(standing(kind), None, mail)
        assert dogs.kinds(open=(moved(RUN, 1),)) == []
        assert dogs.kinds(jobs=[a_job()], open=(moved(RUN, 1),)) == [f"{kind}.recovered"]
    other = replace(standing("job.short"), subject="j2", job=JobRef("j2", "Sites", JobType.BACKUP))
    jobs = [a_job(), replace(a_job(), id="j2", name="Sites")]
    assert kennel(other, None, mail).kinds(jobs=jobs) == []


def test_a_run_in_the_queue_has_a_limit_of_its_own() -> None:
    """The one is on while the other is off."""
    waits = replace(standing("job.stalled"), session=QUEUED)
    only_runs, only_queues = Limits(queued_after=None), Limits(stalled_after=None)
    (event,) = kennel(waits, only_runs).judge(jobs=[a_job()], open=(moved(QUEUED, 9),))
    assert event.went_to == UNWATCHED
    assert kennel(waits, only_queues).kinds(jobs=[a_job()], open=(moved(QUEUED, 9),)) == []
    (event,) = kennel(waits, only_queues).judge(jobs=[a_job()], open=(moved(RUN, 9),))
    assert (event.type, event.reason) == ("job.stalled.recovered", "it goes on")


def test_what_was_not_told_yet_ends_in_silence() -> None:
    """As ever."""
    dogs = kennel(replace(standing("job.disabled"), raised=False, told=()), Limits(disabled_after=None))
    assert dogs.kinds(jobs=[a_job(enabled=False)]) == []
    assert dogs.alarms == {}


def test_a_kind_of_job_that_is_watched_no_longer_is_closed_as_well() -> None:
    """`WATCHER_WATCH` names only copies now: the jobs that are left do not say so, and there may be none."""
    dogs = kennel(standing("job.overdue"))
    (event,) = dogs.judge(kinds=frozenset({JobType.COPY}))
    assert (event.type, event.went_to) == ("job.overdue.recovered", UNWATCHED)
    assert event.reason == "its kind of job is not watched any more"


def test_what_another_watcher_of_the_same_store_watches_is_left_to_it() -> None:
    """Neither closed nor told again, though its jobs are not known here."""
    copy = replace(a_job(), id="j2", name="Copy", type=JobType.COPY)
    dogs = kennel(standing("job.overdue"))
    only_copies = frozenset({JobType.COPY})
    assert dogs.kinds(jobs=[copy], kinds=only_copies, shared=JOB_KINDS) == []
    assert dogs.kinds(jobs=[copy], kinds=only_copies, shared=only_copies) == ["job.overdue.recovered"]


def test_an_alarm_that_is_closed_explains_nothing() -> None:
    """A job that was overdue is stale, as soon as nobody asks whether it is overdue."""
    late = a_job(last_run=NOW - 5 * DAY, last_backup=NOW - 5 * DAY, next_run=NOW - 4 * DAY)
    dogs = kennel(standing("job.overdue"), Limits(overdue_grace=None))
    assert dogs.kinds(jobs=[late]) == ["job.overdue.recovered", "job.stale"]
