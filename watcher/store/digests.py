"""What a digest is made of. All in the caller's transaction, which only reads."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, exists, select

from watcher.core.digest import BEFORE, Digest, JobState, Run, ServerDigest, digest
from watcher.store.schema import events, jobs, outcomes, servers, sessions

_AT_ONCE = 500
_RUNS: Select[Any] = (
    select(sessions.c.data, servers.c.name.label("server"))
    .join_from(sessions, servers)
    .where(
        sessions.c.settled >= bindparam("begins"),
        sessions.c.settled < bindparam("ends"),
        sessions.c.job_id.is_not(None),
        sessions.c.ended.is_not(None),
        servers.c.gone.is_(None),
    )
)
_STATES: Select[Any] = (
    select(jobs.c.data, servers.c.name.label("server"), outcomes.c.status, outcomes.c.last_good)
    .join_from(jobs, servers)
    .outerjoin(outcomes, and_(outcomes.c.server_id == jobs.c.server_id, outcomes.c.job_id == jobs.c.id))
    .where(servers.c.gone.is_(None))
)
_SERVERS: Select[Any] = select(servers).where(servers.c.gone.is_(None)).order_by(servers.c.name)


def is_told(connection: Connection, event_id: str) -> bool:
    """Whether an event is there."""
    return bool(connection.scalar(select(exists().where(events.c.id == event_id))))


def first_contact(connection: Connection) -> datetime | None:
    """Return when the first of the servers was met."""
    met = [row.first_contact for row in connection.execute(_SERVERS) if row.first_contact]
    return min(met, default=None)


def servers_of(connection: Connection) -> tuple[ServerDigest, ...]:
    """Return the servers of the settings, and which of them answer."""
    return tuple(_server(row) for row in connection.execute(_SERVERS))


def make(connection: Connection, period: tuple[datetime, datetime], *, is_weekly: bool) -> Digest:
    """Sum up a period."""
    states = [_state(row) for row in connection.execute(_STATES)]
    return digest(_runs(connection, period), states, servers_of(connection), period=period, is_weekly=is_weekly)


def _runs(connection: Connection, period: tuple[datetime, datetime]) -> Iterator[Run]:
    begins, ends = period
    asked = {"begins": begins - BEFORE, "ends": ends}
    for row in connection.execute(_RUNS, asked, execution_options={"yield_per": _AT_ONCE}):
        session = row.data.session
        if session.is_ended:
            yield Run(row.server, session.job_id, session.status, session.ended, session.statistics.transferred)


def _state(row: Row[Any]) -> JobState:
    job = row.data
    return JobState(row.server, job.id, job.name, job.organization, row.status or "", row.last_good)


def _server(row: Row[Any]) -> ServerDigest:
    reachable = None if row.last_poll is None else row.last_error is None
    return ServerDigest(row.name, reachable, row.last_success)
