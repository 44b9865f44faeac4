"""What all servers of one configuration share, and which calls to the store are waited for."""

import threading
from datetime import timedelta
from functools import partial
from pathlib import Path

import anyio
import pytest

from tests.settings.settings_world import World
from watcher.clock import Clock
from watcher.core.page import Rules
from watcher.core.policy import plain
from watcher.daemon.parts import Bench, Channels, Threaded, build_server
from watcher.store import open_store

TOML = "\n".join(
    f"[[servers]]\nname = '{name}'\nurl = 'https://{name}.example.com'\nusername = 'u'\npassword = 'a password'\n"
    f"labels = {{ site = '{name}' }}\n"
    for name in ("hq", "branch")
)


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


async def test_what_knows_all_servers_is_there_once_for_all_of_them(tmp_path: Path) -> None:
    """Policy and rulebook have the labels of every server; also where many wait for the channels at once."""
    world = World(tmp_path)
    world.write("watcher.toml", TOML)
    store = open_store("sqlite://")
    channels = Channels(world.bare())
    bench = Bench(world.bare(), store, Threaded(), Clock(), channels, "me")
    sources = [build_server(server, bench.clock) for server in bench.settings.servers]
    watches = [bench.watch(server, source) for server, source in zip(bench.settings.servers, sources, strict=True)]
    found = [Rules(plain(frozenset(), {}), timedelta(0))] * 2

    async def take(number: int) -> None:
        found[number] = await watches[number].rules()

    async with anyio.create_task_group() as group:
        for number in range(2):
            group.start_soon(take, number)
        await channels.open()
    assert found[0].policy is found[1].policy is await bench.policy()
    assert found[0].policy.labels == {"hq": {"site": "hq"}, "branch": {"site": "branch"}}
    parts = zip(watches, sources, bench.settings.servers, strict=True)
    books = [bench.guard(watch, source, server).rulebook for watch, source, server in parts]
    assert books[0] is books[1]
    assert books[0].labels == found[0].policy.labels
    store.close()
