"""Kept connections against receivers that use all of HTTP, and some that do not."""

import asyncio
import base64
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import anyio
import pytest
import trustme
from hypothesis import given, settings
from hypothesis import strategies as st

from watcher.channels import BadChannel
from watcher.channels.line import LARGEST_ANSWER, Answer, Broken, Line
from watcher.channels.place import Place
from watcher.channels.pool import Pool, Unsent
from watcher.channels.webhook import WebhookChannel
from watcher.core.delivery import Parcel, Sent

REQUEST = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n{}"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@dataclass
class Peer:
    """A receiver that says what stands in its script, one piece for each request, and hangs up after `b""`."""

    script: list[tuple[bytes, ...]]
    port: int = 0
    connections: int = 0
    heads: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Follow the script on one connection."""
        self.connections += 1
        self.writers.append(writer)
        with closing(writer), suppress(OSError, EOFError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.heads.append(head)
                if not head.startswith(b"CONNECT"):
                    await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
                for piece in self.script.pop(0) if len(self.script) > 1 else self.script[0]:
                    if not piece:
                        return
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0.01)


@asynccontextmanager
async def peer(*script: tuple[bytes, ...], tls: ssl.SSLContext | None = None) -> AsyncIterator[Peer]:
    """Run such a receiver."""
    one = Peer(list(script))
    server = await asyncio.start_server(one.talk, "127.0.0.1", 0, ssl=tls)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        await hung_up(one.writers)


async def hung_up(writers: list[asyncio.StreamWriter]) -> None:
    """Close what is open, and wait until it is."""
    for writer in writers:
        writer.transport.abort()
    await asyncio.sleep(0.01)


@asynccontextmanager
async def pool_to(port: int, *, is_fresh: bool = False) -> AsyncIterator[Pool]:
    """Give a pool of connections to a port."""
    pool = Pool(Place("http", "127.0.0.1", port), size=4, is_fresh=is_fresh)
    try:
        yield pool
    finally:
        pool.close()
        await asyncio.sleep(0)


ANSWERS: dict[str, tuple[tuple[bytes, ...], Answer, int]] = {  # pieces, answer, connections that two requests need
    "a length": ((OK,), Answer(200), 1),
    "chunks": ((b"HTTP/1.1 202 A\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n", b"0\r\n\r\n"), Answer(202), 1),
    "nothing": ((b"HTTP/1.1 204 No\r\n\r\n",), Answer(204), 1),
    "first a hint": ((b"HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\n", OK), Answer(200), 1),
    "first go on": ((b"HTTP/1.1 100 Continue\r\n\r\n" + OK,), Answer(200), 1),
    "the end says it": ((b"HTTP/1.1 200 OK\r\n\r\n{", b"}", b""), Answer(200), 2),
    "HTTP/1.0": ((b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", b""), Answer(200), 2),
    "it will close": ((b"HTTP/1.1 500 E\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",), Answer(500), 2),
    "much": ((b"HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n" + b"x" * 999_999,), Answer(200), 2),
    "no end in time": ((b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx",), Answer(200), 2),
    "bare line feeds": ((b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",), Answer(200), 1),
    "a wait": ((b"HTTP/1.1 429 T\r\nRETRY-AFTER: 7\r\nContent-Length: 0\r\n\r\n",), Answer(429, "7"), 1),
    "byte by byte": (tuple(OK[n : n + 1] for n in range(len(OK))), Answer(200), 1),
}


@pytest.mark.parametrize("name", ANSWERS)
async def test_an_answer_however_it_is_framed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is understood, and its connection is kept if it can be."""
    monkeypatch.setattr("watcher.channels.line.REST_WITHIN", 0.1)
    pieces, answer, connections = ANSWERS[name]
    async with peer(pieces) as receiver, pool_to(receiver.port) as pool:
        with anyio.fail_after(10):
            assert [await pool.ask(REQUEST) for _ in range(2)] == [answer, answer]
        assert receiver.connections == connections


