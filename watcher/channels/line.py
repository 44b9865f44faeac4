"""One kept connection to a receiver: a request leaves, its answer comes back.

The bytes are ours and their reading is httptools' (llhttp, the parser of Node.js). A client library in between would
cost more than all the rest of a delivery, and hide what matters most here: whether anything has left.
"""

import asyncio
from dataclasses import dataclass

import httptools

LARGEST_ANSWER = 64 * 1024
"""Bytes of an answer that are read, to keep its connection for the next request; a longer one costs the connection."""

REST_WITHIN = 1.0
"""Seconds that the rest of an answer is waited for once its status is there, which has said it all."""


class Broken(ConnectionError):  # noqa: N818 - it is how a connection is
    """The connection ended, or something that is no HTTP came, before the status of an answer was there."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What counts of an answer. `retry_after`: that header's value, if there was one."""

    status: int
    retry_after: str | None = None


class Line(asyncio.Protocol):
    """A connection on which one request at a time is under way.

    `deadline`: when an answer has taken too long, or, while the line is idle, when it is not to be used any more; by
    the loop's clock.
    """

    def __init__(self) -> None:
        """Start without a connection; asyncio makes it."""
        self.deadline = 0.0
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Answer] | None = None
        self._is_tunnel = False
        self._begin()

    @property
    def is_idle(self) -> bool:
        """Whether it is open, with nothing under way."""
        return self._waiting is None and not self.is_closed

    @property
    def is_closed(self) -> bool:
        """Whether nothing can be sent on it any more."""
        return self._transport is None or self._transport.is_closing()

    @property
    def transport(self) -> asyncio.Transport:
        """The transport, for TLS to be put on it. Raises Broken when it has gone."""
        if self._transport is None:
            raise Broken
        return self._transport

    async def ask(self, request: bytes, *, is_tunnel: bool = False) -> Answer:
        """Send a request, and wait for its answer. Raises Broken, and TimeoutError if `expire` was called.

        `is_tunnel`: it asks a proxy to connect; what comes after a good answer's head is not HTTP's.
        """
        self._begin()
        self._is_tunnel = is_tunnel
        transport = self.transport
        self._waiting = asyncio.get_running_loop().create_future()
        transport.write(request)
        try:
            return await self._waiting
        except asyncio.CancelledError:
            self.close()
            raise
        finally:
            self._waiting = None

    def expire(self) -> None:
        """End what is under way: an answer that has a status by now counts, one that has not never came."""
        self._end(TimeoutError())

    def close(self) -> None:
        """Close the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, or the TLS that was put on it."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - asyncio's signature is wider than what it does
        self._transport = transport

    def connection_lost(self, problem: Exception | None) -> None:
        """Take note that it has gone: the end of an answer whose length nobody said, or of everything."""
        self._transport = None
        self._end(Broken())

    def data_received(self, data: bytes) -> None:
        """Read a piece of an answer."""
        self._read += len(data)
        if self._waiting is None or self._waiting.done():
            self.close()  # nobody asked
            return
        self._parse(data)
        if self._read > LARGEST_ANSWER:
            self._end(Broken())

    def _begin(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._parser.set_dangerous_leniencies(lenient_optional_cr_before_lf=True)  # RFC 9112, 2.2: what a script writes
        self._read = 0
        self._status = 0
        self._retry_after: str | None = None

    def _parse(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._end(Broken())

    def _end(self, problem: Exception) -> None:
        """Close the line; what is under way has its answer if the status came, else the problem."""
        self._answer(problem)
        self.close()

    def _answer(self, problem: Exception) -> None:
        if self._waiting is None or self._waiting.done():
            return
        if self._status:
            self._waiting.set_result(Answer(self._status, self._retry_after))
        else:
            self._waiting.set_exception(problem)

    # What httptools calls while it reads:

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the one header that counts."""
        if name.lower() == b"retry-after":
            self._retry_after = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Take the status, unless it only announces another one."""
        status = self._parser.get_status_code()
        if status >= 200:
            self._status = status
            self.deadline = min(self.deadline, asyncio.get_running_loop().time() + REST_WITHIN)
            if self._is_tunnel:
                self._answer(Broken())

    def on_message_complete(self) -> None:
        """Answer; the connection is kept if both sides want it."""
        if not self._status:
            return
        is_kept = self._parser.should_keep_alive()
        self._answer(Broken())
        if not is_kept:
            self.close()
