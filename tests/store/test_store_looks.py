"""The contract of the poll side, on every database: servers, what is remembered, and pages as one transaction."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select

from tests.store.store_values import GREETING, MINUTE, NOW, event_of, failed, meet, older, page_of, read, running, write
from watcher.core.model import Job
from watcher.core.record import Chain, Known, Ledger, Outcome, Owed, Page, Refusal
from watcher.store import Store, StoreError
from watcher.store.schema import servers

REFUSAL = Refusal(NOW, "salt", "hash")


def test_a_server_is_unknown_until_it_was_met(store: Store) -> None:
    """Neither an announcement nor a failed look makes a first contact."""
    store.announce([("HQ", "https://hq:4443")], [], now=NOW)
    store.fail_look("HQ", now=NOW, error="no route")
    assert store.server("HQ") is None
    assert store.server("HQ", GREETING.installation_id) is None


def test_the_first_contact_is_stored_once(store: Store) -> None:
    """A server that is met again keeps the moments of its first meeting."""
    first = meet(store)
    again = meet(store, at=NOW + MINUTE)
    assert (first.first_contact, first.news_from) == (NOW, NOW - MINUTE)
    assert again == first == store.server("HQ")


def test_an_announced_server_gets_its_first_contact_when_met(store: Store) -> None:
    """A row that was only a name is filled in, not doubled."""
    store.announce([("HQ", "https://hq:4443")], [], now=NOW - MINUTE)
    record = meet(store)
    assert record.first_contact == NOW
    assert [server.name for server in store.status(now=NOW).servers] == ["HQ"]


def test_a_renamed_server_keeps_its_history(store: Store) -> None:
    """The installation is what a server is known by, so a new name in the settings finds the old record."""
    old = meet(store, "HQ")
    store.announce([("Berlin", "https://berlin:4443")], [], now=NOW)
    new = meet(store, "Berlin", at=NOW + MINUTE)
    assert new == replace(old, ref=replace(old.ref, name="Berlin"))
    assert store.server("HQ") is None
    assert [(server.name, server.url) for server in store.status(now=NOW).servers] == [
        ("Berlin", "https://berlin:4443")
    ]
    with store._engine.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(servers)) == 1


def test_two_servers_may_swap_their_names(store: Store) -> None:
    """Each record follows its installation, whatever the settings call it now."""
    one, two = GREETING, replace(GREETING, installation_id="22222222-bbbb")
    first, second = meet(store, "A", one), meet(store, "B", two)
    assert meet(store, "B", one).id == first.id
    assert meet(store, "A", two).id == second.id
    assert {server.name for server in store.status(now=NOW).servers} == {"A", "B"}


def test_an_installation_is_filled_in_after_an_upgrade(store: Store) -> None:
    """A server known by its name alone gets its installation once a newer version tells it."""
    old = meet(store, greeting=older(GREETING))
    assert old.ref.installation_id is None
    upgraded = meet(store)
    assert (upgraded.id, upgraded.ref.installation_id) == (old.id, GREETING.installation_id)
    assert store.server("any", GREETING.installation_id) == upgraded


def test_another_installation_under_a_name_leaves_the_record(store: Store) -> None:
    """Who answers under a known name does not change what it is known as; deciding on that is for others."""
    old = meet(store)
    assert meet(store, greeting=replace(GREETING, installation_id="22222222-bbbb")) == old
    assert meet(store, greeting=older(GREETING)) == old


def test_a_page_is_known_and_owed_afterwards(store: Store) -> None:
    """What a page says is what the next ledger and the outbox say."""
    server = meet(store)
    page = page_of(failed("s1"), channels=["ops", "boss"])
    assert write(store, server.id, page) == Ledger()
    assert read(store, server.id, "s1", "s2") == Ledger({"s1": failed("s1")}, page.outcomes)
    assert {(row.channel, row.state, row.created) for row in store.deliveries(state=None, limit=9)} == {
        ("boss", "pending", NOW),
        ("ops", "pending", NOW),
    }


def test_record_returns_the_page_it_stored(store: Store) -> None:
    """The caller gets back what was written, to speak of it."""
    page = page_of(failed("s1"))
    assert store.record(meet(store).id, ["s1"], [], lambda _: page, now=NOW) == page


@pytest.mark.parametrize("fault", ["write", "event", "owed"])
def test_a_page_is_stored_whole_or_not_at_all(store: Store, fault: str) -> None:
    """Whether the judgement, an event or a debt fails: nothing of the page is known or owed."""
    server = meet(store)
    good = page_of(failed("s1"), failed("s2"))

    def judge(_: Ledger) -> Page:
        if fault == "write":
            raise ZeroDivisionError
        if fault == "event":
            return replace(good, events=(good.events[0], replace(good.events[1], happened=NOW.replace(tzinfo=None))))
        return replace(good, owed=(*good.owed, Owed("no such event", "ops", "")))

    with pytest.raises(ZeroDivisionError if fault == "write" else StoreError):
        store.record(server.id, ["s1"], [], judge, now=NOW)
    assert read(store, server.id, "s1", "s2") == Ledger()
    assert store.deliveries(state=None, limit=9) == []


def test_a_repeated_page_owes_nothing_twice(store: Store) -> None:
    """The same page again, even with a delivered row in between, changes nothing."""
    server = meet(store)
    page = page_of(failed("s1"), channels=["ops", "boss"], destinations=["a", "b"])
    write(store, server.id, page)
    before = store.deliveries(state=None, limit=99)
    assert len(before) == 4
    write(store, server.id, page, now=NOW + MINUTE)
    assert store.deliveries(state=None, limit=99) == before


def test_a_destination_is_owed_an_event_once(store: Store) -> None:
    """One page that owes the same thing twice owes it once."""
    page = page_of(failed("s1"))
    write(store, meet(store).id, replace(page, owed=page.owed * 2, events=page.events * 2))
    assert len(store.deliveries(state=None, limit=9)) == 1


def test_servers_do_not_share_sessions(store: Store) -> None:
    """The same session id on two servers is two sessions, with two outcomes for the same job id."""
    one, two = meet(store, "A"), meet(store, "B", replace(GREETING, installation_id="22222222-bbbb"))
    write(store, one.id, Page((failed("s1"),), {"job-1": Outcome("Failed")}))
    write(store, two.id, Page((running("s1"),), {"job-1": Outcome("Success")}))
    assert read(store, one.id, "s1") == Ledger({"s1": failed("s1")}, {"job-1": Outcome("Failed")})
    assert read(store, two.id, "s1") == Ledger({"s1": running("s1")}, {"job-1": Outcome("Success")})


def test_thousands_of_sessions_fit_into_one_page(store: Store) -> None:
    """A first look at a big server is more than one statement can ask for, and still one transaction."""
    server = meet(store)
    many = tuple(failed(f"s{number}") for number in range(2000))
    write(store, server.id, page_of(*many))
    write(store, server.id, page_of(*many))
    ledger = read(store, server.id, *(known.session.id for known in many), "s0", "another")
    assert ledger.sessions == {known.session.id: known for known in many}
    assert store.status(now=NOW).outbox.pending == 2000


def test_a_ledger_may_be_asked_for_more_than_a_statement_can_hold(store: Store) -> None:
    """No number of ids runs into a database's limit of parameters."""
    server = meet(store)
    write(store, server.id, Page((failed("s69999"),)))
    ledger = read(store, server.id, *(f"s{number}" for number in range(70_000)))
    assert ledger.sessions == {"s69999": failed("s69999")}


