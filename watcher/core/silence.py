"""Silences: what is not told for a while, by whom and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from watcher.core.match import Match
from watcher.core.window import Window, until

FROM_SETTINGS = 0
"""The number of a silence that stands in the settings."""


@dataclass(frozen=True, slots=True)
class Muting:
    """A silence that applies: its number, its words, and when it is over."""

    silence: int
    reason: str
    ends: datetime


@dataclass(frozen=True, slots=True)
class Silence:
    """What is kept back, from when to when, who said so and why. `windows`: it comes again every week instead.

    `id` is what `watcher silence remove` takes; 0 for one in the settings. `muted`: how many events it has kept back.
    """

    match: Match
    begins: datetime | None = None
    ends: datetime | None = None
    author: str = ""
    reason: str = ""
    id: int = FROM_SETTINGS
    windows: tuple[Window, ...] = ()
    muted: int = 0

    def over(self, now: datetime) -> datetime | None:
        """Return when it is over, if it is in force; None if it is not."""
        if self.windows:
            return until(self.windows, now)
        is_on = self.begins is not None and self.ends is not None and self.begins <= now < self.ends
        return self.ends if is_on else None

    def mutes(self, about: Mapping[str, str | None], now: datetime) -> Muting | None:
        """Return how it keeps back an event with these traits; None if it does not."""
        ends = self.over(now)
        if ends is None or self.match.why_not(about) is not None:
            return None
        return Muting(self.id, str(self), ends)

    def __str__(self) -> str:
        """Name it in a clause: "silence 3 by ann (patch day)"."""
        name = f"silence {self.id}" if self.id else "maintenance window"
        return f"{name}{f' by {self.author}' if self.author else ''}{f' ({self.reason})' if self.reason else ''}"
