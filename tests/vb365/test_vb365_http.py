"""One request: tries, waits, and the sentence for each way to fail."""

from datetime import timedelta

import anyio
import httpx
import pytest

from tests.vb365.vb365_script import BASE, HASTE, NOW, Clock, Script, html
from watcher.core.model import Failure, LookFailed
from watcher.vb365.clockskew import SkewGauge
from watcher.vb365.http import Answer, Patience, Request

LISTING = Request("GET", "/v8/JobSessions")
ROUTE = "GET /v8/JobSessions"


async def send(script: Script, patience: Patience = HASTE) -> Answer:
    """Send one request to a script."""
    http = script.http(patience=patience)
    try:
        return await http.send(LISTING)
    finally:
        await http.aclose()


@pytest.mark.parametrize("trouble", [503, 500, 429, httpx.ReadError("reset"), httpx.ConnectError("refused")])
async def test_what_may_pass_is_tried_again(trouble: int | Exception) -> None:
    """5xx, 429 and a broken connection get two more tries within seconds."""
    script = Script()
    script.on(ROUTE, trouble, trouble, [1])
    assert (await send(script)).body == b"[1]"
    assert len(script.seen) == 3


@pytest.mark.parametrize(
    ("trouble", "kind", "words", "tries"),
    [
        (500, Failure.SERVER_ERROR, "answered 500 Internal Server Error", 3),
        (503, Failure.SERVER_ERROR, "answered 503 Service Unavailable", 3),
        (429, Failure.BUSY, "answered 429 Too Many Requests", 3),
        (httpx.ConnectError("x"), Failure.UNREACHABLE, "no connection", 3),
        (httpx.RemoteProtocolError("x"), Failure.UNREACHABLE, "the connection was closed without an answer", 3),
        (httpx.ProxyError("x"), Failure.UNREACHABLE, "WATCHER_PROXY", 3),
        (httpx.ReadTimeout("x"), Failure.TIMEOUT, "no answer in time", 1),
        (httpx.ConnectTimeout("x"), Failure.TIMEOUT, "no connection in time", 1),
        (httpx.UnsupportedProtocol("x"), Failure.UNREACHABLE, "https://host:4443", 1),
    ],
)
async def test_each_failure_is_one_sentence(trouble: int | Exception, kind: Failure, words: str, tries: int) -> None:
    """It names the request and what happened; a hang is not tried again."""
    script = Script()
    script.on(ROUTE, trouble)
    with pytest.raises(LookFailed) as caught:
        await send(script)
    assert caught.value.kind is kind
    assert str(caught.value).startswith(f"GET {BASE}/v8/JobSessions: ")
    assert words in str(caught.value)
    assert len(script.seen) == tries


@pytest.mark.parametrize("status", [429, 503])
async def test_a_long_retry_after_ends_the_request(status: int) -> None:
    """Who asks for more than 10 s is left alone, and the wait is handed on."""
    script = Script()
    script.on(ROUTE, httpx.Response(status, headers={"Retry-After": "120"}))
    with pytest.raises(LookFailed) as caught:
        await send(script)
    assert (caught.value.kind, caught.value.wait, len(script.seen)) == (Failure.BUSY, 120.0, 1)


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("Mon, 02 Mar 2026 06:01:00 GMT", 60.0),
        ("Mon, 02 Mar 2026 06:01:00 -0000", 60.0),
    ],
)
async def test_retry_after_may_be_a_date(header: str, wait: float) -> None:
    """It is then measured from our clock."""
    script = Script()
    script.on(ROUTE, httpx.Response(503, headers={"Retry-After": header}))
    with pytest.raises(LookFailed) as caught:
        await send(script)
    assert caught.value.wait == wait


@pytest.mark.parametrize("header", ["soon", "nan", "", "inf"])
async def test_a_retry_after_of_no_sense_is_ignored(header: str) -> None:
    """The usual short waits are taken in its place."""
    script = Script()
    script.on(ROUTE, httpx.Response(503, headers={"Retry-After": header}), [])
    assert (await send(script)).status == 200