@pytest.mark.parametrize(
    "pieces",
    [
        (b"",),
        (b"HTTP/1.1 2", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n", b""),
        (b"220 mail.example.com ESMTP\r\n",),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 2 * LARGEST_ANSWER,),
    ],
    ids=["silence", "half a line", "only go on", "another protocol", "two lengths", "an endless head"],
)
async def test_what_is_no_answer_is_broken(pieces: tuple[bytes, ...]) -> None:
    """Nobody knows then whether the request arrived; the next one gets a new connection."""
    async with peer(pieces, (OK,)) as receiver, pool_to(receiver.port) as pool:
        with pytest.raises(Broken):
            await pool.ask(REQUEST)
        assert await pool.ask(REQUEST) == Answer(200)
        assert receiver.connections == 2


async def test_a_connection_that_ended_meanwhile_is_not_used() -> None:
    """A receiver that hangs up after its answer costs nothing: the next request takes another connection."""
    async with peer((OK, b"")) as receiver, pool_to(receiver.port) as pool:
        for _ in range(3):
            assert await pool.ask(REQUEST) == Answer(200)
            await asyncio.sleep(0.05)
        assert receiver.connections == 3


async def test_words_that_nobody_asked_for_end_a_connection() -> None:
    """A second answer to one request must not be taken for that to the next."""
    wrong = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"
    async with peer((OK, wrong), (OK,)) as receiver, pool_to(receiver.port) as pool:
        assert await pool.ask(REQUEST) == Answer(200)
        await asyncio.sleep(0.05)
        assert await pool.ask(REQUEST) == Answer(200)
        assert receiver.connections == 2


async def test_quiet_connections_are_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver's sockets are not held for nothing."""
    monkeypatch.setattr("watcher.channels.pool.IDLE", 0.1)
    monkeypatch.setattr("watcher.channels.line.REST_WITHIN", 60.0)
    async with peer((OK,)) as receiver, pool_to(receiver.port) as pool:
        await pool.ask(REQUEST)
        (line,) = pool._lines
        with anyio.fail_after(5):
            while not line.is_closed:  # noqa: ASYNC110 - nothing says so
                await asyncio.sleep(0.02)
        await pool.ask(REQUEST)
        assert receiver.connections == 2


async def test_fresh_connections_for_pagers() -> None:
    """Where a message may not be sent twice, no connection is used twice."""
    async with peer((OK,)) as receiver, pool_to(receiver.port, is_fresh=True) as pool:
        for _ in range(3):
            await pool.ask(REQUEST)
        assert receiver.connections == 3


async def test_a_cancelled_request_ends_its_connection() -> None:
    """What is left of its answer belongs to nobody."""
    async with peer((b"HTTP/1.1 200 OK\r\n",), (OK,)) as receiver, pool_to(receiver.port) as pool:
        with anyio.move_on_after(0.1) as scope:
            await pool.ask(REQUEST)
        assert scope.cancelled_caught
        assert all(line.is_closed for line in pool._lines)
        assert await pool.ask(REQUEST) == Answer(200)
        assert receiver.connections == 2


async def test_the_place_in_the_pool_is_given_back_by_every_end() -> None:
    """After as many broken, cancelled and refused requests as there are places, there still is one."""
    async with peer((b"",)) as receiver, pool_to(receiver.port) as pool:
        for _ in range(9):
            with pytest.raises(Broken):
                await pool.ask(REQUEST)
    async with pool_to(receiver.port) as pool:
        for _ in range(9):
            with pytest.raises(Unsent):
                await pool.ask(REQUEST)


class _Deaf(asyncio.Transport):
    """A transport that takes everything and leads nowhere."""

    def __init__(self) -> None:
        super().__init__()
        self.is_over = False

    def write(self, data: object) -> None:
        """Take it."""

    def is_closing(self) -> bool:
        return self.is_over

    def abort(self) -> None:
        self.is_over = True


@settings(max_examples=60, deadline=None)
@given(st.lists(st.binary(max_size=40) | st.sampled_from([OK, OK[:30], OK[30:], b"\r\n\r\n", b"0\r\n"]), max_size=8))
def test_no_bytes_do_more_than_end_a_connection(pieces: list[bytes]) -> None:
    """Whatever a receiver says, a request ends with an answer or as broken, and nothing else is raised."""

    async def ask() -> None:
        line = Line()
        line.connection_made(_Deaf())
        asking = asyncio.ensure_future(line.ask(REQUEST))
        await asyncio.sleep(0)
        for piece in pieces:
            if not line.is_closed:
                line.data_received(piece)
        line.connection_lost(None)
        with suppress(Broken):
            assert (await asking).status >= 200

    asyncio.run(ask())


