"""From events to one message that fits its channel."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import tzinfo

from watcher.core.errand import discreet
from watcher.core.event import Event
from watcher.core.model import LogLine
from watcher.core.render.digest import render_digest
from watcher.core.render.escape import fold
from watcher.core.render.facts import facts
from watcher.core.render.fit import compose, squeeze
from watcher.core.render.group import is_one_story, items, overview
from watcher.core.render.link import room_for, with_link
from watcher.core.render.markup import Kind, Line, cut, dress, shorten
from watcher.core.render.style import Details, Format, Message, Style
from watcher.core.render.words import details as details_of
from watcher.core.render.words import headline, reason, sentences, wording

LOG_LINES = 10
LOG_LINE_LENGTH = 400

_LABELS = {"error": "Error", "warning": "Warning", "details": "Details", "stop": "Stopped", "success": "Success"}


def render(
    events: tuple[Event, ...],
    style: Style,
    zone: tzinfo,
    *,
    details: Details = Details.FULL,
    held: str = "",
    page: str | None = None,
) -> Message:
    """Write the message for one event or several, within the limits of its style.

    Times are in `zone`, with their offset. `details`: how much of what a session's log and details say, and of who
    restored what (they name users and sites). `held`: what they waited for. What does not fit is left out from the end,
    where the log lines stand, and counted. `page`: the address of the status page, for a link below all else.
    """
    if not events:
        raise ValueError("a message needs an event")
    if details is not Details.FULL:
        events = tuple(discreet(event) for event in events)
    end = room_for(events, page, style)
    narrower = replace(style, body_limit=style.body_limit - len(end))
    return with_link(_written(events, narrower, zone, details=details, held=held), end)


def _written(events: tuple[Event, ...], style: Style, zone: tzinfo, *, details: Details, held: str) -> Message:
    if len(events) == 1 and events[0].digest is not None:
        return render_digest(events[0].digest, style, zone)
    spoken = events[-1:] if is_one_story(events) else events
    severity = max(wording(event).severity for event in spoken)
    title, body = (
        _single(events[0], style, zone, details=details)
        if len(events) == 1
        else _group(events, style, zone, details=details, held=held)
    )
    return Message(title, body, severity)


def _single(event: Event, style: Style, zone: tzinfo, *, details: Details) -> tuple[str, str]:
    said = headline(event)
    if style.title_limit:
        title = cut(_headline(squeeze(said, style.title_limit, _plain_length)), style.title_limit, Format.TEXT)
    else:
        title = squeeze(said, style.body_limit, lambda text: len(dress(_headline(text), style.format)))
    lines = list(_lines(event, zone, in_full=fold(title) != fold(str(said)), details=details))
    hidden = max(len(event.log) - LOG_LINES, 0) if details is Details.FULL else 0
    return _assembled(title, lines, style, hidden=hidden, noun="more log lines")


def _group(events: tuple[Event, ...], style: Style, zone: tzinfo, *, details: Details, held: str) -> tuple[str, str]:
    title = overview(events, held)
    if style.title_limit:
        title = cut(_headline(title), style.title_limit, Format.TEXT)
    return _assembled(title, items(events, zone, details=details is not Details.NONE), style, hidden=0, noun="more")


def _assembled(title: str, lines: list[Line], style: Style, *, hidden: int, noun: str) -> tuple[str, str]:
    if style.title_limit and lines:
        return title, compose(lines, style, hidden=hidden, noun=noun)
    body = compose([_headline(title), *lines], style, hidden=hidden, noun=noun)
    return (title if style.title_limit else ""), body


def _headline(text: str) -> Line:
    return Line(Kind.HEADLINE, text)


def _plain_length(text: str) -> int:
    return len(fold(text))


def _lines(event: Event, zone: tzinfo, *, in_full: bool, details: Details) -> Iterator[Line]:
    why = reason(event) if details is not Details.NONE else None
    if why is not None:
        yield _of_log(why, Kind.SENTENCE)
    yield from (Line(Kind.SENTENCE, text) for text in sentences(event, zone))
    if in_full:  # what a short title has lost
        yield Line(Kind.FACT, event.server.name, "Server")
        yield from (Line(Kind.FACT, job.name, "Job") for job in (event.job,) if job is not None)
    yield from (Line(Kind.FACT, text, label) for label, text in facts(event, zone))
    if details is Details.FULL:
        yield from _further_words(event, why)


def _further_words(event: Event, why: LogLine | None) -> Iterator[Line]:
    said = details_of(event)
    if said and (why is None or said != why.text):
        yield Line(Kind.FACT, said, "Details")
    others = [line for line in event.log if line is not why]
    shown = LOG_LINES - (len(event.log) - len(others))
    yield from (_of_log(line, Kind.LOG) for line in others[:shown])


def _of_log(line: LogLine, kind: Kind) -> Line:
    return Line(kind, shorten(fold(line.text), LOG_LINE_LENGTH), _LABELS.get(line.type, "Log"), is_prose=True)
