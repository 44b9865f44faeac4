"""Serving inside somebody else's event loop: addresses, TLS, ports in use, and a clean stop."""

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import anyio
import httpx
import pytest
import trustme
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watcher.web.serve import serve, serving


async def _hello(_request: Request) -> Response:
    return PlainTextResponse("hello")


async def _slow(_request: Request) -> Response:
    await anyio.sleep(0.3)
    return PlainTextResponse("done")


@pytest.fixture
def app() -> Starlette:
    """An application of two answers, one of them slow."""
    return Starlette(routes=[Route("/", _hello), Route("/slow", _slow)])


async def test_serves_while_the_block_runs(app: Starlette) -> None:
    """The address yielded answers inside the block and refuses connections after it."""
    async with serve(app) as url, httpx.AsyncClient(trust_env=False) as client:
        assert url.startswith("http://127.0.0.1:")
        answer = await client.get(url)
        assert (answer.text, "Date" in answer.headers, "Server" in answer.headers) == ("hello", True, False)
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_a_port_in_use_is_an_os_error(app: Starlette) -> None:
    """A taken port is told as OSError before anything is started, never as an exit of the process."""
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OSError, match="in use"):
        async with serve(app, port=taken.getsockname()[1]):
            pytest.fail("served on a taken port")


async def test_an_exception_of_the_block_leaves_as_itself(app: Starlette) -> None:
    """What the block raises is not wrapped into a group."""
    with pytest.raises(ZeroDivisionError):
        async with serve(app):
            raise ZeroDivisionError


async def test_a_request_in_flight_is_answered_before_the_stop(app: Starlette) -> None:
    """Leaving the block waits for the answer that is being made."""
    async with httpx.AsyncClient(trust_env=False) as client:
        async with serve(app) as url:
            asking = asyncio.create_task(client.get(f"{url}/slow"))
            await anyio.sleep(0.1)
        assert (await asking).text == "done"


async def test_cancelling_stops_the_server(app: Starlette) -> None:
    """A cancelled block stops the server as well and frees its port."""
    with anyio.move_on_after(0.2) as scope:
        async with serve(app) as url:
            await anyio.sleep_forever()
    assert scope.cancelled_caught
    port = int(url.rsplit(":", 1)[1])
    socket.create_server(("127.0.0.1", port)).close()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
async def test_ipv6_addresses_are_bracketed(app: Starlette) -> None:
    """An IPv6 address comes in the form that a URL needs."""
    async with serve(app, host="::1") as url, httpx.AsyncClient(trust_env=False) as client:
        assert url.startswith("http://[::1]:")
        assert (await client.get(url)).status_code == 200


def test_tls(app: Starlette) -> None:
    """With a TLS context it serves https with that certificate."""
    authority = trustme.CA()
    ours, theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), ssl.create_default_context()
    authority.issue_cert("127.0.0.1").configure_cert(ours)
    authority.configure_trust(theirs)
    with serving(app, tls=ours) as url:
        assert url.startswith("https://127.0.0.1:")
        assert httpx.get(url, verify=theirs, trust_env=False).text == "hello"
        with pytest.raises(httpx.ConnectError):
            httpx.get(url, trust_env=False)


def test_in_a_thread(app: Starlette) -> None:
    """`serving` needs no event loop of the caller and leaves no thread behind."""
    before = threading.active_count()
    with serving(app) as url:
        assert httpx.get(url, trust_env=False).text == "hello"
    assert threading.active_count() == before


async def test_signal_handlers_are_left_alone(app: Starlette) -> None:
    """While it serves, SIGINT and SIGTERM are handled by whoever handled them before."""
    watched = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in watched]
    async with serve(app):
        assert [signal.getsignal(number) for number in watched] == before


PROGRAM = """
import anyio, signal, sys
from starlette.applications import Starlette
from watcher.web.serve import serve

async def main():
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        async with serve(Starlette()) as url:
            print(url, flush=True)
            async for _ in signals:
                break
    print("cleaned up", flush=True)

anyio.run(main)
"""


@pytest.fixture
def program() -> Iterator[subprocess.Popen[str]]:
    """A process that serves and takes its signals itself."""
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


def test_signals_stay_with_the_program(program: subprocess.Popen[str]) -> None:
    """SIGTERM reaches the program's own handler, which cleans up and ends with 0; the server does not die of it."""
    assert program.stdout is not None
    assert program.stdout.readline().startswith("http://127.0.0.1:")
    os.kill(program.pid, signal.SIGTERM)
    begun = time.monotonic()
    assert program.stdout.readline() == "cleaned up\n"
    assert program.wait(timeout=5) == 0
    assert time.monotonic() - begun < 3


def test_standin_command_says_its_address_and_login() -> None:
    """`python -m watcher.demo.standin` serves the versions asked for, and ends at Ctrl-C without a traceback."""
    command = [sys.executable, "-m", "watcher.demo.standin", "--versions", "v6", "--seed", "3"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url, username, password = process.stdout.readline().split()
        form = {"username": username, "password": password}
        try:
            found = [httpx.post(f"{url}/{v}/token", data=form, trust_env=False).status_code for v in ("v6", "v8")]
        finally:
            process.send_signal(signal.SIGINT)
        assert found == [200, 404]
        assert (process.wait(timeout=5), process.stderr.read()) == (0, "")
