"""What became of an event: who is told, when, and why; and who knows of a failure since."""

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A channel that knows of a job's failure: by which route, when it was told last, and how often it was reminded."""

    channel: str
    route: str
    at: datetime
    reminders: int = 0


@dataclass(frozen=True, slots=True)
class Step:
    """What one route makes of an event, in words that log, page and `explain` show alike."""

    route: str
    takes: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether one channel is told of an event, and why. `due`: when, if not at once. `group`: what it may join.

    `held`: why it waits, if that is more than for others to join. `muted`: a silence keeps it back. `knew`: the channel
    was told of the failure that the event ends.
    """

    channel: str
    tell: bool
    reason: str
    route: str = ""
    due: datetime | None = None
    group: str = ""
    held: str = ""
    muted: bool = False
    knew: bool = False


@dataclass(frozen=True, slots=True)
class Ruling:
    """What became of one event: each route's step, and the decision for each channel that a route leads to.

    `muted_by`: the number of the silence that keeps it back from somebody, 0 for one in the settings.
    """

    steps: tuple[Step, ...] = ()
    decisions: tuple[Decision, ...] = ()
    muted_by: int | None = None


def set_aside(ruling: Ruling, why: str) -> Ruling:
    """Return a ruling in which what a silence kept back is not told after it either."""
    decisions = (
        replace(one, reason=f"{one.reason}, {why}", muted=False) if one.muted else one for one in ruling.decisions
    )
    return replace(ruling, decisions=tuple(decisions), muted_by=None)
