"""Sweeping: what the looks have missed is found, said, and told by the next look; when it is time for it."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from tests.loops.test_poll import Script, at, failed, running, types, watching
from watcher.core.model import Failure, LookFailed, Session
from watcher.poll import poll_once
from watcher.store import Store, open_store
from watcher.sweep import is_due, sweep_once


@pytest.fixture
def store() -> Iterator[Store]:
    store = open_store("sqlite://")
    yield store
    store.close()


@dataclass
class Broom:
    """What a server shows of its last days, in pages."""

    pages: list[tuple[Session, ...]]
    failure: LookFailed | None = None
    backs: list[timedelta] = field(default_factory=list)

    async def sweep(self, back: timedelta) -> AsyncIterator[tuple[Session, ...]]:
        self.backs.append(back)
        for page in self.pages:
            yield page
        if self.failure:
            raise self.failure


async def no_pause(_seconds: float) -> None:
    """Hurry."""


async def test_what_the_looks_have_missed_is_told_by_the_next(store: Store) -> None:
    """Known sessions, and ends from before the first contact, are not found; it reaches back a week."""
    script = Script(sessions=(failed("known"), running("open")))
    watch = watching(store, script)
    await poll_once(watch, now=at(0))
    await poll_once(watch, now=at(6))
    broom = Broom(
        [
            (failed("known"), failed("old", -20), running("open")),
            (failed("missed", 5), replace(failed("open", 6), status="Warning")),
        ]
    )
    missed = await sweep_once(watch, broom, store, now=at(300), pause=no_pause)
    assert missed == ("missed", "open")
    assert broom.backs == [timedelta(days=7)]
    assert watch.wake.is_set()
    script.sessions = (failed("missed", 5), replace(failed("open", 6), status="Warning"))
    report = await poll_once(watch, now=at(301))
    assert script.asked[-1].hints == {"missed": "Failed", "open": "Warning"}
    assert sorted(types(report)) == ["session.failed", "session.warning"]
    assert await sweep_once(watch, broom, store, now=at(302), pause=no_pause) == ()


async def test_a_sweep_is_due_every_few_hours(store: Store) -> None:
    """Not at the first contact, nor after a short restart; at once where looks were not made for long."""
    script = Script()
    watch = watching(store, script)
    assert not is_due(watch, at(0))
    await poll_once(watch, now=at(0))
    assert not is_due(watch, at(1))
    assert not is_due(watch, at(239))
    assert is_due(watch, at(241))
    await sweep_once(watch, Broom([]), store, now=at(241))
    assert not is_due(watch, at(242))
    await poll_once(watch, now=at(242))

    soon = watching(store, script)
    await poll_once(soon, now=at(250))
    assert not is_due(soon, at(251))
    assert is_due(soon, at(482))
    late = watching(store, script)
    await poll_once(late, now=at(261))
    assert is_due(late, at(261))
    await sweep_once(late, Broom([]), store, now=at(262))
    assert not is_due(late, at(263))


async def test_a_sweep_that_fails_comes_again(store: Store) -> None:
    """Nothing of it is used."""
    watch = watching(store, Script())
    await poll_once(watch, now=at(0))
    broom = Broom([(failed("missed", 5),)], LookFailed(Failure.TIMEOUT, "no whole answer"))
    with pytest.raises(LookFailed):
        await sweep_once(watch, broom, store, now=at(300), pause=no_pause)
    assert is_due(watch, at(301))
    assert not watch.ear.hints


async def test_more_than_a_look_can_follow_is_followed_by_several(store: Store) -> None:
    """Each hint costs a request, so a look takes a hundred, and wakes the next."""
    script = Script()
    watch = watching(store, script)
    await poll_once(watch, now=at(0))
    await sweep_once(watch, Broom([tuple(failed(f"s{number}") for number in range(250))]), store, now=at(300))
    counts = []
    while watch.wake.is_set():
        await poll_once(watch, now=at(301))
        counts.append(len(script.asked[-1].hints))
    assert counts == [100, 100, 50]
