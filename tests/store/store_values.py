"""Values for the tests of the store: one server, its sessions, and pages that owe something for them."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import event

from watcher.core.event import Event, ServerRef, event_id
from watcher.core.model import Greeting, Session, Statistics
from watcher.core.record import End, Known, Ledger, Outcome, Owed, Page, ServerRecord
from watcher.store import Store
from watcher.store.sqlite import driver_of

NOW = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
GREETING = Greeting("v8", "11111111-aaaa", "8.0.0.1", timedelta(seconds=-1.5))
LEASE = timedelta(seconds=15)


def meet(store: Store, name: str = "HQ", greeting: Greeting = GREETING, *, at: datetime = NOW) -> ServerRecord:
    """Meet a server for the first time, or again."""
    return store.meet(name, f"https://{name.lower()}:4443", greeting, first_contact=at, news_from=at - MINUTE)


def running(session_id: str, *, created: datetime = NOW) -> Known:
    """Make a session whose end is awaited."""
    return Known(Session(session_id, "Running", job_id="job-1", created=created))


def failed(session_id: str, *, ended: datetime | None = NOW) -> Known:
    """Make a session that ended badly and was told."""
    session = Session(
        session_id, "Failed", job_id="job-1", created=NOW - MINUTE, ended=ended, statistics=Statistics(transferred=7)
    )
    return Known(session, (End("Failed", ended),))


def event_of(known: Known, *, server: str = "HQ", event_type: str = "session.failed") -> Event:
    """Make the event that tells a session's end."""
    ref = ServerRef(server, GREETING.installation_id)
    name = event_id(ref, known.session.id, event_type, known.session.status, known.session.ended)
    return Event(name, event_type, ref, known.session.ended or NOW, NOW, session=known.session)


def page_of(*sessions: Known, channels: Sequence[str] = ("ops",), destinations: Sequence[str] = ("",)) -> Page:
    """Make a page that owes each session's event to every destination of every channel."""
    events = tuple(event_of(known) for known in sessions)
    owed = tuple(
        Owed(event.id, channel, destination) for event in events for channel in channels for destination in destinations
    )
    return Page(sessions, {"job-1": Outcome("Failed", NOW, 3, NOW - MINUTE, None)}, events, owed)


def write(store: Store, server_id: int, page: Page, *, now: datetime = NOW) -> Ledger:
    """Record a page, and return the ledger that it was judged by."""
    ledgers: list[Ledger] = []

    def judge(ledger: Ledger) -> Page:
        ledgers.append(ledger)
        return page

    store.record(server_id, [known.session.id for known in page.sessions], page.outcomes, judge, now=now)
    return ledgers[0]


def read(store: Store, server_id: int, *session_ids: str) -> Ledger:
    """Read what is known of some sessions and of job-1, and change nothing."""
    ledgers: list[Ledger] = []

    def judge(ledger: Ledger) -> Page:
        ledgers.append(ledger)
        return Page()

    store.record(server_id, session_ids, ["job-1"], judge, now=NOW)
    return ledgers[0]


def owe(store: Store, count: int = 1, *, channel: str = "ops", now: datetime = NOW) -> list[int]:
    """Put fresh rows into the outbox, and return their ids, oldest first."""
    server = meet(store)
    before = {row.id for row in store.deliveries(state=None, limit=10_000)}
    names = [f"s{len(before) + number}-{channel}" for number in range(count)]
    write(store, server.id, page_of(*(failed(name) for name in names), channels=[channel]), now=now)
    return sorted({row.id for row in store.deliveries(state=None, limit=10_000)} - before)


def older(greeting: Greeting) -> Greeting:
    """Make the same greeting as a version before v6 gives it, without an installation."""
    return replace(greeting, api_version="v5", installation_id=None)


@contextmanager
def listening(store: Store, listen: Callable[[str, Any], None]) -> Iterator[None]:
    """Hear each statement, with its parameters, just before the database runs it.

    SQLite itself says what it gets, the parameters in their places; of its own are those that begin with a comment.
    """

    def of_sqlalchemy(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        listen(statement, parameters)

    if store.backend == "postgresql":
        event.listen(store._engine, "before_cursor_execute", of_sqlalchemy)
        try:
            yield
        finally:
            event.remove(store._engine, "before_cursor_execute", of_sqlalchemy)
        return
    with store._connected() as connection:  # the one that is lent each time
        driver = driver_of(connection)
    driver.set_trace_callback(lambda statement: None if statement.startswith("--") else listen(statement, ()))
    try:
        yield
    finally:
        driver.set_trace_callback(None)


@contextmanager
def sent_statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """Listen to what a store sends to its database, but for BEGIN, COMMIT and PRAGMA: statements with parameters."""
    sent: list[tuple[str, Any]] = []

    def listen(statement: str, parameters: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "PRAGMA")):
            sent.append((statement, parameters))

    with listening(store, listen):
        yield sent


def explain(store: Store, statement: str, parameters: Any) -> str:
    """Ask the database how it would answer a statement if its tables were long."""
    with store._engine.begin() as connection:
        if store.backend == "postgresql":
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        how = "EXPLAIN QUERY PLAN" if store.backend == "sqlite" else "EXPLAIN"
        return str(connection.exec_driver_sql(f"{how} {statement}", parameters).all())
