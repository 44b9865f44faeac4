"""The digest: made once for each time that it is due, also by a watcher that was down then."""

from dataclasses import replace
from datetime import datetime

from watcher.core.digest import Digest
from watcher.core.event import OURSELVES, WATCHER_DIGEST, Event, event_id
from watcher.core.page import owed
from watcher.core.policy import Case, Policy, rule
from watcher.core.ruling import Ruling
from watcher.daemon.parts import Bench, Threaded


async def digest_once(bench: Bench, policy: Policy, reading: Threaded) -> Event | None:
    """Tell the digest that is due, if it was not told yet. `reading`: how long questions are asked of the store."""
    wanted, store, now = bench.settings.digest, bench.store, bench.clock.now()
    if wanted is None:
        return None
    due = wanted.schedule.last_due(now)
    name, period = event_id(OURSELVES, "digest", WATCHER_DIGEST, None, due), wanted.schedule.period(due)
    is_weekly = wanted.schedule.weekday is not None
    found = await reading(lambda: store.digest(name, period, is_weekly=is_weekly))
    if found is None:
        return None
    event = _event(name, due, now, found)
    ruling = for_some(rule(event, Case(policy, now)), wanted.channels, "[digest]")
    debts = tuple(owed(event, ruling, policy))
    await bench.run_db(lambda: store.tell(event, ruling, debts, now=now))
    return event


def _event(name: str, due: datetime, now: datetime, digest: Digest) -> Event:
    return Event(name, WATCHER_DIGEST, OURSELVES, due, now, reason="it is due", digest=digest)


def for_some(ruling: Ruling, channels: tuple[str, ...] | None, table: str) -> Ruling:
    """Narrow a ruling down to the channels that a table of the settings names, if it names any."""
    if channels is None:
        return ruling
    decisions = (
        one if one.channel in channels else replace(one, tell=False, reason=f"{table} names other channels")
        for one in ruling.decisions
    )
    return replace(ruling, decisions=tuple(decisions))
