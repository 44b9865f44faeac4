"""The watchdogs of each server: a pass and a clock."""

from dataclasses import dataclass

from watcher.core.watchdog.alarm import Review
from watcher.daemon.loops import Loops
from watcher.guard import Guard, guard_once, pause
from watcher.store import StoreError

FIRST_AFTER = 1.0
"""So soon after the start somebody looks whether there is anything to judge yet."""


@dataclass(frozen=True, slots=True)
class Guarding:
    """The loop that judges what did not happen at one server and what is about to break; it is a `Turn`."""

    loops: Loops
    guard: Guard

    def rests(self) -> float:
        """Wait for the first look."""
        return 0.0 if self.guard.watch.has_looked else FIRST_AFTER

    async def take(self) -> float:
        """Judge once, when the channels are open; return how long to wait for the next time."""
        loops, server = self.loops, self.guard.watch.watched.name
        loop = f"guard {server}"
        try:
            said = await guard_once(self.guard, await loops.bench.policy(), now=loops.clock.now())
            self._tell(server, said)
            loops.telling.store_worked(loop)
        except StoreError as error:
            loops.store_failed(loop, error)
        return pause(self.guard.interval).total_seconds() * loops.rng.uniform(0.9, 1.1)

    def _tell(self, server: str, said: Review) -> None:
        self.loops.telling.guarded(server, said)
        if said.owed:
            self.loops.bell.ring()