def test_the_memory_holds_open_sessions_only(store: Store) -> None:
    """What ended or was given up is not asked for again; what opened again is."""
    server = meet(store)
    vanished = replace(running("s3"), closed=True)
    nameless = Known(replace(running("s4").session, status="", created=None))
    write(store, server.id, Page((running("s1"), failed("s2"), vanished, nameless)))
    memory = store.memory(server.id, horizon=NOW)
    assert (memory.horizon, memory.watermark, memory.open) == (NOW, None, {"s1": NOW, "s4": None})
    write(store, server.id, Page((failed("s1"), running("s2"))))
    assert store.memory(server.id, horizon=NOW).open.keys() == {"s2", "s4"}


@pytest.mark.parametrize("later", [None, NOW - MINUTE, NOW])
def test_the_watermark_never_moves_back(store: Store, later: datetime | None) -> None:
    """A look that saw nothing, or only older ends, leaves the mark where it was."""
    server = meet(store)
    store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=NOW, jobs={})
    store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=later, jobs={})
    assert store.memory(server.id, horizon=NOW).watermark == NOW
    store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=NOW + MINUTE, jobs={})
    assert store.memory(server.id, horizon=NOW).watermark == NOW + MINUTE


def test_a_finished_look_says_how_the_server_is(store: Store) -> None:
    """Version, skew and both times are kept, and what failed before is forgotten."""
    server = meet(store)
    store.fail_look(server.id, now=NOW, error="no route", refusal=REFUSAL)
    store.finish_look(server.id, now=NOW + MINUTE, greeting=GREETING, watermark=None, jobs={})
    assert store.server("HQ") == replace(
        server,
        api_version="v8",
        skew=timedelta(seconds=-1.5),
        last_poll=NOW + MINUTE,
        last_success=NOW + MINUTE,
    )
    assert store.refusal("HQ") is None


