"""Forgetting what is old. All in the caller's transaction."""

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, or_, select, tuple_

from watcher.core.delivery import State
from watcher.store.schema import chains, deliveries, events, in_state, sessions, silences

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
    key = (sessions.c.server_id, sessions.c.id)
    old = select(*key).where(sessions.c.settled < before).order_by(sessions.c.settled).limit(limit)
    return len(connection.execute(delete(sessions).where(tuple_(*key).in_(old)).returning(sessions.c.id)).all())


def _events(connection: Connection, before: datetime, limit: int) -> int:
    in_use = exists().where(
        deliveries.c.event_id == events.c.id,
        or_(in_state(State.PENDING), deliveries.c.settled >= before),
    )
    old = select(events.c.id).where(events.c.created < before, ~in_use).order_by(events.c.created).limit(limit)
    return len(connection.execute(delete(events).where(events.c.id.in_(old)).returning(events.c.id)).all())
