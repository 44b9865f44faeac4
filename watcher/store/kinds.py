"""Which kinds of work of a server are watched: from when on, and up to where each was read.

Each function works in the caller's transaction.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, select, update

from watcher.core.diff import has_vanished
from watcher.core.model import JobType
from watcher.core.record import Known
from watcher.store.columns import UtcTime
from watcher.store.prepared import Prepared
from watcher.store.schema import kinds, sessions
from watcher.store.statements import insert_new

_KINDS = Prepared(select(kinds).where(kinds.c.server_id == bindparam("server_id")))
_SKEW = timedelta(hours=1)
"""A session is closed on its server's clock."""

_CLOSED = select(sessions.c.server_id, sessions.c.id, sessions.c.data).where(  # by time: of a server there are many
    sessions.c.settled >= bindparam("since", type_=UtcTime)
)
_OPEN = select(sessions.c.id, sessions.c.data).where(
    sessions.c.settled.is_(None), sessions.c.server_id == bindparam("server_id")
)


def meet(
    connection: Connection, server_id: int, wanted: Collection[JobType], *, since: datetime, now: datetime
) -> Mapping[JobType, datetime]:
    """Return from when on the ends of each kind are news: `since` for those that were not watched before.

    What is watched no longer is forgotten, and nothing of it is awaited any more: when it is watched again, that is a
    new first contact. `now`: when that begins.
    """
    known = watched(connection, server_id)
    if dropped := known.keys() - wanted:
        gone = kinds.c.kind.in_(sorted(dropped))
        connection.execute(delete(kinds).where(kinds.c.server_id == server_id, gone))
        _close(connection, server_id, dropped, now)
    fresh = {kind: since for kind in sorted(wanted) if kind not in known}
    if fresh:
        rows = [{"server_id": server_id, "kind": kind.value, "since": since} for kind in fresh]
        connection.execute(insert(kinds), rows)
    return {kind: when for kind, when in {**known, **fresh}.items() if kind in wanted}


def keep(
    connection: Connection,
    server_id: int,
    mine: Mapping[JobType, datetime],
    marks: Mapping[JobType, datetime],
    *,
    since: datetime,
) -> frozenset[JobType]:
    """Put back the kinds that another watcher has forgotten since a time, as they were; return which those are.

    `mine`: from when on the ends of each kind are news; `marks`: up to where they were read. What was under way is
    awaited again.
    """
    known = watched(connection, server_id)
    missing = {kind: when for kind, when in mine.items() if kind not in known}
    if missing:
        rows = [
            {"server_id": server_id, "kind": kind.value, "since": when, "mark": marks.get(kind)}
            for kind, when in missing.items()
        ]
        insert_new(connection.dialect.name, kinds).run_each(connection, rows)
        _reopen(connection, server_id, missing, since)
    return frozenset(missing)


def watched(connection: Connection, server_id: int) -> dict[JobType, datetime]:
    """Read from when on the ends of each kind that is watched are news."""
    return {JobType(row.kind): row.since for row in _KINDS.all(connection, {"server_id": server_id})}


def mark(connection: Connection, server_id: int, moved: Mapping[JobType, datetime]) -> None:
    """Write down up to where kinds were read now."""
    for kind, when in moved.items():
        mine = (kinds.c.server_id == server_id) & (kinds.c.kind == kind.value)
        connection.execute(update(kinds).where(mine).values(mark=when))


def _close(connection: Connection, server_id: int, dropped: Iterable[JobType], now: datetime) -> None:
    """Await nothing of some kinds any more."""
    for row in connection.execute(_OPEN, {"server_id": server_id}).all():
        if _kind_of(row.data) in dropped:
            closed = replace(row.data, closed=True)
            connection.execute(update(sessions).where(_is(server_id, row.id)).values(settled=now, data=closed))


def _reopen(connection: Connection, server_id: int, kept: Iterable[JobType], since: datetime) -> None:
    """Await again what was closed so; what has vanished stays closed."""
    for row in connection.execute(_CLOSED, {"since": since - _SKEW}).all():
        known = row.data
        if (
            row.server_id == server_id
            and known.closed
            and not known.session.is_settled
            and not has_vanished(known)
            and _kind_of(known) in kept
        ):
            again = replace(known, closed=False)
            connection.execute(update(sessions).where(_is(server_id, row.id)).values(settled=None, data=again))


def _kind_of(known: Known) -> JobType:
    """Return what a session is; one that does not say so counts as a backup."""
    return known.session.job_type or JobType.BACKUP


def _is(server_id: int, session_id: str) -> ColumnElement[bool]:
    return (sessions.c.server_id == server_id) & (sessions.c.id == session_id)
