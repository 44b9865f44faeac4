"""What is said of the watchdogs' events."""

from collections.abc import Iterator, Mapping
from datetime import tzinfo

from watcher.core import event as events
from watcher.core.event import Event
from watcher.core.render.style import Severity
from watcher.core.render.units import duration, moment

_LASTING = frozenset(f"{kind}{events.LASTING}" for kind in events.ALARMS)
TOLD = events.ALARMS | _LASTING | events.ALARMS_OVER - {events.SERVER_RECOVERED}

WORDINGS: Mapping[str, tuple[str, str, Severity]] = {
    events.JOB_OVERDUE: ("Overdue", "overdue", Severity.FAILURE),
    events.JOB_STALE: ("No good end for too long", "without a good end for too long", Severity.FAILURE),
    events.JOB_DISABLED: ("Still disabled", "still disabled", Severity.WARNING),
    events.JOB_SLOW: ("Slow", "slow", Severity.WARNING),
    events.JOB_STALLED: ("Stalled", "stalled", Severity.FAILURE),
    events.JOB_SHORT: ("Did next to nothing", "that did next to nothing", Severity.WARNING),
    events.SESSION_DISCONNECTED: ("Disconnected", "disconnected", Severity.WARNING),
    events.SERVER_UNHEALTHY: ("Server is not healthy", "not healthy", Severity.FAILURE),
    events.PROXY_OFFLINE: ("Proxy offline", "with a proxy offline", Severity.FAILURE),
    events.REPOSITORY_LOW: ("Repository almost full", "with a repository almost full", Severity.WARNING),
    events.REPOSITORY_INVALID: ("Repository invalid", "with an invalid repository", Severity.FAILURE),
    events.LICENSE_EXPIRING: ("License needs attention", "with a license that needs attention", Severity.WARNING),
}
_OVER: Mapping[str, tuple[str, str]] = {
    events.JOB_OVERDUE: ("Not overdue any more", "not overdue any more"),
    events.JOB_STALE: ("Well again after a long time", "well again after a long time"),
    events.JOB_DISABLED: ("Enabled again", "enabled again"),
    events.JOB_SLOW: ("Slow run is over", "with a slow run that is over"),
    events.JOB_STALLED: ("Not stalled any more", "not stalled any more"),
    events.JOB_SHORT: ("Does its work again", "doing their work again"),
    events.PROXY_OFFLINE: ("Proxy online again", "with a proxy online again"),
    events.REPOSITORY_LOW: ("Repository has space again", "with space in a repository again"),
    events.REPOSITORY_INVALID: ("Repository valid again", "with a repository valid again"),
    events.LICENSE_EXPIRING: ("License is in order again", "with a license in order again"),
}
_STILL: Mapping[str, tuple[str, str]] = {
    events.JOB_OVERDUE: ("Still overdue", "still overdue"),
    events.JOB_STALE: ("Still no good end", "still without a good end"),
    events.JOB_DISABLED: ("Still disabled", "still disabled"),
    events.JOB_SLOW: ("Still slow", "still slow"),
    events.JOB_STALLED: ("Still stalled", "still stalled"),
    events.JOB_SHORT: ("Still does next to nothing", "that still do next to nothing"),
    events.SESSION_DISCONNECTED: ("Still disconnected", "still disconnected"),
    events.SERVER_UNHEALTHY: ("Server is still not healthy", "still not healthy"),
    events.PROXY_OFFLINE: ("Proxy still offline", "with a proxy still offline"),
    events.REPOSITORY_LOW: ("Repository still almost full", "with a repository still almost full"),
    events.REPOSITORY_INVALID: ("Repository still invalid", "with a repository still invalid"),
    events.LICENSE_EXPIRING: ("License still needs attention", "with a license that still needs attention"),
}
_SINCE: Mapping[str, str] = {
    events.JOB_OVERDUE: "It was due {}.",
    events.JOB_STALE: "So it is since {}.",
    events.JOB_STALLED: "So it is since {}.",
    events.SESSION_DISCONNECTED: "So it is since {}.",
    events.SERVER_UNHEALTHY: "So it is since {}.",
    events.PROXY_OFFLINE: "It was seen so first {}.",
    events.REPOSITORY_INVALID: "It was seen so first {}.",
    events.JOB_DISABLED: "It was seen so first {}.",
}


def over_wordings() -> Mapping[str, tuple[str, str, Severity]]:
    """Return how the ends of alarms are named."""
    return {f"{kind}{events.OVER}": (*words, Severity.SUCCESS) for kind, words in _OVER.items()}


def still_wordings() -> Mapping[str, tuple[str, str, Severity]]:
    """Return how alarms are named that are told again: as bad as they were."""
    return {f"{kind}{events.LASTING}": (*words, WORDINGS[kind][2]) for kind, words in _STILL.items()}


def sentences(event: Event, zone: tzinfo) -> Iterator[str]:
    """Say why an alarm is told and since when it is so, or how long it has been so by now, or was."""
    if event.reason:
        yield f"{event.reason[:1].upper()}{event.reason[1:]}."
    since = event.story.failing_since
    if since is None:
        return
    when = moment(since, zone, beside=event.decided)
    if event.type in _SINCE:
        yield _SINCE[event.type].format(when)
    elif event.type in _LASTING:
        yield f"It has been so for {duration(event.happened - since)}, since {when}."
    elif event.type in events.ALARMS_OVER and event.happened > since:
        yield f"It was so for {duration(event.happened - since)}, since {when}."
