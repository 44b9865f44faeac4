"""`watcher demo`: the whole watcher against the stand-in server, over real HTTP, with its messages on the terminal."""

import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from secrets import token_hex
from typing import NamedTuple

import anyio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watcher import logs
from watcher.clock import Clock, now, sped_up
from watcher.daemon.process import Daemon
from watcher.demo.player import living_world
from watcher.demo.server import create_app
from watcher.sdnotify import Notifier
from watcher.settings import Settings, load
from watcher.settings.machine import Usual
from watcher.store import open_store
from watcher.web.serve import bind, serve, why_not_bound

SPEED = 600.0
LOOK_EVERY = "5m"  # of the demo's time: twice a second at its usual speed

_GREETING = """\
vb365-watcher, a demo: a VB365 server that is not there lives a week of backup jobs; the real watcher looks at it over
HTTP and tells what happens. One second is {minutes:.3g} minutes of the demo's time.

  status page  {page}
  its token    {token}   (to silence a job there, or to send a test message)
  Ctrl-C       ends it; nothing is kept
"""

_SERVER = """\
[[servers]]
name = "VBO-01"
url = '{url}'
username = '{username}'
password = '{password}'
"""


class Site(NamedTuple):
    """Where the demo's page is (None: the port cannot be had), and the token that lets one act on it."""

    port: int | None
    token: str


def demo(*, port: int, speed: float = SPEED, seed: int = 0) -> int:
    """Run the demo until Ctrl-C; return the exit code. `speed`: how many of its seconds pass in a real one."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1"  # all of it happens on this machine
    logs.configure("text", "warning", ())
    token = token_hex(4)
    found, page = find_page(port)
    sys.stdout.write(_GREETING.format(minutes=speed / 60, page=page, token=token))
    sys.stdout.flush()
    with tempfile.TemporaryDirectory(prefix="vb365-watcher-demo-") as folder:
        return anyio.run(_live, Path(folder), Site(found, token), speed, seed)


def find_page(port: int) -> tuple[int | None, str]:
    """Try the port of the page, 0 for any free one; returns it, None if it cannot be had, and the words for that."""
    try:
        with bind("127.0.0.1", port) as listener:
            free = int(listener.getsockname()[1])
    except OSError as error:
        return None, f"none: port {port} cannot be had ({why_not_bound(error)}); `--port` names another"
    return free, f"http://127.0.0.1:{free}/"


async def _live(folder: Path, site: Site, speed: float, seed: int) -> int:
    clock = sped_up(speed, start=now())
    async with _stand_in(clock, seed) as (server, username, password), _reader() as receiver:
        (folder / "watcher.toml").write_text(_SERVER.format(url=server, username=username, password=password))
        settings = _settings(folder, site, receiver)
        return await _watch(settings, clock)


async def _watch(settings: Settings, clock: Clock) -> int:
    store = open_store(settings.database_url.reveal())
    try:
        return await Daemon(settings, store, "demo", lambda: settings, clock, Notifier({})).run()
    finally:
        store.close()


def _settings(folder: Path, site: Site, receiver: str) -> Settings:
    chosen = {
        "CHANNELS": f"terminal={receiver.replace('http://', 'json://')}/",
        "NOTIFY_ON": "failed warning stopped success unrecognized vanished job proxy repository",
        "WATCH": "backup copy restore",
        "POLL_INTERVAL": LOOK_EVERY,
        "DATABASE_URL": f"sqlite:///{folder / 'watcher.db'}",
        "LISTEN": f"127.0.0.1:{site.port}" if site.port else "",
        "ADMIN_TOKEN": site.token,
    }
    if site.port:
        chosen["PUBLIC_URL"] = f"http://127.0.0.1:{site.port}"
    environ = {f"WATCHER_{name}": value for name, value in chosen.items()}
    return load(options={}, environ=environ, usual=Usual(settings=folder, state=folder))


@asynccontextmanager
async def _stand_in(clock: Clock, seed: int) -> AsyncIterator[tuple[str, str, str]]:
    """Serve the stand-in; yields its address and a login."""
    world, player = living_world(clock.now(), seed)
    async with serve(create_app(world, now=clock.now, player=player), date_header=False) as url:
        yield url, world.account.username, world.account.password


@asynccontextmanager
async def _reader() -> AsyncIterator[str]:
    """Serve a receiver of Apprise's JSON that prints what it gets; yields its address."""

    async def receive(request: Request) -> Response:
        message = await request.json()
        try:
            sys.stdout.write(_printed(str(message.get("title", "")), str(message.get("message", ""))))
            sys.stdout.flush()
        except BrokenPipeError:  # `watcher demo | head` has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            os.kill(os.getpid(), signal.SIGINT)
        return Response(status_code=204)

    async with serve(Starlette(routes=[Route("/{path:path}", receive, methods=["POST"])])) as url:
        yield url


def _printed(title: str, body: str) -> str:
    lines = "".join(f"    {line}\n" if line else "\n" for line in body.strip().splitlines())
    return f"\n■ {title}\n{lines}"
