"""One pass of listening: what an event feed hints at wakes the poll loop, and is never told itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Self

import anyio
import pytest

from tests.loops.test_poll import Script, at, failed, running, types, watching
from watcher.core.model import Failure, Heard, JobType, LookFailed
from watcher.daemon.beside import Nudge
from watcher.listen import Outcome, listen_once
from watcher.poll import poll_once
from watcher.store import Store, StoreError, open_store
from watcher.watch import Watch


@dataclass
class Feed:
    """A feed that says what the test tells it to say next, and remembers from where it was asked."""

    says: list[Heard | LookFailed | None]
    asked: list[str | None] = field(default_factory=list)

    async def listen(self, token: str | None) -> Heard | None:
        self.asked.append(token)
        answer = self.says.pop(0)
        if isinstance(answer, LookFailed):
            raise answer
        return answer


@pytest.fixture
def store() -> Iterator[Store]:
    store = open_store("sqlite://")
    yield store
    store.close()


async def looked(store: Store, script: Script) -> Watch:
    watch = watching(store, script)
    await poll_once(watch, now=at(2))
    return watch


async def test_the_first_word_asks_for_a_look(store: Store) -> None:
    """What was before it has to come from a listing."""
    watch = await looked(store, Script())
    feed = Feed([Heard("T1")])
    assert await listen_once(watch, feed) is Outcome.NEWS
    assert watch.wake.is_set()
    assert feed.asked == [None]


async def test_an_end_wakes_the_loop_and_the_look_reads_the_session(store: Store) -> None:
    """The look is given the hint; what it finds is told, and its token is kept with it."""
    script = Script(sessions=(running(),))
    watch = await looked(store, script)
    feed = Feed([Heard("T1"), Heard("T2", {"s1": "Failed"})])
    await listen_once(watch, feed)
    await poll_once(watch, now=at(3))
    assert not watch.wake.is_set()
    assert await listen_once(watch, feed) is Outcome.NEWS
    assert watch.wake.is_set()
    script.sessions = (failed(),)
    report = await poll_once(watch, now=at(6))
    assert types(report) == ["session.failed"]
    assert script.asked[-1].hints == {"s1": "Failed"}
    assert feed.asked == [None, "T1"]
    await poll_once(watch, now=at(7))
    assert script.asked[-1].hints == {}
    again = Feed([Heard("T3")])
    after_a_restart = await looked(store, script)
    await listen_once(after_a_restart, again)
    assert again.asked == ["T2"]


async def test_progress_is_no_news(store: Store) -> None:
    """A session that runs and is said to run, and an end that is known, wake nobody."""
    watch = await looked(store, Script(sessions=(running(), failed("s2"))))
    feed = Feed([Heard("T1"), Heard("T2", {"s1": "Running", "s2": "Failed"})])
    await listen_once(watch, feed)
    watch.wake = anyio.Event()
    assert await listen_once(watch, feed) is Outcome.QUIET
    assert not watch.wake.is_set()
    assert watch.ear.token == "T2"


async def test_what_was_heard_before_a_look_that_fails_is_not_lost(store: Store) -> None:
    """The hints wait for the next one, and the token is kept only then."""
    script = Script(sessions=(running(),))
    watch = await looked(store, script)
    feed = Feed([Heard("T1", {"s1": "Failed"}), Heard("T2", {"s9": "Warning"})])
    await listen_once(watch, feed)
    script.failure = LookFailed(Failure.UNREACHABLE, "no route")
    await poll_once(watch, now=at(3))
    await listen_once(watch, feed)
    record = store.server("HQ")
    assert record is not None
    assert record.feed_token is None
    script.failure = None
    await poll_once(watch, now=at(4))
    assert script.asked[-1].hints == {"s1": "Failed", "s9": "Warning"}
    record = store.server("HQ")
    assert record is not None
    assert record.feed_token == "T2"


@pytest.mark.parametrize(
    ("kind", "then"), [(Failure.UNREACHABLE, "T1"), (Failure.UNAUTHORIZED, "T1"), (Failure.BAD_ANSWER, None)]
)
async def test_a_failure_keeps_the_token_or_begins_anew(store: Store, kind: Failure, then: str | None) -> None:
    """A network that fails says nothing of the token; a refusal of it does, whatever its status."""
    watch = await looked(store, Script())
    feed = Feed([Heard("T1"), LookFailed(kind, "no"), Heard("T9")])
    await listen_once(watch, feed)
    with pytest.raises(LookFailed):
        await listen_once(watch, feed)
    await listen_once(watch, feed)
    assert feed.asked[-1] == then


async def test_a_token_that_fails_three_times_is_given_up(store: Store) -> None:
    """Nobody says with which status an outdated token is refused."""
    watch = await looked(store, Script())
    feed = Feed([Heard("T1"), *(LookFailed(Failure.TIMEOUT, "no") for _ in range(3)), Heard("T9")])
    await listen_once(watch, feed)
    for _ in range(3):
        with pytest.raises(LookFailed):
            await listen_once(watch, feed)
    watch.wake = anyio.Event()
    await listen_once(watch, feed)
    assert feed.asked == [None, "T1", "T1", "T1", None]
    assert watch.wake.is_set()


async def test_a_mute_feed_is_noticed(store: Store) -> None:
    """It has still not spoken of an end that the look before has found; one that is only behind has, by then."""
    script = Script(sessions=tuple(running(f"s{number}") for number in range(4)))
    watch = await looked(store, script)
    await listen_once(watch, Feed([Heard("T1")]))
    mute = []
    for minute in range(3, 8):
        shown = {session.id: session for session in script.sessions}
        shown[f"s{minute - 3}"] = failed(f"s{minute - 3}", minute)
        script.sessions = tuple(shown.values())
        mute.append((await poll_once(watch, now=at(minute))).mute)
        if minute == 4:  # late, but it comes
            await listen_once(watch, Feed([Heard("T2", {"s1": "Failed"})]))
    assert mute == [False, False, False, True, False]
    assert watch.ear.token is None


async def test_nothing_at_all(store: Store) -> None:
    """The same token again is told apart from progress: it may come at once, and again, and again."""
    watch = await looked(store, Script())
    feed = Feed([Heard("T1"), Heard("T1"), Heard("T2")])
    assert [await listen_once(watch, feed) for _ in range(3)] == [Outcome.NEWS, Outcome.IDLE, Outcome.QUIET]


async def test_hints_outlive_a_database_that_refuses(store: Store) -> None:
    """What could not be written down has not happened, and is looked at again."""
    script = Script(sessions=(running(),))
    watch = await looked(store, script)
    await listen_once(watch, Feed([Heard("T1", {"s1": "Failed"})]))

    async def refusing(_work: object) -> None:
        raise StoreError("database is locked")

    well, watch.run_db = watch.run_db, refusing  # type: ignore[assignment]
    with pytest.raises(StoreError):
        await poll_once(watch, now=at(3))
    watch.run_db = well
    await poll_once(watch, now=at(4))
    assert script.asked[-1].hints == {"s1": "Failed"}


async def test_no_feed(store: Store) -> None:
    """Older servers, and some builds of v8."""
    watch = await looked(store, Script())
    assert await listen_once(watch, Feed([None])) is Outcome.NO_FEED
    assert not watch.wake.is_set()


async def test_a_restore_that_changes_is_worth_a_look_now_and_then(store: Store) -> None:
    """It wakes nobody by itself, for it may say so for every item; one that is known to be over says nothing."""
    over = replace(failed("r1"), job_id=None, job_type=JobType.RESTORE)
    watch = await looked(store, Script(sessions=(over, running("s1"))))
    feed = Feed([Heard("T1"), *(Heard(f"T{number}", {}, frozenset({f"r{number}"})) for number in (2, 1))])
    await listen_once(watch, feed)
    watch.wake = anyio.Event()
    assert await listen_once(watch, feed) is Outcome.STIR
    assert not watch.wake.is_set()
    assert watch.ear.hints == {}  # its id is none of a job's session
    assert await listen_once(watch, feed) is Outcome.QUIET
    both = Feed([Heard("T3", {"s1": "Failed"}, frozenset({"r2"}))])
    assert await listen_once(watch, both) is Outcome.NEWS
    assert watch.wake.is_set()


async def test_nudges_wake_the_looks_at_once_and_then_every_few_seconds(store: Store) -> None:
    """However many there are; and the last one is never lost."""
    watch, woken = await looked(store, Script()), list[float]()

    class Wake(anyio.Event):
        def __new__(cls) -> Self:
            return object.__new__(cls)

        def set(self) -> None:
            woken.append(anyio.current_time() - began)

    watch.wake, began = Wake(), anyio.current_time()
    async with anyio.create_task_group() as tasks:
        nudge = Nudge(watch, tasks)
        for _ in range(120):
            nudge.give()
            await anyio.sleep(0.1)
        await anyio.sleep(60)
        nudge.give()
    assert [round(moment) for moment in woken] == [0, 5, 10, 15, 72]
