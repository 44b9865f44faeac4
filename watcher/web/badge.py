"""How each state is shown: a colour, and beside it always a shape and a word, for those who do not see the colour."""

from collections.abc import Mapping
from dataclasses import dataclass

from watcher.core.delivery import State
from watcher.core.model import Status
from watcher.core.views import ChannelView, ServerView
from watcher.web.markup import Markup, element
from watcher.web.sick import LONG_SECONDS


@dataclass(frozen=True, slots=True)
class Sign:
    """A class of the style sheet and the shape that goes with it."""

    css: str
    shape: str


GOOD = Sign("good", "✓")
WARN = Sign("warn", "▲")
BAD = Sign("bad", "✕")
BUSY = Sign("busy", "▶")
IDLE = Sign("idle", "■")
ODD = Sign("odd", "?")

_OF_SESSION: Mapping[str, Sign] = {
    Status.SUCCESS: GOOD,
    Status.WARNING: WARN,
    Status.FAILED: BAD,
    Status.RUNNING: BUSY,
    Status.UPDATING: BUSY,
    Status.QUEUED: IDLE,
    Status.STOPPED: IDLE,
    Status.NOT_CONFIGURED: IDLE,
    Status.DISCONNECTED: WARN,
}
_OF_DELIVERY: Mapping[State, Sign] = {State.PENDING: BUSY, State.DELIVERED: GOOD, State.DEAD: BAD}


def badge(sign: Sign, word: str) -> Markup:
    """Return a shape and a word in a colour; a reader of screens hears the word only."""
    return element("span", element("span", sign.shape, aria_hidden="true"), f" {word}", class_=f"badge {sign.css}")


def of_server(server: ServerView) -> Markup:
    """Show whether the last look at a server succeeded."""
    if server.reachable is None:
        return badge(IDLE, "not tried yet")
    return badge(GOOD, "reachable") if server.reachable else badge(BAD, "not reachable")


def of_channel(channel: ChannelView) -> Markup:
    """Show the worst that can be said of a channel."""
    if channel.gone:
        return badge(ODD, "not in the settings")
    if channel.sick_since is not None:
        return badge(BAD, "fails")
    if channel.dead:
        return badge(BAD, "has dead ones")
    if channel.oldest_seconds >= LONG_SECONDS:
        return badge(WARN, "waits long")
    return badge(BUSY, "sending") if channel.pending else badge(GOOD, "nothing owed")


def of_session(status: str) -> Markup:
    """Show a session's status; one that no version documents is shown as it is, a missing one as unreadable."""
    return badge(_OF_SESSION.get(status, ODD), status or "unreadable")


def of_delivery(state: State) -> Markup:
    """Show how far a delivery is."""
    return badge(_OF_DELIVERY[state], state)
