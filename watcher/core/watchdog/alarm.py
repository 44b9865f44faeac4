"""Alarms: what a rule says of something, what is remembered of it, and what is told when that changes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import TypeAlias

from watcher.core import event as events
from watcher.core.event import Event, JobRef, ServerRef, Story, Thing, event_id
from watcher.core.model import Session
from watcher.core.page import owed
from watcher.core.policy import Case, now_told, rule
from watcher.core.record import Owed
from watcher.core.ruling import Ruling, Told

LASTING = timedelta(hours=1)
"""What has to be seen for so long or longer is taken to go on while nobody looks; anything shorter is seen anew."""

Key: TypeAlias = tuple[str, str]


class Says(Enum):
    """What a rule says of something now; unsure leaves it as it was."""

    YES = "yes"
    NO = "no"
    UNSURE = "unsure"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one rule says of one subject: a job's, a session's or a thing's id, "" for the server itself.

    `since`: from when on, where the facts say it; else it counts from when it was seen first, and has to be seen for
    `after`. `level`: how bad, a higher one is told again. `until`: when time alone may change it. `wants_read`: it
    could say more if the jobs were read anew. `is_unwatched`: nobody asks any more, so nobody knows whether it is over.
    All times are on the server's clock.
    """

    kind: str
    subject: str
    says: Says
    reason: str = ""
    since: datetime | None = None
    after: timedelta = timedelta(0)
    level: int = 0
    until: datetime | None = None
    job: JobRef | None = None
    session: Session | None = None
    thing: Thing | None = None
    wants_read: bool = False
    is_unwatched: bool = False

    @property
    def key(self) -> Key:
        """What it is remembered by."""
        return self.kind, self.subject


@dataclass(frozen=True, slots=True)
class Alarm:
    """What is remembered of an alarm: it is `raised` once it was told, until then it has to be seen for a while.

    `event_id`: the event that told of it last; `told`: who was told.
    """

    kind: str
    subject: str
    since: datetime
    reason: str = ""
    raised: bool = False
    level: int = 0
    event_id: str = ""
    job: JobRef | None = None
    session: Session | None = None
    thing: Thing | None = None
    told: tuple[Told, ...] = ()

    @property
    def key(self) -> Key:
        """What it is remembered by."""
        return self.kind, self.subject


