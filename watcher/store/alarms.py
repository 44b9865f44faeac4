"""What the watchdogs need to know and what they say. All in the caller's transaction."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, delete, select, update

from watcher.core.event import ServerRef
from watcher.core.model import Session
from watcher.core.reminder import AlarmStand
from watcher.core.watchdog.alarm import Alarm, Key, Review
from watcher.core.watchdog.facts import GOOD, Ledger, Past
from watcher.store import kinds, pages, quieted
from watcher.store.prepared import Prepared
from watcher.store.schema import alarms, servers, sessions
from watcher.store.statements import upsert

_SERVER = Prepared(select(servers).where(servers.c.id == bindparam("server_id")))
_ALL: Select[Any] = select(alarms.c.data, alarms.c.told).where(alarms.c.server_id == bindparam("server_id"))
_MINE = Prepared(_ALL)
_ONE = Prepared(_ALL.where(alarms.c.kind == bindparam("kind"), alarms.c.subject == bindparam("subject")))
_OPEN = Prepared(
    select(sessions.c.data).where(sessions.c.settled.is_(None), sessions.c.server_id == bindparam("server_id"))
)
_OF_JOB = (sessions.c.server_id == bindparam("server_id"), sessions.c.job_id == bindparam("job_id"))
_LATEST = Prepared(
    select(sessions.c.created, sessions.c.ended, sessions.c.status)
    .where(*_OF_JOB, sessions.c.created.is_not(None))
    .order_by(sessions.c.created.desc())
    .limit(bindparam("most"))
)
_GOOD = (  # backwards up to the first: what is read are the bad ends since, not the job's history
    select(sessions.c.ended)
    .where(
        *_OF_JOB,
        sessions.c.created.is_not(None),
        sessions.c.ended.is_not(None),
        sessions.c.status.in_(sorted(GOOD)),
    )
    .order_by(sessions.c.created.desc())
    .limit(1)
)
_RUNS = Prepared(
    select(sessions.c.data)
    .where(*_OF_JOB, sessions.c.created.is_not(None), sessions.c.settled.is_not(None))
    .order_by(sessions.c.created.desc())
    .limit(bindparam("most"))
)
_TOLD: Select[Any] = (
    select(servers.c.id, servers.c.name, servers.c.installation_id, alarms.c.data, alarms.c.told)
    .join_from(alarms, servers)
    .where(alarms.c.told.is_not(None))
    .order_by(servers.c.id, alarms.c.kind, alarms.c.subject)
)
_LAST = 50


def read_ledger(connection: Connection, server_id: int, job_ids: Iterable[str], now: datetime) -> Ledger:
    """Read what is known of a server, its alarms, its open sessions, and when some of its jobs ran last.

    The jobs that alarms speak of are always among those.
    """
    key = {"server_id": server_id}
    server = _SERVER.one(connection, key)
    mine = [_alarm(row) for row in _MINE.all(connection, key)]
    wanted = dict.fromkeys([*job_ids, *(alarm.job.id for alarm in mine if alarm.job is not None)])
    past = {job_id: _past(connection, {**key, "job_id": job_id}) for job_id in wanted}
    return Ledger(
        ServerRef(server.name, server.installation_id),
        server.first_contact,
        server.failing_since is not None,
        server.skew_seconds or 0.0,
        {alarm.key: alarm for alarm in mine},
        tuple(known for (known,) in _OPEN.all(connection, key)),
        past,
        quieted.in_force(connection, now),
        frozenset(kinds.watched(connection, server_id)),
    )


def _past(connection: Connection, key: dict[str, Any]) -> Past:
    """Read when a job ran last, of its last sessions; of more only where none of those ended well."""
    rows = _LATEST.all(connection, {**key, "most": _LAST})
    if not rows:
        return Past()
    ends = [row.ended for row in rows if row.ended is not None]
    good = [row.ended for row in rows if row.ended is not None and row.status in GOOD]
    last_good = max(good) if good else (connection.scalar(_GOOD, key) if len(rows) == _LAST else None)
    return Past(rows[0].created, max(ends, default=None), last_good)


def runs_of(connection: Connection, server_id: int, job_id: str, most: int) -> tuple[Session, ...]:
    """Read the last sessions of a job that are over, newest first."""
    values = {"server_id": server_id, "job_id": job_id, "most": most}
    return tuple(known.session for (known,) in _RUNS.all(connection, values))


def write(connection: Connection, server_id: int, said: Review, now: datetime) -> None:
    """Write down what changes: what is remembered and forgotten, what is told and to whom that is owed."""
    for kind, subject in said.over:
        connection.execute(delete(alarms).where(_is(server_id, (kind, subject))))
    if said.kept:
        rows = [_row(server_id, alarm) for alarm in said.kept]
        upsert(connection.dialect.name, alarms).run_each(connection, rows)
    if said.events:
        pages.write_events(connection, server_id, said.events, now, said.rulings)
    if said.owed:
        pages.owe(connection, said.owed, {event.id: event.subject for event in said.events}, now)


def find(connection: Connection, server_id: int, key: Key) -> Alarm | None:
    """Read one alarm."""
    rows = _ONE.all(connection, {"server_id": server_id, "kind": key[0], "subject": key[1]})
    return _alarm(rows[0]) if rows else None


def standing(connection: Connection, of_servers: ColumnElement[bool]) -> tuple[AlarmStand, ...]:
    """Read the alarms of some servers that somebody was told of."""
    rows = connection.execute(_TOLD.where(of_servers)).all()
    return tuple(AlarmStand(row.id, ServerRef(row.name, row.installation_id), _alarm(row)) for row in rows)


def note_told(connection: Connection, server_id: int, alarm: Alarm) -> None:
    """Write down who knows of an alarm, and only that."""
    connection.execute(update(alarms).where(_is(server_id, alarm.key)).values(told=alarm.told or None))


def _is(server_id: int, key: Key) -> Any:
    kind, subject = key
    return (alarms.c.server_id == server_id) & (alarms.c.kind == kind) & (alarms.c.subject == subject)


def _alarm(row: Row[Any]) -> Alarm:
    alarm: Alarm = row.data
    return replace(alarm, told=row.told or ())


def _row(server_id: int, alarm: Alarm) -> dict[str, Any]:
    return {
        "server_id": server_id,
        "kind": alarm.kind,
        "subject": alarm.subject,
        "data": replace(alarm, told=()),
        "told": alarm.told or None,
    }
