"""One process at a time, and processes that die in the middle: real ones, and real `kill -9`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.store.store_values import NOW, failed, meet, page_of, read, write
from watcher.store import HeldByAnother, Store, open_store


@contextmanager
def child(code: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a script in a process of its own until it says `ready`, and kill it at the end."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


DIE_IN_THE_MIDDLE = """
import sys, time
from tests.store.store_values import failed, listening, meet, page_of, write
from watcher.store import open_store

store = open_store(sys.argv[1])
server = meet(store)

def stop(statement, parameters):
    if statement.startswith("INSERT INTO deliveries"):
        print("ready", flush=True)
        time.sleep(60)

with listening(store, stop):
    write(store, server.id, page_of(failed("s1")))
"""


def test_a_process_killed_in_the_middle_of_a_page_leaves_nothing_of_it(shared_url: str) -> None:
    """Between what we know and what we owe lies no moment at which only one of them is written."""
    with child(DIE_IN_THE_MIDDLE, shared_url):
        pass
    store = open_store(shared_url)
    server = store.server("HQ")
    assert server is not None
    assert read(store, server.id, "s1").sessions == {}
    write(store, server.id, page_of(failed("s1")))
    assert store.status(now=NOW).outbox.pending == 1
    store.close()


HOLD = """
import sys, time
from tests.store.store_values import LEASE, NOW, owe
from watcher.store import open_store

store = open_store(sys.argv[1])
store.hold()
owe(store)
store.claim("ops", now=NOW, owner="first", lease=LEASE, limit=1)
print("ready", flush=True)
time.sleep(60)
"""


def test_a_second_holder_is_refused_until_the_first_is_dead(sqlite_url: str, tmp_path: Path) -> None:
    """The refusal names the first; after `kill -9` nothing is left of its lock, and its leases can be taken over."""
    store = open_store(sqlite_url)
    with child(HOLD, sqlite_url) as first:
        with pytest.raises(HeldByAnother, match=f"held by process {first.pid} on {os.uname().nodename}"):
            store.hold()
        reader = open_store(sqlite_url, read_only=True)
        assert len(reader.deliveries(state=None, limit=9)) == 1
        reader.close()
    assert (tmp_path / "watcher.db-wal").exists()
    store.hold()
    store.hold()
    assert store.take_over("second") == 1
    store.close()


def test_a_dead_writers_file_can_be_read(sqlite_url: str) -> None:
    """`watcher status` works after a crash, before anybody has written again."""
    with child(HOLD, sqlite_url):
        pass
    reader = open_store(sqlite_url, read_only=True)
    assert len(reader.deliveries(state=None, limit=9)) == 1
    reader.close()


def test_closing_lets_the_database_go(sqlite_url: str) -> None:
    """The next watcher of the same machine can hold it at once, also by another path to the same file."""
    first, second = open_store(sqlite_url), open_store(sqlite_url)
    first.hold()
    with pytest.raises(HeldByAnother, match=f"held by process {os.getpid()}"):
        second.hold()
    first.close()
    second.hold()
    second.close()


def test_a_link_leads_to_the_same_lock(sqlite_url: str, tmp_path: Path) -> None:
    """Two names of one file are one file."""
    first = open_store(sqlite_url)
    first.hold()
    (tmp_path / "link.db").symlink_to(tmp_path / "watcher.db")
    second = open_store(f"sqlite:///{tmp_path / 'link.db'}")
    with pytest.raises(HeldByAnother):
        second.hold()
    second.close()
    first.close()


def test_several_watchers_may_share_a_postgresql(postgres_url: str) -> None:
    """There rows are leased, not the database."""
    first, second = open_store(postgres_url), open_store(postgres_url)
    first.hold()
    second.hold()
    assert meet(first) == meet(second)
    first.close()
    second.close()


def test_a_database_in_memory_is_its_own(store: Store) -> None:
    """Holding is nothing there, and every store says which database it is."""
    store.hold()
    assert store.backend in {"sqlite", "postgresql"}
