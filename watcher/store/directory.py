"""The channels of the settings and their destinations: what they owe, how they do, and where rows of old ones go.

All in the caller's transaction.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    tuple_,
    update,
)

from watcher.core.delivery import State
from watcher.core.sickness import Condition, Notice, Place
from watcher.core.views import Revived
from watcher.store import pages
from watcher.store.errors import NoSuchChannel
from watcher.store.prepared import Prepared
from watcher.store.schema import channels, deliveries, destinations, in_state
from watcher.store.statements import in_chunks, insert_new, upsert_some

REMOVED = "channel removed"
_PENDING, _DEAD = in_state(State.PENDING), in_state(State.DEAD)
_DESTINATIONS = Prepared(select(destinations))
_FRESH = {
    "state": State.PENDING.value,
    "attempts": 0,
    "settled": None,
    "last_error": None,
    "message_id": None,
    "lease_owner": None,
    "lease_until": None,
    "grouping": "",
    "held": None,
}
"""What a delivery is that was put back: nothing of its former life stays but what it is about."""


def announce(connection: Connection, addresses: Sequence[tuple[str, str]], places: Mapping[str, Sequence[str]]) -> None:
    """Write down the destinations of the channels; rows of a channel whose destinations have changed go with it."""
    dialect = connection.dialect.name
    for channel, _ in addresses:
        now_there = list(places.get(channel, ()))
        if not now_there:
            continue
        gone = and_(destinations.c.channel == channel, destinations.c.name.not_in(now_there))
        connection.execute(delete(destinations).where(gone))
        rows = [{"channel": channel, "name": one} for one in now_there]
        insert_new(dialect, destinations).run_each(connection, rows)
        left = and_(_PENDING, deliveries.c.channel == channel, deliveries.c.destination.not_in(now_there))
        if connection.scalar(select(exists().where(left))):
            _move(connection, left, channel, now_there)


def patience(connection: Connection, give_up_after: Mapping[str, timedelta]) -> None:
    """Write down how long each channel tries, for the day on which it is in no settings any more."""
    for name, span in give_up_after.items():
        connection.execute(update(channels).where(channels.c.name == name).values(give_up_seconds=span.total_seconds()))


def note(connection: Connection, decide: Callable[[Mapping[Place, Condition]], Notice], now: datetime) -> None:
    """Let `decide` judge how the destinations do, and write down what it says, with the events and debts."""
    told = decide({(row.channel, row.name): _condition(row) for row in _DESTINATIONS.all(connection, {})})
    if told.conditions:
        changes = ("failures", "failing_since", "sick_since", "reason")
        statement = upsert_some(connection.dialect.name, destinations, ("channel", "name"), changes)
        statement.run_each(connection, [_row(place, stands) for place, stands in told.conditions.items()])
    if told.events:
        pages.write_events(connection, None, told.events, now, told.rulings)
        pages.owe(connection, told.owed, {}, now)


def bury(connection: Connection, *, now: datetime, give_up_after: timedelta) -> int:
    """Let rows die whose channel is in no settings any more, when their time is over; returns how many."""
    died = 0
    for row in connection.execute(select(channels).where(channels.c.gone.is_not(None))).all():
        span = give_up_after if row.give_up_seconds is None else timedelta(seconds=row.give_up_seconds)
        over = and_(_PENDING, deliveries.c.channel == row.name, deliveries.c.first_due <= now - span)
        values = {"state": State.DEAD.value, "settled": now, "next_attempt": None, "last_error": REMOVED}
        died += len(connection.execute(update(deliveries).where(over).values(values).returning(deliveries.c.id)).all())
    return died


def revive(connection: Connection, ids: Sequence[int] | None, *, to: str | None, now: datetime) -> Revived:
    """Put dead deliveries back, all or those named; to another channel, pending ones as well."""
    places = None if to is None else _destinations(connection, to)
    wanted = _dead(connection) if ids is None else list(dict.fromkeys(ids))
    states = {
        row.id: row
        for chunk in in_chunks(wanted)
        for row in connection.execute(select(deliveries).where(deliveries.c.id.in_(chunk)))
    }
    refused = {one: why for one in wanted if (why := _why_not(states.get(one), to))}
    able = [one for one in wanted if one not in refused]
    known: list[int] = []
    for chunk in in_chunks(able):
        chosen = deliveries.c.id.in_(chunk)
        if to is not None and places is not None:
            known += _known(connection, [states[one] for one in chunk], to, places)
            _move(connection, chosen, to, places, now)
        else:
            fresh = _FRESH | {"first_due": now, "next_attempt": now}
            connection.execute(update(deliveries).where(chosen).values(fresh))
    return Revived(tuple(able), tuple(refused.items()), tuple(known))


def _known(connection: Connection, rows: Sequence[Row[Any]], channel: str, places: Sequence[str]) -> list[int]:
    """Return which of some deliveries are about what all these places have got or are owed already."""
    theirs = and_(
        deliveries.c.channel == channel, deliveries.c.destination.in_(places), deliveries.c.state != State.DEAD
    )
    of_events = deliveries.c.event_id.in_({row.event_id for row in rows})
    counted = select(deliveries.c.event_id, func.count().label("places")).where(theirs, of_events)
    there = {row.event_id: row.places for row in connection.execute(counted.group_by(deliveries.c.event_id))}
    return [row.id for row in rows if there.get(row.event_id) == len(places)]


def _move(
    connection: Connection, rows: ColumnElement[bool], channel: str, places: Sequence[str], now: datetime | None = None
) -> None:
    """Owe the events of these rows to other destinations instead; who has got or is owed one already, owes it once.

    With `now` their life begins anew, and so does what is dead there of the same events; without, it goes on.
    """
    kept = ("event_id", "created", "subject", "grouping", "held")
    times = ("first_due", "next_attempt")
    for place in places:
        values: dict[str, Any] = {name: deliveries.c[name] for name in kept}
        values |= {name: deliveries.c[name] if now is None else literal(now, deliveries.c[name].type) for name in times}
        values |= {"channel": literal(channel), "destination": literal(place)}
        values |= {"state": literal(State.PENDING.value), "attempts": literal(0) if now else deliveries.c.attempts}
        known = select(deliveries.c.event_id).where(deliveries.c.channel == channel, deliveries.c.destination == place)
        source = select(*(value.label(name) for name, value in values.items())).where(
            rows, deliveries.c.event_id.not_in(known)
        )
        connection.execute(insert(deliveries).from_select(list(values), source))
    stay = tuple_(deliveries.c.channel, deliveries.c.destination).in_([(channel, place) for place in places])
    if now is not None:
        fresh = _FRESH | {"first_due": now, "next_attempt": now}
        told = deliveries.c.event_id.in_(select(deliveries.c.event_id).where(rows))
        connection.execute(update(deliveries).where(told, stay, _DEAD).values(fresh))
    connection.execute(delete(deliveries).where(rows, ~stay))


def _dead(connection: Connection) -> list[int]:
    return list(connection.execute(select(deliveries.c.id).where(_DEAD).order_by(deliveries.c.id)).scalars())


def _destinations(connection: Connection, channel: str) -> list[str]:
    found = select(destinations.c.name).join(channels, channels.c.name == destinations.c.channel)
    places = list(connection.execute(found.where(channels.c.name == channel, channels.c.gone.is_(None))).scalars())
    if places:
        return places
    known = connection.execute(select(channels.c.name).where(channels.c.gone.is_(None)).order_by(channels.c.name))
    names = ", ".join(known.scalars()) or "none"
    raise NoSuchChannel(f"no channel is called `{channel}`: those that `watcher run` knows are {names}")


def _why_not(row: Any, to: str | None) -> str | None:
    if row is None:
        return "is no delivery"
    if row.state == State.DELIVERED:
        return "is delivered"
    if row.state == State.PENDING and to is None:
        return "is pending already"
    return None


def _condition(row: Any) -> Condition:
    return Condition(row.failures, row.failing_since, row.sick_since, row.reason or "")


def _row(place: Place, stands: Condition) -> dict[str, Any]:
    return {
        "channel": place[0],
        "name": place[1],
        "failures": stands.failures,
        "failing_since": stands.failing_since,
        "sick_since": stands.sick_since,
        "reason": stands.reason or None,
    }
