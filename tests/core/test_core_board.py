"""How a job stands for people, what is usual for it, and when it is silenced."""

from datetime import UTC, datetime, timedelta

import pytest

from watcher.core.board import Asked, choose, silenced, tallies, usual
from watcher.core.event import ServerRef
from watcher.core.match import Match, Pattern
from watcher.core.model import Job, Session, Statistics
from watcher.core.record import Outcome
from watcher.core.silence import Silence
from watcher.core.standing import JobRow, Standing

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
OLD = NOW - 15 * DAY
RUNS = Session("s", "Running", "j")


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
    assert tallies(rows, NOW) == choice.by_server
    pages = [choose(rows, Asked("", page), NOW).rows for page in (1, 2, 3)]
    assert len({row.job.id for page in pages for row in page}) == 120
