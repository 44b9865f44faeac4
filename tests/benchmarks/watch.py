"""What watching costs: `python -m tests.benchmarks.watch`, or some of it.

By name: flat, kept, bare, whole, burst, old, news, memory, many.

Servers are `tests.benchmarks.canned`, in processes of their own; for `news` the stand-in. Both sides take turns in one
run. `whole` needs curl and `pip install orjson`, `burst` the `requests` that Apprise brings.
"""

import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from random import Random
from urllib.request import urlopen
from uuid import uuid4

import anyio
import trustme

from tests.benchmarks.deliver import received, receiver
from tests.processes.household import Household, eventually, inbox, server_settings
from watcher.channels import open_channel
from watcher.clock import now
from watcher.core.model import Greeting, Session, Status
from watcher.core.page import Rules
from watcher.core.policy import plain
from watcher.core.record import Chain, Known, Page
from watcher.core.wanted import EVENTS
from watcher.core.watchdog.alarm import Review
from watcher.daemon.parts import Threaded
from watcher.daemon.process import spare_the_collector
from watcher.deliver import deliver_once
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.desk import Desk
from watcher.poll import poll_once
from watcher.store import Store, open_store
from watcher.vb365.access import Access
from watcher.vb365.http import Answer, Request
from watcher.vb365.pages import rows_of
from watcher.vb365.server import Server
from watcher.watch import Watch, Watched
from watcher.web.serve import serving

ROUNDS = 5
LOOKS = 50


@contextmanager
def canned(history: int, *certificate: str, jobs: int = 20) -> Iterator[str]:
    """Serve a history; yields the address."""
    command = [sys.executable, "-m", "tests.benchmarks.canned", str(history), str(jobs), *certificate]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http{'s' if certificate else ''}://127.0.0.1:{process.stdout.readline().strip()}/s0"
        finally:
            process.kill()


class Watching:
    """One server watched by the real parts, on a real database file."""

    def __init__(self, url: str, version: str, folder: Path, *, ca: Path | None = None, told: bool = False) -> None:
        self.store: Store = open_store(f"sqlite:///{folder / f'{version}-{time.monotonic_ns()}.db'}")
        access = Access("bench", url, "user", "password", api_version=version, ca_file=ca)
        self.server = Server(access, now=now)
        channels = {"hook": ("hook",)} if told else {}

        async def rules() -> Rules:
            return Rules(plain(EVENTS, channels), timedelta(seconds=30))

        watched = Watched("bench", url, timedelta(0), timedelta(days=400))
        self.watch = Watch(watched, self.server, self.store, Threaded(), rules)

    async def look(self) -> None:
        """Take one look."""
        report = await poll_once(self.watch, now=now())
        assert report.failure is None, report.text

    async def close(self) -> None:
        """Let go."""
        await self.server.aclose()
        self.store.close()


async def cpu(work: Callable[[], Awaitable[object]], times: int = LOOKS) -> float:
    """Return the CPU seconds of one call, of many."""
    began = time.process_time()
    for _ in range(times):
        await work()
    return (time.process_time() - began) / times


def bytes_of(server: Server) -> Callable[[], int]:
    """Count the bytes of the bodies that a server's answers have from now on."""
    total = 0
    send = server._http._once

    async def counting(request: object, where: str) -> object:
        nonlocal total
        answer = await send(request, where)  # type: ignore[arg-type]
        total += answer.length
        return answer

    server._http._once = counting  # type: ignore[method-assign,assignment]
    return lambda: total


async def flat(folder: Path) -> None:
    """An idle look at 100,000 finished sessions against one at 100."""
    for version in ("v6", "v7", "v8"):
        with canned(100) as small, canned(100_000) as large:
            sides = [Watching(url, version, folder) for url in (small, large)]
            for side in sides:
                for _ in range(3):
                    await side.look()
            rounds = [[await cpu(side.look) for side in sides] for _ in range(ROUNDS)]
            times = [min(each) for each in zip(*rounds, strict=True)]
            counted = [bytes_of(side.server) for side in sides]
            for side in sides:
                await side.look()
            sizes = [count() for count in counted]
            for side in sides:
                await side.close()
        print(
            f"flat {version}: CPU {times[1] * 1e3:.2f} / {times[0] * 1e3:.2f} ms = {times[1] / times[0]:.2f}, "
            f"bytes {sizes[1]} / {sizes[0]} = {sizes[1] / sizes[0]:.2f} (1.2)"
        )