def test_a_failed_look_keeps_what_was_good(store: Store) -> None:
    """The error and the time of the try are noted; the last success, the mark and an earlier refusal stay."""
    server = meet(store)
    store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=NOW, jobs={})
    store.fail_look("HQ", now=NOW + MINUTE, error="401", refusal=REFUSAL)
    store.fail_look(server.id, now=NOW + 2 * MINUTE, error="no route")
    record = store.server("HQ")
    assert record is not None
    assert (record.last_poll, record.last_success, record.last_error) == (NOW + 2 * MINUTE, NOW, "no route")
    assert (record.watermark, record.refusal) == (NOW, REFUSAL)


def test_the_refused_login_of_a_server_never_met_outlives_a_restart(opened: Callable[[], Store]) -> None:
    """Accounts get locked by trying again, so a restart must not forget."""
    first = opened()
    assert first.refusal("HQ") is None
    first.fail_look("HQ", now=NOW, error="the login was refused", refusal=REFUSAL)
    first.close()
    second = opened()
    assert second.refusal("HQ") == REFUSAL
    (shown,) = second.status(now=NOW).servers
    assert (shown.name, shown.reachable, shown.last_error) == ("HQ", False, "the login was refused")


def test_what_was_stored_outlives_a_restart(opened: Callable[[], Store]) -> None:
    """Server, memory, ledger and outbox are the same after opening again."""
    first = opened()
    server = meet(first)
    write(first, server.id, page_of(failed("s1")))
    write(first, server.id, Page((running("s2"),)))
    rows = first.deliveries(state=None, limit=9)
    first.close()
    second = opened()
    assert second.server("HQ") == server
    assert second.memory(server.id, horizon=NOW).open == {"s2": NOW}
    assert read(second, server.id, "s1").sessions == {"s1": failed("s1")}
    assert second.deliveries(state=None, limit=9) == rows


def test_jobs_give_their_sessions_a_name(store: Store) -> None:
    """A job's name shows as soon as it is known, follows a renaming, and stays when the job is gone."""
    server = meet(store)
    write(store, server.id, Page((failed("s1"),)))

    def shown(jobs: dict[str, Job]) -> str | None:
        store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=None, jobs=jobs)
        return store.sessions(limit=1)[0].job

    assert shown({}) == "job-1"
    assert shown({"job-1": Job("job-1", "Mail"), "job-2": Job("job-2", "Other")}) == "Mail"
    assert shown({"job-1": Job("job-1", "Mail and files")}) == "Mail and files"
    assert shown({}) == "Mail and files"


def test_an_unknown_server_is_an_error_not_an_empty_memory(store: Store) -> None:
    """A row that is not there must not look like a server without sessions."""
    with pytest.raises(StoreError, match="no such row"):
        store.memory(404, horizon=NOW)
    with pytest.raises(StoreError, match="no such row"):
        read(store, 404)


def test_one_event_from_two_servers_is_kept_once(store: Store) -> None:
    """One installation watched under two names makes the same event id, and it is told once."""
    server = meet(store)
    page = page_of(failed("s1"))
    write(store, server.id, page)
    other = meet(store, "B", replace(GREETING, installation_id="22222222-bbbb"))
    write(store, other.id, replace(page, events=(replace(event_of(failed("s1")), reason="seen elsewhere"),)))
    (row,) = store.claim("ops", now=NOW, owner="me", lease=MINUTE, limit=9)
    assert row.event == page.events[0]


def chain_of(name: str, **fields: object) -> Chain:
    """Make a run of job-1 whose first attempt has ended badly."""
    usual = {"job_id": "job-1", "attempts": (name,), "last": failed(name).session, "came_from": "Running"}
    return Chain(name, **{**usual, **fields})  # type: ignore[arg-type]  # as free as its callers


