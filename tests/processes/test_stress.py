"""The store under stress: nothing moves on, the daemon says so, and goes on by itself when it is over."""

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest

from tests.processes.household import Household, Inbox, eventually, server_settings
from tests.store.conftest import PostgresServer
from watcher.clock import now
from watcher.core.model import Status
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.web.serve import serving

FREE_SPACE = 900_000


@contextmanager
def watching(household: Household, inbox: Inbox) -> Iterator[World]:
    """Run a watcher with one server and one webhook, and a page to ask for its health."""
    world = World("v8")
    world.add_job("Mail", "Contoso")
    with serving(create_app(world, now=now, versions=["v8"]), date_header=False) as url:
        household.environ |= server_settings(url, world) | {
            "WATCHER_CHANNELS": f"hook=webhook+{inbox.url}/",
            "WATCHER_LISTEN": f"127.0.0.1:{free_port()}",
        }
        household.start()
        eventually(lambda: health(household)[0] == 200, what=household.log)
        end_one(world)
        eventually(lambda: len(inbox.got) == 1, what=household.log)
        yield world
        assert household.end() == 0
        assert "Traceback" not in household.log()


def free_port() -> int:
    """Return a port that was free a moment ago."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def health(household: Household) -> tuple[int, str]:
    """Ask `/healthz`; 0 where nobody answers."""
    try:
        with urlopen(f"http://{household.environ['WATCHER_LISTEN']}/healthz", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except OSError:
        return 0, ""


def end_one(world: World) -> None:
    """Let a session begin and end badly."""
    job = next(iter(world.jobs))
    world.end(world.start(job, now()), Status.FAILED, now())


def goes_on(household: Household, inbox: Inbox, *, said: str) -> None:
    """Check that the trouble is said, that nothing was told meanwhile, and (after `over`) that nothing is lost."""
    eventually(lambda: health(household)[0] == 503, what=household.log, within=40)
    assert said in health(household)[1] + household.log()
    assert len(inbox.got) == 1


def test_a_locked_database(household: Household, inbox: Inbox) -> None:
    """Somebody copies the file with a tool that locks it, for longer than anybody is patient; each time it is said."""
    with watching(household, inbox) as world:
        other = sqlite3.connect(household.folder / "watcher.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        end_one(world)
        goes_on(household, inbox, said="it is locked by another process")
        other.execute("ROLLBACK")
        eventually(lambda: len(inbox.got) == 2 and health(household)[0] == 200, what=household.log, within=40)
        eventually(lambda: household.log().count("the database works again") >= 1, what=household.log)
        other.execute("BEGIN IMMEDIATE")  # the next night
        eventually(lambda: household.log().count("poll default: database") == 2, what=household.log, within=40)
        other.execute("ROLLBACK")
        other.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of a few megabytes, which only root may do."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount") or ""
    words = [mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)]
    if os.geteuid() or not mount or subprocess.run(words, check=False, capture_output=True).returncode:
        pytest.skip("a disk of its own can only be mounted by root")
    yield folder
    subprocess.run([shutil.which("umount") or "umount", "-l", str(folder)], check=True)


@pytest.mark.soak  # CI runs it as well
def test_a_full_disk(household: Household, inbox: Inbox, small_disk: Path) -> None:
    """Nothing can be written: the look is repeated until there is room again."""
    household.environ["WATCHER_DATABASE_URL"] = f"sqlite:///{small_disk / 'watcher.db'}"
    with watching(household, inbox) as world:
        filler = small_disk / "filler"
        with suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"x" * 4096)
        for _ in range(30):  # more than the room that the journal has left
            end_one(world)
        goes_on(household, inbox, said="the disk is full")
        filler.unlink()
        eventually(lambda: len(inbox.got) == 31 and health(household)[0] == 200, what=household.log, within=40)


def test_a_lost_postgresql(household: Household, inbox: Inbox, postgres: PostgresServer) -> None:
    """The database server lets nobody in for a while."""
    url = postgres.make()
    name = url.partition("?")[0].rsplit("/", 1)[1]
    household.environ["WATCHER_DATABASE_URL"] = url
    with watching(household, inbox) as world:
        postgres.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        with psycopg.connect(postgres.uri("postgres")) as other:
            other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        end_one(world)
        goes_on(household, inbox, said="database")
        postgres.run(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        eventually(lambda: len(inbox.got) == 2 and health(household)[0] == 200, what=household.log, within=40)
    postgres.drop(url)


def test_a_damaged_file(household: Household, inbox: Inbox) -> None:
    """A damaged database is not used and not made anew: one clear line, and the file stays for whoever mends it."""
    with watching(household, inbox):
        pass
    path = household.folder / "watcher.db"
    with path.open("r+b") as file:
        for page in range(1, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 2048)
    damaged = path.read_bytes()
    household.start()
    assert household.process is not None
    with suppress(subprocess.TimeoutExpired):
        household.process.wait(10)
    if household.process.poll() is None:
        household.end(signal.SIGTERM)
    assert "the file is damaged; put a copy of it back from a backup" in household.log()
    assert "Traceback" not in household.log()
    assert path.read_bytes()[4096:] == damaged[4096:]
