"""Several events in one message: an overview, and a line for each, the worst first."""

from collections import Counter
from datetime import datetime, tzinfo
from itertools import groupby

from watcher.core.event import JOB_FAILING, JOB_RECOVERED, REMINDERS, SESSION_FAILED, Event
from watcher.core.render.alarms import TOLD
from watcher.core.render.escape import fold
from watcher.core.render.markup import Kind, Line, shorten
from watcher.core.render.units import moment, number
from watcher.core.render.words import BAD_ENDS, headline, reason, sentences, wording

_HEADLINE_LENGTH = 160
_REASON_LENGTH = 160


def overview(events: tuple[Event, ...], held: str = "") -> str:
    """Return what several events are, in one line: "7 jobs of HQ ended badly: 5 failed, 2 with warnings".

    A job that speaks more than once counts by how it stands now. `held`: what they waited for, as "quiet hours".
    """
    after = f"After the {held}, " if held else ""
    if is_one_story(events):
        return f"{after}{_story(events)}"
    last = _latest(events)
    counted = Counter(_standing(story) for story in worst_first_stories(last))
    are_alike = len(counted) == 1 < len(last)
    parts = ", ".join(f"{'all' if are_alike else number(count)} {word}" for word, count in counted.items())
    badly = " ended badly" if all(story[-1].type in BAD_ENDS for story in last) else ""
    return f"{after}{number(len(last))} {_things(events)} of {_place(events)}{badly}: {parts}"


def items(events: tuple[Event, ...], zone: tzinfo, *, details: bool) -> list[Line]:
    """Return a line for each event of one job, else for each job: what ended how, when, and with `details` why."""
    latest = max(event.happened for event in events)
    if is_one_story(events):
        return [_item(event, zone, latest, _why(event) if details else "") for event in events]
    return [_of_story(story, zone, latest, details=details) for story in worst_first_stories(_latest(events))]


def _of_story(story: list[Event], zone: tzinfo, latest: datetime, *, details: bool) -> Line:
    """Say how a job stands now, and what came before: "Recovered: Mail on HQ, 02:40, failed 02:10"."""
    last, before = story[-1], story[:-1]
    told = [f"{wording(event).word.lower()} {moment(event.happened, zone, beside=latest)}" for event in before[-2:]]
    more = f"{number(len(before) - 2)} more before" if len(before) > 2 else ""
    then = "".join(f", {part}" for part in (*reversed(told), more) if part)
    return _item(last, zone, latest, f"{then}{_why(last) if details else ''}{_how_long(last, zone)}")


def _how_long(event: Event, zone: tzinfo) -> str:
    """Say in a reminder for how long it has been so."""
    said = sentences(event, zone) if event.job is not None and event.type in REMINDERS else ()
    return f": {said[0 if event.type == JOB_FAILING else -1].rstrip('.')}" if said else ""


def worst_first_stories(stories: list[list[Event]]) -> list[list[Event]]:
    """Return the events of each job by how it stands now, the worst first."""
    return sorted(stories, key=lambda story: (-wording(story[-1]).severity, story[-1].happened))


def _latest(events: tuple[Event, ...]) -> list[list[Event]]:
    """Return the events job by job, each job's in their order."""
    stories: dict[str, list[Event]] = {}
    for event in events:
        stories.setdefault(event.subject, []).append(event)
    return list(stories.values())


def _standing(story: list[Event]) -> str:
    """Return how a job is counted: by its last event, and whether that made good what came before in the message."""
    counted = wording(story[-1]).counted
    was_bad = any(event.type == SESSION_FAILED for event in story[:-1])
    return "failed and already good again" if was_bad and story[-1].type == JOB_RECOVERED else counted


def is_one_story(events: tuple[Event, ...]) -> bool:
    """Whether all of them are about one job: then their order matters, and how it stands is what the last one says."""
    return all(event.job is not None for event in events) and len({event.subject for event in events}) == 1


def _story(events: tuple[Event, ...]) -> str:
    """Return what happened to one job, in one line: "Daily mail on HQ: failed 2 times, then recovered"."""
    chapters = [(word, len(list(same))) for word, same in groupby(wording(event).word.lower() for event in events)]
    told = ", then ".join(word if number == 1 else f"{word} {number} times" for word, number in chapters)
    last = headline(events[-1])
    return f"{last.subject} on {last.server}: {told}"


def _things(events: tuple[Event, ...]) -> str:
    return "jobs" if events and all(_is_of_job(event) for event in events) else "messages"


def _is_of_job(event: Event) -> bool:
    return event.job is not None and (event.session is None or event.session.is_of_job)


def _place(events: tuple[Event, ...]) -> str:
    servers = list(dict.fromkeys(event.server.name for event in events))
    return servers[0] if len(servers) == 1 else f"{len(servers)} servers"


def _item(event: Event, zone: tzinfo, latest: datetime, why: str) -> Line:
    said = shorten(fold(str(headline(event))), _HEADLINE_LENGTH)
    return Line(Kind.LOG, f"{said}, {moment(event.happened, zone, beside=latest)}{why}", is_prose=True)


def _why(event: Event) -> str:
    line = reason(event)
    why = event.reason if event.type in TOLD else (line.text if line is not None else None)
    return f": {shorten(fold(why), _REASON_LENGTH)}" if why else ""
