"""What is owed: claimed under a lease, sent elsewhere, settled here. All in the caller's transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    Connection,
    Row,
    Select,
    Text,
    bindparam,
    cast,
    func,
    literal_column,
    or_,
    select,
    text,
    update,
)

from watcher.core.delivery import Delivery, Settlement, State
from watcher.core.parcels import Binder, Bundle, Waiting
from watcher.store.prepared import Prepared
from watcher.store.schema import deliveries, events, in_state
from watcher.store.statements import among

_MOST_JOINED = 1000
_SEVERAL = "+"
_PENDING = in_state(State.PENDING)
_OF_CHANNEL = (_PENDING, deliveries.c.channel == bindparam("channel"))
_FREE = or_(deliveries.c.lease_until.is_(None), deliveries.c.lease_until <= bindparam("now"))
_ROWS: Select[Any] = select(
    deliveries.c.id,
    deliveries.c.channel,
    deliveries.c.destination,
    deliveries.c.attempts,
    deliveries.c.first_due,
    deliveries.c.message_id,
    deliveries.c.subject,
    deliveries.c.grouping,
    deliveries.c.held,
    deliveries.c.next_attempt,
    deliveries.c.lease_owner,
    deliveries.c.lease_until,
    events.c.data,
).join(events)
_DUE = Prepared(
    _ROWS.where(*_OF_CHANNEL, deliveries.c.next_attempt <= bindparam("now"), _FREE)
    .order_by(deliveries.c.next_attempt, deliveries.c.id)
    .limit(bindparam("limit"))
    .with_for_update(of=deliveries, skip_locked=True)
)
_REST_OF_MESSAGE = Prepared(
    _ROWS.where(*_OF_CHANNEL, _FREE, deliveries.c.message_id == bindparam("message")).with_for_update(
        of=deliveries, skip_locked=True
    )
)
_TO_THEM = among(deliveries.c.destination, "destinations")
_OF_SUBJECTS = Prepared(  # not by pairs of both: for those SQLite would go through all that the channel is owed
    _ROWS.where(*_OF_CHANNEL, among(deliveries.c.subject, "subjects"), _TO_THEM)
    .order_by(deliveries.c.id)
    .with_for_update(of=deliveries)
)
_OF_GROUPS = Prepared(
    _ROWS.where(
        *_OF_CHANNEL,
        _FREE,
        deliveries.c.grouping != literal_column("''"),  # in the statement itself, for the index
        among(deliveries.c.grouping, "groups"),
        _TO_THEM,
    )
    .order_by(deliveries.c.id)
    .limit(_MOST_JOINED)
    .with_for_update(of=deliveries, skip_locked=True)
)
_OLD = Prepared(
    _ROWS.where(*_OF_CHANNEL, deliveries.c.first_due <= bindparam("old"), _FREE)
    .order_by(deliveries.c.id)
    .limit(_MOST_JOINED)
    .with_for_update(of=deliveries, skip_locked=True)
)
_OURS = (_PENDING, deliveries.c.lease_owner == bindparam("owner"))
_AMONG = among(deliveries.c.id, "rows")
_TAKE = (
    update(deliveries)
    .where(_AMONG)
    .values(lease_owner=bindparam("owner"), lease_until=bindparam("until"), attempts=deliveries.c.attempts + 1)
)
_LEASE = Prepared(_TAKE)
_LEASE_TOGETHER = Prepared(_TAKE.values(message_id=bindparam("message")))
_LEASE_ALONE = Prepared(_TAKE.values(message_id=bindparam("stem", type_=Text).concat(cast(deliveries.c.id, Text))))
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(365083651, hashtext(:channel))")
_RENEW = Prepared(update(deliveries).where(*_OURS, _AMONG).values(lease_until=bindparam("until")))
_RELEASE = (
    update(deliveries)
    .where(*_OURS, _AMONG)
    .values(lease_owner=None, lease_until=None, attempts=deliveries.c.attempts - 1)
)
_MINE = select(deliveries.c.id).where(*_OURS, _AMONG).with_for_update(of=deliveries)
_STILL_OURS = Prepared(_MINE)
_HOW_MANY_OURS = Prepared(select(func.count()).select_from(_MINE.subquery()))
_SETTLE = Prepared(
    update(deliveries)
    .where(_AMONG)
    .values(
        state=bindparam("to"),
        next_attempt=bindparam("next"),
        settled=bindparam("at"),
        last_error=bindparam("reason"),
        lease_owner=None,
        lease_until=None,
    )
)
_TAKE_OVER = (
    update(deliveries)
    .where(_PENDING, deliveries.c.lease_owner != bindparam("owner"), deliveries.c.lease_until.is_not(None))
    .values(lease_until=None)
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
    connection: Connection, channel: str, *, now: datetime, owner: str, lease: timedelta, limit: int, binder: Binder
) -> list[Delivery]:
    """Lease what is due, as up to `limit` messages, and count the attempt before it is made."""
    # More than one statement: on PostgreSQL a LIMIT below an UPDATE may be planned so that it locks more than it says.
    place = {"channel": channel, "now": now}
    if binder.joins and connection.dialect.name == "postgresql":
        connection.execute(_ONE_AT_A_TIME, place)  # two watchers must not each claim one half of a job's rows
    rows = _read(_DUE.all(connection, place | {"limit": binder.rows(limit)}), now)
    if not rows:
        return []
    if binder.wants_all((row.delivery for row in rows.values()), now):
        rows |= _read(_DUE.all(connection, place | {"limit": _MOST_JOINED}), now)
    rows |= _read(_of_groups(connection, rows.values(), binder, place), now)
    rows |= _read(_belonging(connection, list(rows.values()), binder, place), now)
    bundles = binder.bind(list(rows.values()), now)[:limit]
    stem = uuid4().hex[:16]
    messages = _named(bundles, stem)
    _lease(connection, messages, stem, {"owner": owner, "until": now + lease})
    return [row for message in messages for row in message]


def renew(connection: Connection, ids: Iterable[int], *, owner: str, until: datetime) -> None:
    """Move the end of leases that are still ours."""
    _RENEW.run(connection, {"rows": ids, "owner": owner, "until": until})


def release(connection: Connection, ids: Iterable[int], *, owner: str) -> None:
    """Give back leases that are still ours; the attempts that were not made do not count."""
    connection.execute(_RELEASE, {"rows": ids, "owner": owner})


def settle(connection: Connection, results: Mapping[int, Settlement], *, owner: str, now: datetime) -> set[int]:
    """Write down how attempts went, for the rows whose lease is still ours; returns which those are."""
    ours = _still_ours(connection, set(results), owner)
    alike: dict[int, list[int]] = {}
    ends = {id(end): end for end in results.values()}
    for row, end in results.items():
        if row in ours:
            alike.setdefault(id(end), []).append(row)
    for key, rows_alike in alike.items():  # mostly all are delivered, which is one value and one statement
        _SETTLE.run(connection, {"rows": rows_alike, **_settled(ends[key], now)})
    return ours


def take_over(connection: Connection, owner: str) -> int:
    """End the leases of all others, whose names stay as the mark of an interrupted send; returns how many."""
    return len(connection.execute(_TAKE_OVER, {"owner": owner}).all())


def due_open(connection: Connection, channels: Sequence[str], now: datetime) -> int:
    """Count what is due and still pending."""
    return connection.execute(_DUE_OPEN, {"channels": list(channels), "now": now}).scalar_one()


def _of_groups(
    connection: Connection, due: Iterable[Waiting], binder: Binder, place: Mapping[str, object]
) -> Iterable[Row[Any]]:
    """Read what may leave with what is due, though it would have waited a little longer."""
    wanted = {(row.group, row.delivery.destination) for row in due if row.group}
    if binder.joins and wanted:
        found = _OF_GROUPS.all(connection, {**place, **_apart("groups", wanted)})
        yield from (row for row in found if (row.grouping, row.destination) in wanted)


def _belonging(
    connection: Connection, due: Sequence[Waiting], binder: Binder, place: Mapping[str, object]
) -> Iterable[Row[Any]]:
    """Read what has to leave together with what is due: the rest of a batch, of a job, of what is old."""
    if not binder.joins:
        last = due[-1].delivery.message_id  # only the last one can have been cut
        yield from _REST_OF_MESSAGE.all(connection, {**place, "message": last}) if last.endswith(_SEVERAL) else ()
        return
    wanted = {(row.subject, row.delivery.destination) for row in due}
    found = _OF_SUBJECTS.all(connection, {**place, **_apart("subjects", wanted)})
    yield from (row for row in found if (row.subject, row.destination) in wanted)
    old = binder.old(place["now"])  # type: ignore[arg-type]  # it is the time
    if old and any(row.delivery.first_due <= old for row in due):
        yield from _OLD.all(connection, {**place, "old": old})


def _apart(name: str, wanted: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """Return what rows have in common, and their destinations, as two lists for a statement."""
    common, places = zip(*wanted, strict=True)
    return {name: list(dict.fromkeys(common)), "destinations": list(dict.fromkeys(places))}


def _still_ours(connection: Connection, rows: set[int], owner: str) -> set[int]:
    """Return which rows are still leased to their owner; mostly all are, and counting them is one step and not many."""
    asked = {"rows": rows, "owner": owner}
    if _HOW_MANY_OURS.one(connection, asked)[0] == len(rows):
        return rows
    return {row.id for row in _STILL_OURS.all(connection, asked)}


def _lease(connection: Connection, messages: Sequence[Sequence[Delivery]], stem: str, mark: Mapping[str, Any]) -> None:
    """Lease the rows of each message; those that leave by themselves in as few statements as can be."""
    alone = [message[0] for message in messages if len(message) == 1]
    fresh = {row.id for row in alone if row.message_id == _name(stem, [row])}
    if fresh:
        _LEASE_ALONE.run(connection, {**mark, "rows": fresh, "stem": stem})
    if again := {row.id for row in alone} - fresh:
        _LEASE.run(connection, {**mark, "rows": again})
    for message in messages:
        if len(message) > 1:
            ids = [row.id for row in message]
            _LEASE_TOGETHER.run(connection, {**mark, "rows": ids, "message": message[0].message_id})


def _read(rows: Iterable[Row[Any]], now: datetime) -> dict[int, Waiting]:
    return {row[0]: _waiting(row, now) for row in rows}


def _waiting(row: Sequence[Any], now: datetime) -> Waiting:
    # By position and not by name: this is done for each row that is ever sent.
    number, channel, destination, attempts, first_due, message, subject, group, held, due, owner, until, event = row
    delivery = Delivery(
        number, message or "", event, channel, destination, attempts + 1, first_due, owner is not None, held or ""
    )
    return Waiting(delivery, subject, due=due <= now, busy=until is not None and until > now, group=group)


def _named(bundles: Iterable[Bundle], stem: str) -> list[list[Delivery]]:
    """Give the rows of each message its name: one that they had before and no other message has taken, else a new."""
    taken: set[str] = set()
    named: list[list[Delivery]] = []
    for bundle in bundles:
        rows = [waiting.delivery for waiting in bundle]
        before = (row.message_id for row in rows)
        name = next((one for one in before if one and one not in taken), None) or _name(stem, rows)
        taken.add(name)
        named.append([row if row.message_id == name else _with_name(row, name) for row in rows])
    return named


def _name(stem: str, rows: Sequence[Delivery]) -> str:
    """Name a message after its first row, in a way that a statement can, too; the stem belongs to one claim.

    The name says whether there are others: to look for those means going through all that the channel is owed.
    """
    return f"{stem}{rows[0].id}{_SEVERAL if len(rows) > 1 else ''}"


def _with_name(row: Delivery, name: str) -> Delivery:
    # `dataclasses.replace` takes three times as long, and this is done for each row that is ever sent.
    return Delivery(
        row.id,
        name,
        row.event,
        row.channel,
        row.destination,
        row.attempts,
        row.first_due,
        row.interrupted,
        row.held,
    )


def _settled(settlement: Settlement, now: datetime) -> dict[str, object]:
    pending = settlement.state == State.PENDING
    return {
        "to": settlement.state.value,
        "next": (settlement.next_attempt or now) if pending else None,  # without a time it would never come back
        "at": None if pending else now,
        "reason": None if settlement.state == State.DELIVERED else settlement.reason or None,
    }
