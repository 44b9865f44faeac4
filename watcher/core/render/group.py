"""Several events in one message: an overview, and a line for each, the worst first."""

from collections import Counter
from datetime import datetime, tzinfo
from itertools import groupby

from watcher.core.event import Event
from watcher.core.render.escape import fold
from watcher.core.render.markup import Kind, Line, shorten
from watcher.core.render.units import moment, number
from watcher.core.render.words import headline, reason, wording

_HEADLINE_LENGTH = 160
_REASON_LENGTH = 160


def overview(events: tuple[Event, ...]) -> str:
    """Return what several events are, in one line: "3 jobs of HQ: 2 failed, 1 with warnings"."""
    if is_one_story(events):
        return _story(events)
    counted = Counter(wording(event).counted for event in worst_first(events))
    parts = ", ".join(f"{number(count)} {word}" for word, count in counted.items())
    return f"{number(len(events))} {_things(events)} of {_place(events)}: {parts}"


def items(events: tuple[Event, ...], zone: tzinfo, *, details: bool) -> list[Line]:
    """Return a line for each event: what ended how, when, and with `details` why."""
    latest = max(event.happened for event in events)
    return [
        _item(event, zone, latest, _why(event) if details else "")
        for event in (events if is_one_story(events) else worst_first(events))
    ]


def is_one_story(events: tuple[Event, ...]) -> bool:
    """Whether all of them are about one job: then their order matters, and how it stands is what the last one says."""
    return all(event.job is not None for event in events) and len({event.subject for event in events}) == 1


def _story(events: tuple[Event, ...]) -> str:
    """Return what happened to one job, in one line: "Daily mail on HQ: failed 2 times, then recovered"."""
    chapters = [(word, len(list(same))) for word, same in groupby(wording(event).word.lower() for event in events)]
    told = ", then ".join(word if number == 1 else f"{word} {number} times" for word, number in chapters)
    last = headline(events[-1])
    return f"{last.subject} on {last.server}: {told}"


def worst_first(events: tuple[Event, ...]) -> list[Event]:
    """Return events by their severity, the worst first, those of one severity in the order in which they happened."""
    return sorted(events, key=lambda event: (-wording(event).severity, event.happened))


def _things(events: tuple[Event, ...]) -> str:
    jobs = {(event.server.identity, event.job.id) for event in events if event.job is not None}
    return "jobs" if len(jobs) == len(events) else "messages"


def _place(events: tuple[Event, ...]) -> str:
    servers = list(dict.fromkeys(event.server.name for event in events))
    return servers[0] if len(servers) == 1 else f"{len(servers)} servers"


def _item(event: Event, zone: tzinfo, latest: datetime, why: str) -> Line:
    said = shorten(fold(str(headline(event))), _HEADLINE_LENGTH)
    return Line(Kind.LOG, f"{said}, {moment(event.happened, zone, beside=latest)}{why}", is_prose=True)


def _why(event: Event) -> str:
    why = reason(event)
    return f": {shorten(fold(why.text), _REASON_LENGTH)}" if why is not None else ""
