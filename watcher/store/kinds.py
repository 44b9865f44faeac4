"""Which kinds of work of a server are watched: from when on, and up to where each was read.

Each function works in the caller's transaction.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from watcher.core.model import JobType
from watcher.store.schema import kinds, sessions

_KINDS = select(kinds).where(kinds.c.server_id == bindparam("server_id"))
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


def watched(connection: Connection, server_id: int) -> dict[JobType, datetime]:
    """Read from when on the ends of each kind that is watched are news."""
    return {JobType(row.kind): row.since for row in connection.execute(_KINDS, {"server_id": server_id})}


def mark(connection: Connection, server_id: int, moved: Mapping[JobType, datetime]) -> None:
    """Write down up to where kinds were read now."""
    for kind, when in moved.items():
        mine = (kinds.c.server_id == server_id) & (kinds.c.kind == kind.value)
        connection.execute(update(kinds).where(mine).values(mark=when))


def _close(connection: Connection, server_id: int, dropped: Iterable[JobType], now: datetime) -> None:
    """Await nothing of some kinds any more; where a session does not say what it is, it counts as a backup."""
    for row in connection.execute(_OPEN, {"server_id": server_id}).all():
        if (row.data.session.job_type or JobType.BACKUP) in dropped:
            mine = (sessions.c.server_id == server_id) & (sessions.c.id == row.id)
            closed = replace(row.data, closed=True)
            connection.execute(update(sessions).where(mine).values(settled=now, data=closed))