@dataclass(frozen=True, slots=True)
class Desk:
    """All that turning verdicts into events rests on. `steady`: since when the server is surveyed without a break."""

    server: ServerRef
    server_now: datetime
    case: Case
    steady: datetime | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """What changes: alarms to be remembered, those to be forgotten, and what is told, to whom and why.

    `until`: when time alone may change something, on the server's clock. `wants_read`: the jobs should be read anew.
    """

    kept: tuple[Alarm, ...] = ()
    over: tuple[Key, ...] = ()
    events: tuple[Event, ...] = ()
    rulings: Mapping[str, Ruling] = field(default_factory=dict)
    owed: tuple[Owed, ...] = ()
    until: datetime | None = None
    wants_read: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to write down."""
        return not (self.kept or self.over or self.events)


def key_of(event: Event) -> Key | None:
    """Return what the alarm of an event is remembered by; None for an event that tells of none."""
    if event.type == events.SERVER_RECOVERED:
        return events.SERVER_UNHEALTHY, ""
    kind = event.type.removesuffix(events.OVER)
    if kind not in events.ALARMS:
        return None
    if event.thing is not None:
        return kind, event.thing.id
    if kind in BY_SESSION and event.session is not None:
        return kind, event.session.id
    return kind, event.job.id if event.job is not None else ""


BY_SESSION = frozenset({events.SESSION_DISCONNECTED, events.JOB_SLOW, events.JOB_STALLED})
"""Alarms about one run, remembered by its id."""


def still_holds(event: Event, alarm: Alarm | None) -> bool | None:
    """Whether what an event says of an alarm is still so; None for events of another kind."""
    if event.type in events.ALARMS:
        return alarm is not None and alarm.raised and alarm.event_id == event.id
    if event.type in events.ALARMS_OVER and event.type != events.SERVER_RECOVERED:
        return alarm is None or not alarm.raised
    return None


def review(alarms: Mapping[Key, Alarm], verdicts: Iterable[Verdict], desk: Desk) -> Review:
    """Turn what the rules say into what is remembered and told: each alarm, each of its levels and its end once."""
    book, wants_read = _Book(alarms, desk), False
    for verdict in verdicts:
        if verdict.says is Says.YES:
            book.take(verdict)
        elif verdict.says is Says.NO and verdict.key in alarms:
            book.end(alarms[verdict.key], verdict)
        book.wake(verdict.until)
        wants_read |= verdict.wants_read
    return Review(
        tuple(book.kept),
        tuple(book.over),
        tuple(book.events),
        book.rulings,
        tuple(book.owed),
        book.until,
        wants_read,
    )


class _Book:
    """What has been decided so far."""

    def __init__(self, alarms: Mapping[Key, Alarm], desk: Desk) -> None:
        self.alarms = alarms
        self.desk = desk
        self.kept: list[Alarm] = []
        self.over: list[Key] = []
        self.events: list[Event] = []
        self.rulings: dict[str, Ruling] = {}
        self.owed: list[Owed] = []
        self.until: datetime | None = None

    def wake(self, until: datetime | None) -> None:
        if until is not None and (self.until is None or until < self.until):
            self.until = until

    def take(self, verdict: Verdict) -> None:
        """Raise an alarm, or remember since when it is seen."""
        before = self.alarms.get(verdict.key)
        if before is not None and before.raised:
            if verdict.level > before.level:
                self._raise(replace(before, level=verdict.level, reason=verdict.reason))
            elif verdict.reason and verdict.reason != before.reason:
                self.kept.append(replace(before, reason=verdict.reason))  # so many days less, so much less is free
            return
        since = verdict.since or self._seen_since(before, verdict.after)
        alarm = Alarm(
            verdict.kind,
            verdict.subject,
            since,
            verdict.reason,
            level=verdict.level,
            job=verdict.job,
            session=verdict.session,
            thing=verdict.thing,
        )
        if verdict.since is not None or self.desk.server_now - since >= verdict.after:
            self._raise(alarm)
            return
        self.wake(since + verdict.after)
        if alarm != before:
            self.kept.append(alarm)

    def end(self, alarm: Alarm, verdict: Verdict) -> None:
        """Forget an alarm, and tell of it if it was told."""
        self.over.append(alarm.key)
        kind = events.over(alarm.kind)
        if alarm.raised and kind is not None:
            event = _event(alarm, kind, verdict.reason, self.desk)
            self._say(replace(event, went_to=events.UNWATCHED) if verdict.is_unwatched else event, alarm.told)

    def _seen_since(self, before: Alarm | None, after: timedelta) -> datetime:
        if before is None:
            return self.desk.server_now
        if after >= LASTING or self.desk.steady is None:
            return before.since
        return max(before.since, self.desk.steady)

    def _raise(self, alarm: Alarm) -> None:
        event = _event(alarm, alarm.kind, alarm.reason, self.desk)
        ruling = self._say(event, alarm.told)
        told = now_told(alarm.told, event, ruling, self.desk.case.now)
        self.kept.append(replace(alarm, raised=True, event_id=event.id, told=told))

    def _say(self, event: Event, told: tuple[Told, ...]) -> Ruling:
        case = replace(self.desk.case, told=told)
        ruling = rule(event, case)
        self.events.append(event)
        self.rulings[event.id] = ruling
        self.owed.extend(owed(event, ruling, case.policy))
        return ruling


def _event(alarm: Alarm, kind: str, reason: str, desk: Desk) -> Event:
    is_over = kind != alarm.kind
    status = alarm.session.status if alarm.session is not None else None
    return Event(
        id=event_id(desk.server, alarm.subject, kind, str(alarm.level) if alarm.level else None, alarm.since),
        type=kind,
        server=desk.server,
        happened=desk.server_now if is_over else min(alarm.since, desk.server_now),
        decided=desk.case.now,
        job=alarm.job,
        session=alarm.session,
        came_from="Unhealthy" if kind == events.SERVER_RECOVERED else None,
        went_to=None if is_over else status,
        reason=reason,
        story=Story(failing_since=alarm.since),
        thing=alarm.thing,
    )
