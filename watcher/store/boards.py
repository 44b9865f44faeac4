"""What the page shows: how everything stands, and one job in full. All in the caller's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import BindParameter, Connection, Row, Select, and_, bindparam, select

from watcher.core.board import STRIP, Asked, JobCard, Overview, Telling, choose
from watcher.core.delivery import State
from watcher.core.event import ServerRef
from watcher.core.model import Status
from watcher.core.record import Known
from watcher.core.render.words import reason
from watcher.core.sheet import SESSIONS, Account, JobSheet, event_ids
from watcher.core.standing import OF_ALARM, JobRow
from watcher.core.watchdog.alarm import Alarm
from watcher.core.watchdog.running import RUNS, usual_limit
from watcher.store import questions, quieted
from watcher.store.alarms import runs_of
from watcher.store.pages import outcome_of
from watcher.store.schema import alarms, chains, deliveries, events, in_state, jobs, outcomes, servers, sessions
from watcher.store.statements import in_chunks

TELLINGS = 12
_Key: TypeAlias = tuple[int, str]
_SOME: BindParameter[int] = bindparam("limit")
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
_OPEN = select(sessions.c.server_id, sessions.c.job_id, sessions.c.data).where(
    sessions.c.settled.is_(None), sessions.c.job_id.is_not(None)
)
_ALARMS = select(alarms.c.server_id, alarms.c.data).order_by(alarms.c.kind, alarms.c.subject)
_HELD = select(chains.c.server_id, chains.c.held, chains.c.data).where(
    chains.c.over.is_(None), chains.c.held.is_not(None)
)
_RUNS = (
    select(sessions.c.data)
    .where(sessions.c.server_id == bindparam("server_id"), sessions.c.job_id == bindparam("job_id"))
    .order_by(sessions.c.created.desc())
    .limit(_SOME)
)
_EVENTS = select(events.c.id, events.c.data, events.c.ruling).where(events.c.id.in_(bindparam("ids", expanding=True)))
_SENT = (
    select(deliveries, events.c.type.label("event"))
    .join(events)
    .where(deliveries.c.event_id.in_(bindparam("ids", expanding=True)))
    .order_by(deliveries.c.id)
)
_TELLINGS = select(deliveries, events.c.type.label("event"), events.c.data).join(events)
_LATEST = questions.newest_first(_TELLINGS, None).limit(_SOME)
_DEAD = questions.newest_first(_TELLINGS.where(in_state(State.DEAD)), State.DEAD).limit(_SOME)


def overview(connection: Connection, asked: Asked, now: datetime) -> Overview:
    """Read how everything stands, with the runs of the jobs that are on the page asked for."""
    choice = choose(_rows(connection), asked, now)
    return Overview(
        now=now,
        status=questions.status(connection, now),
        choice=choice,
        cards=tuple(_card(connection, row, now) for row in choice.rows),
        causes=tuple(_why(connection, row, _runs(connection, row, STRIP), now) for row in choice.worst),
        latest=_tellings(connection, _LATEST),
        dead=_tellings(connection, _DEAD),
        silences=quieted.in_force(connection, now),
    )


def sheet(connection: Connection, server: str, job: str, now: datetime) -> JobSheet | None:
    """Read one job in full; None if there is none of that id."""
    found = connection.execute(_ONE_JOB, {"server": server, "job_id": job}).first()
    if found is None:
        return None
    row = _row(found, _Standings.read(connection))
    runs = _runs(connection, row, SESSIONS)
    card = JobCard(row, tuple(one.session for one in runs), _why(connection, row, runs, now))
    return JobSheet(
        now,
        card,
        tuple(runs[::-1]),
        _told(connection, row.server, runs[::-1]),
        quieted.in_force(connection, now),
        usual_limit(runs_of(connection, row.server_id, job, RUNS)),
    )


def standings(connection: Connection) -> list[JobRow]:
    """Read how every job stands."""
    return _rows(connection)


def _rows(connection: Connection) -> list[JobRow]:
    standings = _Standings.read(connection)
    return [_row(row, standings) for row in connection.execute(_JOBS)]


@dataclass(frozen=True, slots=True)
class _Standings:
    """What else there is to a job's standing, by its server and its id."""

    running: Mapping[_Key, Known]
    held: Mapping[_Key, datetime]
    alarms: Mapping[_Key, tuple[Alarm, ...]]

    @classmethod
    def read(cls, connection: Connection) -> "_Standings":
        return cls(_running(connection), _held(connection), _alarmed(connection))


