"""What all servers of one configuration share."""

from datetime import timedelta
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


@pytest.mark.anyio
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
