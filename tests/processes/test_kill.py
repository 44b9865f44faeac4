"""The promise over `kill -9`: every end reaches every destination, and what comes twice has the same id."""

import json
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.processes.household import Household, eventually, server_settings
from tests.store.conftest import PostgresServer
from watcher.channels.webhook import WebhookChannel
from watcher.clock import now
from watcher.core.model import Status
from watcher.deliver import BEHIND
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.web.serve import serving

ENDS = (Status.FAILED, Status.WARNING, Status.STOPPED, Status.SUCCESS)
EACH = 0.12


@dataclass
class Flapping:
    """A receiver that takes most of what it gets, fails at some, and drops the line at others."""

    rng: Random
    url: str = ""
    calm: bool = False
    taken: list[Any] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def mood(self) -> str:
        """Return how the next request is treated."""
        with self.lock:
            return "take" if self.calm else self.rng.choice(("take",) * 7 + ("fail", "slow", "drop"))


@contextmanager
def flapping(seed: int) -> Iterator[Flapping]:
    """Serve such a receiver on a free port."""
    box = Flapping(Random(seed))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            mood = box.mood()
            if mood == "drop":
                self.close_connection = True
                return
            if mood == "slow":
                time.sleep(0.5)
            if mood != "fail":
                with box.lock:
                    box.taken.append(json.loads(body))
            self.send_response(500 if mood == "fail" else 204)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Keep quiet."""

        def handle(self) -> None:
            try:
                super().handle()
            except OSError:  # who was killed in mid-sentence says no more
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    box.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Stream:
    """Sessions that end one after the other, each of a job of its own, so that a message names exactly one."""

    world: World
    rng: Random
    jobs: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """End sessions until stopped or out of jobs."""
        for number, job in enumerate(self.jobs):
            if self.stop.wait(EACH):
                return
            moment = now()
            session = self.world.start(job, moment - timedelta(seconds=self.rng.random()))
            self.world.end(session, self.rng.choice(ENDS), moment)
            self.ended.append(f"job-{number:04}.")


def under_fire(houses: list[Household], kills: int, seed: int) -> tuple[int, int]:
    """Kill the processes of some households that share a database, so many times; return ends and repeats."""
    rng = Random(seed)
    stream = Stream(World("v8"), rng)
    stream.jobs = [stream.world.add_job(f"job-{number:04}.", "Contoso") for number in range(int(kills * 2.2 / EACH))]
    with (
        serving(create_app(stream.world, now=now, versions=["v8"]), date_header=False) as server,
        flapping(seed) as hook,
        flapping(seed + 1) as chat,
    ):
        for house in houses:
            house.environ |= server_settings(server, stream.world) | {
                "WATCHER_CHANNELS": f"hook=webhook+{hook.url}/ chat={chat.url.replace('http', 'json')}/",
                "WATCHER_NOTIFY_ON": "failed warning stopped success",
                "WATCHER_DATABASE_URL": houses[0].environment()["WATCHER_DATABASE_URL"],
            }
            house.start()
        eventually(lambda: '"reachable": true' in houses[0].command("status", "--json").stdout, what=houses[0].log)
        telling = threading.Thread(target=stream.run)
        telling.start()
        for _ in range(kills):
            time.sleep(rng.uniform(0.1, 2.0))
            house = rng.choice(houses)
            house.end(signal.SIGKILL)
            house.start()
        stream.stop.set()
        telling.join()
        hook.calm = chat.calm = True
        hooked, chatted = settled(hook, chat, stream, houses)
        for house in houses:
            assert house.end() == 0
            assert "Traceback" not in house.log()
    subjects = {event["id"]: event["subject"] for event in hook.taken}
    assert Counter(subjects.values()) == Counter(stream.ended), "one id for each end, whatever was repeated"
    assert hooked == chatted == set(stream.ended)
    return len(stream.ended), len(hook.taken) - len(subjects)


def settled(hook: Flapping, chat: Flapping, stream: Stream, houses: list[Household]) -> tuple[set[str], set[str]]:
    """Wait until everything has arrived everywhere; return what did."""

    def hooked() -> set[str]:
        return {event["subject"] for event in list(hook.taken)}

    def chatted() -> set[str]:
        text = " ".join(message["title"] + message["message"] for message in list(chat.taken))
        return {name for name in stream.ended if name in text}

    everything = set(stream.ended)
    eventually(
        lambda: hooked() == everything == chatted(),
        within=60,
        what=lambda: (sorted(everything - hooked()), sorted(everything - chatted()), houses[0].log()[-3000:]),
    )
    return hooked(), chatted()


SOAK = pytest.mark.soak  # CI runs these as well


@pytest.mark.parametrize("kills", [2, pytest.param(50, marks=SOAK)])
def test_sqlite_under_fire(household: Household, kills: int) -> None:
    """One watcher on its file: nothing is lost, and each kill repeats at most what was in flight."""
    ends, repeats = under_fire([household], kills, seed=kills)
    print(f"{ends} ends, {kills} kills, {repeats} repeats")
    assert ends > kills
    assert repeats <= kills * (1 + BEHIND) * WebhookChannel.concurrency


@pytest.mark.parametrize("kills", [pytest.param(50, marks=SOAK)])
def test_postgresql_under_fire(household: Household, tmp_path: Path, postgres: PostgresServer, kills: int) -> None:
    """Two watchers on one database: the rows of the dead one go to the living, and no end is told as two."""
    url = postgres.make()
    (tmp_path / "second").mkdir()
    second = Household(tmp_path / "second")
    household.environ["WATCHER_DATABASE_URL"] = url
    try:
        ends, repeats = under_fire([household, second], kills, seed=kills + 1)
    finally:
        if second.process is not None:
            second.end(signal.SIGKILL)
        postgres.drop(url)
    print(f"{ends} ends, {kills} kills, {repeats} repeats")
    assert ends > kills
    assert repeats <= kills * (1 + BEHIND) * WebhookChannel.concurrency
