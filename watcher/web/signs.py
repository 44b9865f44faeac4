"""How each state is shown: a colour, always with a shape, and a word for those who see neither."""

from collections.abc import Mapping
from dataclasses import dataclass

from watcher.core.delivery import State
from watcher.core.event import Event
from watcher.core.headline import Tone
from watcher.core.model import Session, Status
from watcher.core.render.style import Severity
from watcher.core.render.words import wording
from watcher.core.standing import Standing
from watcher.core.trouble import is_bad
from watcher.core.views import ChannelView, ServerView
from watcher.web.markup import Markup, element, join
from watcher.web.sick import LONG_SECONDS


@dataclass(frozen=True, slots=True)
class Sign:
    """A class of the style sheet, which gives the colour, and the symbol of the same name, which gives the shape."""

    css: str
    shape: Markup

    @property
    def use(self) -> str:
        """Return the address of the symbol inside the page."""
        return f"#s-{self.css}"


def _sign(css: str, *parts: Markup) -> Sign:
    return Sign(css, join(*parts))


def _path(d: str, **more: str) -> Markup:
    return element("path", d=d, **({"fill": "currentColor"} | more))


_LINE = {"fill": "none", "stroke": "currentColor", "stroke-width": "2"}

GOOD = _sign("good", element("rect", x="3.5", y="2", width="5", height="16", rx="2.5", fill="currentColor"))
WARN = _sign("warn", _path("M6 3.5 11.5 16.5H.5Z"))
BAD = _sign(
    "bad",
    element("rect", x="0.5", y="1", width="11", height="18", rx="2.5", fill="currentColor"),
    element("path", d="M3.2 7.2 8.8 12.8M8.8 7.2 3.2 12.8", class_="cut", fill="none", stroke_width="1.8"),
)
BUSY = _sign("busy", element("circle", cx="6", cy="10", r="4", **_LINE))
IDLE = _sign("idle", element("rect", x="2.5", y="6.5", width="7", height="7", rx="1", **_LINE))
ODD = _sign("odd", _path("M6 4.5 10.5 10 6 15.5 1.5 10Z", **_LINE))
NONE = _sign("none", element("circle", cx="6", cy="10", r="1.2", fill="currentColor"))

_ALL = (GOOD, WARN, BAD, BUSY, IDLE, ODD, NONE)

_OF_STATUS: Mapping[str, Sign] = {
    Status.SUCCESS: GOOD,
    Status.WARNING: WARN,
    Status.FAILED: BAD,
    Status.RUNNING: BUSY,
    Status.UPDATING: BUSY,
    Status.QUEUED: BUSY,
    Status.STOPPED: IDLE,
    Status.NOT_CONFIGURED: IDLE,
    Status.DISCONNECTED: ODD,
}
_OF_STANDING: Mapping[Standing, Sign] = {
    **{standing: BAD if standing.is_bad else WARN for standing in Standing if standing.is_trouble},
    Standing.RETRYING: WARN,
    Standing.WARNING: WARN,
    Standing.GOOD: GOOD,
    Standing.NEW: NONE,
    Standing.RESTING: IDLE,
}
_OF_TONE: Mapping[Tone, Sign] = {Tone.GOOD: GOOD, Tone.WARN: WARN, Tone.BAD: BAD, Tone.IDLE: IDLE}
_OF_SEVERITY: Mapping[Severity, Sign] = {
    Severity.INFO: BUSY,
    Severity.SUCCESS: GOOD,
    Severity.WARNING: WARN,
    Severity.FAILURE: BAD,
}
_OF_DELIVERY: Mapping[State, Sign] = {State.PENDING: BUSY, State.DELIVERED: GOOD, State.DEAD: BAD}


def sprite() -> Markup:
    """Return the symbols, which stand once in each page."""
    symbols = (element("symbol", one.shape, id=f"s-{one.css}", viewBox="0 0 12 20") for one in _ALL)
    return element("svg", *symbols, class_="sprite", aria_hidden="true", width="0", height="0")


def mark(sign: Sign, css: str = "mark") -> Markup:
    """Return a sign by itself; the words beside it say the same."""
    use = element("use", href=sign.use)
    return element("svg", use, class_=f"{css} {sign.css}", viewBox="0 0 12 20", aria_hidden="true")


def badge(sign: Sign, *words: str) -> Markup:
    """Return a sign and its words in its colour."""
    return element("span", mark(sign), element("span", *words), class_=f"badge {sign.css}")


def of_status(status: str) -> Sign:
    """Return the sign of a session's status; one that no version documents is odd."""
    return _OF_STATUS.get(status, ODD)


def word_of(session: Session) -> str:
    """Return a session's status in a word; one whose row could not be read says so."""
    if session.status == Status.FAILED and session.will_be_retried:
        return "Failed, will be retried"
    return session.status or "unreadable"


def of_standing(standing: Standing) -> Sign:
    """Return the sign of how a job stands."""
    return _OF_STANDING[standing]


def of_tone(tone: Tone) -> Sign:
    """Return the sign of a headline."""
    return _OF_TONE[tone]


def of_delivery(state: State) -> Sign:
    """Return the sign of how far a delivery is."""
    return _OF_DELIVERY[state]


def of_event(event: Event) -> Sign:
    """Return the sign of how bad it is what an event tells."""
    return _OF_SEVERITY[wording(event).severity]


def of_alarm(kind: str) -> Sign:
    """Return the sign of how bad it is what an alarm tells, as `proxy.offline`."""
    return BAD if is_bad(kind) else WARN


def of_server(server: ServerView) -> tuple[Sign, str]:
    """Say whether the last look at a server succeeded."""
    if server.reachable is None:
        return IDLE, "not tried yet"
    return (GOOD, "answers") if server.reachable else (BAD, "does not answer")


def of_channel(channel: ChannelView) -> tuple[Sign, str]:
    """Say the worst that there is to say of a channel."""
    if channel.gone:
        return ODD, "not in the settings"
    if channel.sick_since is not None:
        return BAD, "fails"
    if channel.oldest_seconds >= LONG_SECONDS:
        return WARN, "waits long"
    if channel.dead:
        return BAD, ""  # how many were given up is said beside it
    return (BUSY, "sending") if channel.pending else (GOOD, "nothing owed")
