"""What people and programs ask: the views. All in the caller's transaction, which only reads."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, case, func, select

from watcher.core.delivery import State
from watcher.core.errand import reference
from watcher.core.views import AlarmView, ChannelView, DeliveryView, OutboxView, ServerView, SessionView, StatusView
from watcher.core.watchdog.alarm import Alarm
from watcher.store.schema import alarms, channels, deliveries, destinations, events, in_state, jobs, servers, sessions

_OPEN = (
    select(sessions.c.server_id, func.count().label("open")).where(sessions.c.settled.is_(None)).group_by("server_id")
).subquery()
_SERVERS = (
    select(servers, func.coalesce(_OPEN.c.open, 0).label("open_sessions"))
    .outerjoin(_OPEN, _OPEN.c.server_id == servers.c.id)
    .where(servers.c.gone.is_(None))
    .order_by(servers.c.name)
)
_CHANNELS = select(channels)
_SICK = select(destinations).where(destinations.c.sick_since.is_not(None)).order_by(destinations.c.sick_since.desc())
_ALARMS = select(servers.c.name, alarms.c.data).join_from(alarms, servers).where(servers.c.gone.is_(None))
_LATEST = (  # by themselves: joined with servers first, SQLite would sort them all
    select(sessions).order_by(sessions.c.created.desc().nulls_last(), sessions.c.id).limit(bindparam("most"))
).subquery()
_SESSIONS = (
    select(
        servers.c.name.label("server"),
        _LATEST.c.id,
        func.coalesce(jobs.c.name, _LATEST.c.job_id).label("job"),
        _LATEST.c.status,
        _LATEST.c.created,
        _LATEST.c.ended,
        case((_LATEST.c.kind.is_not(None), _LATEST.c.data)).label("errand"),
    )
    .join_from(_LATEST, servers)
    .outerjoin(jobs, and_(jobs.c.server_id == _LATEST.c.server_id, jobs.c.id == _LATEST.c.job_id))
    .order_by(_LATEST.c.created.desc().nulls_last(), _LATEST.c.id)
)
_DELIVERIES = select(deliveries, events.c.type.label("event")).join(events)


def status(connection: Connection, now: datetime) -> StatusView:
    """Read how servers, channels and the outbox stand."""
    pending = _owed(connection, State.PENDING)
    dead = _owed(connection, State.DEAD)
    oldest = min((row.oldest for row in pending.values()), default=now)
    outbox = OutboxView(
        pending=sum(row.rows for row in pending.values()),
        dead=sum(row.rows for row in dead.values()),
        oldest_seconds=max((now - oldest).total_seconds(), 0.0),
    )
    return StatusView(
        servers=tuple(_server(row) for row in connection.execute(_SERVERS)),
        outbox=outbox,
        channels=_channels(connection, pending, dead, now),
        alarms=_alarms(connection),
    )


def latest_sessions(connection: Connection, limit: int) -> list[SessionView]:
    """Read the sessions that began last, the latest first."""
    return [_session(*row) for row in connection.execute(_SESSIONS, {"most": limit})]


def _session(server: str, session_id: str, job: str | None, *rest: Any) -> SessionView:
    """Show a session; where there is no job, what it is called stands in its place."""
    *standing, errand = rest
    return SessionView(server, session_id, reference(errand.session).name if errand else job, *standing)


def latest_deliveries(connection: Connection, state: State | None, limit: int) -> list[DeliveryView]:
    """Read the deliveries that were owed last, the latest first."""
    wanted = _DELIVERIES if state is None else _DELIVERIES.where(in_state(state))
    return [delivery_view(row) for row in connection.execute(newest_first(wanted, state).limit(limit))]


def newest_first(wanted: Select[Any], state: State | None) -> Select[Any]:
    """Put deliveries of one state, or of all, into their order.

    Those that are pending or dead are few: they are sorted, where by their number SQLite would go through all rows.
    """
    number = deliveries.c.id if state in {None, State.DELIVERED} else deliveries.c.id + 0
    return wanted.order_by(number.desc())


def _owed(connection: Connection, state: State) -> dict[str, Row[Any]]:
    """Count the rows of one state by channel, with the oldest of each."""
    counted = (
        select(deliveries.c.channel, func.count().label("rows"), func.min(deliveries.c.first_due).label("oldest"))
        .where(in_state(state))
        .group_by(deliveries.c.channel)
    )
    return {row.channel: row for row in connection.execute(counted)}


def _channels(
    connection: Connection, pending: dict[str, Row[Any]], dead: dict[str, Row[Any]], now: datetime
) -> tuple[ChannelView, ...]:
    """Show the channels of the settings, and those that are gone but still owe."""
    known = {row.name: row for row in connection.execute(_CHANNELS)}
    named = {name for name, row in known.items() if row.gone is None}
    sick = {row.channel: row for row in connection.execute(_SICK)}
    return tuple(
        ChannelView(
            name=name,
            address=known[name].address if name in known else "",
            pending=pending[name].rows if name in pending else 0,
            dead=dead[name].rows if name in dead else 0,
            gone=name not in named,
            oldest_seconds=max((now - pending[name].oldest).total_seconds(), 0.0) if name in pending else 0.0,
            sick_since=sick[name].sick_since if name in sick and name in named else None,
            sick_reason=sick[name].reason or "" if name in sick and name in named else "",
        )
        for name in sorted(named | pending.keys() | dead.keys())
    )


def _alarms(connection: Connection) -> tuple[AlarmView, ...]:
    """Read what the watchdogs have told and is not over, the oldest first."""
    told = [_alarm(row.name, row.data) for row in connection.execute(_ALARMS) if row.data.raised]
    return tuple(sorted(told, key=lambda one: (one.since, one.server, one.event, one.subject)))


def _alarm(server: str, alarm: Alarm) -> AlarmView:
    of_job, of_thing = alarm.job and alarm.job.name, alarm.thing and alarm.thing.name
    return AlarmView(server, alarm.kind, alarm.subject, of_thing or of_job or server, alarm.since, alarm.reason)


def _server(row: Row[Any]) -> ServerView:
    return ServerView(
        name=row.name,
        url=row.url,
        api_version=row.api_version,
        reachable=None if row.last_poll is None else row.last_error is None,
        last_poll=row.last_poll,
        last_success=row.last_success,
        open_sessions=row.open_sessions,
        last_error=row.last_error,
        first_contact=row.first_contact,
        skew_seconds=row.skew_seconds,
        reading=row.reading,
        failing_since=row.failing_since,
    )


def delivery_view(row: Row[Any]) -> DeliveryView:
    """Return one delivery as it is shown."""
    return DeliveryView(
        id=row.id,
        event_id=row.event_id,
        event=row.event,
        channel=row.channel,
        destination=row.destination,
        message_id=row.message_id,
        state=State(row.state),
        attempts=row.attempts,
        next_attempt=row.next_attempt,
        last_error=row.last_error,
        created=row.created,
        held=row.held,
    )
