"""The contract of the readers, on every database: the views, what an idle look costs, and what is forgotten."""

from dataclasses import replace
from datetime import datetime, timedelta

from tests.store.store_values import (
    GREETING,
    MINUTE,
    NOW,
    failed,
    meet,
    owe,
    page_of,
    read,
    running,
    sent_statements,
    write,
)
from watcher.core.delivery import Settlement, State
from watcher.core.model import Job
from watcher.core.record import Known, Page
from watcher.core.views import ChannelView, DeliveryView, OutboxView, ServerView, SessionView
from watcher.store import Store

DAY = timedelta(days=1)
LATER = NOW + 400 * DAY


def settle(store: Store, delivery_id: int, state: State, *, now: datetime) -> None:
    """Claim all that is due and settle one row."""
    store.claim("ops", now=now, owner="me", lease=MINUTE, limit=100)
    assert store.settle({delivery_id: Settlement(state, "because")}, owner="me", now=now)


def test_an_empty_database_has_an_empty_status(store: Store) -> None:
    """Before anything was announced there is nothing to show, and nothing fails."""
    status = store.status(now=NOW)
    assert (status.servers, status.channels) == ((), ())
    assert status.outbox == OutboxView(pending=0, dead=0, oldest_seconds=0.0)
    assert store.sessions(limit=9) == []
    assert store.deliveries(state=None, limit=9) == []


def test_status_shows_each_server_as_it_stands(store: Store) -> None:
    """Not tried yet, reached, and failed after a success are three different things."""
    store.announce([("A", "https://a"), ("B", "https://b"), ("C", "https://c")], [], now=NOW)
    for number, name in enumerate("BC"):
        record = meet(store, name, replace(GREETING, installation_id=name))
        store.finish_look(record.id, now=NOW, greeting=GREETING, watermark=None, jobs={})
        write(store, record.id, Page(tuple(running(f"s{session}") for session in range(number + 1))))
    store.fail_look("C", now=NOW + MINUTE, error="no route")
    assert store.status(now=NOW).servers == (
        ServerView("A", "https://a", None, None, None, None, 0, None, None, None),
        ServerView("B", "https://b:4443", "v8", True, NOW, NOW, 1, None, NOW, -1.5),
        ServerView("C", "https://c:4443", "v8", False, NOW + MINUTE, NOW, 2, "no route", NOW, -1.5, None, NOW + MINUTE),
    )


def test_a_server_that_left_the_settings_is_not_shown(store: Store) -> None:
    """It keeps its sessions, and is shown again once it is back."""
    write(store, meet(store).id, Page((failed("s1"),)))
    store.announce([("B", "https://b")], [], now=NOW)
    assert [server.name for server in store.status(now=NOW).servers] == ["B"]
    assert [session.server for session in store.sessions(limit=9)] == ["HQ"]
    store.announce([("HQ", "https://new")], [], now=NOW)
    (back,) = store.status(now=NOW).servers
    assert (back.name, back.url, back.first_contact) == ("HQ", "https://new", NOW)


def test_status_counts_what_is_owed_to_each_channel(store: Store) -> None:
    """Channels of the settings show always, those that are gone only while they owe."""
    store.announce([], [("idle", "json://idle"), ("left", "json://left"), ("ops", "json://ops")], now=NOW)
    owe(store, 2, now=NOW)
    (dead,) = owe(store, now=NOW + MINUTE)
    settle(store, dead, State.DEAD, now=NOW + MINUTE)
    owe(store, channel="boss", now=NOW + MINUTE)
    store.announce([], [("idle", "json://idle"), ("ops", "json://ops")], now=NOW)
    status = store.status(now=NOW + 2 * MINUTE)
    assert status.outbox == OutboxView(pending=3, dead=1, oldest_seconds=120.0)
    assert status.channels == (
        ChannelView("boss", "", 1, 0, gone=True, oldest_seconds=60.0),
        ChannelView("idle", "json://idle", 0, 0, gone=False),
        ChannelView("ops", "json://ops", 2, 1, gone=False, oldest_seconds=120.0),
    )
    store.announce([], [], now=NOW)
    shown = {channel.name: (channel.address, channel.gone) for channel in store.status(now=NOW).channels}
    assert shown == {"boss": ("", True), "ops": ("json://ops", True)}


def test_a_clock_set_back_makes_no_negative_age(store: Store) -> None:
    """A row from the future is new, not older than nothing."""
    owe(store, now=NOW)
    assert store.status(now=NOW - MINUTE).outbox.oldest_seconds == 0.0


def test_sessions_are_listed_newest_first(store: Store) -> None:
    """By their creation; one that nobody dated comes last, and the list ends at the limit."""
    server = meet(store)
    undated = Known(replace(running("s0").session, created=None, job_id=None))
    write(store, server.id, Page((undated, running("s1", created=NOW + MINUTE), failed("s2"), running("s3"))))
    store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=None, jobs={"job-1": Job("job-1", "Mail")})
    listed = store.sessions(limit=9)
    assert [session.id for session in listed] == ["s1", "s3", "s2", "s0"]
    assert listed[2] == SessionView("HQ", "s2", "Mail", "Failed", NOW - MINUTE, NOW)
    assert listed[3] == SessionView("HQ", "s0", None, "Running", None, None)
    assert [session.id for session in store.sessions(limit=2)] == ["s1", "s3"]


