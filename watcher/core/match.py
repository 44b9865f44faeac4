"""Which events something is about: words with `*` and `?`, lists, and `!` for not."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from watcher.core.event import LASTING, Event
from watcher.core.render.words import wording

TERMS = ("server", "organization", "job", "job_type", "event", "severity")
"""What an event can be asked for, besides the labels of its server, which are `labels.NAME`."""

LABEL = "labels."


@dataclass(frozen=True, slots=True)
class Pattern:
    """Words of which one has to fit, and those (written with `!`) of which none may. Case does not matter."""

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()

    def fits(self, text: str | None) -> bool:
        """Whether a text fits; what is not known is like an empty text."""
        said = (text or "").casefold()
        wanted = not self.wanted or any(_glob(word).fullmatch(said) for word in self.wanted)
        return wanted and not any(_glob(word).fullmatch(said) for word in self.unwanted)

    def __str__(self) -> str:
        """Write it as a user would."""
        return " or ".join(f"`{word}`" for word in (*self.wanted, *(f"!{word}" for word in self.unwanted)))


@dataclass(frozen=True, slots=True)
class Match:
    """What an event has to be: each term has to fit. Without terms every event is meant."""

    terms: tuple[tuple[str, Pattern], ...] = ()

    def why_not(self, about: Mapping[str, str | None]) -> str | None:
        """Return why an event with these traits is not meant; None if it is."""
        for term, pattern in self.terms:
            if not pattern.fits(about.get(term)):
                return f"{term} is {_said(about.get(term))}, not {pattern}"
        return None

    def __str__(self) -> str:
        """Write it in one line."""
        return ", ".join(f"{term} {pattern}" for term, pattern in self.terms) or "everything"


EVERYTHING = Match()
ANYTHING = Pattern()


def traits(event: Event, labels: Mapping[str, str]) -> dict[str, str | None]:
    """Return what an event can be asked for; `labels` are those of its server."""
    job = event.job
    ours = event.type.startswith(("channel.", "watcher."))
    return {
        "server": None if ours else event.server.name,
        "organization": job.organization if job else None,
        "job": job.name if job else None,
        "job_type": (job.type.value if job.type else "backup") if job else None,
        "event": event.type.removesuffix(LASTING),  # what speaks of an alarm, or silences it, means its reminders, too
        "severity": wording(event).severity.name.lower(),
        **{f"{LABEL}{name}": text for name, text in labels.items()},
    }


def pattern(words: Iterable[str]) -> Pattern:
    """Make a pattern from words as they are written."""
    written = tuple(words)
    return Pattern(
        tuple(word for word in written if not word.startswith("!")),
        tuple(word[1:].strip() for word in written if word.startswith("!")),
    )


def _said(text: str | None) -> str:
    return f"`{text}`" if text else "not known"


@lru_cache(maxsize=1024)
def _glob(word: str) -> re.Pattern[str]:
    """Read `*` and `?`; brackets mean themselves, since names of jobs have them."""
    parts = re.split(r"([*?])", word.casefold())
    read = (".*" if part == "*" else "." if part == "?" else re.escape(part) for part in parts)
    return re.compile("".join(read), re.DOTALL)
