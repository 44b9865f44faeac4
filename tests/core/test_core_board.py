"""How a job stands for people, what is usual for it, and when it is silenced."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from watcher.core.board import Asked, JobCard, choose, silenced, tallies, usual
from watcher.core.event import ALARMS, ServerRef
from watcher.core.match import Match, Pattern
from watcher.core.model import Job, Session, Statistics
from watcher.core.record import Outcome
from watcher.core.render.alarms import WORDINGS
from watcher.core.render.style import Severity
from watcher.core.sheet import JobSheet
from watcher.core.silence import Silence
from watcher.core.standing import OF_ALARM, JobRow, Standing
from watcher.core.trouble import WORDS, breaking, word
from watcher.core.views import AlarmView
from watcher.core.watchdog.alarm import BY_SESSION, Alarm
from watcher.core.watchdog.limits import Override, Rulebook

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
OLD = NOW - 15 * DAY
RUNS = Session("s", "Running", "j")


def alarms(*kinds: str) -> tuple[Alarm, ...]:
    return tuple(Alarm(kind, "s" if kind in BY_SESSION else "j", NOW - DAY, raised=True) for kind in kinds)


def job(
    outcome: Outcome | None = None, running: Session | None = None, held: datetime | None = None, **of_job: object
) -> JobRow:
    known = Job("j", "Mail", **of_job)  # type: ignore[arg-type]  # fields by their names
    return JobRow(1, ServerRef("HQ"), known, outcome, running, held)


@pytest.mark.parametrize(
    ("row", "standing"),
    [
        (job(), Standing.NEW),
        (job(Outcome("Success", NOW)), Standing.GOOD),
        (job(Outcome("Success")), Standing.GOOD),
        (job(Outcome("Warning", NOW)), Standing.WARNING),
        (job(Outcome("Failed", NOW)), Standing.FAILING),
        (job(Outcome("Failed", NOW), held=NOW), Standing.FAILING),
        (job(Outcome("Success", NOW), held=NOW), Standing.RETRYING),
        (job(held=NOW), Standing.RETRYING),
        (job(Outcome("Failed", OLD), last_run=OLD), Standing.RESTING),
        (job(Outcome("Failed", OLD), last_run=OLD, next_run=NOW + 9 * DAY), Standing.FAILING),
        (job(Outcome("Failed", OLD), RUNS, last_run=OLD), Standing.FAILING),
        (job(Outcome("Failed", OLD), held=OLD), Standing.FAILING),
        (job(last_run=OLD), Standing.RESTING),
        (job(next_run=OLD), Standing.RESTING),
        (job(Outcome("Success", NOW - 13 * DAY)), Standing.GOOD),
    ],
)
def test_how_a_job_stands(row: JobRow, standing: Standing) -> None:
    """By its outcome, by a bad end that waits, and by whether anything was heard of it lately."""
    assert row.standing(NOW) is standing


@pytest.mark.parametrize(
    ("row", "kinds", "standing", "besides"),
    [
        (job(Outcome("Success", NOW)), ("job.stale", "job.overdue"), Standing.OVERDUE, ["job.stale"]),
        (job(Outcome("Failed", NOW)), ("job.stale",), Standing.FAILING, ["job.stale"]),
        (job(Outcome("Warning", NOW), RUNS), ("job.slow", "job.stalled"), Standing.STALLED, ["job.slow"]),
        (job(Outcome("Success", NOW), RUNS), ("session.disconnected",), Standing.DISCONNECTED, []),
        (job(held=NOW), ("job.short",), Standing.SHORT, []),
        (job(None), ("job.disabled",), Standing.DISABLED, []),
        (job(Outcome("Success", OLD), last_run=OLD), ("job.disabled",), Standing.RESTING, ["job.disabled"]),
        (job(Outcome("Success", OLD), last_run=OLD), ("job.overdue",), Standing.OVERDUE, []),
        (job(Outcome("Failed", OLD), last_run=OLD), ("job.stale",), Standing.FAILING, ["job.stale"]),
    ],
)
def test_how_a_job_stands_of_which_an_alarm_was_told(
    row: JobRow, kinds: tuple[str, ...], standing: Standing, besides: list[str]
) -> None:
    """After a failure, before all else, the worst first; who is awaited does not rest, who was disabled does."""
    row = replace(row, alarms=alarms(*kinds))
    assert row.standing(NOW) is standing
    assert [one.kind for one in row.besides(standing)] == besides
    assert (row.since == NOW - DAY) == (row.outcome is None or row.outcome.status != "Failed")
    assert [one.kind for one in row.of_run(RUNS)] == [kind for kind in kinds if kind in BY_SESSION]
    assert row.of_run(Session("other", "Running")) == ()


def test_every_alarm_is_shown_as_bad_as_it_is_told() -> None:
    """At a job or among what is about to break; the colours of messages and of the page are the same."""
    assert OF_ALARM.keys() | {one.event for one in breaking([view(kind) for kind in ALARMS])} == ALARMS
    assert {kind for kind, standing in OF_ALARM.items() if standing.is_bad} == {
        kind for kind in OF_ALARM if WORDINGS[kind][2] is Severity.FAILURE
    }
    assert all(standing.is_trouble and word(kind) == WORDS[standing] for kind, standing in OF_ALARM.items())
    assert [one.event for one in breaking([view("repository.low"), view("server.unhealthy"), view("job.slow")])] == [
        "server.unhealthy",
        "repository.low",
    ]


def view(kind: str) -> AlarmView:
    return AlarmView("HQ", kind, "", "HQ", NOW, "")


def test_jobs_in_trouble_are_named_above_all_else() -> None:
    """In their order, the longest first, five of them."""
    said = ("job.slow", "job.overdue", "job.overdue", "job.disabled", "job.stale", "job.short")
    rows = [
        replace(
            job(), job=Job(f"j{n}", f"Job {n}"), alarms=tuple(replace(one, since=NOW - n * DAY) for one in alarms(kind))
        )
        for n, kind in enumerate(said)
    ]
    choice = choose([*rows, job(Outcome("Success", NOW))], Asked(), NOW)
    assert [row.job.id for row in choice.worst] == ["j2", "j1", "j4", "j0", "j5"]
    assert choice.tally.of(Standing.OVERDUE) == 2


@pytest.mark.parametrize(
    ("limits", "slow"),
    [({}, 2), ({"slow_after": 4 * HOUR, "is_slow_usual": False}, 4), ({"is_slow_usual": False}, None)],
)
def test_when_a_run_is_slow_is_what_the_watchdogs_go_by(limits: dict[str, Any], slow: int | None) -> None:
    """What follows from the job's runs, what somebody has set, or nothing where they are switched off."""
    sheet = JobSheet(NOW, JobCard(job()), slow=2 * HOUR)
    override = Override(Match((("job", Pattern(("Mail",))),)), tuple(limits.items()))
    assert sheet.by(Rulebook(overrides=(override,))).slow == (slow * HOUR if slow else None)