async def kept(folder: Path) -> None:
    """What a look with one end asks of a database that knows 100,000 sessions and runs, against one that knows 100."""
    stores = [_filled(folder, count) for count in (100, 100_000)]
    rounds = [[await cpu(partial(_end, *one)) for one in stores] for _ in range(ROUNDS)]
    times = [min(each) for each in zip(*rounds, strict=True)]
    for store, _ in stores:
        store.close()
    print(f"kept: CPU {times[1] * 1e3:.2f} / {times[0] * 1e3:.2f} ms = {times[1] / times[0]:.2f} (1.2)")


def _filled(folder: Path, count: int) -> tuple[Store, int]:
    """Make a database that knows so many sessions that are over, each a run with a retry."""
    store, moment = open_store(f"sqlite:///{folder / f'{count}.db'}"), now()
    server = store.meet("HQ", "https://hq:4443", Greeting("v8"), first_contact=moment, news_from=moment)
    for start in range(0, count, 500):
        names = [f"{number:032x}" for number in range(start, min(start + 500, count))]
        known = tuple(Known(Session(name, "Success", "job", created=moment, ended=moment)) for name in names)
        page = Page(known, chains=tuple(Chain(name, "job", over=moment) for name in names))
        store.record(server.id, [], [], lambda _, page=page: page, now=moment)  # type: ignore[misc]
    return store, server.id


async def _end(store: Store, server_id: int) -> None:
    moment = now()
    page = Page((Known(Session(uuid4().hex, "Failed", "job", created=moment, ended=moment)),))
    store.memory(server_id, horizon=moment)
    store.record(server_id, [page.sessions[0].session.id], ["job"], lambda _: page, now=moment)
    store.guard(server_id, ["job"], lambda _: Review(), now=moment)


async def bare(folder: Path) -> None:
    """An idle look against GETs and decoding of the same bytes with the same client."""
    with canned(100_000) as url:
        for version in ("v6", "v8"):
            side = Watching(url, version, folder)
            for _ in range(3):
                await side.look()
            questions = await _asked(side)
            gets = partial(_get, side, questions)
            pairs = [(await cpu(side.look), await cpu(gets)) for _ in range(ROUNDS)]
            look, get = (min(each) for each in zip(*pairs, strict=True))
            await side.close()
            print(
                f"bare {version}: look {look * 1e3:.2f} ms, {len(questions)} GETs and decode {get * 1e3:.2f} ms, "
                f"ratio {look / get:.2f} (2)"
            )


async def _asked(side: Watching) -> list[tuple[str, dict[str, str]]]:
    """Take a look and return what it asks for."""
    asked: list[tuple[str, dict[str, str]]] = []
    send = side.server._http.send

    async def noting(request: Request) -> Answer:
        asked.append((request.path.split("/", 2)[2], dict(request.params)))
        return await send(request)

    side.server._http.send = noting  # type: ignore[method-assign]
    await side.look()
    side.server._http.send = send  # type: ignore[method-assign]
    return asked


async def _get(side: Watching, questions: list[tuple[str, dict[str, str]]]) -> None:
    """Ask for the same with the same client, and decode what comes."""
    api = side.server._api
    assert api is not None
    for name, params in questions:
        rows_of(await api.get(name, params))


