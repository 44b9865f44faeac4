"""Whether anything has changed that people look at: a few figures that indexes hold, and the rows under way."""

from hashlib import blake2b

from sqlalchemy import Connection, Executable, Text, cast, func, select

from watcher.core.delivery import State
from watcher.store.schema import (
    alarms,
    chains,
    deliveries,
    destinations,
    events,
    in_state,
    jobs,
    outcomes,
    servers,
    sessions,
    silences,
)

_FIGURES: tuple[Executable, ...] = (
    select(servers.c.id, servers.c.last_poll, servers.c.last_error, servers.c.reading, servers.c.gone),
    select(func.max(events.c.created)),
    select(func.max(chains.c.touched)),
    select(func.max(sessions.c.settled)),
    select(sessions.c.id, cast(sessions.c.data, Text)).where(sessions.c.settled.is_(None)),
    select(func.max(outcomes.c.ended), func.count()),
    select(func.count()).select_from(jobs),
    select(func.count()).select_from(alarms),
    select(func.max(deliveries.c.id)),
    select(func.count(), func.sum(deliveries.c.attempts)).where(in_state(State.PENDING)),
    select(func.count()).where(in_state(State.DEAD)),
    select(destinations.c.channel, destinations.c.failures, destinations.c.sick_since),
    select(func.max(silences.c.id), func.max(silences.c.ends), func.sum(silences.c.muted), func.min(silences.c.ends)),
)


def take(connection: Connection) -> str:
    """Return a hash of it all."""
    digest = blake2b(digest_size=12)
    for figures in _FIGURES:
        for row in connection.execute(figures):
            digest.update(repr(tuple(row)).encode(errors="replace"))
    return digest.hexdigest()