def test_deliveries_are_listed_newest_first(store: Store) -> None:
    """A row shows its event's type and what became of it, and the list ends at the limit."""
    first, second = owe(store, 2)
    third = owe(store, now=NOW + MINUTE)[0]
    settle(store, first, State.DEAD, now=NOW)
    assert [row.id for row in store.deliveries(state=None, limit=9)] == [third, second, first]
    assert [row.id for row in store.deliveries(state=None, limit=1)] == [third]
    assert [row.id for row in store.deliveries(state=State.PENDING, limit=9)] == [third, second]
    (dead,) = store.deliveries(state=State.DEAD, limit=9)
    event = page_of(failed("s0-ops")).events[0]
    assert dead == DeliveryView(
        id=first,
        event_id=event.id,
        event="session.failed",
        channel="ops",
        destination="",
        message_id=dead.message_id,
        state=State.DEAD,
        attempts=1,
        next_attempt=None,
        last_error="because",
        created=NOW,
    )


def test_pruning_forgets_old_ends_and_keeps_what_is_open(store: Store) -> None:
    """However old: a session whose end is awaited stays, and so does one that ended lately."""
    server = meet(store)
    vanished = replace(running("s3"), closed=True)
    recent = failed("s4", ended=LATER - DAY)
    write(store, server.id, Page((failed("s1"), running("s2"), vanished)))
    write(store, server.id, Page((recent,)), now=LATER)
    assert store.prune(before=NOW + DAY + MINUTE) == 2
    assert read(store, server.id, "s1", "s2", "s3", "s4").sessions.keys() == {"s2", "s4"}
    assert store.prune(before=NOW + DAY + MINUTE) == 0


def test_a_session_is_kept_a_day_longer_than_asked(store: Store) -> None:
    """What is old news is judged by the server's clock: forgotten by ours too early, it would be told again."""
    server = meet(store)
    write(store, server.id, Page((failed("s1"),)))
    assert store.prune(before=NOW + DAY) == 0
    assert store.prune(before=NOW + DAY + timedelta(microseconds=1)) == 1


def test_an_end_ages_from_its_own_time(store: Store) -> None:
    """History that was read only lately is as old as it is."""
    write(store, meet(store).id, Page((failed("s1", ended=NOW),)), now=LATER)
    assert store.prune(before=NOW + DAY + MINUTE) == 1


def test_an_end_without_a_time_ages_from_when_it_was_seen(store: Store) -> None:
    """Nor does an end in the future, by a server's wrong clock, keep its session for ever."""
    server = meet(store)
    write(store, server.id, Page((failed("s1", ended=None), failed("s2", ended=LATER))), now=NOW)
    assert store.prune(before=NOW + DAY) == 0
    assert store.prune(before=NOW + 2 * DAY) == 2


def test_pruning_forgets_settled_deliveries_with_their_events(store: Store) -> None:
    """Delivered and dead rows go by age; a pending one never does."""
    pending, delivered, dead = owe(store, 3)
    settle(store, delivered, State.DELIVERED, now=NOW)
    settle_leased = Settlement(State.DEAD, "404")
    assert store.settle({dead: settle_leased}, owner="me", now=NOW)
    assert store.prune(before=NOW) == 0
    assert store.prune(before=NOW + MINUTE) == 2
    assert [row.id for row in store.deliveries(state=None, limit=9)] == [pending]
    assert store.prune(before=LATER + 1000 * DAY) == 3
    assert [row.id for row in store.deliveries(state=None, limit=9)] == [pending]


def test_a_delivery_settled_lately_keeps_its_event(store: Store) -> None:
    """An old event that was delivered only now is not forgotten now."""
    (row,) = owe(store)
    settle(store, row, State.DELIVERED, now=NOW + 10 * DAY)
    assert store.prune(before=NOW + MINUTE) == 0
    assert store.prune(before=NOW + 10 * DAY + MINUTE) == 2


def test_pruning_goes_in_steps(store: Store) -> None:
    """One call takes no more than its limit of each kind, so that it holds nobody up."""
    server = meet(store)
    write(store, server.id, Page(tuple(failed(f"s{number}") for number in range(5))))
    assert [store.prune(before=LATER, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_a_number_is_never_given_twice(store: Store) -> None:
    """An id that somebody wrote down does not come to mean another delivery once its row was forgotten."""
    (row,) = owe(store)
    settle(store, row, State.DELIVERED, now=NOW)
    assert store.prune(before=LATER) > 0
    assert owe(store)[0] > row


def test_an_idle_look_writes_one_row(store: Store) -> None:
    """Thirty known sessions in which nothing moved cost a handful of questions and one write."""
    server = meet(store)
    known = tuple(failed(f"s{number}") for number in range(30))
    jobs = {f"job-{number}": Job(f"job-{number}", "Mail") for number in range(10)}
    write(store, server.id, Page(known))
    store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=NOW, jobs=jobs)
    with sent_statements(store) as sent:
        store.memory(server.id, horizon=NOW)
        store.record(server.id, [one.session.id for one in known], jobs, lambda _: Page(), now=NOW + MINUTE)
        store.finish_look(server.id, now=NOW + MINUTE, greeting=GREETING, watermark=NOW + MINUTE, jobs=jobs)
    words = [statement.split()[0] for statement, _ in sent]
    assert words.count("UPDATE") == 1
    assert words.count("SELECT") == len(words) - 1 <= 8
