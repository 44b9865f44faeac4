"""A net below the looks, every few hours: everything of the last days, compared with what is known.

What it finds is not told by it: the next look reads those sessions by their ids, as it does with what an event feed
hints at.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Protocol

import anyio

from watcher.core.model import OVERLAP, Session
from watcher.watch import Watch

SWEEP_EVERY = timedelta(hours=4)
SWEEP_BACK = timedelta(days=7)
SHORTEST_PAUSE = 0.05


class Sweeper(Protocol):
    """A server that shows all of the last days, page by page. May raise LookFailed."""

    def sweep(self, back: timedelta) -> AsyncIterator[tuple[Session, ...]]: ...


class Memories(Protocol):
    """What a sweep needs of the store."""

    def unlike(self, server_id: int, sessions: Iterable[Session]) -> set[str]: ...
    def swept(self, server_id: int, *, now: datetime) -> None: ...


def is_due(watch: Watch, now: datetime) -> bool:
    """Whether it is time: every few hours, and at once when looks have not been made for longer than they overlap.

    A first contact reads what it wants to know by itself.
    """
    if watch.record is None or watch.record.last_success is None:
        return False
    if watch.was_away is not None and watch.was_away > OVERLAP:
        return True
    last = watch.record.swept or watch.since
    return last is not None and not timedelta(0) <= now - last < SWEEP_EVERY


async def sweep_once(
    watch: Watch,
    sweeper: Sweeper,
    memories: Memories,
    *,
    now: datetime,
    pause: Callable[[float], Awaitable[object]] = anyio.sleep,
) -> tuple[str, ...]:
    """Go through the last days at leisure; return the ids of sessions that the looks have missed, for the next one.

    Between two pages it rests as long as the last one took. Raises LookFailed and the store's errors; a sweep that
    fails is not written down, and comes again.
    """
    record = watch.record
    if record is None:
        return ()
    back = min(SWEEP_BACK, watch.watched.keep)
    missed: dict[str, str] = {}
    began = anyio.current_time()
    async for page in sweeper.sweep(back):
        news = [one for one in page if not one.is_settled or (one.ended or one.created or now) >= record.news_from]
        unlike = await watch.run_db(lambda news=news: memories.unlike(record.id, news))  # type: ignore[misc]
        missed |= {one.id: one.status for one in news if one.id in unlike}
        await pause(max(SHORTEST_PAUSE, anyio.current_time() - began))
        began = anyio.current_time()
    missed = {one: status for one, status in missed.items() if not watch.has_settled(one, status)}
    await watch.run_db(lambda: memories.swept(record.id, now=now))
    watch.swept(now)
    if missed:
        watch.ear.hints |= missed
        watch.wake.set()
    return tuple(missed)
