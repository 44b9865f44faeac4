"""The command line from outside: processes, a database with something in it, and a receiver of posts."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from watcher.core.event import SESSION_FAILED, Event, JobRef, ServerRef
from watcher.core.model import Greeting, Job, Session
from watcher.core.record import End, Known, Outcome, Owed, Page
from watcher.store import open_store

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
HUSH = "hush-hush-4711"
_CLEAN = ("WATCHER_", "CREDENTIALS_", "STATE_", "XDG_", "TZ", "http", "HTTP", "no_proxy", "NO_PROXY")


@dataclass(frozen=True)
class Ended:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def mistakes(self) -> list[str]:
        """The lines on standard error."""
        return self.err.splitlines()


class Shell:
    """Starts `watcher` in a folder of its own, with nothing of this machine's settings."""

    def __init__(self, folder: Path) -> None:
        """Keep everything below this folder."""
        self.folder = folder
        self.database = folder / "watcher.db"

    def environ(self, settings: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a process; `settings` are named without their prefix."""
        base = {name: value for name, value in os.environ.items() if not name.startswith(_CLEAN)}
        ours = {"DATABASE_URL": f"sqlite:///{self.database}", "TIMEZONE": "Europe/Zurich", **settings}
        return (
            base
            | {f"WATCHER_{name}": value for name, value in ours.items()}
            | {"PYTHONWARNINGS": "error::ResourceWarning"}
        )

    def watcher(self, *words: str, **settings: str) -> Ended:
        """Run one command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "watcher", *words],
            env=self.environ(settings),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Ended(done.returncode, done.stdout, done.stderr)

    def asleep(self) -> dict[str, str]:
        """Return settings with one server that is switched off, so that nothing waits for it."""
        path = self.folder / "asleep.toml"
        path.write_text("[[servers]]\nname = 'HQ'\nurl = 'https://127.0.0.1:9'\nenabled = false\n")
        return {"CONFIG": str(path)}

    def fill(self, job: str = "Mail [red]Bern[/red]\x1b[2J") -> None:
        """Put one server, one failed session and two deliveries of it into the database."""
        store = open_store(f"sqlite:///{self.database}")
        try:
            greeting = Greeting("v8", "1111", "8.0")
            store.announce([("HQ", "https://hq:4443")], [("ops", "json://host")], now=NOW)
            server = store.meet("HQ", "https://hq:4443", greeting, first_contact=NOW, news_from=NOW)
            store.record(server.id, ["s-1"], ["j-1"], lambda _: _page(job), now=NOW)
            store.finish_look(server.id, now=NOW, greeting=greeting, watermark=NOW, jobs={"j-1": Job("j-1", job)})
        finally:
            store.close()


def _page(job: str) -> Page:
    session = Session("s-1", "Failed", "j-1", created=NOW - timedelta(hours=1), ended=NOW)
    event = Event("e-1", SESSION_FAILED, ServerRef("HQ"), NOW, NOW, job=JobRef("j-1", job), session=session)
    owed = (Owed("e-1", "ops", "json://host"), Owed("e-1", "old", "ntfy://host"))
    return Page((Known(session, (End("Failed", NOW),)),), {"j-1": Outcome("Failed", NOW, 1, NOW)}, (event,), owed)


@dataclass
class Inbox:
    """A receiver of posts and what it got; it answers with `status`."""

    host: str = ""
    status: int = 204
    bodies: list[bytes] = field(default_factory=list)


@contextmanager
def receiving() -> Iterator[Inbox]:
    """Receive posts on a free port while the block runs."""
    inbox = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(inbox.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    inbox.host = f"127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield inbox
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