def test_a_run_with_retries_is_kept_until_it_is_over(store: Store) -> None:
    """All that are under way stand in every ledger; those that are over only where they are spoken of."""
    server = meet(store)
    waiting = chain_of("a", held=NOW)
    over = chain_of("b", told=True, over=NOW)
    write(store, server.id, Page(chains=(waiting, over)))
    assert store.memory(server.id, horizon=NOW).held == NOW
    assert read(store, server.id, "x").chains == {"a": waiting}
    assert read(store, server.id, "b").chains == {"a": waiting, "b": over}

    write(store, server.id, Page(chains=(replace(waiting, held=None, over=NOW),)))
    assert read(store, server.id, "x").chains == {}
    assert store.memory(server.id, horizon=NOW).held is None


def test_how_the_job_of_a_waiting_run_stands_is_always_known(store: Store) -> None:
    """When it is told at last, no session of its job need be in sight."""
    server = meet(store)
    outcome = Outcome("Success", NOW)
    write(store, server.id, Page(chains=(chain_of("a", held=NOW),), outcomes={"job-1": outcome}))
    ledgers: list[Ledger] = []

    def judge(ledger: Ledger) -> Page:
        ledgers.append(ledger)
        return Page()

    store.record(server.id, [], [], judge, now=NOW)
    assert ledgers[0].outcomes == {"job-1": outcome}


def test_old_runs_are_forgotten_with_their_sessions(store: Store) -> None:
    """But never one in which something still waits."""
    server = meet(store)
    write(store, server.id, Page(chains=(chain_of("a", held=NOW), chain_of("b", over=NOW), chain_of("c", told=True))))
    store.prune(before=NOW + timedelta(days=2))
    assert read(store, server.id, "a", "b", "c").chains.keys() == {"a"}


def test_another_installation_takes_the_name(store: Store) -> None:
    """With the moment of its first contact and the event that says so; the record of before stays, by its number."""
    old = meet(store)
    other = replace(GREETING, installation_id="22222222-bbbb")
    event = event_of(failed("s1"))
    page = Page(events=(event,), owed=(Owed(event.id, "ops", ""),))
    new = store.replace(old, "https://hq:4443", other, lambda _: page, first_contact=NOW + MINUTE, now=NOW)
    assert (new.ref.name, new.ref.installation_id, new.first_contact) == ("HQ", "22222222-bbbb", NOW + MINUTE)
    assert new.id != old.id
    assert store.server("", GREETING.installation_id) is not None
    assert [row.channel for row in store.deliveries(state=None, limit=9)] == ["ops"]
    assert [server.name for server in store.status(now=NOW).servers] == ["HQ"]


def test_a_doubt_is_kept_until_a_look_succeeds(store: Store) -> None:
    """Who answered in the known one's place is remembered over a restart."""
    server = meet(store)
    store.fail_look("HQ", now=NOW, error="another answers", doubted="22222222-bbbb")
    assert meet(store).doubted == "22222222-bbbb"
    store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=None, jobs={})
    assert meet(store).doubted is None


def test_what_is_unlike_what_is_known(store: Store) -> None:
    """Unknown sessions, and those with another status or end; progress makes no difference."""
    server = meet(store)
    write(store, server.id, Page((failed("same"), running("open"), failed("later"))))
    shown = [
        replace(failed("same").session, progress=9),
        running("open").session,
        replace(failed("later").session, ended=NOW + MINUTE),
        failed("new").session,
    ]
    assert store.unlike(server.id, shown) == {"later", "new"}
    assert store.unlike(server.id, [replace(running("open").session, status="Queued")]) == {"open"}


def test_a_sweep_and_a_long_reading_are_noted(store: Store) -> None:
    """When the last sweep was outlives a restart; how far a reading is goes with the end of the look."""
    server = meet(store)
    store.swept(server.id, now=NOW)
    store.note_reading("HQ", "job 1 of 2")
    assert meet(store).swept == NOW
    assert store.status(now=NOW).servers[0].reading == "job 1 of 2"
    store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=None, jobs={}, feed_token="T1")
    assert store.status(now=NOW).servers[0].reading is None
    assert meet(store).feed_token == "T1"
    store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=None, jobs={})
    assert meet(store).feed_token == "T1"
