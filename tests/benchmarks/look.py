"""CPU of an idle look at 30 sessions against a bare httpx GET of the same bytes: `python -m tests.benchmarks.look`.

The stand-in runs in another process. A look is the whole pass: requests, decoding, diff, database. Both sides take
turns in one process; the figure is the ratio of their medians.
"""

import multiprocessing
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import anyio
import httpx

from watcher.clock import now
from watcher.core.model import Status
from watcher.core.page import Rules
from watcher.core.policy import plain
from watcher.core.wanted import EVENTS
from watcher.daemon.parts import Threaded
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.poll import poll_once
from watcher.store import open_store
from watcher.vb365.access import Access
from watcher.vb365.server import Server
from watcher.watch import Watch, Watched
from watcher.web.serve import serving

SESSIONS = 30
ROUNDS = 5
LOOKS = 40
LIMIT = 3.0


def estate() -> World:
    """Return a world with thirty sessions that ended within the last ten minutes, so that each look shows them all."""
    world = World("bench")
    jobs = [world.add_job(f"Job {number}", "Contoso") for number in range(10)]
    for number in range(SESSIONS):
        begun = now() - timedelta(minutes=9) + timedelta(seconds=number)
        world.end(world.start(jobs[number % 10], begun), Status.SUCCESS, begun + timedelta(minutes=1))
    return world


def stand_in(pipe: Connection) -> None:
    """Serve the estate until killed."""
    world = estate()
    with serving(create_app(world, now=now), date_header=False) as url:
        pipe.send((url, world.account.username, world.account.password))
        pipe.recv()


async def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one call, of many."""
    began = time.process_time()
    for _ in range(LOOKS):
        await work()  # type: ignore[misc]
    return (time.process_time() - began) / LOOKS


async def measure(url: str, username: str, password: str, folder: Path) -> tuple[float, float]:
    """Return the median CPU of a look and of a bare GET, in seconds."""
    store = open_store(f"sqlite:///{folder / 'bench.db'}")
    source = Server(Access("bench", url, username, password), now=now)

    async def rules() -> Rules:
        return Rules(plain(EVENTS, {}), timedelta(seconds=30))

    watch = Watch(Watched("bench", url, timedelta(0), timedelta(days=400)), source, store, Threaded(), rules)
    report = await poll_once(watch, now=now())
    assert report.failure is None, report.text
    async with httpx.AsyncClient() as client:
        form = {"grant_type": "password", "username": username, "password": password}
        token = (await client.post(f"{url}/v8/token", data=form)).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}

        async def look() -> None:
            assert (await poll_once(watch, now=now())).failure is None

        async def get() -> None:
            answer = await client.get(f"{url}/v8/JobSessions?limit={SESSIONS}", headers=headers)
            assert len(answer.content) > 10_000

        pairs = [(await cpu(look), await cpu(get)) for _ in range(ROUNDS)]
    await source.aclose()
    store.close()
    return statistics.median(pair[0] for pair in pairs), statistics.median(pair[1] for pair in pairs)


def main() -> None:
    """Print both medians and their ratio."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=stand_in, args=(there,))
    server.start()
    url, username, password = here.recv()
    with tempfile.TemporaryDirectory() as folder:
        look, get = anyio.run(measure, url, username, password, Path(folder))
    server.kill()
    server.join(10)
    print(f"look {look * 1000:.2f} ms, bare httpx GET {get * 1000:.2f} ms, ratio {look / get:.2f}, limit {LIMIT}")


if __name__ == "__main__":
    main()