async def whole(folder: Path) -> None:
    """A look at 9,999 sessions on v3 over TLS, all of which have to be read, against curl and orjson."""
    import orjson  # type: ignore[import-not-found,unused-ignore]

    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    pem, ca = folder / "server.pem", folder / "ca.pem"
    pem.write_bytes(certificate.private_key_pem.bytes() + b"".join(one.bytes() for one in certificate.cert_chain_pems))
    authority.cert_pem.write_to_path(str(ca))
    with canned(9_999, str(pem), jobs=1) as url:
        side = Watching(url, "v3", folder, ca=ca)
        await side.look()

        async def look() -> None:
            side.server._marks = type(side.server._marks)(now())
            await side.look()

        def curl() -> float:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            command = ["curl", "-s", "--cacert", str(ca), f"{url}/v3/Jobs/job-0/JobSessions"]
            bodies.append(subprocess.run(command, capture_output=True, check=True).stdout)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

        bodies: list[bytes] = []
        ours, curls, decodes = [], [], []
        for _ in range(ROUNDS):
            ours.append(await cpu(look, 3))
            bodies.clear()
            curls.append(curl())
            began = time.process_time()
            assert sum(len(orjson.loads(body)) for body in bodies) == 9_999
            decodes.append(time.process_time() - began)
        await side.close()
        theirs = min(curls) + min(decodes)
        print(
            f"whole: look {min(ours) * 1e3:.0f}, curl {min(curls) * 1e3:.0f}, orjson {min(decodes) * 1e3:.0f} ms, "
            f"ratio {min(ours) / theirs:.2f} (0.6)"
        )


NAIVE = """
import json, sys, time, requests, apprise
url, hook, state = sys.argv[1:]
def poll(seen):
    rows = []
    while True:
        page = requests.get(f"{url}/v8/JobSessions", params={"limit": 1000, "offset": len(rows)}).json()["results"]
        rows += page
        if len(page) < 1000: break
    new = {row["id"]: row["status"] for row in rows}
    for key, status in new.items():
        if seen is not None and seen.get(key) != status:
            teller.notify(title=status, body=f"{key} is {status}")
    json.dump(new, open(state, "w"))
    return new
teller = apprise.Apprise(); teller.add(hook)
seen = poll(None)
print("ready", flush=True); sys.stdin.readline()
began = time.monotonic(); poll(json.load(open(state))); print(time.monotonic() - began, flush=True)
"""


