"""What may have to be said by the clock, and writing down what is. All in the caller's transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, delete, exists, or_, select, update

from watcher.core.event import JobRef, ServerRef
from watcher.core.followup import Diary, FollowUp, Muted
from watcher.core.model import Status
from watcher.core.reach import AT_ONCE, GRACE, Reach
from watcher.core.reminder import JobStand
from watcher.core.ruling import Ruling
from watcher.core.watchdog.alarm import key_of
from watcher.store import alarms, pages, quieted
from watcher.store.schema import events, jobs, muted, outcomes, servers
from watcher.store.statements import in_chunks

_ANSWERS = and_(servers.c.last_error.is_(None), servers.c.gone.is_(None))
"""Of a server that does not answer nobody knows whether what it showed still is so."""

_STANDING: Select[Any] = (
    select(outcomes, servers.c.name.label("server"), servers.c.installation_id, jobs.c.data.label("job"))
    .join_from(outcomes, servers)
    .outerjoin(jobs, and_(jobs.c.server_id == outcomes.c.server_id, jobs.c.id == outcomes.c.job_id))
)
_FAILING = _STANDING.where(
    outcomes.c.status == Status.FAILED.value,
    outcomes.c.told.is_not(None),
    _ANSWERS,
)
_MUTED = (  # not joined: SQLite would go through all events to find the few that are kept back
    select(events).where(events.c.id.in_(select(muted.c.event_id))).order_by(events.c.happened, events.c.id)
)
_ANY = select(exists().select_from(muted))
_HERE = servers.c.gone.is_(None)
_ALARMED: Select[Any] = select(servers).where(
    _HERE, or_(servers.c.failing_since.is_not(None), servers.c.alarms.is_not(None))
)
_NEWS = select(
    exists().where(
        _HERE,
        or_(
            and_(servers.c.failing_since.is_(None), servers.c.alarms.is_not(None)),
            and_(
                servers.c.alarms.is_(None),
                or_(servers.c.failing_since <= bindparam("sure"), servers.c.failure.in_(sorted(AT_ONCE))),
            ),
        ),
    )
)


def has_news(connection: Connection, now: datetime) -> bool:
    """Whether a silence keeps anything back, or a server has to be spoken of."""
    return bool(connection.scalar(_ANY)) or bool(connection.scalar(_NEWS, {"sure": now - GRACE}))


def diary(connection: Connection, now: datetime, *, with_failing: bool) -> Diary:
    """Read what there may be to say."""
    kept = connection.execute(_MUTED).all()
    failing = connection.execute(_FAILING).all() if with_failing else []
    return Diary(
        tuple(_muted(connection, row) for row in kept),
        tuple(_reach(row) for row in connection.execute(_ALARMED)),
        tuple(_stand(row) for row in failing),
        alarms.standing(connection, _ANSWERS) if with_failing else (),
        quieted.in_force(connection, now),
    )


def say(connection: Connection, said: FollowUp, now: datetime) -> None:
    """Write down what is said, whom it is owed to, and who knows of it now."""
    for server_id, event in said.events:
        pages.write_events(connection, server_id, [event], now, said.rulings)
    new = {event.id for _, event in said.events}
    for event_id, ruling in said.rulings.items():
        if event_id not in new:
            connection.execute(update(events).where(events.c.id == event_id).values(ruling=ruling))
    if said.owed:
        pages.owe(connection, said.owed, said.subjects, now)
    for ids in in_chunks(said.let_go):
        connection.execute(delete(muted).where(muted.c.event_id.in_(ids)))
    for reach in said.servers:
        connection.execute(update(servers).where(servers.c.id == reach.server_id).values(_alarm(reach)))
    for server_id, alarm in said.alarms:
        alarms.note_told(connection, server_id, alarm)
    for one in said.jobs:
        # Only this column, and only if nothing has come between: on PostgreSQL a look may be writing the rest.
        mine = and_(outcomes.c.server_id == one.server_id, outcomes.c.job_id == one.job.id)
        same = outcomes.c.status == one.stands.status
        connection.execute(update(outcomes).where(mine, same).values(told=one.stands.told or None))


def _muted(connection: Connection, row: Row[Any]) -> Muted:
    job = row.data.job
    found = None
    if job is not None and row.server_id is not None:
        mine = _STANDING.where(outcomes.c.server_id == row.server_id, outcomes.c.job_id == job.id)
        found = connection.execute(mine).one_or_none()
    server = connection.execute(select(servers).where(servers.c.id == row.server_id)).one_or_none()
    reach = _reach(server) if server and job is None else None
    key = key_of(row.data)
    alarm = alarms.find(connection, row.server_id, key) if key and row.server_id is not None else None
    return Muted(row.data, row.ruling or Ruling(), _stand(found) if found else None, reach, alarm, row.server_id)


def _reach(row: Row[Any]) -> Reach:
    return Reach(
        row.id,
        ServerRef(row.name, row.installation_id),
        row.last_poll,
        row.failing_since,
        row.failure or "",
        row.last_error or "",
        tuple((row.alarms or "").split()),
        row.alarm_since,
        row.alarm_told or (),
    )


def _alarm(reach: Reach) -> dict[str, Any]:
    return {
        "alarms": " ".join(reach.alarms) or None,
        "alarm_since": reach.since,
        "alarm_told": reach.told or None,
    }


def _stand(row: Row[Any]) -> JobStand:
    job = row.job
    known = JobRef(job.id, job.name, job.type, job.organization) if job else JobRef(row.job_id, row.job_id)
    return JobStand(row.server_id, ServerRef(row.server, row.installation_id), known, pages.outcome_of(row))
