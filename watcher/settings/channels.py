"""The list of channels as one text: where to split it, and what a channel without a name is called.

Apprise URLs have commas of their own (`mailto://…?to=a,b`), so a comma splits only where another channel begins.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

from watcher.settings.secret import Secret

_SCHEME = r"[A-Za-z][A-Za-z0-9+.-]*://"
_NAME = r"[A-Za-z0-9._-]+"
_SPLIT = re.compile(rf"\s+|,+(?=(?:{_NAME}=)?{_SCHEME})")
_CHANNEL = re.compile(rf"(?:({_NAME})=)?({_SCHEME}.+)")
_WEBHOOK = re.compile(r"webhook\+https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Named:
    """A channel's URL and its name, given or made from the URL."""

    name: str
    url: Secret


def channels(text: str) -> tuple[Named, ...]:
    """Split a list of channels, each an URL with or without `NAME=` before it. No error repeats any of it."""
    pieces = [piece for piece in (part.strip(",") for part in _SPLIT.split(text)) if piece]
    return tuple(_channel(piece, place) for place, piece in enumerate(pieces, start=1))


def named(url: str, name: str | None = None) -> Named:
    """Check an URL and a name; without one the channel is called by its scheme and a short hash of its URL."""
    if not re.fullmatch(rf"{_SCHEME}\S+", url):
        raise ValueError("is no channel URL: write `SCHEME://…` without spaces (a space in it is `%20`)")
    if name is not None and not re.fullmatch(_NAME, name):
        raise ValueError("has a name that does not hold: a channel's name is letters, digits, `.`, `_` and `-`")
    return Named(name or _made_up(url), Secret(url))


def is_webhook(url: Secret) -> bool:
    """Whether a channel is one for programs, which can be signed."""
    return _WEBHOOK.match(url.reveal()) is not None


def _channel(piece: str, place: int) -> Named:
    match = _CHANNEL.fullmatch(piece)
    if match is None:
        raise ValueError(
            f"entry {place} is no channel: write `NAME=SCHEME://…` or `SCHEME://…`; a name is letters, digits, `.`, "
            "`_` and `-`, and a space in a URL is `%20`"
        )
    name, url = match.groups()
    return named(url, name)


def _made_up(url: str) -> str:
    scheme, _, _ = url.partition("://")
    return f"{scheme.lower()}-{sha256(url.encode()).hexdigest()[:8]}"
