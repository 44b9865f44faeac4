"""What deliveries cost: `python -m tests.benchmarks.deliver [webhook] [batch] [apprise] [tls] [latency] [memory]`.

Ours and the peer in turns, in one run, on the same receiver in a process of its own; the best of three rounds each.
Alertmanager is Debian's package `prometheus-alertmanager`: group_wait 0, every alert a group of its own.
"""

import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from urllib.request import Request, urlopen

import anyio
import anyio.to_thread
import apprise
import certifi
import trustme

from tests.processes.test_stress import free_port
from watcher.channels import open_channel
from watcher.clock import now
from watcher.core.event import Event, JobRef, ServerRef
from watcher.core.model import Greeting, Session
from watcher.core.record import Owed, Page
from watcher.daemon.loops import Bell
from watcher.daemon.parts import Threaded
from watcher.daemon.process import spare_the_collector
from watcher.deliver import deliver, deliver_once
from watcher.desk import Desk, Handled
from watcher.store import Store, open_store

ROUNDS = 3
RECEIVER = """
import asyncio, time
got = last = 0
class Answers(asyncio.Protocol):
    def connection_made(self, line): self.line, self.rest = line, b""
    def data_received(self, data):
        global got, last
        self.rest += data
        while (end := self.rest.find(b"\\r\\n\\r\\n")) >= 0:
            head = self.rest[:end].lower()
            if head.startswith(b"get"):
                body, self.rest = f"{got} {last}".encode(), self.rest[end + 4:]
                self.line.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body) + body)
                continue
            size = int(head.partition(b"content-length:")[2].split(b"\\r\\n")[0])
            if len(self.rest) < end + 4 + size: return
            self.rest = self.rest[end + 4 + size:]
            got, last = got + 1, time.monotonic()
            self.line.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
async def main():
    server = await asyncio.get_running_loop().create_server(Answers, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(900)
asyncio.run(main())
"""


@contextmanager
def receiver() -> Iterator[int]:
    """Serve a receiver that takes everything at once; yields its port."""
    with subprocess.Popen([sys.executable, "-c", RECEIVER], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield int(process.stdout.readline())
        finally:
            process.kill()


def received(port: int) -> tuple[int, float]:
    """Return how many posts a receiver got, and when it got the last one."""
    got, last = _open(f"http://127.0.0.1:{port}/").split()
    return int(got), float(last)


def _open(url: str, body: object = None) -> str:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    with urlopen(request, timeout=30) as answer:  # noqa: S310 - loopback
        return str(answer.read().decode())


@contextmanager
def alertmanager(port: int) -> Iterator[str]:
    """Run Alertmanager with one webhook; yields the address that takes alerts."""
    command = shutil.which("prometheus-alertmanager")
    if command is None:
        sys.exit("install Debian's prometheus-alertmanager first")
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "config.yml")
        config.write_text(
            "route: {receiver: hook, group_by: ['...'], group_wait: 0s, group_interval: 5m, repeat_interval: 4h}\n"
            "receivers: [{name: hook, webhook_configs: "
            f"[{{url: 'http://127.0.0.1:{port}/', send_resolved: false}}]}}]\n"
        )
        listen = free_port()
        words = [f"--config.file={config}", f"--storage.path={folder}", f"--web.listen-address=127.0.0.1:{listen}"]
        with subprocess.Popen(
            [command, *words, "--cluster.listen-address=", "--log.level=error"], stderr=subprocess.DEVNULL
        ) as process:
            try:
                _until(lambda: bool(_try(f"http://127.0.0.1:{listen}/-/ready")))
                yield f"http://127.0.0.1:{listen}/api/v2/alerts"
            finally:
                process.terminate()


def _try(url: str) -> str:
    try:
        return _open(url)
    except OSError:
        return ""


