"""What people look at, on every database: how all stands, one job in full, and whether anything has changed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store.store_values import (
    GREETING,
    MINUTE,
    NOW,
    event_of,
    explain,
    failed,
    meet,
    running,
    sent_statements,
    write,
)
from watcher.core.board import STRIP, Asked, tallies
from watcher.core.delivery import Settlement, State
from watcher.core.event import SESSION_FAILED, JobRef, Thing
from watcher.core.match import Match
from watcher.core.model import Job, LogLine, Session
from watcher.core.policy import Case, Policy
from watcher.core.record import Chain, End, Known, Outcome, Owed, Page
from watcher.core.ruling import Decision, Ruling, Step
from watcher.core.silence import Silence
from watcher.core.standing import RESTING_AFTER, Standing
from watcher.core.views import AlarmView
from watcher.core.watchdog.alarm import Desk, Review, Says, Verdict, review
from watcher.core.watchdog.facts import Ledger
from watcher.core.watchdog.running import RUNS, usual_limit
from watcher.store import Store

HOUR = timedelta(hours=1)
JOBS = {"job-1": Job("job-1", "HR - Mail", organization="contoso"), "job-2": Job("job-2", "Sites")}
RULING = Ruling((Step("all", takes=True, reason="named"),), (Decision("ops", True, "named", "all"),))


def good(number: int, job: str = "job-2") -> Known:
    """Make a good run that ended so many hours ago."""
    ended = NOW - number * HOUR
    session = Session(f"{job}-g{number}", "Success", job, created=ended - 20 * MINUTE, ended=ended)
    return Known(session, (End("Success", ended),))


def furnish(store: Store) -> int:
    """Put two jobs into the store: one that fails, of which one channel was told, and one that is good and runs."""
    server = meet(store).id
    store.announce([("HQ", "https://hq:4443")], [("ops", "json://host")], now=NOW)
    store.finish_look(server, now=NOW, greeting=GREETING, watermark=NOW, jobs=JOBS)
    event = replace(event_of(failed("s1")), log=(LogLine("error", "401 Unauthorized"),))
    page = Page(
        (
            failed("s1"),
            good(2),
            good(1),
            replace(running("r1"), session=replace(running("r1").session, job_id="job-2")),
        ),
        {"job-1": Outcome("Failed", NOW, 3, NOW - HOUR), "job-2": Outcome("Success", NOW - HOUR, last_good=NOW - HOUR)},
        (event,),
        (Owed(event.id, "ops", "json://host"),),
        rulings={event.id: RULING},
    )
    write(store, server, page)
    return server


def test_the_board_shows_how_each_job_stands(store: Store) -> None:
    """With its runs in their order, what runs now, why it fails, and what was told."""
    furnish(store)
    view = store.overview(Asked(), now=NOW)
    assert [(card.row.job.name, card.row.standing(NOW)) for card in view.cards] == [
        ("HR - Mail", Standing.FAILING),
        ("Sites", Standing.GOOD),
    ]
    assert [run.id for run in view.cards[1].runs] == ["job-2-g2", "job-2-g1", "r1"]
    assert view.cards[1].row.running is not None
    assert (view.causes, view.choice.tally.running) == (("401 Unauthorized",), 1)
    assert [(one.delivery.channel, one.event.type) for one in view.latest] == [("ops", SESSION_FAILED)]
    assert view.dead == ()
    assert [card.row.job.name for card in store.overview(Asked("sites"), now=NOW).cards] == ["Sites"]


def test_a_bad_end_that_waits_for_its_retry_is_no_failure_yet(store: Store) -> None:
    """It is shown as waiting, since when its run is held."""
    server = furnish(store)
    chain = Chain("s9", "job-2", ("s9",), failed("s9").session, held=NOW)
    write(store, server, Page(chains=(chain,)))
    rows = {row.job.name: row.standing(NOW) for row in store.standings()}
    assert rows == {"HR - Mail": Standing.FAILING, "Sites": Standing.RETRYING}


def test_jobs_that_stand_alike_are_counted_by_the_database(store: Store) -> None:
    """To what reading each of them comes to: plain ones, and those that run, wait, are told of, rest, or are new."""
    server = furnish(store)
    old, long_ago = NOW - 15 * 24 * HOUR, NOW - 20 * 24 * HOUR
    known = JOBS | {
        f"j{n}": Job(f"j{n}", "New", next_run=NOW if n == 8 else None, last_run=long_ago) for n in range(12)
    }
    store.finish_look(server, now=NOW, greeting=GREETING, watermark=NOW, jobs=known)
    ends = {
        "j0": Outcome("Success", NOW),
        "j1": Outcome("Warning", NOW),
        "j2": Outcome("Failed", NOW, 1, NOW),
        "j3": Outcome("Success", NOW - RESTING_AFTER),
        "j4": Outcome("Success", NOW - RESTING_AFTER - timedelta(microseconds=1)),
        "j5": Outcome("Failed", old, 1, old),
        "j6": Outcome("Success", old),
        "j7": Outcome("Success", NOW),
        "j8": Outcome("Success", old),
        "j9": Outcome("Stopped", NOW),
        "j10": Outcome("Success", None),
    }
    runs = tuple(replace(running(f"r{n}"), session=Session(f"r{n}", "Running", f"j{n}", created=NOW)) for n in (0, 6))
    write(store, server, Page(runs, ends, chains=(Chain("s9", "j7", ("s9",), failed("s9").session, held=NOW),)))
    tell(store, server, Verdict("job.disabled", "j1", Says.YES, "it is disabled", job=JobRef("j1", "New")))
    other = replace(GREETING, installation_id="other")
    gone = store.meet("Gone", "https://gone:4443", other, first_contact=NOW, news_from=NOW).id
    store.finish_look(gone, now=NOW, greeting=other, watermark=NOW, jobs=JOBS)
    write(store, gone, Page((), {"job-1": Outcome("Success", NOW)}))
    for moment in (NOW, NOW + HOUR, NOW + RESTING_AFTER, NOW + 2 * RESTING_AFTER):
        assert store.tallies(now=moment) == tallies([(row, 1) for row in store.standings()], moment)
    assert {name: tally.jobs for name, tally in store.tallies(now=NOW).items()} == {"HQ": 14, "Gone": 2}
    store.announce([("HQ", "https://hq:4443")], [("ops", "json://host")], now=NOW)
    found = store.tallies(now=NOW)
    assert list(found) == ["HQ"]
    assert (found["HQ"].running, found["HQ"].of(Standing.RESTING), found["HQ"].of(Standing.DISABLED)) == (3, 4, 1)


def test_a_job_in_full_has_its_logs_and_whom_it_was_told(store: Store) -> None:
    """Newest first, each end with its event, ruling and deliveries; a job that is not there is None."""
    furnish(store)
    sheet = store.sheet("HQ", "job-1", now=NOW)
    assert sheet is not None
    assert [known.session.id for known in sheet.sessions] == ["s1"]
    (account,) = sheet.told["s1"]
    assert (account.event.log[0].text, account.ruling) == ("401 Unauthorized", RULING)
    assert [(one.channel, one.state) for one in account.deliveries] == [("ops", State.PENDING)]
    assert store.sheet("HQ", "job-9", now=NOW) is None
    assert store.sheet("Branch", "job-1", now=NOW) is None


def test_what_was_given_up_and_what_is_silenced_is_shown(store: Store) -> None:
    """The dead with their event; silences while they are in force."""
    furnish(store)
    (row,) = store.claim("ops", now=NOW, owner="me", lease=MINUTE, limit=1)
    store.settle({row.id: Settlement(State.DEAD, "404")}, owner="me", now=NOW)
    store.silence(Silence(Match(), NOW - MINUTE, NOW + MINUTE, "ann"))
    view = store.overview(Asked(), now=NOW)
    assert [one.delivery.last_error for one in view.dead] == ["404"]
    assert [one.author for one in view.silences] == ["ann"]
    assert store.overview(Asked(), now=NOW + HOUR).silences == ()


def tell(store: Store, server: int, *verdicts: Verdict) -> None:
    """Let the watchdogs say so."""

    def decide(ledger: Ledger) -> Review:
        return review(ledger.alarms, verdicts, Desk(ledger.server, NOW, Case(Policy((), {}), NOW)))

    store.guard(server, [], decide, now=NOW)


def test_what_the_watchdogs_have_told_stands_at_the_job_and_in_the_status(store: Store) -> None:
    """Each job's and run's with its reason, those of servers by themselves; not what was seen but not told yet."""
    server = furnish(store)
    mail, sites = JobRef("job-1", "HR - Mail"), JobRef("job-2", "Sites")
    run = running("r1").session
    tell(
        store,
        server,
        Verdict("job.overdue", "job-2", Says.YES, "it was due", since=NOW - HOUR, job=sites),
        Verdict("job.slow", "r1", Says.YES, "it runs long", since=NOW - MINUTE, job=sites, session=run),
        Verdict("job.disabled", "job-1", Says.YES, "it is disabled", after=12 * HOUR, job=mail),
        Verdict("proxy.offline", "p1", Says.YES, "the proxy is offline", thing=Thing("p1", "proxy-01")),
        Verdict("license.expiring", "l1", Says.YES, "the license ends in 7 d", thing=Thing("l1", "")),
    )
    view = store.overview(Asked(), now=NOW)
    assert view.status == store.status(now=NOW)
    assert view.status.alarms == (
        AlarmView("HQ", "job.overdue", "job-2", "Sites", NOW - HOUR, "it was due"),
        AlarmView("HQ", "job.slow", "r1", "Sites", NOW - MINUTE, "it runs long"),
        AlarmView("HQ", "license.expiring", "l1", "HQ", NOW, "the license ends in 7 d"),
        AlarmView("HQ", "proxy.offline", "p1", "proxy-01", NOW, "the proxy is offline"),
    )
    assert [card.row.standing(NOW) for card in view.cards] == [Standing.FAILING, Standing.OVERDUE]
    assert view.causes == ("401 Unauthorized", "it was due")
    assert tuple(card.cause for card in view.cards) == view.causes
    row = view.cards[1].row
    assert (view.cards[0].row.alarms, [one.kind for one in row.alarms]) == ((), ["job.overdue", "job.slow"])
    assert row.running is not None
    assert [one.kind for one in row.of_run(row.running)] == ["job.slow"]
    sheet = store.sheet("HQ", "job-2", now=NOW)
    assert sheet is not None
    assert (sheet.card.row, sheet.card.cause) == (row, "it was due")
    store.announce([("Branch", "https://branch:4443")], [("ops", "json://host")], now=NOW)
    assert store.status(now=NOW).alarms == ()  # nobody watches that server any more


def test_what_would_be_slow_is_what_the_watchdogs_go_by(store: Store) -> None:
    """From the same runs, not only from those that are shown; the one that runs now is none of them."""
    server = furnish(store)
    long = replace(good(80).session, id="long", created=NOW - 90 * HOUR, ended=NOW - 80 * HOUR)
    longer = [Known(replace(long, id=f"long-{n}"), good(80).settled) for n in range(3)]
    write(store, server, Page((*(good(number) for number in range(3, 79)), *longer)))
    sheet = store.sheet("HQ", "job-2", now=NOW)
    assert sheet is not None
    assert sheet.slow == 10 * HOUR
    assert usual_limit(known.session for known in sheet.sessions) == 80 * MINUTE  # twice: it tells of two days only
    assert sheet.slow == usual_limit(store.runs(server, ["job-2"], most=RUNS)["job-2"])


CHANGES: dict[str, Callable[[Store], object]] = {
    "a look that failed": lambda store: store.fail_look("HQ", now=NOW + MINUTE, error="no route"),
    "a session that ended": lambda store: write(store, 1, Page((good(-1),)), now=NOW + MINUTE),
    "a session that went on": lambda store: write(
        store, 1, Page((Known(replace(running("r1").session, job_id="job-2", progress=7)),))
    ),
    "a delivery": lambda store: store.claim("ops", now=NOW, owner="me", lease=MINUTE, limit=1),
    "an alarm": lambda store: tell(store, 1, Verdict("proxy.offline", "p1", Says.YES, after=HOUR)),
    "a silence": lambda store: store.silence(Silence(Match(), NOW, NOW + HOUR)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_pulse_changes_with_what_people_look_at(store: Store, change: str) -> None:
    """And stays the same while nothing happens."""
    assert furnish(store) == 1
    before = store.pulse()
    assert store.pulse() == before
    CHANGES[change](store)
    assert store.pulse() != before


def test_the_runs_of_one_job_are_found_by_an_index(store: Store) -> None:
    """However many sessions there are of others."""
    furnish(store)
    with sent_statements(store) as sent:
        store.overview(Asked(), now=NOW)
        store.pulse()
        store.sheet("HQ", "job-2", now=NOW)
    asked = [(statement, values) for statement, values in sent if "FROM sessions" in statement]
    assert len(asked) >= 5
    for statement, values in asked:
        plan = explain(store, statement, values)
        if "LIMIT" in statement:
            assert "ix_sessions_server_id_job_id_created" in plan
            assert "TEMP B-TREE" not in plan
            assert "Sort" not in plan
        else:
            assert "ix_sessions_settled" in plan or "ix_sessions_open" in plan


def test_no_more_is_read_than_is_shown(store: Store) -> None:
    """The last thirty of a hundred runs."""
    server = furnish(store)
    write(store, server, Page(tuple(good(number) for number in range(3, 103))))
    view = store.overview(Asked("sites"), now=NOW)
    assert len(view.cards[0].runs) == STRIP
    assert view.cards[0].runs[-1].id == "r1"
