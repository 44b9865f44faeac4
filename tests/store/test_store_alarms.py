"""What the watchdogs have told, what they ask for, and what a silence keeps back of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.store.store_values import GREETING, MINUTE, NOW, explain, meet, sent_statements, write
from watcher.core.event import JobRef, ServerRef, Thing
from watcher.core.followup import Diary, FollowUp, follow_up
from watcher.core.match import Match
from watcher.core.model import Failure, Session
from watcher.core.policy import Case, Policy, Route
from watcher.core.record import Known, Page
from watcher.core.ruling import Told
from watcher.core.silence import Silence
from watcher.core.wanted import EVENTS
from watcher.core.watchdog.alarm import Desk, Review, Says, Verdict, review
from watcher.core.watchdog.facts import Ledger, Past
from watcher.store import Store

POLICY = Policy((Route("r", EVENTS),), {"ops": ("a",)})
HOUR = timedelta(hours=1)
PROXY = Verdict("proxy.offline", "p1", Says.YES, "the proxy is offline", thing=Thing("p1", "proxy\x00-01"))
ONLINE = Verdict("proxy.offline", "p1", Says.NO, "it is online again")
LATE = Verdict("job.overdue", "j1", Says.YES, "it was due", since=NOW - HOUR, job=JobRef("j1", "Mail"))


def guard(store: Store, *verdicts: Verdict, now: object = NOW, jobs: Sequence[str] = ()) -> tuple[Review, Ledger]:
    """Judge a server so; returns what is said, and the ledger that it was judged by."""
    server, ledgers = meet(store), list[Ledger]()

    def decide(ledger: Ledger) -> Review:
        ledgers.append(ledger)
        case = Case(POLICY, now, ledger.silences)  # type: ignore[arg-type]
        return review(ledger.alarms, verdicts, Desk(ledger.server, now, case))  # type: ignore[arg-type]

    return store.guard(server.id, jobs, decide, now=now), ledgers[-1]  # type: ignore[arg-type]


def pending(store: Store) -> list[str]:
    return sorted(row.event for row in store.deliveries(state=None, limit=99))


def test_an_alarm_is_kept_with_who_was_told_until_it_is_over(store: Store) -> None:
    """Over restarts, too: the store is all there is."""
    said, before = guard(store, PROXY)
    assert before.alarms == {}
    assert pending(store) == ["proxy.offline"]
    again, ledger = guard(store, PROXY, now=NOW + MINUTE)
    assert again.is_empty
    alarm = ledger.alarms["proxy.offline", "p1"]
    assert (alarm.raised, alarm.event_id, alarm.thing) == (True, said.events[0].id, PROXY.thing)
    assert alarm.told == (Told("ops", "r", NOW),)
    guard(store, ONLINE, now=NOW + HOUR)
    assert pending(store) == ["proxy.offline", "proxy.offline.recovered"]
    assert guard(store)[1].alarms == {}


def test_what_was_seen_but_not_told_is_kept_as_well(store: Store) -> None:
    """Half a day is longer than some processes live."""
    off = Verdict("job.disabled", "j1", Says.YES, after=12 * HOUR)
    guard(store, off)
    assert pending(store) == []
    assert guard(store, off, now=NOW + 12 * HOUR)[0].events[0].happened == NOW
    assert pending(store) == ["job.disabled"]


def test_each_server_has_alarms_of_its_own(store: Store) -> None:
    """Ids of proxies may well be the same on two of them."""
    guard(store, PROXY)
    other = meet(store, "Branch", replace(GREETING, installation_id="2222"))
    ledgers: list[Ledger] = []

    def decide(ledger: Ledger) -> Review:
        ledgers.append(ledger)
        return Review()

    store.guard(other.id, [], decide, now=NOW)
    assert ledgers[0].alarms == {}
    assert ledgers[0].server == ServerRef("Branch", "2222")


def test_what_raises_while_it_is_decided_changes_nothing(store: Store) -> None:
    """All of it or nothing."""
    server = meet(store)
    calls: list[Ledger] = []

    def decide(ledger: Ledger) -> Review:
        calls.append(ledger)
        if len(calls) == 2:
            raise ValueError("no")
        return review({}, [PROXY], Desk(ledger.server, NOW, Case(POLICY, NOW)))

    with pytest.raises(ValueError, match="no"):
        store.guard(server.id, [], decide, now=NOW)
    assert (len(calls), pending(store), guard(store)[1].alarms) == (2, [], {})


def a_run(name: str, status: str, begun: float, ended: float | None, job: str = "j1") -> Known:
    end = NOW + ended * HOUR if ended is not None else None
    return Known(Session(name, status, job, created=NOW + begun * HOUR, ended=end), moved=NOW)


RUNS = (
    a_run("1", "Success", -50, -49),
    a_run("2", "Warning", -40, -39),
    a_run("3", "Failed", -30, -29),
    a_run("4", "Running", -1, None),
    a_run("5", "Success", -9, -8, "j2"),
)


def test_a_ledger_shows_what_runs_and_when_jobs_ran_last(store: Store) -> None:
    """A warning is a good end: there is a backup to restore from."""
    write(store, meet(store).id, Page(RUNS))
    ledger = guard(store, jobs=["j1", "j3"])[1]
    assert [known.session.id for known in ledger.open] == ["4"]
    assert ledger.open[0].moved == NOW
    assert ledger.past == {"j1": Past(NOW - HOUR, NOW - 29 * HOUR, NOW - 39 * HOUR), "j3": Past()}
    assert (ledger.failing, ledger.skew, ledger.met) == (False, 0.0, NOW)
    store.fail_look("HQ", now=NOW, error="gone", kind=Failure.UNREACHABLE)
    assert guard(store)[1].failing


def test_a_good_end_is_found_however_many_bad_ones_came_after(store: Store) -> None:
    """Usually the last sessions tell it, and a long history is not read."""
    bad = [a_run(f"b{number}", "Failed", number - 1000, number - 999.5) for number in range(900)]
    write(store, meet(store).id, Page((*RUNS, *bad[:20])))
    with sent_statements(store) as sent:
        first = guard(store, jobs=["j1"])[1].past["j1"]
    assert first == Past(NOW - HOUR, NOW - 29 * HOUR, NOW - 39 * HOUR)
    (asked,) = [statement for statement, _ in sent if "ORDER BY sessions.created DESC" in statement]
    assert "LIMIT" in asked
    write(store, meet(store).id, Page(tuple(a_run(f"c{n}", "Failed", -20 + n / 100, -19 + n / 100) for n in range(99))))
    assert guard(store, jobs=["j1"])[1].past["j1"].good == NOW - 39 * HOUR


def test_the_last_runs_of_a_job_are_found_by_an_index(store: Store) -> None:
    """Newest first, those that are over; a long history costs no more."""
    server = meet(store)
    write(store, server.id, Page(RUNS))
    with sent_statements(store) as sent:
        found = store.runs(server.id, ["j1", "j3"], most=2)
    assert [run.id for run in found["j1"]] == ["3", "2"]
    assert found["j3"] == ()
    assert "ix_sessions_server_id_job_id_created" in explain(store, *sent[0])


def follow(store: Store, now: object, *, policy: Policy = POLICY, with_failing: bool = False) -> FollowUp | None:
    def decide(diary: Diary) -> FollowUp:
        return follow_up(diary, policy, now)  # type: ignore[arg-type]

    return store.follow_up(decide, now=now, with_failing=with_failing)  # type: ignore[arg-type]


def test_what_a_silence_keeps_back_is_told_after_it_if_it_still_holds(store: Store) -> None:
    """And whoever is told then is told of its end."""
    store.silence(Silence(Match(), NOW, NOW + HOUR))
    guard(store, PROXY, LATE)
    assert pending(store) == []
    guard(store, Verdict("job.overdue", "j1", Says.NO, "it runs now"), now=NOW + HOUR / 2)
    assert pending(store) == []
    follow(store, NOW + HOUR)
    assert pending(store) == ["proxy.offline"]  # nobody knew that a job was overdue, so nobody hears that it is not
    assert guard(store)[1].alarms["proxy.offline", "p1"].told == (Told("ops", "r", NOW + HOUR),)
    assert follow(store, NOW + HOUR) is None
    guard(store, ONLINE, now=NOW + 2 * HOUR)
    assert pending(store) == ["proxy.offline", "proxy.offline.recovered"]


def test_an_end_in_a_silence_is_told_after_it_to_who_knew(store: Store) -> None:
    """Unless it is as bad as before by then."""
    guard(store, PROXY, LATE)
    store.silence(Silence(Match(), NOW, NOW + HOUR))
    guard(store, ONLINE, Verdict("job.overdue", "j1", Says.NO, "it runs now"), now=NOW + MINUTE)
    guard(store, replace(LATE, since=NOW), now=NOW + 2 * MINUTE)
    assert pending(store) == ["job.overdue", "proxy.offline"]
    follow(store, NOW + HOUR)
    assert pending(store) == ["job.overdue", "job.overdue", "proxy.offline", "proxy.offline.recovered"]


def test_an_alarm_that_lasts_is_told_again_at_its_pace(store: Store) -> None:
    """While its server answers, and not after its end; who was reminded stands in the store, over restarts."""
    policy = Policy((Route("r", EVENTS, remind_every=HOUR),), {"ops": ("a",)})
    guard(store, PROXY, replace(LATE, until=None), Verdict("job.disabled", "j2", Says.YES, after=12 * HOUR))
    follow(store, NOW + HOUR - MINUTE, policy=policy, with_failing=True)
    assert pending(store) == ["job.overdue", "proxy.offline"]
    for minutes in (60, 61, 119):
        follow(store, NOW + minutes * MINUTE, policy=policy, with_failing=True)
    assert pending(store) == ["job.overdue", "job.overdue.lasting", "proxy.offline", "proxy.offline.lasting"]
    assert guard(store)[1].alarms["proxy.offline", "p1"].told == (Told("ops", "r", NOW + HOUR, 1),)
    store.fail_look("HQ", now=NOW + HOUR, error="gone", kind=Failure.UNREACHABLE)
    guard(store, ONLINE, now=NOW + 2 * HOUR)
    follow(store, NOW + 2 * HOUR, policy=policy, with_failing=True)
    store.finish_look(meet(store).id, now=NOW + 3 * HOUR, greeting=GREETING, watermark=None, jobs={})
    guard(store, Verdict("job.overdue", "j1", Says.NO, "it runs now"), now=NOW + 3 * HOUR)
    follow(store, NOW + 9 * HOUR, policy=policy, with_failing=True)
    assert [kind for kind in pending(store) if kind.endswith(".lasting")] == [
        "job.overdue.lasting",
        "proxy.offline.lasting",
    ]
