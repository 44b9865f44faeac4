"""How everything stands, in a few numbers. All in the caller's transaction, which only reads."""

from sqlalchemy import Connection, func, select

from watcher.core.delivery import State
from watcher.core.heartbeat import Standing
from watcher.core.model import Status
from watcher.store import digests
from watcher.store.schema import alarms, channels, deliveries, destinations, in_state, outcomes, servers, sessions

_HERE = servers.c.gone.is_(None)
_RUNNING = select(func.count()).select_from(sessions).join(servers).where(_HERE, sessions.c.settled.is_(None))
_FAILING = (
    select(servers.c.name, outcomes.c.job_id)
    .join_from(outcomes, servers)
    .where(_HERE, outcomes.c.status == Status.FAILED.value)
)
_SICK = (
    select(destinations.c.channel)
    .join(channels, channels.c.name == destinations.c.channel)
    .where(channels.c.gone.is_(None), destinations.c.sick_since.is_not(None))
    .distinct()
    .order_by(destinations.c.channel)
)
_ALARMS = select(alarms.c.data).join_from(alarms, servers).where(_HERE)


def standing(connection: Connection) -> Standing:
    """Read how servers, jobs, the outbox and the channels stand."""
    return Standing(
        digests.servers_of(connection),
        connection.scalar(_RUNNING) or 0,
        tuple((row.name, row.job_id) for row in connection.execute(_FAILING)),
        _count(connection, State.PENDING),
        _count(connection, State.DEAD),
        tuple(connection.execute(_SICK).scalars()),
        sum(alarm.raised for alarm in connection.scalars(_ALARMS)),
    )


def _count(connection: Connection, state: State) -> int:
    return connection.scalar(select(func.count()).select_from(deliveries).where(in_state(state))) or 0
