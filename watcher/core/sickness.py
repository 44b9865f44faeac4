"""When a destination of a channel counts as sick, and who is told of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from watcher.core.delivery import Sent, Verdict
from watcher.core.event import CHANNEL_FAILING, CHANNEL_RECOVERED, OURSELVES, Event, event_id
from watcher.core.page import owed
from watcher.core.policy import Case, Policy, rule
from watcher.core.record import Owed
from watcher.core.ruling import Ruling

FAILURES = 3
FAILING_FOR = timedelta(seconds=30)
KEPT = "What it is owed is kept and tried again"
GIVEN_UP = "That message is given up (watcher retry puts it back); what comes later is tried all the same"

Place: TypeAlias = tuple[str, str]
"""A channel's name and one of its destinations."""


@dataclass(frozen=True, slots=True)
class Condition:
    """How a destination does: failed attempts in a row, since when, and since when it counts as sick, and why."""

    failures: int = 0
    failing_since: datetime | None = None
    sick_since: datetime | None = None
    reason: str = ""


WELL = Condition()


@dataclass(frozen=True, slots=True)
class Attempt:
    """How one send to one destination went."""

    destination: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Notice:
    """What a round of attempts changes: conditions of destinations, and who has to be told."""

    conditions: Mapping[Place, Condition]
    events: tuple[Event, ...] = ()
    owed: tuple[Owed, ...] = ()
    rulings: Mapping[str, Ruling] = field(default_factory=dict)


def notice(
    channel: str, attempts: Iterable[Attempt], before: Mapping[Place, Condition], policy: Policy, now: datetime
) -> Notice:
    """Decide what attempts at one channel say of its health.

    Sick is what was refused once, or failed three times in a row over half a minute; one delivery makes it well. A
    receiver that names a time to come back is busy, not sick. Each change is told once, through the other channels,
    and to none of their destinations that is sick itself.
    """
    changed: dict[Place, Condition] = {}
    events: list[Event] = []
    for attempt in attempts:
        place = (channel, attempt.destination)
        was = changed.get(place, before.get(place, WELL))
        changed[place] = stands = _after(was, attempt.verdict, now)
        if stands.sick_since and not was.sick_since:
            fate = GIVEN_UP if attempt.verdict.sent == Sent.REFUSED else KEPT
            text = f"{attempt.destination}: {stands.reason}. {fate}"
            events.append(_event(CHANNEL_FAILING, place, stands.sick_since, text, now))
        elif was.sick_since and not stands.sick_since:
            events.append(_event(CHANNEL_RECOVERED, place, was.sick_since, f"{attempt.destination} takes again", now))
    moved = {place: stands for place, stands in changed.items() if stands != before.get(place, WELL)}
    rulings = {event.id: rule(event, Case(policy, now)) for event in events}
    stand = {**before, **changed}
    debts = tuple(row for event in events for row in _owed(event, rulings[event.id], policy, stand))
    return Notice(moved, tuple(events) if debts else (), debts, rulings)


def _after(was: Condition, verdict: Verdict, now: datetime) -> Condition:
    if verdict.sent == Sent.DELIVERED:
        return WELL
    if verdict.sent == Sent.WAIT_UNTIL:
        return was
    failures, since = was.failures + 1, was.failing_since or now
    is_sick = verdict.sent == Sent.REFUSED or (failures >= FAILURES and now - since >= FAILING_FOR)
    sick_since = was.sick_since or (now if is_sick else None)
    return Condition(min(failures, 1000), since, sick_since, verdict.reason if sick_since else "")


def _event(kind: str, place: Place, since: datetime, text: str, now: datetime) -> Event:
    return Event(
        id=event_id(OURSELVES, "\x1f".join(place), kind, None, since),
        type=kind,
        server=OURSELVES,
        happened=now,
        decided=now,
        reason=text,
        channel=place[0],
    )


def _owed(event: Event, ruling: Ruling, policy: Policy, conditions: Mapping[Place, Condition]) -> Iterable[Owed]:
    """Return what is owed to the others: neither to the channel itself nor to destinations that are sick, too."""
    for row in owed(event, ruling, policy):
        if row.channel != event.channel and not conditions.get((row.channel, row.destination), WELL).sick_since:
            yield row
