"""Templates: other words for a message's title and body. Whatever is wrong with one, the message goes out.

Jinja2 is loaded with the first template only. A template's own text is markup of the channel's format; what it puts in
comes from tenants and users, so it is escaped like everything foreign.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any

from watcher.core.errand import discreet
from watcher.core.event import Event
from watcher.core.render import Details, Format, Message, Style
from watcher.core.render.escape import escape, fold
from watcher.core.render.facts import facts
from watcher.core.render.group import is_one_story, overview
from watcher.core.render.link import link
from watcher.core.render.markup import Kind, Line, cut, dress, shorten
from watcher.core.render.units import duration, moment
from watcher.core.render.words import headline, outcome, reason, sentences, wording
from watcher.core.template import GROUP, Template

_LONGEST = 200_000
_SHORTEST_BODY = 40


class BadTemplate(Exception):  # noqa: N818 - it is said as a clause
    """A template that comes to nothing that can be sent: one clause why."""


class Safe(str):
    """Words that are markup already, and are not escaped again."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Request:
    """What a message is to be made of: the channel, the events, our own words, and how the channel tells.

    `page`: the address of the status page, if there is one.
    """

    channel: str
    events: tuple[Event, ...]
    built_in: Message
    style: Style
    zone: tzinfo
    details: Details = Details.FULL
    page: str | None = None

    @property
    def kind(self) -> str:
        """The event that a template has to name."""
        return self.events[0].type if len(self.events) == 1 else GROUP


def reword(templates: Iterable[Template], request: Request) -> Message:
    """Return a message in the words of the first template that fits it, or in our own where none does.

    If that one fails, ours go out with a note of the mistake.
    """
    chosen = next((one for one in templates if one.fits(request.channel, request.kind)), None)
    if chosen is None:
        return request.built_in
    try:
        return attempt(chosen, request)
    except Exception as error:  # noqa: BLE001 - a template may raise anything; the message goes out all the same
        return _with_note(request, _why(error))


def attempt(template: Template, request: Request) -> Message:
    """Return a message in a template's words, within the limits of its style. Raises what the template does."""
    style, built_in = request.style, request.built_in
    title = built_in.title
    if template.title is not None:
        title = shorten(
            fold(_filled(template.title, request, Format.TEXT)), (style.title_limit or style.body_limit) - 1
        )
    body = built_in.body
    if template.body is not None:
        body = _filled(template.body, request, style.format).strip()
        if not body:
            raise BadTemplate("its body is empty")
    if template.title is not None and not style.title_limit:
        title, body = "", f"{dress(Line(Kind.HEADLINE, title), style.format)}\n{body}"
    return Message(title or built_in.title, _fitted(body, style), built_in.severity)


def context(request: Request, form: Format) -> dict[str, Any]:
    """Return what a template can say; what an event does not have is an empty text or list."""
    if request.details is not Details.FULL:
        request = replace(request, events=tuple(discreet(event) for event in request.events))
    of_each = [_said(event, request) for event in request.events]
    return {
        **of_each[-1 if is_one_story(request.events) else 0],
        "events": of_each,
        "link": link(request.events, request.page) if request.page else "",
        "channel": request.channel,
        "severity": request.built_in.severity.name.lower(),
        "title": request.built_in.title or _headline(request.events),
        "body": Safe(request.built_in.body) if form == request.style.format else request.built_in.body,
    }


def _headline(events: tuple[Event, ...]) -> str:
    return str(headline(events[0])) if len(events) == 1 else overview(events)


def _said(event: Event, request: Request) -> dict[str, Any]:
    session, zone, at = event.session, request.zone, event.happened
    began, ended = (session.created, session.ended) if session else (None, None)
    why = reason(event) if request.details is not Details.NONE else None
    return {
        "event": event.type,
        "word": outcome(event),
        "severity": wording(event).severity.name.lower(),
        "server": event.server.name,
        "job": event.job.name if event.job else "",
        "organization": (event.job.organization if event.job else None) or "",
        "status": event.went_to or "",
        "session_id": session.id if session else "",
        "happened": moment(at, zone, beside=event.decided),
        "started": _time(began, zone, at),
        "ended": _time(ended, zone, at),
        "duration": duration(ended - began) if began and ended and ended >= began else "",
        "late": event.late,
        "attempts": len(event.attempts),
        "reason": why.text if why else "",
        "link": link((event,), request.page) if request.page else "",
        "sentences": list(sentences(event, zone)),
        "facts": list(facts(event, zone)),
        "log": [line.text for line in event.log] if request.details is Details.FULL else [],
    }


def _time(when: datetime | None, zone: tzinfo, at: datetime) -> str:
    return moment(when, zone, beside=at) if when else ""


def _filled(text: str, request: Request, form: Format) -> str:
    template = _environment(form).from_string(text)
    filled: list[str] = []
    length = 0
    for piece in template.generate(context(request, form)):
        filled.append(piece)
        length += len(piece)
        if length > _LONGEST:
            raise BadTemplate(f"it makes more than {_LONGEST} characters")
    return "".join(filled)


def _environment(form: Format) -> Any:
    from jinja2 import StrictUndefined  # noqa: PLC0415 - with the first template
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415

    def harmless(value: object) -> object:
        if isinstance(value, StrictUndefined):
            return value  # it says so itself
        return value if isinstance(value, Safe) else escape(str(value), form)

    return ImmutableSandboxedEnvironment(
        undefined=StrictUndefined, finalize=harmless, trim_blocks=True, lstrip_blocks=True, autoescape=False
    )


def _fitted(body: str, style: Style) -> str:
    """Keep a body within its limit; half of some HTML is none, so that has to fit by itself."""
    if len(body) <= style.body_limit:
        return body
    if style.format == Format.HTML:
        raise BadTemplate(f"its body has {len(body)} characters, and the channel takes {style.body_limit}")
    return shorten(body, style.body_limit - 1)


def _with_note(request: Request, why: str) -> Message:
    """Return our own words with a note of what is wrong with the template, as far as there is room."""
    built_in, style = request.built_in, request.style
    text = f"(The template of this message failed: {why}. These are the built-in words.)"
    note = "\n\n" + cut(Line(Kind.SENTENCE, text), max(style.body_limit // 3, _SHORTEST_BODY), style.format)
    if style.format == Format.HTML:
        note = note.replace("\n", "<br/>\n")
    if len(built_in.body) + len(note) <= style.body_limit:
        return replace(built_in, body=built_in.body + note)
    if style.format == Format.HTML or len(note) >= style.body_limit // 2:
        return built_in
    return replace(built_in, body=shorten(built_in.body, style.body_limit - len(note) - 1) + note)


def _why(error: Exception) -> str:
    """Say what is wrong in a clause; what a template made of foreign words is not repeated."""
    from jinja2 import TemplateSyntaxError, UndefinedError  # noqa: PLC0415 - with the first template
    from jinja2.exceptions import SecurityError  # noqa: PLC0415

    if isinstance(error, BadTemplate):
        return str(error)
    if isinstance(error, UndefinedError | TemplateSyntaxError):
        return shorten(fold(error.message or type(error).__name__), 120)
    return "it does what is not allowed" if isinstance(error, SecurityError) else type(error).__name__


def problems(template: Template, requests: Sequence[Request]) -> Mapping[str, str]:
    """Try a template on some messages that it is for; return for each kind that fails why."""
    found: dict[str, str] = {}
    for request in requests:
        if template.fits(request.channel, request.kind):
            try:
                attempt(template, request)
            except Exception as error:  # noqa: BLE001 - a template may raise anything
                found.setdefault(request.kind, _why(error))
    return found
