"""Silences, and what they keep back. All in the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from watcher.core.ruling import Ruling
from watcher.core.silence import Silence
from watcher.store.prepared import Prepared
from watcher.store.schema import muted, silences
from watcher.store.statements import insert_new

_IN_FORCE = Prepared(
    select(silences)
    .where(silences.c.begins <= bindparam("now"), silences.c.ends > bindparam("now"))
    .order_by(silences.c.id)
)
_LATEST = select(silences).order_by(silences.c.id.desc()).limit(bindparam("most"))
_COUNT = update(silences).where(silences.c.id == bindparam("one")).values(muted=silences.c.muted + bindparam("more"))


def in_force(connection: Connection, now: datetime) -> tuple[Silence, ...]:
    """Read the silences of the moment."""
    return tuple(_silence(row) for row in _IN_FORCE.all(connection, {"now": now}))


def latest(connection: Connection, limit: int) -> list[Silence]:
    """Read the silences that were set last, also those that are over, newest first."""
    return [_silence(row) for row in connection.execute(_LATEST, {"most": limit})]


def add(connection: Connection, silence: Silence) -> int:
    """Write a silence down; returns its number."""
    values = {
        "match": silence.match,
        "begins": silence.begins,
        "ends": silence.ends,
        "author": silence.author,
        "reason": silence.reason,
    }
    return int(connection.execute(insert(silences).values(values).returning(silences.c.id)).scalar_one())


def end(connection: Connection, number: int, now: datetime) -> bool:
    """Let a silence end now; returns whether it was still to end."""
    over = update(silences).where(silences.c.id == number, silences.c.ends > now).values(ends=now)
    return bool(connection.execute(over.returning(silences.c.id)).all())


def keep_back(connection: Connection, rulings: Mapping[str, Ruling], now: datetime) -> None:
    """Write down which events a silence keeps back, and count them for it."""
    kept = {event_id: ruling for event_id, ruling in rulings.items() if ruling.muted_by is not None}
    if not kept:
        return
    rows = [{"event_id": event_id, "since": now} for event_id in kept]
    insert_new(connection.dialect.name, muted).run_each(connection, rows)
    numbers = [ruling.muted_by for ruling in kept.values() if ruling.muted_by]
    for number in set(numbers):
        connection.execute(_COUNT, {"one": number, "more": numbers.count(number)})


def _silence(row: Row[Any]) -> Silence:
    return Silence(row.match, row.begins, row.ends, row.author, row.reason, row.id, muted=row.muted)
