"""Calls to the store in a worker thread: which are waited for."""

import threading
from functools import partial

import anyio
import pytest

from watcher.daemon.parts import Threaded


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the daemon does."""
    return "asyncio"


@pytest.mark.parametrize(
    ("calls", "is_waited_for"),
    [(Threaded(), True), (Threaded(only_reads=True), False), (Threaded(is_ending=True), False)],
    ids=["writing", "reading", "at the end"],
)
async def test_which_calls_are_waited_for(calls: Threaded, *, is_waited_for: bool) -> None:
    """What writes is, though its caller was cancelled; not so where a lock would hold up the end of the process."""
    began, go_on = threading.Event(), threading.Event()

    def work() -> None:
        began.set()
        go_on.wait(5)

    async with anyio.create_task_group() as group:
        group.start_soon(calls, work)
        await anyio.to_thread.run_sync(partial(began.wait, 5))
        threading.Timer(0.3, go_on.set).start()
        start = anyio.current_time()
        group.cancel_scope.cancel()
    assert (anyio.current_time() - start > 0.2) is is_waited_for


async def test_calls_that_wait_for_their_turn_know_of_the_end() -> None:
    """One that was asked for before the end, and begins after it, is not waited for either."""
    calls, began, go_on = Threaded(), threading.Event(), threading.Event()
    ran: list[int] = []

    def work() -> None:
        ran.append(len(ran))
        began.set()
        go_on.wait(5 if len(ran) > 1 else 0.2)

    async with anyio.create_task_group() as group:
        group.start_soon(calls, work)
        group.start_soon(calls, work)
        await anyio.to_thread.run_sync(partial(began.wait, 5))
        calls.is_ending = True
        await anyio.sleep(0.5)
        assert ran == [0, 1]
        start = anyio.current_time()
        group.cancel_scope.cancel()
    assert anyio.current_time() - start < 1
    go_on.set()
