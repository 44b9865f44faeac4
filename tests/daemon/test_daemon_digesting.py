"""The digest, from the settings to what is owed: once for each time that it is due."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from watcher.core.digest import Schedule
from watcher.core.match import Match
from watcher.core.model import Greeting, Job, Session, Statistics
from watcher.core.policy import Policy, Quiet, Route
from watcher.core.record import End, Known, Page
from watcher.core.silence import Silence
from watcher.core.wanted import EVENTS
from watcher.core.window import Window
from watcher.daemon.digesting import digest_once
from watcher.settings.model import DigestSettings
from watcher.store import Store, open_store

MET = datetime(2026, 3, 3, 6, tzinfo=UTC)
EIGHT = datetime(2026, 3, 4, 8, tzinfo=UTC)
HELLO = Greeting("v8", "1111", "8")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store() -> Iterator[Store]:
    store = open_store("sqlite://")
    server = store.meet("HQ", "https://hq:4443", HELLO, first_contact=MET, news_from=MET)
    ended, moved = EIGHT - timedelta(hours=3), Statistics(transferred=7)
    known = Known(Session("s1", "Failed", "j1", created=MET, ended=ended, statistics=moved), (End("Failed", ended),))
    store.record(server.id, ["s1"], ["j1"], lambda _: Page((known,)), now=EIGHT)
    store.finish_look(server.id, now=EIGHT, greeting=HELLO, watermark=EIGHT, jobs={"j1": Job("j1", "Mail")})
    yield store
    store.close()


async def direct(work: Any) -> Any:
    return work()


def told(store: Store) -> list[tuple[str, str]]:
    return [(row.channel, row.event) for row in store.deliveries(state=None, limit=9)]


async def pass_by(
    store: Store, now: datetime, *routes: Route, channels: tuple[str, ...] | None = None, silences: Any = ()
) -> Any:
    wanted = DigestSettings(Schedule(time(8), UTC), channels)
    settings = SimpleNamespace(digest=wanted)
    bench: Any = SimpleNamespace(store=store, settings=settings, clock=SimpleNamespace(now=lambda: now), run_db=direct)
    ways = routes or (Route("all", EVENTS, group_wait=timedelta(seconds=10)),)
    reading: Any = direct
    return await digest_once(bench, Policy(ways, {"chat": ("c",), "mail": ("m",)}, silences=silences), reading)


async def test_it_is_told_once_for_each_day(store: Store) -> None:
    """Also by a watcher that was down at eight; at once, and joined with nothing."""
    event = await pass_by(store, EIGHT + timedelta(minutes=20))
    assert event.happened == EIGHT
    assert [(job.job, job.failures, job.moved) for job in event.digest.jobs] == [("Mail", 1, 7)]
    assert told(store) == [("mail", "watcher.digest"), ("chat", "watcher.digest")]
    assert all(row.next_attempt == EIGHT + timedelta(minutes=20) for row in store.deliveries(state=None, limit=9))
    assert await pass_by(store, EIGHT + timedelta(hours=9)) is None
    assert await pass_by(store, EIGHT + timedelta(days=1)) is not None
    assert len(told(store)) == 4


async def test_what_was_due_before_first_contact_is_not_told(store: Store) -> None:
    """There was nothing to sum up yet."""
    assert await pass_by(store, MET + timedelta(hours=1)) is None
    assert told(store) == []


async def test_it_goes_where_the_settings_say(store: Store) -> None:
    """`channels` narrows down what the routes lead to."""
    await pass_by(store, EIGHT, channels=("mail",))
    assert told(store) == [("mail", "watcher.digest")]


async def test_no_silence_keeps_it_back_but_quiet_hours_do(store: Store) -> None:
    """A sign of life is worth nothing if a silence of everything stops it."""
    quiet = Quiet((Window(time(0), time(9), UTC),))
    weekly = Silence(Match(), windows=(Window(time(7), time(9), UTC),))
    await pass_by(store, EIGHT, Route("late", EVENTS, quiet=quiet), silences=(weekly,))
    assert [row.next_attempt for row in store.deliveries(state=None, limit=9)] == [EIGHT + timedelta(hours=1)] * 2
