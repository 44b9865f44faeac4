"""Whether the loops make progress, and which servers were tried: bookkeeping, with no clock of its own."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class _Pulse:
    """When a loop last made progress, and how long it may take until the next time."""

    last: datetime
    within: timedelta


@dataclass(slots=True)
class Health:
    """What `/healthz` and `/readyz` rest on. A loop is named as a person would, `poll HQ`.

    `pace`: how much faster than real time its clock runs; what loops take is partly real time, so limits are as much
    longer.
    """

    started: datetime
    pace: float = 1.0
    _pulses: dict[str, _Pulse] = field(default_factory=dict, init=False)
    _expected: tuple[str, ...] = field(default=(), init=False)
    _troubles: dict[str, str] = field(default_factory=dict, init=False)
    _tried: set[str] = field(default_factory=set, init=False)

    def watch(self, loop: str, within: timedelta, now: datetime | None = None) -> None:
        """Expect progress of a loop every `within`, from `now` on; without it, from the start of the daemon on.

        A loop that is watched already keeps its last beat and only gets the new limit.
        """
        within *= self.pace
        known = self._pulses.get(loop)
        self._pulses[loop] = replace(known, within=within) if known else _Pulse(now or self.started, within)

    def forget(self, loop: str) -> None:
        """Expect nothing of a loop any more; one that is not watched is fine too."""
        self._pulses.pop(loop, None)
        self._troubles.pop(loop, None)

    def beat(self, loop: str, now: datetime) -> None:
        """Note that a loop made progress. The last beat of a loop that was just forgotten is nobody's."""
        if known := self._pulses.get(loop):
            self._pulses[loop] = replace(known, last=now)
            self._troubles.pop(loop, None)

    def trouble(self, loop: str, text: str) -> None:
        """Note what keeps a loop from going on; it is stuck from now on, until its next beat."""
        if loop in self._pulses:
            self._troubles[loop] = text

    def stuck(self, now: datetime) -> list[str]:
        """Return one sentence for each loop that is over its limit, in the order in which they are watched."""
        troubles = [f"{loop} cannot go on: {text}" for loop, text in self._troubles.items()]
        return troubles + [
            f"{loop} made no progress for {_seconds(now - pulse.last)} s (limit {_seconds(pulse.within)} s)"
            for loop, pulse in self._pulses.items()
            if now - pulse.last > pulse.within and loop not in self._troubles
        ]

    def expect(self, servers: Sequence[str]) -> None:
        """Name the servers that have to be tried before we are ready; those tried already stay tried."""
        self._expected = tuple(servers)
        self._tried &= set(servers)

    def tried(self, server: str) -> None:
        """Note that a look at a server came to an end, good or bad."""
        self._tried.add(server)

    def untried(self) -> list[str]:
        """Return the expected servers of which no look came to an end yet."""
        return [server for server in self._expected if server not in self._tried]


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.3g}" if span < timedelta(seconds=10) else f"{span.total_seconds():.0f}"
