"""How jobs stand, as the database has it. All in the caller's transaction."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, or_, select

from watcher.core.event import ServerRef
from watcher.core.model import Job
from watcher.core.record import Known, Outcome
from watcher.core.standing import OF_ALARM, RESTING_AFTER, JobRow
from watcher.core.watchdog.alarm import Alarm
from watcher.store.pages import outcome_of
from watcher.store.schema import alarms, chains, jobs, outcomes, servers, sessions
from watcher.store.statements import in_chunks

_Key: TypeAlias = tuple[int, str]
_JOBS: Select[Any] = (
    select(
        jobs.c.server_id,
        jobs.c.id.label("job"),
        jobs.c.data.label("known"),
        servers.c.name,
        servers.c.installation_id,
        *(column for column in outcomes.c if column.name not in {"server_id", "job_id"}),
    )
    .join_from(jobs, servers)
    .outerjoin(outcomes, and_(outcomes.c.server_id == jobs.c.server_id, outcomes.c.job_id == jobs.c.id))
    .where(servers.c.gone.is_(None))
)
_ONE_JOB = _JOBS.where(servers.c.name == bindparam("server"), jobs.c.id == bindparam("job_id"))
_HAS_ENDED_LATELY = outcomes.c.ended >= bindparam("lately", type_=outcomes.c.ended.type)
_OTHERS = _JOBS.where(or_(outcomes.c.ended.is_(None), ~_HAS_ENDED_LATELY))
_SOME = _JOBS.where(_HAS_ENDED_LATELY, jobs.c.id.in_(bindparam("ids", expanding=True)))
_PLAIN = (
    _JOBS.with_only_columns(
        jobs.c.server_id, servers.c.name, servers.c.installation_id, outcomes.c.status, func.count().label("number")
    )
    .where(_HAS_ENDED_LATELY)
    .group_by(jobs.c.server_id, servers.c.name, servers.c.installation_id, outcomes.c.status)
)
_OPEN = select(sessions.c.server_id, sessions.c.job_id, sessions.c.data).where(
    sessions.c.settled.is_(None), sessions.c.job_id.is_not(None)
)
_ALARMS = select(alarms.c.server_id, alarms.c.data).order_by(alarms.c.kind, alarms.c.subject)
_HELD = select(chains.c.server_id, chains.c.held, chains.c.data).where(
    chains.c.over.is_(None), chains.c.held.is_not(None)
)
_NOBODY = Job("", "")


def standings(connection: Connection) -> list[JobRow]:
    """Read how every job stands."""
    besides = _Besides.read(connection)
    return [_row(row, besides) for row in connection.execute(_JOBS)]


def standing_of(connection: Connection, server: str, job: str) -> JobRow | None:
    """Read how one job stands; None if there is none of that id."""
    found = connection.execute(_ONE_JOB, {"server": server, "job_id": job}).first()
    return None if found is None else _row(found, _Besides.read(connection))


def alike(connection: Connection, now: datetime) -> list[tuple[JobRow, int]]:
    """Read how all jobs stand, server by server: one row for those that stand alike, with their number.

    A job that has ended lately stands by its outcome alone, if nothing runs, waits or is told of it: those are counted
    by the database, and stand here as a row without id and name. All others are read as they are.
    """
    besides, lately = _Besides.read(connection), {"lately": now - RESTING_AFTER}
    special = _special(connection, besides, lately)
    taken = Counter((one.server_id, one.outcome.status) for one in special if one.outcome is not None)
    found = [(one, 1) for one in special]
    found += [(_row(row, besides), 1) for row in connection.execute(_OTHERS, lately)]
    for row in connection.execute(_PLAIN, lately):
        if (number := row.number - taken[row.server_id, row.status]) > 0:
            server = ServerRef(row.name, row.installation_id)
            found.append((JobRow(row.server_id, server, _NOBODY, Outcome(row.status, now)), number))
    return sorted(found, key=lambda one: one[0].server_id)


def _special(connection: Connection, besides: "_Besides", lately: Mapping[str, datetime]) -> list[JobRow]:
    """Read those of the jobs that have ended lately of which there is more to say than that."""
    keys = besides.running.keys() | besides.held.keys() | besides.alarms.keys()
    rows = (
        row
        for ids in in_chunks(sorted(job for _, job in keys))
        for row in connection.execute(_SOME, {**lately, "ids": ids})
    )
    return [_row(row, besides) for row in rows if (row.server_id, row.job) in keys]


@dataclass(frozen=True, slots=True)
class _Besides:
    """What else there is to a job's standing, by its server and its id."""

    running: Mapping[_Key, Known]
    held: Mapping[_Key, datetime]
    alarms: Mapping[_Key, tuple[Alarm, ...]]

    @classmethod
    def read(cls, connection: Connection) -> "_Besides":
        return cls(_running(connection), _held(connection), _alarmed(connection))


def _row(row: Row[Any], besides: _Besides) -> JobRow:
    key = (row.server_id, row.job)
    known = besides.running.get(key)
    return JobRow(
        server_id=row.server_id,
        server=ServerRef(row.name, row.installation_id),
        job=row.known,
        outcome=outcome_of(row) if row.status is not None else None,
        running=known.session if known else None,
        held=besides.held.get(key),
        alarms=besides.alarms.get(key, ()),
    )


def _running(connection: Connection) -> dict[_Key, Known]:
    """Return the open session of each job that has one; of several the latest."""
    found: dict[_Key, Known] = {}
    for row in connection.execute(_OPEN):
        before = found.get((row.server_id, row.job_id))
        if row.data.is_open and (before is None or _began(before) < _began(row.data)):
            found[row.server_id, row.job_id] = row.data
    return found


def _began(known: Known) -> float:
    return known.session.created.timestamp() if known.session.created else 0.0


def _held(connection: Connection) -> dict[_Key, datetime]:
    return {(row.server_id, row.data.job_id): row.held for row in connection.execute(_HELD)}


def _alarmed(connection: Connection) -> dict[_Key, tuple[Alarm, ...]]:
    """Return what the watchdogs have told of each job and its runs, and is not over."""
    found: dict[_Key, tuple[Alarm, ...]] = {}
    for server_id, alarm in connection.execute(_ALARMS):
        if alarm.raised and alarm.kind in OF_ALARM and alarm.job is not None:
            key = (server_id, alarm.job.id)
            found[key] = (*found.get(key, ()), alarm)
    return found
