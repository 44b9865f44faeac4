"""Who watches the watcher: a sign of life through a channel, on a schedule, and a call to whoever misses it."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from watcher.clock import Clock
from watcher.core.event import OURSELVES, WATCHER_HEARTBEAT, Event, event_id
from watcher.core.heartbeat import Heartbeat, heartbeat
from watcher.core.page import owed
from watcher.core.policy import Case, Policy, rule
from watcher.daemon.digesting import for_some
from watcher.daemon.parts import Bench, Threaded
from watcher.daemon.pinging import Ping
from watcher.web.health import Health

log = logging.getLogger("watcher")

CALL_EVERY = 60.0
LOOK_EVERY = 1.0


async def heartbeat_once(
    bench: Bench,
    policy: Policy,
    reading: Threaded,
    jobs: Mapping[str, Collection[str]],
    stuck: Sequence[str] = (),
) -> Event | None:
    """Give the sign of life that is due, if it was not given yet; one that was missed is not made up for.

    `jobs`: the ids that each server has. `stuck`: what makes no progress.
    """
    wanted, store, now = bench.settings.heartbeat, bench.store, bench.clock.now()
    if wanted is None:
        return None
    due = wanted.schedule.last_due(now)
    name = event_id(OURSELVES, "heartbeat", WATCHER_HEARTBEAT, None, due)
    standing = await reading(lambda: store.heartbeat(name, due))
    if standing is None:
        return None
    event = _event(name, due, now, heartbeat(standing, now, jobs, stuck))
    ruling = for_some(rule(event, Case(policy, now)), wanted.channels, "[heartbeat]")
    debts = tuple(owed(event, ruling, policy))
    await bench.run_db(lambda: store.tell(event, ruling, debts, now=now))
    return event


def _event(name: str, due: datetime, now: datetime, beat: Heartbeat) -> Event:
    return Event(name, WATCHER_HEARTBEAT, OURSELVES, due, now, reason="it is due", heartbeat=beat)


@dataclass(slots=True)
class Pulse:
    """Calls an address every minute while all is well with the loops; whoever is behind it misses us otherwise.

    It is Healthchecks' way: what is not well is not said, the call just does not come. A call that fails is not made
    again before its time; the log says when that begins and when it is over.
    """

    ping: Ping
    clock: Clock
    is_well: Callable[[], bool]
    _last: float | None = field(default=None, init=False)
    _is_failing: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Call for ever."""
        while True:
            await self.beat()
            await self.clock.sleep(LOOK_EVERY)

    async def beat(self) -> None:
        """Call, if it is time and all is well."""
        now = self.clock.ticks()
        if (self._last is not None and now - self._last < CALL_EVERY) or not self.is_well():
            return
        self._last = now
        failure = await self.ping()
        if failure and not self._is_failing:
            log.warning("heartbeat: %s; it is called again in %.0f s", failure, CALL_EVERY)
        elif self._is_failing and not failure:
            log.info("heartbeat: %s answers again", self.ping.address)
        self._is_failing = failure is not None


def is_well(health: Health, clock: Clock) -> Callable[[], bool]:
    """Return the judgement of `/healthz`: whether both loops make progress, once each server was tried."""
    return lambda: not health.untried() and not health.stuck(clock.now())
