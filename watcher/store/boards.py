"""What the page shows: how everything stands, and one job in full. All in the caller's transaction."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, Select, bindparam, select

from watcher.core.board import STRIP, Asked, JobCard, Overview, Telling, choose
from watcher.core.delivery import State
from watcher.core.event import ServerRef
from watcher.core.model import Status
from watcher.core.record import Known
from watcher.core.render.words import reason
from watcher.core.sheet import SESSIONS, Account, JobSheet, event_ids
from watcher.core.standing import OF_ALARM, JobRow
from watcher.core.watchdog.running import RUNS, usual_limit
from watcher.store import questions, quieted
from watcher.store.alarms import runs_of
from watcher.store.jobrows import standing_of, standings
from watcher.store.schema import deliveries, events, in_state, sessions
from watcher.store.statements import in_chunks

TELLINGS = 12
_SOME: BindParameter[int] = bindparam("limit")
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
    choice = choose(standings(connection), asked, now)
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
    row = standing_of(connection, server, job)
    if row is None:
        return None
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


def _card(connection: Connection, row: JobRow, now: datetime) -> JobCard:
    runs = _runs(connection, row, STRIP)
    is_trouble = row.standing(now).is_trouble
    return JobCard(row, tuple(one.session for one in runs), _why(connection, row, runs, now) if is_trouble else "")


def _why(connection: Connection, row: JobRow, runs: Sequence[Known], now: datetime) -> str:
    """Say why a job stands so: what the watchdogs say, if it stands by that, else what its last end says."""
    standing = row.standing(now)
    is_by_alarm = row.alarm is not None and standing is OF_ALARM[row.alarm.kind]
    return row.alarm.reason if row.alarm is not None and is_by_alarm else _cause(connection, row, runs)


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
