"""Forgetting what is old. All in the caller's transaction."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, exists, or_, select

from watcher.core.delivery import State
from watcher.store.prepared import Prepared
from watcher.store.schema import chains, deliveries, events, in_state, sessions, silences

_OLD_SESSIONS = Prepared(
    select(sessions.c.server_id, sessions.c.id)
    .where(sessions.c.settled < bindparam("before"))
    .order_by(sessions.c.settled)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_FORGET = Prepared(
    delete(sessions).where(sessions.c.server_id == bindparam("of_server"), sessions.c.id == bindparam("session"))
)
_MARGIN = timedelta(days=1)
"""Sessions stay a little longer than asked: what counts as old news is judged by the server's clock, which may be
behind ours, and a session forgotten too early would be told again."""


def prune(connection: Connection, *, before: datetime, limit: int) -> int:
    """Remove old settled sessions, and old events with all their deliveries; returns how many of both went.

    Chains in which nothing waits, and silences that are over, go as well, uncounted.
    """
    old = (chains.c.touched < before - _MARGIN) & (chains.c.over.is_not(None) | chains.c.held.is_(None))
    connection.execute(delete(chains).where(old))
    connection.execute(delete(silences).where(silences.c.ends < before))
    return _sessions(connection, before - _MARGIN, limit) + _events(connection, before, limit)


def _sessions(connection: Connection, before: datetime, limit: int) -> int:
    # One by one: deleted by a list of pairs, SQLite goes through all sessions of their servers.
    old = _OLD_SESSIONS.all(connection, {"before": before, "most": limit})
    if old:
        _FORGET.run_each(connection, [{"of_server": row.server_id, "session": row.id} for row in old])
    return len(old)


def _events(connection: Connection, before: datetime, limit: int) -> int:
    in_use = exists().where(
        deliveries.c.event_id == events.c.id,
        or_(in_state(State.PENDING), deliveries.c.settled >= before),
    )
    old = select(events.c.id).where(events.c.created < before, ~in_use).order_by(events.c.created).limit(limit)
    return len(connection.execute(delete(events).where(events.c.id.in_(old)).returning(events.c.id)).all())