async def test_a_short_retry_after_is_waited_for() -> None:
    """The server's word counts for more than our own waits."""
    script = Script()
    script.on(ROUTE, httpx.Response(429, headers={"Retry-After": "0.3"}), [])
    started = anyio.current_time()
    assert (await send(script)).status == 200
    assert 0.25 <= anyio.current_time() - started < 2


async def test_a_request_has_an_end_with_all_its_tries() -> None:
    """The total bounds waits and tries together."""
    script = Script()
    script.on(ROUTE, 500)
    with pytest.raises(LookFailed) as caught:
        await send(script, Patience(total=0.2, tries=1000, first_wait=0.05, longest_wait=0.05))
    assert caught.value.kind is Failure.TIMEOUT


async def test_one_request_at_a_time() -> None:
    """A second one waits until the first has its answer."""
    busy, most = 0, 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await anyio.sleep(0.01)
        busy -= 1
        return httpx.Response(200, json=[])

    script = Script()
    http = script.http()
    http._transport = httpx.MockTransport(answer)
    async with anyio.create_task_group() as group:
        for _ in range(3):
            group.start_soon(http.send, LISTING)
    await http.aclose()
    assert most == 1


async def test_cookies_are_not_sent_back() -> None:
    """An antiforgery cookie that came back would make v7 and v8 demand its token."""
    script = Script()
    script.on(ROUTE, httpx.Response(200, headers={"Set-Cookie": "antiforgery=1; Path=/"}, json=[]))
    http = script.http()
    await http.send(LISTING)
    await http.send(LISTING)
    await http.aclose()
    assert [one.headers.get("Cookie") for one in script.seen] == [None, None]


async def test_any_other_status_is_an_answer() -> None:
    """Whoever asked judges 2xx to 4xx."""
    script = Script()
    script.on(ROUTE, html(403))
    answer = await send(script)
    assert answer.said == f"GET {BASE}/v8/JobSessions: answered 403 Forbidden"


async def test_secrets_stay_out_of_reprs() -> None:
    """Neither form nor token shows where a request is printed."""
    shown = repr(Request("POST", "/v8/token", form={"password": "s3cret"}, bearer="T0ken"))
    assert "s3cret" not in shown
    assert "T0ken" not in shown


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        ("Mon, 02 Mar 2026 06:00:00 GMT", timedelta(0)),
        ("Mon, 02 Mar 2026 06:00:01 GMT", timedelta(0)),
        ("Mon, 02 Mar 2026 06:01:30 GMT", timedelta(seconds=90)),
        ("Mon, 02 Mar 2026 05:58:30 -0000", timedelta(seconds=-90)),
        ("lately", None),
        (None, None),
    ],
)
def test_skew_is_the_date_less_the_middle_of_the_request(date: str | None, skew: timedelta | None) -> None:
    """Half a second is added for what the header cuts off; what is under 2 s cannot be told from none."""
    gauge = SkewGauge()
    gauge.measure(date, NOW, NOW + timedelta(seconds=1))
    assert gauge.value == skew


def test_the_quickest_answer_decides_on_the_skew() -> None:
    """A slow answer says little about when its Date was written."""
    gauge = SkewGauge()
    gauge.measure("Mon, 02 Mar 2026 06:00:10 GMT", NOW, NOW + timedelta(seconds=0.2))
    gauge.measure("Mon, 02 Mar 2026 06:00:20 GMT", NOW, NOW + timedelta(seconds=30))
    assert gauge.value == timedelta(seconds=10.4)
    gauge.reset()
    assert gauge.value is None


def test_the_clock_under_test_moves() -> None:
    """What the other tests rest on."""
    clock = Clock()
    clock.move(minutes=1)
    assert clock() == NOW + timedelta(minutes=1)
