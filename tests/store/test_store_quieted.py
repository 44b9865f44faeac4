"""Silences, what they keep back, and failures that last."""

from dataclasses import replace
from datetime import timedelta

from tests.store.store_values import GREETING, MINUTE, NOW, event_of, failed, meet, read, write
from watcher.core.event import JobRef
from watcher.core.followup import Diary, FollowUp, follow_up
from watcher.core.match import Match, pattern
from watcher.core.model import Greeting
from watcher.core.page import owed
from watcher.core.policy import Case, Policy, Route, rule
from watcher.core.record import Outcome, Page
from watcher.core.ruling import Told
from watcher.core.silence import Silence
from watcher.core.wanted import EVENTS
from watcher.store import Store

POLICY = Policy((Route("r", EVENTS, remind_every=timedelta(hours=1)),), {"ops": ("a",)})
HOUR = timedelta(hours=1)


def silence(**fields: object) -> Silence:
    match = Match((("server", pattern(["HQ"])),))
    given = {"begins": NOW, "ends": NOW + HOUR, "author": "ann", "reason": "patch\x00 day"} | fields
    return Silence(match, **given)  # type: ignore[arg-type]


def test_a_silence_is_kept_and_ends(store: Store) -> None:
    """Its number, its author and its reason come back; one that has ended cannot be ended again."""
    number = store.silence(silence())
    (kept,) = store.silences(limit=9)
    assert (kept.id, kept.author, kept.reason, kept.ends) == (
        number,
        "ann",
        "patch\N{REPLACEMENT CHARACTER} day",
        NOW + HOUR,
    )
    assert kept.match == silence().match
    assert store.end_silence(number, now=NOW + MINUTE)
    assert not store.end_silence(number, now=NOW + MINUTE)
    assert not store.end_silence(4711, now=NOW)


def test_only_silences_of_the_moment_are_shown_to_a_page(store: Store) -> None:
    """One that is over, and one that is still to come, say nothing."""
    server = meet(store)
    over, now, later = (store.silence(silence(begins=NOW + n * HOUR, ends=NOW + (n + 1) * HOUR)) for n in (-1, 0, 1))
    assert over < now < later
    assert [one.id for one in write(store, server.id, Page()).silences] == [now]


def mute(store: Store) -> str:
    """Let a failure be kept back by a silence; return its event."""
    server = meet(store)
    store.silence(silence())
    known = failed("s1")
    told = replace(event_of(known), job=JobRef("job-1", "Mail"))
    ruling = rule(told, Case(POLICY, NOW, tuple(store.silences(limit=1))))
    outcome = Outcome("Failed", known.session.ended, 1, known.session.ended)
    debts = tuple(owed(told, ruling, POLICY))
    write(store, server.id, Page((known,), {"job-1": outcome}, (told,), debts, rulings={told.id: ruling}))
    store.finish_look(server.id, now=NOW, greeting=Greeting("v8"), watermark=NOW, jobs={})
    return told.id


def go_on(store: Store, minutes: float, *, with_failing: bool = False) -> FollowUp | None:
    now = NOW + minutes * MINUTE
    return store.follow_up(lambda diary: follow_up(diary, POLICY, now), now=now, with_failing=with_failing)


def test_what_a_silence_keeps_back_is_counted_and_told_when_it_ends(store: Store) -> None:
    """Nothing is owed before; afterwards it is, once."""
    told = mute(store)
    assert store.silences(limit=1)[0].muted == 1
    assert store.deliveries(state=None, limit=9) == []
    assert go_on(store, 59) == FollowUp()
    assert store.deliveries(state=None, limit=9) == []
    found = go_on(store, 61)
    assert found is not None
    assert found.let_go == (told,)
    assert [row.event_id for row in store.deliveries(state=None, limit=9)] == [told]
    assert go_on(store, 62) is None
    (trail,) = store.trails("s1")
    assert trail.told[0].ruling == found.rulings[told]


def test_a_failure_that_lasts_is_told_again(store: Store) -> None:
    """Once for each hour here, while its server answers."""
    mute(store)
    go_on(store, 61)
    assert go_on(store, 120, with_failing=True) == FollowUp()
    found = go_on(store, 122, with_failing=True)
    assert found is not None
    assert [event.type for _, event in found.events] == ["job.failing"]
    assert [row.event for row in store.deliveries(state=None, limit=9)] == ["job.failing", "session.failed"]
    assert go_on(store, 123, with_failing=True) == FollowUp()
    store.fail_look("HQ", now=NOW, error="does not answer")
    assert go_on(store, 500, with_failing=True) == FollowUp()


def test_who_was_told_is_kept_with_the_job(store: Store) -> None:
    """The recovery goes to them, also after a restart."""
    server = meet(store)
    told = (Told("ops", "r", NOW), Told("hr", "night", NOW, 2))
    write(store, server.id, Page(outcomes={"job-1": Outcome("Failed", NOW, 1, NOW, None, told)}))
    assert read(store, server.id).outcomes["job-1"].told == told


def test_a_trail_leads_from_a_session_to_who_was_told(store: Store) -> None:
    """The beginning of its id is enough, and `%` is no wildcard."""
    mute(store)
    (trail,) = store.trails("s")
    assert (trail.server, trail.known.session.id, len(trail.told)) == ("HQ", "s1", 1)
    assert store.trails("%") == []
    assert store.trails("other") == []


def test_an_empty_diary_needs_no_write(store: Store) -> None:
    """It is asked every second or so."""

    def never(_: Diary) -> FollowUp:
        raise AssertionError

    assert store.follow_up(never, now=NOW, with_failing=False) is None


def test_a_server_that_does_not_answer_is_told_once_and_its_return_to_who_knew(store: Store) -> None:
    """Over restarts: all of it stands in the server's row."""
    server = meet(store)
    for minute in range(7):
        store.fail_look("HQ", now=NOW + minute * MINUTE, error="no route", kind="unreachable")
        go_on(store, minute)
    assert [row.event for row in store.deliveries(state=None, limit=9)] == ["server.unreachable"]
    store.finish_look(server.id, now=NOW + 8 * MINUTE, greeting=GREETING, watermark=None, jobs={})
    go_on(store, 8)
    go_on(store, 9)
    assert [row.event for row in store.deliveries(state=None, limit=9)] == ["server.recovered", "server.unreachable"]
    assert go_on(store, 10) is None


def test_a_server_that_was_never_met_is_told_of_as_well(store: Store) -> None:
    """A wrong password in the first minute of the service is what its owner should hear of."""
    store.fail_look("New", now=NOW, error="refused", kind="login_refused")
    go_on(store, 0)
    assert [row.event for row in store.deliveries(state=None, limit=9)] == ["server.unauthorized"]


def test_a_server_that_is_in_no_settings_any_more_is_nobodys_business(store: Store) -> None:
    """Whether it answers or not."""
    store.fail_look("Old", now=NOW, error="refused", kind="login_refused")
    store.announce([("HQ", "https://hq")], [], now=NOW)
    assert go_on(store, 10) is None
