"""The sign of life, from the settings to what is owed; and the calls, in virtual time and over real HTTP."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route as Path

from watcher.clock import Clock
from watcher.core.digest import Schedule
from watcher.core.model import Greeting, Job
from watcher.core.page import owed
from watcher.core.policy import Case, Policy, Route, rule
from watcher.core.wanted import EVENTS
from watcher.daemon import pinging
from watcher.daemon.heartbeating import CALL_EVERY, Pulse, heartbeat_once, is_well
from watcher.daemon.pinging import Ping
from watcher.settings.model import DigestSettings
from watcher.store import Store, open_store
from watcher.web.health import Health
from watcher.web.serve import serving

MET = datetime(2026, 3, 3, 6, tzinfo=UTC)
EIGHT = datetime(2026, 3, 4, 8, tzinfo=UTC)
HELLO = Greeting("v8", "1111", "8")
SECRET = "0f6c1d52-7b1e-4d2a-9a53-0c1f6f6d1b11"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def store() -> Iterator[Store]:
    store = open_store("sqlite://")
    server = store.meet("HQ", "https://hq:4443", HELLO, first_contact=MET, news_from=MET)
    store.finish_look(server.id, now=EIGHT, greeting=HELLO, watermark=EIGHT, jobs={"j1": Job("j1", "Mail")})
    yield store
    store.close()


async def direct(work: Any) -> Any:
    return work()


def told(store: Store) -> list[tuple[str, str]]:
    return [(row.channel, row.event) for row in store.deliveries(state=None, limit=9)]


async def pass_by(store: Store, now: datetime, channels: tuple[str, ...] | None = None, *stuck: str) -> Any:
    settings = SimpleNamespace(heartbeat=DigestSettings(Schedule(time(8), UTC), channels))
    bench: Any = SimpleNamespace(store=store, settings=settings, clock=SimpleNamespace(now=lambda: now), run_db=direct)
    policy = Policy((Route("all", EVENTS, group_wait=timedelta(seconds=10)),), {"chat": ("c",), "mail": ("m",)})
    return await heartbeat_once(bench, policy, direct, {"HQ": ["j1"]}, stuck)  # type: ignore[arg-type]


async def test_it_comes_once_for_each_time_that_it_is_due(store: Store) -> None:
    """Also when nobody was there for days: then one comes, and not one for each day."""
    event = await pass_by(store, EIGHT + timedelta(seconds=12))
    assert (event.type, event.happened, event.heartbeat.jobs) == ("watcher.heartbeat", EIGHT, 1)
    assert event.heartbeat.is_well
    assert told(store) == [("mail", "watcher.heartbeat"), ("chat", "watcher.heartbeat")]
    assert all(row.next_attempt == EIGHT + timedelta(seconds=12) for row in store.deliveries(state=None, limit=9))
    assert await pass_by(store, EIGHT + timedelta(hours=23)) is None
    later = await pass_by(store, EIGHT + timedelta(days=5, minutes=3), ("mail",))
    assert later.happened == EIGHT + timedelta(days=5)
    assert await pass_by(store, EIGHT + timedelta(days=5, minutes=4)) is None
    assert len(told(store)) == 3


async def test_what_was_due_before_first_contact_does_not_come(store: Store) -> None:
    """Nothing was alive then."""
    assert await pass_by(store, MET + timedelta(hours=1)) is None


async def test_two_watchers_of_one_database_give_one(store: Store) -> None:
    """Both may find it due at once: it has the same id, and what is owed is owed once."""
    first = await pass_by(store, EIGHT)
    again = replace(first, decided=EIGHT + timedelta(seconds=1))
    policy = Policy((Route("all", EVENTS),), {"chat": ("c",), "mail": ("m",)})
    ruling = rule(again, Case(policy, EIGHT))
    store.tell(again, ruling, tuple(owed(again, ruling, policy)), now=EIGHT)
    assert len(told(store)) == 2


async def test_it_says_what_is_stuck(store: Store) -> None:
    """A loop that hangs cannot say so itself."""
    event = await pass_by(store, EIGHT, None, "poll HQ made no progress for 700 s (limit 600 s)")
    assert not event.heartbeat.is_well
    assert event.heartbeat.stuck == ("poll HQ made no progress for 700 s (limit 600 s)",)


class Called:
    """Stands for the call: counts, and answers as it is told."""

    address = "https://hc.example.com"

    def __init__(self) -> None:
        self.at: list[float] = []
        self.failure: str | None = None

    async def __call__(self) -> str | None:
        self.at.append(round(anyio.current_time()))
        return self.failure


@contextmanager
def virtual() -> Iterator[dict[str, Any]]:
    from trio.testing import MockClock

    yield {"backend": "trio", "backend_options": {"clock": MockClock(autojump_threshold=0)}}


def test_calls_come_every_minute_while_all_is_well(caplog: pytest.LogCaptureFixture) -> None:
    """None comes while something is stuck, and one at once when that is over; failures make two log lines, no storm."""
    caplog.set_level(logging.INFO)
    ping, healthy = Called(), [True]

    async def live() -> None:
        pulse = Pulse(ping, Clock(), lambda: healthy[0])  # type: ignore[arg-type]
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(pulse.run)
            await anyio.sleep(3 * CALL_EVERY + 0.5)
            healthy[0] = False
            await anyio.sleep(600)
            healthy[0] = True
            await anyio.sleep(2)
            ping.failure = "https://hc.example.com answered 500"
            await anyio.sleep(5 * CALL_EVERY)
            ping.failure = None
            await anyio.sleep(CALL_EVERY)
            tasks.cancel_scope.cancel()

    with virtual() as clock:
        anyio.run(live, **clock)
    began = ping.at[0]
    minutes = [at - began for at in ping.at]
    assert minutes[:4] == [0, 60, 120, 180]
    assert 780 <= minutes[4] <= 782
    assert [b - a for a, b in pairwise(minutes[4:])] == [60] * 6
    assert [record.message for record in caplog.records] == [
        "heartbeat: https://hc.example.com answered 500; it is called again in 60 s",
        "heartbeat: https://hc.example.com answers again",
    ]


def test_the_judgement_is_that_of_healthz() -> None:
    """A server that was not tried yet is no sign of life either."""
    now = [MET]
    health = Health(MET)
    judged = is_well(health, Clock(lambda: now[0]))
    health.expect(["HQ"])
    health.watch("poll HQ", timedelta(minutes=10))
    assert not judged()
    health.tried("HQ")
    assert judged()
    health.trouble("poll HQ", "the database is locked")
    assert not judged()
    health.beat("poll HQ", MET)
    assert judged()
    now[0] += timedelta(minutes=11)
    assert not judged()


@contextmanager
def receiver(seen: list[Request]) -> Iterator[str]:
    """Answer as the last part of the path says."""

    async def answer(request: Request) -> Response:
        seen.append(request)
        word = request.path_params["word"]
        if word == "hang":
            await anyio.sleep(0.8)
        return Response(status_code=int(word) if word.isdigit() else 200, headers={"Location": "/200"})

    with serving(Starlette(routes=[Path("/{secret}/{word}", answer, methods=["GET"])])) as url:
        yield url


@pytest.mark.parametrize(
    ("word", "failure"),
    [
        ("200", None),
        ("204", None),
        ("301", "answered 301, and redirects are not followed"),
        ("404", "answered 404"),
        ("503", "answered 503"),
        ("hang", "gave no answer within 0 s"),
    ],
)
async def test_a_call_is_one_get(word: str, failure: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the URL but scheme and host is ever said."""
    monkeypatch.setattr(pinging, "WITHIN", 0.3 if word == "hang" else 5.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    seen: list[Request] = []
    with receiver(seen) as url:
        said = await Ping(f"{url}/{SECRET}/{word}?rid={SECRET}")()
    assert [(one.method, one.url.path, one.url.query) for one in seen] == [
        ("GET", f"/{SECRET}/{word}", f"rid={SECRET}")
    ]
    assert said == (f"http://127.0.0.1 {failure}" if failure else None)


async def test_whatever_goes_wrong_is_a_sentence_without_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names that are not known, ports where nobody listens, proxies that are not there."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    refused = await Ping(f"http://127.0.0.1:9/{SECRET}")()
    unknown = await Ping(f"http://nowhere.invalid/{SECRET}")()
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    proxied = await Ping(f"http://hc.example.com/{SECRET}")()
    assert refused == "http://127.0.0.1 could not be called: the connection was refused"
    assert unknown == "http://nowhere.invalid could not be called: its name is not known"
    assert proxied == "http://hc.example.com could not be called: the proxy did not connect"


@pytest.mark.parametrize("scheme", ["http://", ""])
async def test_it_goes_by_the_proxy_of_the_environment(scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As channels do: the proxy gets the whole address to fetch."""
    wanted: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            wanted.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        monkeypatch.setenv("http_proxy", f"{scheme}127.0.0.1:{server.server_port}")
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.setenv("NO_PROXY", "")
        said = await Ping("http://hc.example.com/secret")()
        server.shutdown()
        thread.join()
    assert (said, wanted) == (None, ["http://hc.example.com/secret"])
