"""One page of a look: the ledger that it is judged by, and what it changes. All in the caller's transaction."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, bindparam, select, union_all

from watcher.core.delivery import LEASE, Delivery, State
from watcher.core.event import Event
from watcher.core.model import Session
from watcher.core.record import Chain, Known, Ledger, Outcome, Owed, Page
from watcher.core.ruling import Ruling
from watcher.store import quieted
from watcher.store.prepared import Prepared
from watcher.store.schema import chains, deliveries, events, outcomes, servers, sessions
from watcher.store.statements import among, insert_new, upsert, upsert_some

_STANDING = ("status", "ended", "failures", "failing_since", "last_good")
_LOCK = Prepared(select(servers.c.id).where(servers.c.id == bindparam("server_id")).with_for_update())
_THESE = (sessions.c.server_id == bindparam("server_id"), among(sessions.c.id, "ids"))
_SESSIONS = Prepared(select(sessions.c.data).where(*_THESE))
_STANDS = Prepared(select(sessions.c.id, sessions.c.status, sessions.c.ended).where(*_THESE))
_OUTCOMES = Prepared(
    select(*(column for column in outcomes.c if column.name != "server_id")).where(
        outcomes.c.server_id == bindparam("server_id"), among(outcomes.c.job_id, "ids")
    )
)
_OF_SERVER = chains.c.server_id == bindparam("server_id")
_CHAINS = Prepared(  # some come twice; with OR in the place of UNION ALL, SQLite would go through all of the server's
    union_all(
        select(chains.c.data).where(_OF_SERVER, chains.c.over.is_(None)),
        select(chains.c.data).where(_OF_SERVER, among(chains.c.id, "ids")),
    )
)
_OWED_AND_CLAIMED = ("id", "message_id", "event_id", "channel", "destination")


def read_ledger(
    connection: Connection, server_id: int, session_ids: Iterable[str], job_ids: Iterable[str], now: datetime
) -> Ledger:
    """Read what is known of some sessions and jobs, with the server's row locked against others who look at it."""
    lock(connection, server_id)
    these = {"server_id": server_id, "ids": list(session_ids)}
    known: dict[str, Known] = {}
    for (value,) in _SESSIONS.all(connection, these):
        known[value.session.id] = value
    runs: dict[str, Chain] = {chain.id: chain for (chain,) in _CHAINS.all(connection, these)}
    waiting = (chain.job_id for chain in runs.values() if chain.held and chain.job_id)
    jobs = {"server_id": server_id, "ids": [*job_ids, *waiting]}
    stands = {row.job_id: outcome_of(row) for row in _OUTCOMES.all(connection, jobs)} if jobs["ids"] else {}
    return Ledger(known, stands, runs, quieted.in_force(connection, now))


def lock(connection: Connection, server_id: int) -> None:
    """Lock a server's row against others who look at it, until the transaction ends.

    It is read on SQLite too, where a transaction has the whole file: a server that is not there is an error.
    """
    _LOCK.one(connection, {"server_id": server_id})


def unlike(connection: Connection, server_id: int, shown: Iterable[Session]) -> set[str]:
    """Return the ids of those of some sessions that are not known, or known with another status or end."""
    known: dict[str, tuple[str, datetime | None]] = {}
    given = {session.id: session for session in shown}
    for row in _STANDS.all(connection, {"server_id": server_id, "ids": given}):
        known[row.id] = (row.status, row.ended)
    return {one.id for one in given.values() if known.get(one.id) != (one.status, one.ended)}


