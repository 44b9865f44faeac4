"""From process start to the first look, and what the daemon holds in memory then: `python -m tests.benchmarks.start`.

The daemon watches one stand-in server and tells one Apprise channel. Its first request of the session listing is the
moment measured. Beside it, in the same run: bare Python, and the bare imports of the parts that it is made of.
"""

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.processes.household import Household, Inbox, eventually, inbox, server_settings
from watcher.clock import now
from watcher.core.model import Status
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.web.serve import serving

ROUNDS = 7
LIMIT_SECONDS = 1.5
LIMIT_MB = 90
BARE = "import anyio._backends._asyncio, httpx, httpx_aiohttp, msgspec, sqlalchemy.dialects.sqlite, apprise; apprise.Apprise().add('json://127.0.0.1')"


def resident(pid: int) -> float:
    """Return a process's resident memory in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def imports() -> tuple[float, float]:
    """Return seconds and MB of a process that only imports the parts and loads Apprise's plugins."""
    began = time.perf_counter()
    code = BARE + "; import os; print(int(open('/proc/self/statm').read().split()[1]) * 4096 / 1e6)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return time.perf_counter() - began, float(shown)


def one_round(box: Inbox) -> tuple[float, float]:
    """Return seconds to the first look and MB after a first message was delivered."""
    world = World("bench")
    job = world.add_job("Contoso - Mail", "Contoso")
    app = create_app(world, now=now)
    with tempfile.TemporaryDirectory() as folder, serving(app, date_header=False) as url:
        house = Household(Path(folder))
        house.environ = server_settings(url, world) | {
            "WATCHER_CHANNELS": f"chat={box.url.replace('http', 'json')}/",
            "WATCHER_LISTEN": "127.0.0.1:0",
            "PYTHONWARNINGS": "ignore",
        }
        before = len(box.got)
        began = time.perf_counter()
        house.start()
        eventually(lambda: any("/jobsessions" in seen.path.lower() and seen.query for seen in list(app.state.requests)))
        took = time.perf_counter() - began
        assert house.process is not None
        session = world.start(job, now())
        time.sleep(1.5)
        world.end(session, Status.FAILED, now())
        eventually(lambda: len(box.got) > before, what=house.log)
        time.sleep(1)
        memory = resident(house.process.pid)
        house.end()
    return took, memory


def main() -> None:
    """Print the medians of some rounds."""
    with inbox() as box:
        rounds = [(one_round(box), imports()) for _ in range(ROUNDS)]
    seconds = statistics.median(ours[0] for ours, _ in rounds)
    megabytes = statistics.median(ours[1] for ours, _ in rounds)
    bare_seconds = statistics.median(bare[0] for _, bare in rounds)
    bare_megabytes = statistics.median(bare[1] for _, bare in rounds)
    print(f"to the first look: {seconds:.2f} s, limit {LIMIT_SECONDS} s, ratio {seconds / LIMIT_SECONDS:.2f}")
    print(f"   (bare imports with Apprise's plugins: {bare_seconds:.2f} s)")
    print(f"resident: {megabytes:.0f} MB, limit {LIMIT_MB} MB, ratio {megabytes / LIMIT_MB:.2f}")
    print(f"   (bare imports with Apprise's plugins: {bare_megabytes:.0f} MB)")


if __name__ == "__main__":
    main()