def _row(row: Row[Any], standings: _Standings) -> JobRow:
    key = (row.server_id, row.job)
    known = standings.running.get(key)
    return JobRow(
        server_id=row.server_id,
        server=ServerRef(row.name, row.installation_id),
        job=row.known,
        outcome=outcome_of(row) if row.status is not None else None,
        running=known.session if known else None,
        held=standings.held.get(key),
        alarms=standings.alarms.get(key, ()),
    )


def _running(connection: Connection) -> dict[_Key, Known]:
    """Return the open session of each job that has one; of several the latest."""
    found: dict[_Key, Known] = {}
    for row in connection.execute(_OPEN):
        before = found.get((row.server_id, row.job_id))
        if row.data.is_open and (before is None or _began(before) < _began(row.data)):
            found[row.server_id, row.job_id] = row.data
    return found


def _card(connection: Connection, row: JobRow, now: datetime) -> JobCard:
    runs = _runs(connection, row, STRIP)
    is_trouble = row.standing(now).is_trouble
    return JobCard(row, tuple(one.session for one in runs), _why(connection, row, runs, now) if is_trouble else "")


def _why(connection: Connection, row: JobRow, runs: Sequence[Known], now: datetime) -> str:
    """Say why a job stands so: what the watchdogs say, if it stands by that, else what its last end says."""
    standing = row.standing(now)
    is_by_alarm = row.alarm is not None and standing is OF_ALARM[row.alarm.kind]
    return row.alarm.reason if row.alarm is not None and is_by_alarm else _cause(connection, row, runs)


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


def _runs(connection: Connection, row: JobRow, limit: int) -> list[Known]:
    """Read a job's last sessions, oldest first."""
    wanted = {"server_id": row.server_id, "job_id": row.job.id, "limit": limit}
    return list(connection.scalars(_RUNS, wanted))[::-1]


def _cause(connection: Connection, row: JobRow, runs: Sequence[Known]) -> str:
    """Return why the last bad end of a job was one, as its event has it; `runs` are its last, oldest first."""
    if row.outcome is None or row.outcome.status == Status.SUCCESS:
        return ""
    for known in reversed(runs):
        session = known.session
        if session.status != row.outcome.status:
            continue
        ids = list(event_ids(row.server, known))
        told = [one.data for one in connection.execute(_EVENTS, {"ids": ids})]
        why = next((line.text for event in told if (line := reason(event))), "")
        return why or _plain(session.details)
    return ""


def _plain(details: str | None) -> str:
    return " ".join(line for line in (details or "").splitlines() if not line.lower().startswith("transferred:"))


def _told(connection: Connection, server: ServerRef, found: Sequence[Known]) -> dict[str, tuple[Account, ...]]:
    """Read what was told of some sessions, and to whom, by session."""
    of_session = {one: known.session.id for known in found for one in event_ids(server, known)}
    told = [row for ids in in_chunks(of_session) for row in connection.execute(_EVENTS, {"ids": ids})]
    sent: dict[str, list[Row[Any]]] = {}
    for ids in in_chunks(row.id for row in told):
        for one in connection.execute(_SENT, {"ids": ids}):
            sent.setdefault(one.event_id, []).append(one)
    accounts: dict[str, tuple[Account, ...]] = {}
    for row in told:
        its = tuple(questions.delivery_view(one) for one in sent.get(row.id, ()))
        session = of_session[row.id]
        accounts[session] = (*accounts.get(session, ()), Account(row.data, row.ruling, its))
    return accounts


def _tellings(connection: Connection, wanted: Select[Any]) -> tuple[Telling, ...]:
    rows = connection.execute(wanted, {"limit": TELLINGS})
    return tuple(Telling(questions.delivery_view(row), row.data) for row in rows)
