"""Small loops of which there is one for each server, and that mostly rest: one task waits for them all.

A task of its own would take five kilobytes for each of them while it does nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Protocol

import anyio

from watcher.clock import Clock

LONGEST_WAIT = 3600.0


class Turn(Protocol):
    """One small loop. All times are seconds of the clock."""

    def rests(self) -> float:
        """Return how long it can be left alone from now on; 0 if there is something to do at once."""
        ...

    async def take(self) -> float:
        """Do it; return how long to leave it alone after that. What it raises ends all of them."""
        ...


@dataclass(slots=True)
class Turns:
    """Lets each loop take its turn when its time has come, beside the others and never twice at once."""

    clock: Clock
    _due: list[tuple[float, int]] = field(default_factory=list)
    _sooner: anyio.Event = field(default_factory=anyio.Event)

    async def run(self, turns: Sequence[Turn]) -> None:
        """Go on for ever."""
        self._due = [(self.clock.ticks(), number) for number in range(len(turns))]
        async with anyio.create_task_group() as group:
            while True:
                for number in self._whose_time_has_come():
                    if rest := turns[number].rests():
                        self._again(number, rest)
                    else:
                        group.start_soon(self._take, turns[number], number)
                self._sooner = anyio.Event()
                left = self._due[0][0] - self.clock.ticks() if self._due else LONGEST_WAIT
                await self.clock.wait(self._sooner, left)

    def _whose_time_has_come(self) -> list[int]:
        found: list[int] = []
        while self._due and self._due[0][0] <= self.clock.ticks():
            found.append(heappop(self._due)[1])
        return found

    async def _take(self, turn: Turn, number: int) -> None:
        self._again(number, await turn.take())

    def _again(self, number: int, rest: float) -> None:
        heappush(self._due, (self.clock.ticks() + rest, number))
        if self._due[0][1] == number:
            self._sooner.set()
