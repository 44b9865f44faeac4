"""Serve an ASGI application inside the caller's event loop, and stop it cleanly.

uvicorn's defaults suit a program that is nothing but a server: it takes the process's signals and exits where a port
is taken. Here the server is a part of something bigger, so both are taken from it.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from anyio import CancelScope
from anyio.from_thread import start_blocking_portal
from starlette.types import ASGIApp

GRACE = 3
"""Seconds that requests in flight get to finish once the server is told to stop."""


class _Server(uvicorn.Server):
    """uvicorn without its hands on the process: no signal handlers; it says when it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.accepting = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # The original re-raises SIGTERM after its own shutdown, which kills the process before others clean up.
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.accepting.set()


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket for `host` (name, IPv4 or IPv6) and `port` (0: any free one).

    Raises OSError where that cannot be had, say because the port is in use.
    """
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.create_server(address[:2], family=family)
    # asyncio sets this only for sockets that name their protocol; without it each small answer waits 40 ms for an ACK
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def why_not_bound(error: OSError) -> str:
    """Say why an address cannot be had, without the address, which `socket` puts behind the reason."""
    text = error.strerror or type(error).__name__
    return text.partition(" (while attempting")[0]


@asynccontextmanager
async def serve(
    app: ASGIApp,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    date_header: bool = True,
) -> AsyncIterator[str]:
    """Serve `app` while the block runs; yields its address, `http://127.0.0.1:40001`.

    The socket is bound before anything else: a port in use is an OSError here. `tls` makes it https.
    `date_header=False` is for an application that sets its own. Needs the asyncio backend.
    """
    listener = bind(host, port)
    server = _Server(_config(app, tls, date_header=date_header))
    # A task of our own and no task group: an exception of the block then leaves it as itself, not inside a group.
    running = asyncio.create_task(server.serve(sockets=[listener]), name="web server")
    try:
        await _accepting(server, running)
        yield _address(listener, "https" if tls else "http")
    finally:
        server.should_exit = True
        with CancelScope(shield=True):
            await running
        listener.close()


@contextmanager
def serving(
    app: ASGIApp,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
    date_header: bool = True,
) -> Iterator[str]:
    """Do as `serve` does, in a thread with its own event loop, for callers that have none."""
    with start_blocking_portal("asyncio") as portal:
        server = serve(app, host=host, port=port, tls=tls, date_header=date_header)
        with portal.wrap_async_context_manager(server) as url:
            yield url


def _config(app: ASGIApp, tls: ssl.SSLContext | None, *, date_header: bool) -> uvicorn.Config:
    choices: dict[str, Any] = {"ssl_context_factory": lambda _config, _default: tls} if tls else {}
    return uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=date_header,
        timeout_graceful_shutdown=GRACE,
        **choices,
    )


async def _accepting(server: _Server, running: asyncio.Task[None]) -> None:
    """Wait until connections are accepted, or raise what kept the server from it."""
    ready = asyncio.create_task(server.accepting.wait())
    try:
        await asyncio.wait({ready, running}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ready.cancel()
    if running.done():
        running.result()


def _address(listener: socket.socket, scheme: str) -> str:
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
