"""The connections to one receiver: made when they are needed, kept for the next request, closed when they are quiet."""

import asyncio
import ssl
from collections.abc import Callable
from functools import lru_cache
from socket import gaierror

from watcher.channels.line import Answer, Broken, Line
from watcher.channels.place import Place, Proxy

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
SLOWEST = 50_000
"""Bytes a second that a receiver may take a request at, before its answer is waited for."""

IDLE = 4.0
"""Seconds after which a quiet connection is not used again: receivers hang up on those, after five at the earliest, and
of a request that meets such an end nobody knows whether it arrived."""

_TOO_LATE = f"no connection within {CONNECT_TIMEOUT:.0f} s"
_TICK = 0.25
_EYEBALLS = 0.25


class Unsent(Exception):  # noqa: N818 - it is how a request is
    """Nothing has left; the text is a clause that says why."""


class Pool:
    """Sends requests to one place, each on a connection of its own while it is under way."""

    def __init__(
        self,
        place: Place,
        *,
        size: int,
        proxy: Proxy | None = None,
        tls: ssl.SSLContext | None = None,
        is_fresh: bool = False,
    ) -> None:
        """Make no connection yet. `size`: how many at once; `is_fresh`: none is used twice; `tls`: for tests."""
        self._place = place
        self._proxy = proxy
        self._tls = tls
        self._is_fresh = is_fresh
        self._free = asyncio.Semaphore(size)
        self._lines: set[Line] = set()
        self._idle: list[Line] = []
        self._ticking: asyncio.TimerHandle | None = None

    async def ask(self, request: bytes) -> Answer:
        """Send a request, whole, and return its answer.

        Raises Unsent if nothing has left; Broken or TimeoutError if it may have arrived and no answer came.
        """
        async with self._free:
            line = self._kept() or await self._connected()
            line.deadline = asyncio.get_running_loop().time() + READ_TIMEOUT + len(request) / SLOWEST
            self._watch(line)
            answer = await line.ask(request)
            self._keep(line)
            return answer

    def close(self) -> None:
        """Close all connections."""
        if self._ticking is not None:
            self._ticking.cancel()
        for line in self._lines:
            line.close()

    def _kept(self) -> Line | None:
        while self._idle:
            line = self._idle.pop()
            if line.is_idle and line.deadline > asyncio.get_running_loop().time():
                return line
            line.close()
        return None

    def _keep(self, line: Line) -> None:
        if self._is_fresh:
            line.close()
        elif line.is_idle:
            line.deadline = asyncio.get_running_loop().time() + IDLE
            self._idle.append(line)

    async def _connected(self) -> Line:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                line = await (_straight(self._place, self._context) if self._proxy is None else self._through())
        except TimeoutError:
            raise Unsent(_TOO_LATE) from None
        return line

    async def _through(self) -> Line:
        """Connect to the proxy, and through it to a receiver that speaks TLS."""
        proxy, place = self._proxy, self._place
        assert proxy is not None  # noqa: S101 - only called with one
        try:
            line = await _straight(proxy.place, _default_tls)
        except Unsent:
            raise Unsent("the proxy could not be reached") from None
        if place.scheme == "http":
            return line
        head = f"CONNECT {place.authority} HTTP/1.1\r\nHost: {place.authority}\r\n"
        head += f"Proxy-Authorization: {proxy.login}\r\n" if proxy.login else ""
        try:
            answer = await line.ask(f"{head}\r\n".encode(), is_tunnel=True)
            if answer.status != 200:
                line.close()
                raise Unsent("the proxy did not connect")
            line.connection_made(await _secured(line, self._context(), place.host))
        except Broken:
            raise Unsent("the proxy did not connect") from None
        return line

    def _context(self) -> ssl.SSLContext:
        return self._tls or _default_tls()

    def _watch(self, line: Line) -> None:
        self._lines.add(line)
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(_TICK, self._tick)

    def _tick(self) -> None:
        """End what has taken too long, now and then while there are connections."""
        loop = asyncio.get_running_loop()
        for line in [one for one in self._lines if one.deadline < loop.time()]:
            line.expire()
        self._lines = {line for line in self._lines if not line.is_closed}
        self._ticking = loop.call_later(_TICK, self._tick) if self._lines else None


async def _straight(place: Place, context: Callable[[], ssl.SSLContext]) -> Line:
    """Connect to a place. Raises Unsent."""
    tls = context() if place.scheme == "https" else None
    try:
        _, line = await asyncio.get_running_loop().create_connection(
            Line, place.host, place.port, ssl=tls, happy_eyeballs_delay=_EYEBALLS
        )
    except (OSError, UnicodeError) as problem:
        raise Unsent(_why(problem)) from None
    return line


async def _secured(line: Line, context: ssl.SSLContext, host: str) -> asyncio.Transport:
    """Put TLS on a connection. Raises Unsent."""
    try:
        secured = await asyncio.get_running_loop().start_tls(line.transport, line, context, server_hostname=host)
    except OSError as problem:
        raise Unsent(_why(problem)) from None
    if secured is None:
        raise Broken
    return secured


def _why(problem: OSError | UnicodeError) -> str:
    """Say why there is no connection. The texts of the exceptions hold addresses and stay out of it."""
    if isinstance(problem, TimeoutError):
        return _TOO_LATE
    if isinstance(problem, gaierror | UnicodeError):
        return "the host's name could not be resolved"
    if isinstance(problem, ssl.SSLError):
        return "TLS failed: its certificate or protocol is not accepted"
    return "the connection was refused"


@lru_cache(maxsize=1)
def _default_tls() -> ssl.SSLContext:
    return ssl.create_default_context()
