"""The real transport against real sockets: what breaks, and what is said of it."""

import gzip
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from tests.vb365.vb365_script import ACCESS, HASTE, memory
from tests.vb365.vb365_sockets import EMPTY, TOKEN, Plain, Respond, half, listening, ok, reset, silence
from watcher.clock import now
from watcher.core.model import Failure, Look, LookFailed
from watcher.vb365.access import Access
from watcher.vb365.http import Patience
from watcher.vb365.server import Server

SHORT = replace(HASTE, connect=1.0, read=0.2)
LISTING = "/v8/JobSessions"


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, which aiohttp needs."""
    return "asyncio"


async def look_at(url: str, *, patience: Patience = SHORT, access: Access = ACCESS) -> Look:
    """Take one look over the real transport."""
    server = Server(replace(access, url=url), now=now, patience=patience)
    try:
        return await server.look(memory(open={}))
    finally:
        await server.aclose()


async def failure_at(url: str, *, patience: Patience = SHORT, access: Access = ACCESS) -> LookFailed:
    """Take one look that has to fail."""
    with pytest.raises(LookFailed) as caught:
        await look_at(url, patience=patience, access=access)
    text = str(caught.value)
    assert url.rsplit("@", maxsplit=1)[-1] in text
    assert "s3cret" not in text
    return caught.value


def sent(server: Plain, path: str) -> int:
    """Return how often a path was asked for."""
    return sum(f" {path}".encode() in request for request in server.requests)


async def test_a_look_goes_over_one_connection() -> None:
    """It is kept open from request to request, and the clocks of one machine agree."""
    async with listening() as server:
        look = await look_at(server.url)
    assert (look.greeting.api_version, look.greeting.skew) == ("v8", timedelta(0))
    assert server.connections == 1
    assert any(b"accept-encoding: gzip\r\n" in request.lower() for request in server.requests)


async def test_gzip_is_understood() -> None:
    """Pages are six times smaller so."""
    async with listening() as server:
        row = b'{"results":[{"id":"a","status":"Failed"}]}'
        server.answers[LISTING] = ok(gzip.compress(row), b"Content-Encoding: gzip")
        server.answers[f"{LISTING}/a"] = ok(b'{"id":"a","status":"Failed"}')
        look = await look_at(server.url)
    assert [one.id for one in look.sessions] == ["a"]


async def test_no_cookie_is_sent_back() -> None:
    """aiohttp keeps a jar of its own below httpx, which takes cookies of a named host."""
    async with listening() as server:
        server.answers["/v8/token"] = ok(TOKEN, b"Set-Cookie: antiforgery=1; Path=/")
        await look_at(server.url.replace("127.0.0.1", "localhost"))
    assert len(server.requests) > 2
    assert not [request for request in server.requests if b"cookie" in request.lower()]


@pytest.mark.parametrize(
    ("answer", "kind", "words", "tries"),
    [
        (reset, Failure.UNREACHABLE, "the connection was closed without an answer", 6),  # aiohttp doubles each try
        (half, Failure.BAD_ANSWER, "the answer broke off half way", 3),
        (silence, Failure.TIMEOUT, "no answer in time", 1),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", Failure.BAD_ANSWER, "not HTTP", 1),
        (ok(b"<html>Sign in</html>"), Failure.BAD_ANSWER, "no listing", 1),
        (ok(b""), Failure.BAD_ANSWER, "it is empty", 1),
        (ok(EMPTY[:20]), Failure.BAD_ANSWER, "not JSON", 1),
        (ok(b"no gzip", b"Content-Encoding: gzip"), Failure.BAD_ANSWER, "cannot be unpacked", 1),
        (
            b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
            Failure.BAD_ANSWER,
            "redirects",
            1,
        ),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", Failure.UNAUTHORIZED, "answered 401", 2),
        (b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n", Failure.SERVER_ERROR, "answered 503", 3),
    ],
    ids=lambda value: value[:12].hex() if isinstance(value, bytes) else None,  # answers have a date
)
async def test_what_a_socket_can_do_to_a_look(answer: bytes | Respond, kind: Failure, words: str, tries: int) -> None:
    """Each trouble has its class and its sentence, and only what may pass is tried again."""
    async with listening() as server:
        server.answers[LISTING] = answer
        failure = await failure_at(server.url)
    assert failure.kind is kind
    assert words in str(failure)
    assert str(failure).startswith(f"GET {server.url}{LISTING}: ")
    assert sent(server, f"{LISTING}?") == tries


@pytest.mark.parametrize("trouble", [reset, half])
async def test_a_connection_that_breaks_once_is_made_anew(trouble: Respond) -> None:
    """The look goes on as if nothing had happened."""
    async with listening() as server:

        async def once(writer: object) -> None:
            server.answers[LISTING] = ok(EMPTY)
            await trouble(writer)  # type: ignore[arg-type] # only the server knows its writers

        server.answers[LISTING] = once
        assert (await look_at(server.url)).greeting.api_version == "v8"


async def test_a_server_that_drips_is_given_up_after_the_total() -> None:
    """Each piece comes in time, the whole does not."""

    async def drip(writer: object) -> None:
        for byte in ok(EMPTY):
            writer.write(bytes([byte]))  # type: ignore[attr-defined] # as above
            await anyio.sleep(0.05)

    async with listening() as server:
        server.answers[LISTING] = drip
        failure = await failure_at(server.url, patience=replace(SHORT, total=0.4))
    assert failure.kind is Failure.TIMEOUT


async def test_a_refused_connection_is_unreachable() -> None:
    """Nobody listens on the port."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    failure = await failure_at(f"http://127.0.0.1:{port}")
    assert failure.kind is Failure.UNREACHABLE
    assert "refused" in str(failure)


