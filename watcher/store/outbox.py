"""What is owed: claimed under a lease, sent elsewhere, settled here. All in the caller's transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, Row, bindparam, case, func, or_, select, update

from watcher.core.delivery import Delivery, Settlement, State
from watcher.store.schema import deliveries, events, in_state
from watcher.store.statements import in_chunks

_PENDING = in_state(State.PENDING)
_FREE = or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= bindparam("now"))
_DUE = (
    select(
        deliveries.c.id,
        deliveries.c.channel,
        deliveries.c.destination,
        deliveries.c.attempts,
        deliveries.c.first_due,
        deliveries.c.message_id,
        events.c.data,
    )
    .join(events)
    .where(_PENDING, deliveries.c.channel == bindparam("channel"), deliveries.c.next_attempt <= bindparam("now"), _FREE)
    .order_by(deliveries.c.next_attempt, deliveries.c.id)
    .limit(bindparam("limit"))
    .with_for_update(of=deliveries, skip_locked=True)
)
_LEASE = (
    update(deliveries)
    .where(deliveries.c.id == bindparam("row"))
    .values(
        lease_owner=bindparam("owner"),
        lease_until=bindparam("until"),
        attempts=deliveries.c.attempts + 1,
        message_id=bindparam("name"),
    )
)
_OURS = (_PENDING, deliveries.c.lease_owner == bindparam("owner"))
_RENEW = (
    update(deliveries)
    .where(*_OURS, deliveries.c.id.in_(bindparam("rows", expanding=True)))
    .values(lease_until=bindparam("until"))
)
_SETTLE = (
    update(deliveries)
    .where(*_OURS, deliveries.c.id == bindparam("row"))
    .values(
        state=bindparam("to"),
        next_attempt=bindparam("next"),
        settled=bindparam("at"),
        last_error=bindparam("reason"),
        lease_owner=None,
        lease_until=None,
    )
    .returning(deliveries.c.id)
)
_DUE_AT = case(
    (deliveries.c.lease_until > deliveries.c.next_attempt, deliveries.c.lease_until), else_=deliveries.c.next_attempt
)
_NEXT_DUE = select(func.min(_DUE_AT)).where(_PENDING, deliveries.c.channel == bindparam("channel"))
_TAKE_OVER = (
    update(deliveries)
    .where(_PENDING, deliveries.c.lease_owner != bindparam("owner"))
    .values(lease_owner=None, lease_until=None)
    .returning(deliveries.c.id)
)
_DUE_OPEN = (
    select(func.count())
    .select_from(deliveries)
    .where(
        _PENDING,
        deliveries.c.channel.in_(bindparam("channels", expanding=True)),
        deliveries.c.next_attempt <= bindparam("now"),
    )
)


def claim(
    connection: Connection, channel: str, *, now: datetime, owner: str, lease: timedelta, limit: int
) -> list[Delivery]:
    """Lease what is due, the longest due first, and count the attempt before it is made."""
    # Two statements: on PostgreSQL a LIMIT below an UPDATE may be planned so that it locks more rows than it says.
    rows = connection.execute(_DUE, {"channel": channel, "now": now, "limit": limit}).all()
    names = [row.message_id or uuid4().hex for row in rows]
    if rows:
        mark = {"owner": owner, "until": now + lease}
        connection.execute(
            _LEASE, [mark | {"row": row.id, "name": name} for row, name in zip(rows, names, strict=True)]
        )
    return [_delivery(row, name) for row, name in zip(rows, names, strict=True)]


def renew(connection: Connection, ids: Iterable[int], *, owner: str, until: datetime) -> None:
    """Move the end of leases that are still ours."""
    for rows in in_chunks(ids):
        connection.execute(_RENEW, {"rows": rows, "owner": owner, "until": until})


def settle(connection: Connection, delivery_id: int, settlement: Settlement, *, owner: str, now: datetime) -> bool:
    """Write down how an attempt went, if the lease is still ours."""
    pending = settlement.state == State.PENDING
    values = {
        "row": delivery_id,
        "owner": owner,
        "to": settlement.state.value,
        "next": (settlement.next_attempt or now) if pending else None,  # without a time it would never come back
        "at": None if pending else now,
        "reason": None if settlement.state == State.DELIVERED else settlement.reason or None,
    }
    return connection.execute(_SETTLE, values).first() is not None


def next_due(connection: Connection, channel: str) -> datetime | None:
    """Find when the next row of a channel can be claimed."""
    moment: datetime | None = connection.scalar(_NEXT_DUE, {"channel": channel})
    return moment


def take_over(connection: Connection, owner: str) -> int:
    """Free the leases of all others; returns how many."""
    return len(connection.execute(_TAKE_OVER, {"owner": owner}).all())


def due_open(connection: Connection, channels: Sequence[str], now: datetime) -> int:
    """Count what is due and still pending."""
    return connection.execute(_DUE_OPEN, {"channels": list(channels), "now": now}).scalar_one()


def _delivery(row: Row[*tuple[Any, ...]], message_id: str) -> Delivery:
    return Delivery(
        id=row.id,
        message_id=message_id,
        event=row.data,
        channel=row.channel,
        destination=row.destination,
        attempts=row.attempts + 1,
        first_due=row.first_due,
    )