def test_last_good_is_the_latest_that_is_known() -> None:
    """A run with warnings has a backup, too; a failure after it does not hide it."""
    assert job(Outcome("Warning", NOW, last_good=OLD)).last_good == NOW
    assert job(Outcome("Failed", NOW, 1, NOW, OLD)).last_good == OLD
    assert job(Outcome("Failed", NOW), last_backup=OLD).last_good == OLD
    assert job().last_good is None


def test_what_is_usual_are_the_good_runs() -> None:
    """The middle of their lengths and objects; what failed says nothing of it."""
    lengths = (10, 12, 14, 16, 100)
    runs = [
        Session(
            f"s{n}",
            "Success",
            created=NOW,
            ended=NOW + timedelta(minutes=n),
            statistics=Statistics(processed_objects=n),
        )
        for n in lengths
    ]
    bad = Session("bad", "Failed", created=NOW, ended=NOW + timedelta(minutes=1))
    its = usual([*runs, bad])
    assert (its.length, its.objects) == (timedelta(minutes=14), 14)
    assert usual([bad]).length is None


@pytest.mark.parametrize(
    ("terms", "is_silent"),
    [
        ((), True),
        ((("job", "mail"), ("server", "hq")), True),
        ((("server", "branch"),), False),
        ((("event", "session.failed"),), False),
        ((("job_type", "backup"),), True),
    ],
)
def test_a_job_is_silenced_by_what_means_all_of_it(terms: tuple[tuple[str, str], ...], is_silent: bool) -> None:
    """A silence of one event alone does not silence the job."""
    match = Match(tuple((term, Pattern((word,))) for term, word in terms))
    silence = Silence(match, OLD, NOW + DAY)
    assert (silenced(job(), [silence], NOW) is not None) == is_silent
    assert silenced(job(), [silence], NOW + 2 * DAY) is None


def test_servers_are_counted_by_themselves() -> None:
    """Each job once, for all and for its server; every page holds others."""
    rows = [
        JobRow(
            1,
            ServerRef("HQ" if n % 2 else "Branch"),
            Job(f"j{n}", f"Job {n}"),
            Outcome("Failed" if n < 3 else "Success", NOW),
        )
        for n in range(120)
    ]
    choice = choose(rows, Asked(), NOW)
    assert (choice.tally.jobs, choice.tally.of(Standing.FAILING), len(choice.worst)) == (120, 3, 3)
    assert {name: tally.jobs for name, tally in choice.by_server.items()} == {"HQ": 60, "Branch": 60}
    assert tallies([(row, 1) for row in rows], NOW) == choice.by_server
    alike = [(rows[0], 2), (rows[1], 1), (rows[3], 59), (rows[4], 58)]
    assert tallies(alike, NOW) == choice.by_server
    pages = [choose(rows, Asked("", page), NOW).rows for page in (1, 2, 3)]
    assert len({row.job.id for page in pages for row in page}) == 120
