"""From the text of a setting to its value. A text that does not hold raises ValueError with what to write instead.

Values that may be secret, and addresses (people put logins into them), are never repeated in an error.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

from watcher.core.backoff import OnUnknown
from watcher.core.model import JobType
from watcher.core.pace import Rate
from watcher.core.render.style import Details
from watcher.core.wanted import events_named
from watcher.settings.secret import Secret

_T = TypeVar("_T", bound=str)

_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER = r"[0-9]*\.?[0-9]+"
_PLAIN = re.compile(_NUMBER)
_PART = re.compile(rf"({_NUMBER})(ms|s|m|h|d)")
_PARTS = re.compile(rf"(?:{_NUMBER}(?:ms|s|m|h|d))+")
_LONGEST = timedelta(days=36500)
_YES = frozenset({"true", "yes", "on", "1"})
_NO = frozenset({"false", "no", "off", "0"})
_API_VERSIONS = ("auto", "v3", "v4", "v5", "v6", "v7", "v8")
_WATCHABLE = tuple(kind.value for kind in JobType)
_RATE = re.compile(r"([0-9]{1,9})\s*/\s*(s|sec|second|m|min|minute|h|hour)")
_UNITS = {"s": 1, "m": 60, "h": 3600}
_LARGEST_BATCH = 1000
_OPENSSL = re.compile(r"sha256 fingerprint=", re.IGNORECASE)
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


def words(text: str) -> list[str]:
    """Split a list at spaces, newlines and commas."""
    return text.replace(",", " ").split()


def plain(text: str) -> str:
    """Take a text word for word; an empty one and a second line are refused, since they got there by mistake."""
    if not text:
        raise ValueError("is empty")
    if "\n" in text or "\r" in text:
        raise ValueError("has more than one line: keep just the one")
    return text


def login(text: str) -> str:
    r"""Take a user's name: one line; a `\b` or `\t` in double quotes of TOML has become a control character."""
    if not text:
        raise ValueError("is empty")
    if not text.isprintable():
        raise ValueError("has a control character in it: in watcher.toml write it in single quotes, as 'DOMAIN\\user'")
    return text


def secret(text: str) -> Secret:
    """Take a secret word for word."""
    return Secret(plain(text))


def name(text: str) -> str:
    """Take a name: one line that can be printed."""
    text = text.strip()
    if not text or not text.isprintable():
        raise ValueError("is no name: write a short text on one line")
    return text


def path(text: str) -> Path:
    """Take the path of a file."""
    if "\0" in text:
        raise ValueError("is no path: there is a NUL in it")
    return Path(plain(text).strip())


def duration(text: str) -> timedelta:
    """Read seconds (`30`, `0.2`) or numbers with units (`500ms`, `30s`, `5m`, `2h`, `1d`, `1h30m`)."""
    text = text.strip().lower()
    if _PLAIN.fullmatch(text):
        seconds = float(text)
    elif _PARTS.fullmatch(text):
        seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    else:
        raise ValueError(f"`{text}` is no duration: write seconds (`30`, `0.2`) or `500ms`, `30s`, `5m`, `2h`, `1d`")
    if seconds > _LONGEST.total_seconds():
        raise ValueError(f"`{text}` is too long: the longest is {_LONGEST.days}d")
    return timedelta(seconds=seconds)


def duration_from(shortest: timedelta) -> Callable[[str], timedelta]:
    """Make a reader of durations that refuses shorter ones."""

    def read(text: str) -> timedelta:
        value = duration(text)
        if value < shortest:
            raise ValueError(f"`{text.strip()}` is too short: the shortest is {shortest.total_seconds():g} s")
        return value

    return read


def boolean(text: str) -> bool:
    """Read `true` or `false`, also as yes/no, on/off, 1/0."""
    word = text.strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise ValueError(f"`{word}` is neither true nor false: write `true` or `false`")


def choice(*allowed: _T) -> Callable[[str], _T]:
    """Make a reader that takes one of a few words."""
    by_word = {word: word for word in allowed}

    def read(text: str) -> _T:
        word = text.strip().lower()
        if word not in by_word:
            raise ValueError(f"`{word}` is not one of {', '.join(allowed)}{_nearest(word, allowed)}")
        return by_word[word]

    return read


def batch(text: str) -> int:
    """Read how many events go into one post."""
    text = text.strip()
    if text.isascii() and text.isdigit() and 1 <= int(text) <= _LARGEST_BATCH:
        return int(text)
    raise ValueError(f"`{text}` is no batch: write a number from 1 to {_LARGEST_BATCH}")


def rate(text: str) -> Rate:
    """Read messages in a time, `20/min`; `none` is no limit, a rate of no tokens."""
    text = text.strip().lower()
    if text == "none":
        return Rate(0, timedelta(seconds=1))
    match = _RATE.fullmatch(text)
    if match is None or not int(match[1]):
        raise ValueError(f"`{text}` is no rate: write `20/min`, `1/s` or `100/h`, or `none`")
    return Rate(int(match[1]), timedelta(seconds=_UNITS[match[2][0]]))


def details(text: str) -> Details:
    """Read how much of logs and details a channel is told."""
    return Details(choice(*(one.value for one in Details))(text))


def on_unknown(text: str) -> OnUnknown:
    """Read what becomes of a message that may have arrived."""
    return OnUnknown(choice(*(one.value for one in OnUnknown))(text))


api_version = choice(*_API_VERSIONS)


def notify_on(text: str) -> frozenset[str]:
    """Read the words of `notify_on`; they are the whole list, so an empty one would tell nobody anything."""
    named = words(text)
    if not named:
        raise ValueError("names no event: name one, or leave the setting out")
    return events_named(named)


def watch(text: str) -> frozenset[JobType]:
    """Read which kinds of work are watched; with none of them nothing would ever be told."""
    named = words(text)
    if not named:
        raise ValueError(f"names no kind of work: name some of {', '.join(_WATCHABLE)}, or leave the setting out")
    return frozenset(JobType(choice(*_WATCHABLE)(word)) for word in named)


def fingerprints(text: str) -> tuple[str, ...]:
    """Read SHA-256 fingerprints, hex with or without colons, by spaces or commas; also as openssl prints them."""
    found = tuple(word.replace(":", "").lower() for word in words(_OPENSSL.sub(" ", text)))
    if wrong := [word for word in found if not _FINGERPRINT.fullmatch(word)]:
        raise ValueError(
            f"`{wrong[0][:16]}…` is no SHA-256 fingerprint: it has 64 hex digits, as printed by "
            "`openssl x509 -noout -fingerprint -sha256`"
        )
    return found


def _nearest(word: str, allowed: tuple[str, ...]) -> str:
    near = get_close_matches(word, allowed, n=1)
    return f": did you mean `{near[0]}`?" if near else ""
