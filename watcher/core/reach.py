"""Whether a server answers, and when somebody has to be told that it does not."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from watcher.core.event import (
    SERVER_RECOVERED,
    SERVER_UNAUTHORIZED,
    SERVER_UNREACHABLE,
    Event,
    ServerRef,
    Story,
    event_id,
)
from watcher.core.model import Failure
from watcher.core.ruling import Told

GRACE = timedelta(minutes=5)
AT_ONCE = frozenset({Failure.LOGIN_REFUSED})
"""What does not pass by itself: each further minute is one without a watch."""

_LOGIN = frozenset({Failure.LOGIN_REFUSED, Failure.UNAUTHORIZED})


@dataclass(frozen=True, slots=True)
class Reach:
    """How looks at a server go. `failing_since`: the first of those that failed in a row, None if the last succeeded.

    `failure` and `error` are those of the last. `alarms`: the events that were told of it since then, and `since` when
    it began; `told`: who knows.
    """

    server_id: int
    server: ServerRef
    last_poll: datetime | None = None
    failing_since: datetime | None = None
    failure: str = ""
    error: str = ""
    alarms: tuple[str, ...] = ()
    since: datetime | None = None
    told: tuple[Told, ...] = ()


def news_of(reach: Reach, now: datetime) -> tuple[Event, Reach] | None:
    """Return what has to be told of a server now, and what is remembered of that; None for nothing.

    A server that does not answer is told when two looks have failed over five minutes, a login that is refused with the
    first, each once; that it answers again as soon as it does.
    """
    if reach.failing_since is None:
        return _recovered(reach, now) if reach.alarms else None
    kind = SERVER_UNAUTHORIZED if reach.failure in _LOGIN else SERVER_UNREACHABLE
    if kind in reach.alarms or reach.failure == Failure.REPLACED:
        return None
    is_sure = reach.last_poll is not None and reach.last_poll > reach.failing_since
    if reach.failure not in AT_ONCE and (not is_sure or now - reach.failing_since < GRACE):
        return None
    event = _event(reach, kind, reach.failing_since, now, reach.error)
    return event, replace(reach, alarms=(*reach.alarms, kind), since=reach.failing_since)


def still_holds(event: Event, reach: Reach | None) -> bool | None:
    """Whether what an event says of a server is still so; None for events of another kind."""
    if event.type == SERVER_RECOVERED:
        return reach is not None and reach.failing_since is None
    if event.type in {SERVER_UNREACHABLE, SERVER_UNAUTHORIZED}:
        return reach is not None and reach.failing_since is not None and event.type in reach.alarms
    return None


def _recovered(reach: Reach, now: datetime) -> tuple[Event, Reach]:
    since = reach.since or now
    return _event(reach, SERVER_RECOVERED, since, now, ""), replace(reach, alarms=(), since=None)


def _event(reach: Reach, kind: str, since: datetime, now: datetime, reason: str) -> Event:
    return Event(
        id=event_id(reach.server, "server", kind, None, since),
        type=kind,
        server=reach.server,
        happened=now if kind == SERVER_RECOVERED else since,
        decided=now,
        reason=reason or "it answers again",
        story=Story(failing_since=since),
    )
