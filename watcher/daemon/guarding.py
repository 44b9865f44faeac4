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
    """The loops that judge what did not happen and what is about to break."""

    loops: Loops

    async def run(self, guard: Guard) -> None:
        """Judge one server for ever, once the channels are open."""
        loops = self.loops
        policy = await loops.bench.policy()
        while not guard.watch.has_looked:
            await loops.clock.sleep(FIRST_AFTER)
        rest, loop = pause(guard.interval).total_seconds(), f"guard {guard.watch.watched.name}"
        while True:
            try:
                said = await guard_once(guard, policy, now=loops.clock.now())
                self._tell(guard.watch.watched.name, said)
                loops.telling.store_worked(loop)
            except StoreError as error:
                loops.store_failed(loop, error)
            await loops.clock.sleep(rest * loops.rng.uniform(0.9, 1.1))

    def _tell(self, server: str, said: Review) -> None:
        self.loops.telling.guarded(server, said)
        if said.owed:
            self.loops.bell.ring()
