"""A whole household for tests of the real process: stand-in servers, a receiver, and `watcher` as a subprocess."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from watcher.demo.world import World


@dataclass
class Inbox:
    """An HTTP receiver that keeps what it gets and answers as it is told."""

    url: str = ""
    status: int = 204
    headers: dict[str, str] = field(default_factory=dict)
    got: list[dict[str, Any]] = field(default_factory=list)
    posted: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    called: list[str] = field(default_factory=list)

    def of(self, event_type: str) -> list[dict[str, Any]]:
        """Return the CloudEvents of one type."""
        return [event for event in self.got if event.get("type") == f"watcher.{event_type}"]


@contextmanager
def inbox() -> Iterator[Inbox]:
    """Receive POSTs on a free port while the block runs."""
    box = Inbox()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if box.status < 300:
                box.got.append(json.loads(body))
            box.posted.append((self.path, dict(self.headers)))
            self.send_response(box.status)
            for name, value in box.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_GET(self) -> None:
            box.called.append(self.path)
            self.send_response(box.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name it has there
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    box.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield box
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass
class Household:
    """A folder with settings and database, and the process that runs on them."""

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    def environment(self) -> dict[str, str]:
        """Return the environment of the process: nothing of this one's settings, and no proxies."""
        base = {key: value for key, value in os.environ.items() if not key.startswith(("WATCHER_", "CREDENTIALS_"))}
        usual = {
            "WATCHER_DATABASE_URL": f"sqlite:///{self.folder / 'watcher.db'}",
            "WATCHER_LISTEN": "",
            "WATCHER_POLL_INTERVAL": "0.2",
            "WATCHER_GROUP_WAIT": "0",
            "NO_PROXY": "127.0.0.1",
            "PYTHONWARNINGS": "error",
        }
        return {**base, **usual, **self.environ}

    def start(self, *words: str, program: tuple[str, ...] = ("-m", "watcher")) -> None:
        """Start `watcher run` (or other words) in the background; its standard error goes to log.txt."""
        with (self.folder / "log.txt").open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, *program, *(words or ("run",))],
                env=self.environment(),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def command(self, *words: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "watcher", *words],
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def end(self, number: signal.Signals = signal.SIGTERM, timeout: float = 20) -> int:
        """Send the process a signal and return its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(timeout)
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None
        return code

    def log(self) -> str:
        """Return what the processes wrote to standard error so far."""
        return (self.folder / "log.txt").read_text()


def eventually(done: Callable[[], bool], *, within: float = 20, what: Callable[[], object] = lambda: "") -> None:
    """Wait until something is so; fail with `what` if it does not come."""
    deadline = time.monotonic() + within
    while not done():
        assert time.monotonic() < deadline, f"waited {within} s in vain: {what()}"
        time.sleep(0.02)


def server_settings(url: str, world: World) -> dict[str, str]:
    """Return the settings of one stand-in server."""
    return {
        "WATCHER_URL": url,
        "WATCHER_USERNAME": world.account.username,
        "WATCHER_PASSWORD": world.account.password,
    }
