"""What every request passes first and every answer last."""

import http.client
import logging
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.web.web_samples import NOW, ROUTES, ScriptedReader, Site, session
from watcher.web.app import create_app
from watcher.web.guard import hosts_for
from watcher.web.health import Health
from watcher.web.metrics import Metrics
from watcher.web.serve import serving


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_defect_of_ours_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever breaks in the application is a 500 without a traceback, and one log line without line breaks."""

    class Broken(ScriptedReader):
        def sessions(self, limit: int) -> Any:
            raise ZeroDivisionError("odd\nthing")

    with caplog.at_level(logging.DEBUG):
        answer = await Site(Broken()).ask("/api/sessions")
    assert answer.status_code == 500
    assert answer.json() == {"error": "internal error (ZeroDivisionError); the log says more"}
    assert answer.headers["x-content-type-options"] == "nosniff"
    lines = [record for record in caplog.records if record.name == "watcher.web.guard"]
    assert [record.getMessage() for record in lines] == ["GET '/api/sessions': ZeroDivisionError: odd thing"]
    assert lines[0].exc_info is None


@pytest.mark.parametrize(
    "host",
    ["localhost", "localhost:8365", "LOCALHOST:1", "localhost.", "127.0.0.1", "127.0.0.1:8365", "[::1]", "[::1]:8365"],
)
async def test_loopback_names_are_let_in(host: str) -> None:
    """A listener on loopback answers under every name that means this machine."""
    answer = await Site(allowed_hosts=hosts_for("127.0.0.1")).ask("/api/status", Host=host)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8365",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "",
        "[::2]:80",
        "10.0.0.1",
    ],
)
async def test_a_foreign_name_is_turned_away(host: str) -> None:
    """A page elsewhere that has its own name lead to 127.0.0.1 reads nothing, on no route and with no method."""
    site = Site(ScriptedReader(rows=[session(job="Payroll")]), allowed_hosts=hosts_for("127.0.0.1"))
    for path in (*ROUTES, "/nothing"):
        answer = await site.ask(path, Host=host)
        assert answer.status_code == 421
        assert "Payroll" not in answer.text
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert site.reader.asked == []


async def test_without_a_list_every_name_is_let_in() -> None:
    """A listener for others cannot know all its names."""
    assert (await Site(allowed_hosts=None).ask("/healthz", Host="watch.example")).status_code == 200


@pytest.mark.parametrize(
    ("bound", "some"),
    [
        ("127.0.0.1", {"localhost", "127.0.0.1", "::1"}),
        ("localhost", {"localhost", "127.0.0.1", "::1"}),
        ("::1", {"localhost", "127.0.0.1", "::1"}),
        ("127.8.9.1", {"localhost", "127.8.9.1"}),
    ],
)
def test_hosts_of_a_loopback_listener(bound: str, some: set[str]) -> None:
    """What listens on loopback knows the names it goes by."""
    hosts = hosts_for(bound)
    assert hosts is not None
    assert some <= hosts


async def test_a_proxy_may_pass_on_the_public_name() -> None:
    """The name of WATCHER_PUBLIC_URL is one of ours; all others stay foreign."""
    site = Site(allowed_hosts=hosts_for("127.0.0.1", "https://Watch.example:8443/backups"))
    assert (await site.ask("/", Host="watch.example:8443")).status_code == 200
    assert (await site.ask("/", Host="127.0.0.1:8365")).status_code == 200
    assert (await site.ask("/", Host="evil.example")).status_code == 421
    assert hosts_for("0.0.0.0", "https://watch.example") is None  # noqa: S104 - not bound here


@pytest.mark.parametrize("bound", ["0.0.0.0", "::", "192.0.2.1", "watch.example", ""])  # noqa: S104 - not bound here
def test_hosts_of_an_open_listener_are_not_limited(bound: str) -> None:
    """What listens for others takes every name."""
    assert hosts_for(bound) is None


def test_over_a_real_socket_head_has_no_body_and_foreign_names_get_nothing() -> None:
    """The same holds on the wire: HEAD tells the length and sends nothing, a foreign Host is 421."""
    app = create_app(
        reader=ScriptedReader(rows=[session(job="Payroll")]),
        health=Health(started=NOW),
        metrics=Metrics(),
        now=lambda: NOW,
        allowed_hosts=hosts_for("127.0.0.1"),
    )
    with serving(app) as url:
        assert exchange(url, "GET", {}) == (200, True)
        assert exchange(url, "HEAD", {}) == (200, False)
        assert exchange(url, "GET", {"Host": "evil.example"}) == (421, False)
        assert exchange(url, "POST", {}) == (405, False)


def exchange(url: str, method: str, headers: dict[str, str]) -> tuple[int, bool]:
    """Make one request; return its status, and whether the body names the job."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        connection.request(method, "/api/sessions", headers=headers)
        answer = connection.getresponse()
        assert int(answer.headers["content-length"]) > 0
        body = answer.read()
        assert (body == b"") == (method == "HEAD")
        return answer.status, b"Payroll" in body
    finally:
        connection.close()