async def burst(folder: Path) -> None:
    """A thousand ends between two looks: from the look to the last receipt, against the naive script."""
    spare_the_collector()
    with canned(10_000) as url, receiver() as port:
        root = url.rpartition("/")[0]
        side = Watching(url, "v8", folder, told=True)
        await side.look()
        channel = open_channel("hook", f"webhook+http://127.0.0.1:{port}/hook", secret=None, zone=UTC)
        desk = Desk(channel, side.store, Threaded(), "bench", str)
        command = [sys.executable, "-c", NAIVE, url, f"json://127.0.0.1:{port}/", str(folder / "state.json")]
        with subprocess.Popen(  # noqa: ASYNC220 - nothing else goes on
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as naive:
            assert naive.stdout is not None
            assert naive.stdin is not None
            naive.stdout.readline()
            urlopen(f"{root}/control/end/1000").read()  # noqa: S310, ASYNC210 - loopback, and nothing else goes on
            began = time.monotonic()
            await side.look()
            while received(port)[0] < 1000 and time.monotonic() < began + 20:
                await deliver_once(desk, clock=now, rng=Random(1))
            took = received(port)[1] - began
            naive.stdin.write("\n")
            naive.stdin.flush()
            theirs = float(naive.stdout.readline())
        await channel.aclose()
        await side.close()
    print(f"burst: {took:.2f} s, naive script {theirs:.2f} s, ratio {took / theirs:.2f} (0.2)")


async def old(folder: Path) -> None:
    """What an idle look at v3 asks for, 10,000 sessions over 20 jobs."""
    with canned(10_000) as url:
        side = Watching(url, "v3", folder)
        await side.look()
        count = bytes_of(side.server)
        asked = [name for name, _ in await _asked(side)]
        await side.close()
    print(f"old: asked for {', '.join(asked)}, {count()} bytes (only /Jobs)")


def news(folder: Path) -> None:
    """From a session's end to the webhook's receipt, by the real process."""
    for version, interval, ends in (("v8", "30s", 40), ("v6", "2s", 12), ("v7", "2s", 12)):
        times = _news(folder, version, interval, ends)
        print(
            f"news {version}, interval {interval}: p50 {statistics.median(times) * 1e3:.0f} ms, "
            f"most {max(times) * 1e3:.0f} ms"
        )


def _news(folder: Path, version: str, interval: str, ends: int) -> list[float]:
    world = World(version)
    job = world.add_job("Mail", "Contoso")
    house = Household(folder)
    app = create_app(world, now=now, versions=[version])
    times = []
    with inbox() as box, serving(app, date_header=False) as url:
        house.environ = server_settings(url, world) | {
            "WATCHER_CHANNELS": f"hook=webhook+{box.url}/hook",
            "WATCHER_NOTIFY_ON": "failed",
            "WATCHER_POLL_INTERVAL": interval,
            "WATCHER_DATABASE_URL": f"sqlite:///{folder / f'news-{version}.db'}",
        }
        house.start()
        eventually(lambda: "speaks" in house.log() and len(app.state.requests) > 5)
        time.sleep(3)
        for number in range(1, ends + 1):
            session = world.start(job, now())
            time.sleep(0.7)
            began = time.monotonic()
            world.end(session, Status.FAILED, now())
            while len(box.got) < number:
                time.sleep(0.001)
            times.append(time.monotonic() - began)
            time.sleep(0.6)
        house.end()
    return times


PEAK = """
import anyio, resource, sys
from pathlib import Path
from tests.benchmarks.watch import Watching
async def main():
    side = Watching(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
    for _ in range(3): await side.look()
    await side.close()
anyio.run(main)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
"""


def memory(folder: Path) -> None:
    """Peak memory after first contact and two looks, at a million sessions against a thousand."""
    for version in ("v3", "v6", "v8"):
        peaks = []
        for history in (1_000, 1_000_000):
            with canned(history) as url:
                command = [sys.executable, "-c", PEAK, url, version, str(folder)]
                peaks.append(float(subprocess.run(command, capture_output=True, text=True, check=True).stdout))
        print(f"memory {version}: {peaks[1]:.1f} / {peaks[0]:.1f} MB, plus {peaks[1] - peaks[0]:.1f} (10)")


def many(folder: Path) -> None:
    """Five hundred servers at 30 s in one real process."""
    with canned(1_000) as url:
        root = url.rpartition("/")[0]
        tables = [
            f"[[servers]]\nname = 's{n}'\nurl = '{root}/s{n}'\nusername = 'u'\npassword = 'p'\napi_version = 'v8'\n"
            for n in range(500)
        ]
        config = folder / "watcher.toml"
        config.write_text("\n".join(tables))
        config.chmod(0o600)
        house = Household(folder)
        house.environ = {
            "WATCHER_CONFIG": str(config),
            "WATCHER_POLL_INTERVAL": "30s",
            "WATCHER_DATABASE_URL": f"sqlite:///{folder / 'many.db'}",
        }
        house.start()
        assert house.process is not None
        stat = Path(f"/proc/{house.process.pid}/stat")
        time.sleep(75)
        before = sum(map(int, stat.read_text().rpartition(")")[2].split()[11:13])) / 100
        began = time.monotonic()
        time.sleep(120)
        used = sum(map(int, stat.read_text().rpartition(")")[2].split()[11:13])) / 100 - before
        share = used / (time.monotonic() - began)
        resident = int(Path(f"/proc/{house.process.pid}/statm").read_text().split()[1]) * 4096 / 1e6
        times = json.loads(urlopen(f"{root}/control/times").read())  # noqa: S310 - loopback
        house.end()
    gaps = [b - a for looks in times.values() for a, b in pairwise(looks[1:])]
    late = sum(gap > 33 for gap in gaps)
    print(
        f"many: {len(times)} servers, {share:.2f} of a core (0.5), {len(gaps)} gaps, the longest {max(gaps):.1f} s, "
        f"{late} late by more than 10 % (0), {resident:.0f} MB"
    )


ALL: dict[str, Callable[[Path], object]] = {
    "flat": flat,
    "kept": kept,
    "bare": bare,
    "whole": whole,
    "burst": burst,
    "old": old,
    "news": news,
    "memory": memory,
    "many": many,
}


def main() -> None:
    """Run what the command line names, or everything."""
    for name in sys.argv[1:] or ALL:
        with tempfile.TemporaryDirectory() as folder:
            work = ALL[name]
            if work in {news, memory, many}:
                work(Path(folder))
            else:
                anyio.run(work, Path(folder))  # type: ignore[arg-type]
            sys.stdout.flush()


if __name__ == "__main__":
    main()
