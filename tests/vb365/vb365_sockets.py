"""A small HTTP server on a real socket, which answers by the byte, properly or not."""

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email.utils import format_datetime
from socket import SO_LINGER, SOL_SOCKET

from watcher.clock import now

TOKEN = b'{"access_token":"T1","refresh_token":"R1","expires_in":3600}'
EMPTY = b'{"offset":0,"limit":1000,"results":[]}'
RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Respond = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Plain:
    """What the server saw, and how it answers a path: with bytes, or by doing as it likes."""

    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    answers: dict[str, bytes | Respond] = field(default_factory=dict)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer requests of one connection until the client has enough."""
        self.connections += 1
        try:
            while head := await _head(reader, writer):
                self.requests.append(head)
                answer = self._answer(head.split()[1].decode().partition("?")[0])
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                else:
                    await answer(writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _answer(self, path: str) -> bytes | Respond:
        if path in self.answers:
            return self.answers[path]
        return ok(TOKEN) if path.endswith("/token") else ok(EMPTY)


async def _head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Read one request; its body is read and left aside. What is no request is refused, and that is the end."""
    try:
        first = await reader.readexactly(1)
        if not first.isalpha():
            writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
            return b""
        head = first + await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            await reader.readexactly(int(value))
    return head


def ok(body: bytes, *headers: bytes) -> bytes:
    """Return a whole answer."""
    lines = [b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers]
    return b"\r\n".join([*lines, b"Date: " + format_datetime(now(), usegmt=True).encode(), b"", body])


async def reset(writer: asyncio.StreamWriter) -> None:
    """Reset the connection in place of an answer."""
    writer.get_extra_info("socket").setsockopt(SOL_SOCKET, SO_LINGER, RESET_ON_CLOSE)
    writer.transport.abort()


async def silence(writer: asyncio.StreamWriter) -> None:
    """Say nothing until the client goes."""
    await writer.wait_closed()


async def half(writer: asyncio.StreamWriter) -> None:
    """Promise more than is sent, and close."""
    writer.write(ok(EMPTY)[:-10])
    await writer.drain()
    writer.close()


@asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None) -> AsyncIterator[Plain]:
    """Serve on a free port of this machine while the block runs."""
    plain = Plain()
    server = await asyncio.start_server(plain.serve, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    plain.url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    try:
        yield plain
    finally:
        server.close()
