"""What became of one session: what is known of it, and who was told. All in the caller's transaction."""

from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Row, Text, and_, cast, or_, select

from watcher.core.views import Footprint, KnownJob, Trail
from watcher.store import questions
from watcher.store.schema import chains, deliveries, events, jobs, servers, sessions

_MOST = 10
_SESSIONS = (
    select(
        sessions,
        servers.c.name.label("server"),
        servers.c.first_contact,
        servers.c.news_from,
        jobs.c.data.label("job"),
    )
    .join_from(sessions, servers)
    .outerjoin(jobs, and_(jobs.c.server_id == sessions.c.server_id, jobs.c.id == sessions.c.job_id))
    .order_by(sessions.c.created.desc().nulls_last())
)
_OF_SERVER = select(events).order_by(events.c.happened, events.c.created)
_JOBS = (
    select(servers.c.name.label("server"), jobs.c.data).join_from(jobs, servers).order_by(servers.c.name, jobs.c.name)
)


def find(connection: Connection, prefix: str) -> list[Trail]:
    """Find the sessions whose id begins so, with the events of their runs and what is owed of those."""
    wanted = _SESSIONS.where(sessions.c.id.startswith(prefix, autoescape=True)).limit(_MOST)
    return [_trail(connection, row) for row in connection.execute(wanted).all()]


def jobs_of(connection: Connection) -> list[KnownJob]:
    """Read every job that is known."""
    return [KnownJob(row.server, row.data) for row in connection.execute(_JOBS)]


def _trail(connection: Connection, row: Row[Any]) -> Trail:
    runs = [
        one.data
        for one in connection.execute(select(chains).where(chains.c.server_id == row.server_id, _may_be_of(row)))
        if row.id in one.data.attempts or one.id == row.id
    ]
    wanted = {row.id, *(run.last.id for run in runs if run.last)}
    # The ids of sessions stand inside the events; a job's events of some days around are few.
    near = _OF_SERVER.where(events.c.server_id == row.server_id, or_(*(_holds(events.c.data, one) for one in wanted)))
    told = [one for one in connection.execute(near).all() if one.data.session and one.data.session.id in wanted]
    return Trail(
        row.server,
        row.data,
        row.job,
        row.first_contact,
        row.news_from,
        tuple(runs),
        tuple(_footprint(connection, one) for one in told),
    )


def _may_be_of(row: Row[Any]) -> ColumnElement[bool]:
    return or_(chains.c.id == row.id, _holds(chains.c.data, row.id))


def _holds(data: Column[Any], text: str) -> ColumnElement[bool]:
    """Ask for values in whose JSON a text stands; a first sieve."""
    return cast(data, Text).contains(text, autoescape=True)


def _footprint(connection: Connection, row: Row[Any]) -> Footprint:
    sent = select(deliveries, events.c.type.label("event")).join(events).where(deliveries.c.event_id == row.id)
    rows = connection.execute(sent.order_by(deliveries.c.id)).all()
    return Footprint(row.data, row.ruling, tuple(questions.delivery_view(one) for one in rows))