def _until(done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not done():
        if time.monotonic() > deadline:
            sys.exit("it took too long")
        time.sleep(0.002)


def owe(store: Store, count: int, channel: str = "hook") -> None:
    """Write so many events that one channel is owed."""
    moment = now() - timedelta(seconds=5)
    server = store.meet("HQ", "https://hq:4443", Greeting("v8"), first_contact=moment, news_from=moment)
    names = [f"{Random(f'{channel}{n}').getrandbits(128):032x}" for n in range(count)]
    for start in range(0, count, 500):
        events = tuple(_event(name, moment) for name in names[start : start + 500])
        page = Page(events=events, owed=tuple(Owed(event.id, channel, "there") for event in events))
        store.record(server.id, [], [], lambda _, page=page: page, now=moment)  # type: ignore[misc]


def _event(name: str, moment: datetime) -> Event:
    session = Session(name, "Failed", name, created=moment, ended=moment, details="Cannot connect.")
    return Event(name, "session.failed", ServerRef("HQ"), moment, moment, job=JobRef(name, name), session=session)


def ours(url: str, count: int, batch: int | None) -> float:
    """Deliver so many pending rows from a file with synchronous=FULL; return the seconds that it took."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        store = open_store(f"sqlite:///{folder}/watcher.db")
        owe(store, count)
        channel = open_channel("hook", url, zone=UTC)

        async def run() -> float:
            desk = Desk(channel, store, Threaded(), "bench", str, batch=batch)
            began = time.monotonic()
            done = await deliver_once(desk, clock=now, rng=Random(1))
            took = time.monotonic() - began
            assert sum(one.settlement.state == "delivered" for one in done) == count
            await channel.aclose()
            return took

        took = anyio.run(run)
        store.close()
        return took


def theirs(count: int) -> float:
    """Let Alertmanager deliver so many alerts; return the seconds from the first post to the last receipt."""
    with receiver() as port, alertmanager(port) as address:
        began = time.monotonic()
        for start in range(0, count, 100):
            alerts = [{"labels": {"alertname": "x", "evt": str(n)}} for n in range(start, min(start + 100, count))]
            _open(address, alerts)
        _until(lambda: received(port)[0] >= count)
        return received(port)[1] - began


def webhook(batch: int = 1, count: int = 4000) -> None:
    """Compare events a second with Alertmanager's."""
    mine, peers = [], []
    for _ in range(ROUNDS):
        with receiver() as port:
            mine.append(count / ours(f"webhook+http://127.0.0.1:{port}/", count, batch))
        peers.append(4000 / theirs(4000))
    print(f"webhook, batch {batch}: {max(mine):.0f}/s, Alertmanager {max(peers):.0f}/s, {max(mine) / max(peers):.2f}")


def batch() -> None:
    """The same with a hundred events in a post."""
    webhook(100, 20_000)


def people(count: int = 1000) -> None:
    """Compare Apprise json:// through the outbox with a bare loop of notify."""
    mine, bare = [], []
    for _ in range(ROUNDS):
        with receiver() as port:
            mine.append(count / ours(f"json://127.0.0.1:{port}/", count, None))
            sender = apprise.Apprise()
            sender.add(f"json://127.0.0.1:{port}/")
            began = time.monotonic()
            for n in range(count):
                assert sender.notify(title=f"Failed: {n}", body="Cannot connect.")
            bare.append(count / (time.monotonic() - began))
    print(f"apprise json: {max(mine):.0f}/s, bare notify {max(bare):.0f}/s, {max(mine) / max(bare):.2f}")


TLS_RECEIVER = """
import asyncio, ssl, sys
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[1])
async def answer(reader, writer):
    try:
        while head := await reader.readuntil(b"\\r\\n\\r\\n"):
            await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\\r\\n")[0]))
            await asyncio.sleep(0.05)
            writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")
            await writer.drain()
    except (OSError, EOFError):
        writer.close()
async def main():
    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(900)
asyncio.run(main())
"""
CHANNELS = 16


def tls(rounds: int = 8) -> None:
    """Compare sixteen Apprise channels over https, to a receiver that answers after 50 ms, with `async_notify`."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        authority = trustme.CA()
        pem, bundle = Path(folder, "server.pem"), Path(folder, "bundle.pem")
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
        bundle.write_bytes(Path(certifi.where()).read_bytes() + authority.cert_pem.bytes())
        os.environ["REQUESTS_CA_BUNDLE"] = str(bundle)
        with subprocess.Popen([sys.executable, "-c", TLS_RECEIVER, str(pem)], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            try:
                url = f"jsons://localhost:{int(process.stdout.readline())}/"
                mine, theirs = [], []
                for _ in range(ROUNDS):
                    mine.append(CHANNELS * rounds / anyio.run(_sixteen, url, rounds))
                    theirs.append(CHANNELS * rounds / anyio.run(_all_at_once, url, rounds))
            finally:
                process.kill()
    ratio = max(mine) / max(theirs)
    print(f"apprise https x{CHANNELS}: {max(mine):.0f}/s, async_notify {max(theirs):.0f}/s, {ratio:.2f}")


async def _sixteen(url: str, rounds: int) -> float:
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        store, run_db = open_store(f"sqlite:///{folder}/watcher.db"), Threaded()
        names = [f"channel{n}" for n in range(CHANNELS)]
        for name in names:
            owe(store, rounds, name)
        channels = [open_channel(name, url, zone=UTC) for name in names]
        began = time.monotonic()
        async with anyio.create_task_group() as group:
            for channel in channels:
                group.start_soon(_empty, Desk(channel, store, run_db, "bench", str), rounds)
        took = time.monotonic() - began
        store.close()
        return took


async def _empty(desk: Desk, count: int) -> None:
    done = await deliver_once(desk, clock=now, rng=Random(1))
    assert sum(one.settlement.state == "delivered" for one in done) == count


async def _all_at_once(url: str, rounds: int) -> float:
    sender = apprise.Apprise()
    for n in range(CHANNELS):
        sender.add(f"{url}{n}")
    began = time.monotonic()
    for n in range(rounds):
        assert await sender.async_notify(title=f"Failed: {n}", body="Cannot connect.")
    return time.monotonic() - began


WARM_UP = 150
UNDISTURBED = 0.02


def latency(count: int = 100) -> None:
    """Compare one event, seen to received, with Alertmanager's, at the median: ten a second, and fifty.

    Whether an event has come is asked 20 ms after it, on both sides: to ask takes the processor away from those who
    are asked after. The first events are not counted; both sides then do what they do in their second hour.
    """
    for pause in (0.1, UNDISTURBED):
        _latency(count + WARM_UP, pause - UNDISTURBED)


def _latency(count: int, pause: float) -> None:
    mine: list[float] = []
    peers: list[float] = []
    for _ in range(ROUNDS):
        with receiver() as port, tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            mine += anyio.run(_latencies, port, f"sqlite:///{folder}/watcher.db", count, pause)[WARM_UP:]
        with receiver() as port, alertmanager(port) as address:
            peers += list(_peers_latencies(port, address, count, pause))[WARM_UP:]
    a, b = statistics.median(mine) * 1000, statistics.median(peers) * 1000
    print(f"latency p50, {pause + UNDISTURBED} s apart: {a:.2f} ms, Alertmanager {b:.2f} ms, {a / b:.2f}")


def _peers_latencies(port: int, address: str, count: int, pause: float) -> Iterator[float]:
    for n in range(count):
        time.sleep(pause if n >= WARM_UP else 0)
        began = time.monotonic()
        _open(address, [{"labels": {"alertname": "x", "evt": str(n)}}])
        time.sleep(UNDISTURBED)
        _until(lambda n=n: received(port)[0] > n)  # type: ignore[misc]
        yield received(port)[1] - began


async def _latencies(port: int, url: str, count: int, pause: float) -> list[float]:
    store, took = open_store(url), []
    channel = open_channel("hook", f"webhook+http://127.0.0.1:{port}/", zone=UTC)
    run_db = Threaded()
    desk, hours = Desk(channel, store, run_db, "bench", str, batch=1), _Rung()
    server = store.meet("HQ", "https://hq:4443", Greeting("v8"), first_contact=now(), news_from=now())
    async with anyio.create_task_group() as group:
        group.start_soon(partial(deliver, desk, hours, clock=now, rng=Random(1)))
        for n in range(count):
            await anyio.sleep(pause if n >= WARM_UP else 0)
            event = _event(f"{n:032x}", moment := now())
            page = Page(events=(event,), owed=(Owed(event.id, "hook", "there", claimant="bench"),))
            began = time.monotonic()
            page = await run_db(lambda p=page, m=moment: store.record(server.id, [], [], lambda _: p, now=m))  # type: ignore[misc]
            desk.tray.extend(page.claimed)
            hours.bell.ring()
            await anyio.sleep(UNDISTURBED)
            got = await anyio.to_thread.run_sync(received, port)
            while got[0] <= n:
                await anyio.sleep(0.002)
                got = await anyio.to_thread.run_sync(received, port)
            took.append(got[1] - began)
        group.cancel_scope.cancel()
    await channel.aclose()
    store.close()
    return took


def memory() -> None:
    """Compare the resident memory of sending beside 100,000 pending rows with that beside 100."""
    sizes = {}
    for rows in (100, 100_000):
        with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
            store = open_store(f"sqlite:///{folder}/watcher.db")
            owe(store, rows)
            store.close()
            words = [sys.executable, "-m", "tests.benchmarks.deliver", "_resident", f"sqlite:///{folder}/watcher.db"]
            out = subprocess.run(words, capture_output=True, text=True, check=True).stdout
            sizes[rows] = int(re.findall(r"\d+", out)[-1]) / 1024
    few, many = sizes[100], sizes[100_000]
    print(f"memory: {few:.1f} MB at 100 pending, {many:.1f} MB at 100,000: plus {many - few:.1f} MB")


class _Rung:
    """Hours in which a bell is waited for, as the daemon does."""

    def __init__(self) -> None:
        self.bell = Bell()

    def is_open(self) -> bool:
        return True

    async def rest(self) -> bool:
        await self.bell.wait(1.0)
        return True

    def handled(self, handled: Sequence[Handled]) -> None:
        """Keep nothing."""


class _Always:
    """Hours without an end, in which nobody is told."""

    def is_open(self) -> bool:
        return True

    async def rest(self) -> bool:
        await anyio.sleep(0.1)
        return True

    def handled(self, handled: Sequence[Handled]) -> None:
        """Keep nothing, as the daemon."""


def resident(url: str) -> None:
    """Try to send to nobody for a while, as the daemon does, and print the resident memory in kB."""

    async def run() -> None:
        store = open_store(url)
        for kind, size in (("webhook+http", 1), ("json", None)):
            channel = open_channel("hook", f"{kind}://127.0.0.1:9/", zone=UTC)
            desk = Desk(channel, store, Threaded(), "bench", str, batch=size)
            with anyio.move_on_after(5):
                await deliver(desk, _Always(), clock=now, rng=Random(1))
        store.close()

    anyio.run(run)
    print(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0])


def main() -> None:
    """Measure what the command line names, or everything."""
    if sys.argv[1:2] == ["_resident"]:
        return resident(sys.argv[2])
    spare_the_collector()  # as the daemon does
    parts = {"webhook": webhook, "batch": batch, "apprise": people, "tls": tls, "latency": latency, "memory": memory}
    for name in sys.argv[1:] or parts:
        parts[name]()
    return None


if __name__ == "__main__":
    main()