# Proxies


@dataclass
class Tunnel:
    """A proxy that connects to where it is told, after `says`; it notes what it was asked."""

    to: Callable[[], int]
    says: bytes = b"HTTP/1.1 200 Connection established\r\n\r\n"
    heads: list[bytes] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.writers.append(writer)
        self.heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(self.says)
        if b" 200 " not in self.says:
            writer.close()
            return
        there, back = await asyncio.open_connection("127.0.0.1", self.to())
        self.writers.append(back)
        await asyncio.gather(_pump(reader, back), _pump(there, writer), return_exceptions=True)


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(4096):
        writer.write(data)
    writer.close()


async def _sent(tunnel: Tunnel, parcel: Parcel, tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    server = await asyncio.start_server(tunnel.talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    monkeypatch.setenv("https_proxy", f"http://ann:p%40ss@127.0.0.1:{port}")
    channel = WebhookChannel("ops", urlsplit("webhook+https://only-the-proxy-knows.invalid/x"), tls=tls)
    verdicts = [await channel.send(parcel) for _ in range(2)]
    await channel.aclose()
    server.close()
    await hung_up(tunnel.writers)
    return [f"{verdict.sent}: {verdict.reason}" for verdict in verdicts]


async def test_tls_goes_through_a_proxy(parcel: Parcel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy learns where to and its own login; what is posted is not its to see."""
    authority, server, trusting = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("only-the-proxy-knows.invalid").configure_cert(server)
    authority.configure_trust(trusting)
    async with peer((OK,), tls=server) as receiver:
        tunnel = Tunnel(lambda: receiver.port)
        assert await _sent(tunnel, parcel, trusting, monkeypatch) == ["delivered: "] * 2
        assert len(receiver.heads) == 2
        assert not any(b"proxy-authorization" in head.lower() for head in receiver.heads)
    (head,) = tunnel.heads
    assert head.startswith(b"CONNECT only-the-proxy-knows.invalid:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " + base64.b64encode(b"ann:p@ss") in head


async def test_a_certificate_is_checked_through_a_proxy_too(parcel: Parcel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A receiver with a certificate for another name gets nothing."""
    authority, server, trusting = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    authority.issue_cert("another.invalid").configure_cert(server)
    authority.configure_trust(trusting)
    async with peer((OK,), tls=server) as receiver:
        said = await _sent(Tunnel(lambda: receiver.port), parcel, trusting, monkeypatch)
        assert receiver.heads == []
    assert said == ["try_again: TLS failed: its certificate or protocol is not accepted"] * 2


@pytest.mark.parametrize(
    "says", [b"HTTP/1.1 407 Login\r\nContent-Length: 0\r\n\r\n", b"HTTP/1.1 502 No\r\n\r\n", b"?\r\n"]
)
async def test_a_proxy_that_does_not_connect(says: bytes, parcel: Parcel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Surely nothing has arrived."""
    said = await _sent(Tunnel(lambda: 9, says), parcel, ssl.create_default_context(), monkeypatch)
    assert said == ["try_again: the proxy did not connect"] * 2


async def test_a_proxy_that_is_away(parcel: Parcel, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is named as the one to look at."""
    monkeypatch.setenv("http_proxy", "127.0.0.1:9")
    channel = WebhookChannel("ops", urlsplit("webhook+http://receiver.example.com/x"))
    verdict = await channel.send(parcel)
    assert (verdict.sent, verdict.reason) == (Sent.TRY_AGAIN, "the proxy could not be reached")


@pytest.mark.parametrize("proxy", ["socks5://u:SECRET@h:1", "http://", "http://h:SECRET"])
def test_a_proxy_that_is_none_is_a_clear_line(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said when the channel is opened, without the proxy's URL; NO_PROXY goes straight."""
    monkeypatch.setenv("https_proxy", proxy)
    with pytest.raises(BadChannel, match="HTTPS_PROXY has to be http:// or https://") as caught:
        WebhookChannel.open("ops", "webhook+https://receiver.example.com/x")
    assert "SECRET" not in str(caught.value)
    monkeypatch.setenv("no_proxy", "receiver.example.com")
    WebhookChannel.open("ops", "webhook+https://receiver.example.com/x")