def write_page(connection: Connection, server_id: int, page: Page, now: datetime) -> Page:
    """Write what a page changes; events and debts that are there already stay as they are.

    Returns the page with what of it was claimed for sending.
    """
    dialect = connection.dialect.name
    if page.sessions:
        rows = [_session(server_id, known, now) for known in page.sessions]
        upsert(dialect, sessions).run_each(connection, rows)
    if page.outcomes:
        rows = [outcome_row(server_id, job, outcome) for job, outcome in page.outcomes.items()]
        upsert(dialect, outcomes).run_each(connection, rows)
    if page.chains:
        upsert(dialect, chains).run_each(connection, [_chain(server_id, chain, now) for chain in page.chains])
    if page.events:
        write_events(connection, server_id, page.events, now, page.rulings)
    if not page.owed:
        return page
    told = {event.id: event for event in page.events}
    subjects = {event.id: event.subject for event in page.events}
    owe(connection, [one for one in page.owed if not one.claimant], subjects, now)
    claimed = _owe_claimed(connection, [one for one in page.owed if one.claimant], told, now)
    return replace(page, claimed=tuple(claimed))


def write_events(
    connection: Connection, server_id: int | None, told: Sequence[Event], now: datetime, rulings: Mapping[str, Ruling]
) -> None:
    """Write events, those of our own without a server; of one that is there already only the ruling is new."""
    statement = upsert_some(connection.dialect.name, events, ("id",), ("ruling",))
    statement.run_each(connection, [_event(server_id, event, now, rulings.get(event.id)) for event in told])
    quieted.keep_back(connection, rulings, now)


def owe(connection: Connection, owed: Sequence[Owed], subjects: Mapping[str, str], now: datetime) -> None:
    """Write debts, due at once or when they say; one that is there already stays as it is."""
    rows = [_owed(one, subjects.get(one.event_id, one.event_id), now) for one in owed]
    if rows:
        insert_new(connection.dialect.name, deliveries).run_each(connection, rows)


def _owe_claimed(
    connection: Connection, owed: Sequence[Owed], told: Mapping[str, Event], now: datetime
) -> Iterator[Delivery]:
    """Write debts that are claimed already, with their attempt; return those that were not there before."""
    if not owed:
        return
    claim = {"attempts": 1, "lease_until": now + LEASE}
    rows = [
        _owed(one, told[one.event_id].subject, now) | claim | {"lease_owner": one.claimant, "message_id": uuid4().hex}
        for one in owed
    ]
    for row in insert_new(connection.dialect.name, deliveries, _OWED_AND_CLAIMED).all_each(connection, rows):
        yield Delivery(row.id, row.message_id, told[row.event_id], row.channel, row.destination, 1, now)


def _session(server_id: int, known: Known, now: datetime) -> dict[str, Any]:
    session = known.session
    return {
        "server_id": server_id,
        "id": session.id,
        "job_id": session.job_id,
        "status": session.status,
        "created": session.created,
        "ended": session.ended,
        "settled": None if known.is_open else min(session.ended or now, now),
        "data": known,
        "kind": None if session.is_of_job or session.job_type is None else session.job_type.value,
    }


def _chain(server_id: int, chain: Chain, now: datetime) -> dict[str, Any]:
    return {
        "server_id": server_id,
        "id": chain.id,
        "held": chain.held,
        "over": chain.over,
        "touched": now,
        "data": chain,
    }


def outcome_of(row: Row[Any]) -> Outcome:
    """Return how a job stands from the columns of its row."""
    return Outcome(row.status, row.ended, row.failures, row.failing_since, row.last_good, row.told or ())


def outcome_row(server_id: int, job: str, outcome: Outcome) -> dict[str, Any]:
    """Return how a job stands as the columns of its row."""
    row = {name: getattr(outcome, name) for name in _STANDING}
    return {"server_id": server_id, "job_id": job, "told": outcome.told or None, **row}


def _event(server_id: int | None, event: Event, now: datetime, ruling: Ruling | None) -> dict[str, Any]:
    return {
        "id": event.id,
        "server_id": server_id,
        "type": event.type,
        "happened": event.happened,
        "created": now,
        "data": event,
        "ruling": ruling,
    }


def _owed(owed: Owed, subject: str, now: datetime) -> dict[str, Any]:
    return {
        "event_id": owed.event_id,
        "channel": owed.channel,
        "destination": owed.destination,
        "state": State.PENDING,
        "attempts": 0,
        "created": now,
        "first_due": owed.due or now,
        "next_attempt": owed.due or now,
        "subject": subject,
        "grouping": owed.group,
        "held": owed.held or None,
    }