async def test_a_name_that_does_not_resolve_is_unreachable() -> None:
    """The sentence says that it is the name."""
    failure = await failure_at("https://vbo.invalid:4443", patience=replace(SHORT, connect=10))
    assert failure.kind in {Failure.UNREACHABLE, Failure.TIMEOUT}
    if failure.kind is Failure.UNREACHABLE:
        assert "cannot be resolved" in str(failure)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:1", "http://127.0.0.1:99999", "vbo"])
async def test_an_address_of_no_sense_is_one_clear_line(url: str) -> None:
    """The mend shows how an address looks."""
    with pytest.raises(LookFailed, match="https://host:4443") as caught:
        await look_at(url)
    assert caught.value.kind is Failure.UNREACHABLE


async def test_a_look_goes_through_the_proxy_and_names_no_password() -> None:
    """It is the one of the settings, and asked with its own user."""
    async with listening() as proxy:
        look = await look_at(
            "http://vbo.invalid:4443", access=replace(ACCESS, proxy=proxy.url.replace("//", "//me:s3cret@"))
        )
        assert look.greeting.api_version == "v8"
        assert proxy.requests[0].startswith(b"POST http://vbo.invalid:4443/v8/token ")
        assert b"proxy-authorization: basic" in proxy.requests[0].lower()


async def test_a_proxy_that_is_gone_or_refuses_is_said() -> None:
    """Without its address, which may hold a password."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    gone = replace(ACCESS, proxy=f"http://me:s3cret@127.0.0.1:{port}")
    failure = await failure_at("http://vbo.invalid:4443", access=gone)
    assert (failure.kind, "WATCHER_PROXY" in str(failure)) == (Failure.UNREACHABLE, True)
    async with listening() as proxy:
        proxy.answers["vbo.invalid:4443"] = b"HTTP/1.1 407 Authenticate\r\nContent-Length: 0\r\n\r\n"
        refusing = replace(ACCESS, proxy=proxy.url.replace("//", "//me:s3cret@"))
        failure = await failure_at("https://vbo.invalid:4443", access=refusing)
        assert (failure.kind, "WATCHER_PROXY" in str(failure)) == (Failure.UNREACHABLE, True)
        assert proxy.requests[0].startswith(b"CONNECT vbo.invalid:4443 ")
        assert b"proxy-authorization: basic" in proxy.requests[0].lower()


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "127.0.0.1:3128", "http://", "http://s3cret:port"])
async def test_a_proxy_of_no_sense_is_one_clear_line(proxy: str) -> None:
    """It names the setting and not its value."""
    failure = await failure_at("http://127.0.0.1:1", access=replace(ACCESS, proxy=proxy))
    assert "WATCHER_PROXY cannot be used" in str(failure)


async def test_the_environments_proxy_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    """That one is for channels."""
    async with listening() as proxy, listening() as server:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        await look_at(server.url)
        assert not proxy.requests


def test_a_simulation_imports_no_aiohttp() -> None:
    """Neither does anything that only imports the client: it costs 25 MB."""
    code = "import sys, watcher.vb365.server; assert 'aiohttp' not in sys.modules and 'trio' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
