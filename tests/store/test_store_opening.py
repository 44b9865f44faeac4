"""Opening: what is made, what is refused, and in which words."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from tests.store.store_values import GREETING, NOW, failed, listening, meet, owe, page_of, write
from watcher.store import NewerDatabase, StoreError, open_store
from watcher.store.schema import REVISION


def snapshot(folder: Path) -> dict[str, bytes]:
    """Read all files of a folder, byte by byte."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def run_sql(url: str, *statements: str) -> None:
    """Change a database file behind the store's back."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
        for statement in statements:
            connection.execute(statement)


@pytest.fixture
def umask() -> Iterator[None]:
    """Let new files be readable by everybody, unless their maker says otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("umask")
def test_a_new_file_is_its_users_alone(sqlite_url: str, tmp_path: Path) -> None:
    """Neither the database nor what SQLite and the lock put beside it can be read by others."""
    store = open_store(sqlite_url)
    store.hold()
    owe(store)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    store.close()
    assert modes == dict.fromkeys(["watcher.db", "watcher.db-wal", "watcher.db-shm", "watcher.db.lock"], 0o600)


def test_every_connection_is_safe_against_a_crash(sqlite_url: str) -> None:
    """The journal is a write-ahead log, each commit reaches the disk, and references hold."""
    store = open_store(sqlite_url)
    with store._engine.connect() as connection:
        asked = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    store.close()
    assert asked == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}


def test_only_what_may_be_lost_is_not_waited_for(sqlite_url: str) -> None:
    """That a look went well need not lie on the disk at once; all that is known and owed must, right after it too."""
    said: list[str] = []
    with closing(open_store(sqlite_url)) as store:
        server = meet(store)
        with listening(store, lambda statement, _: said.append(statement)):
            for name in ("s1", "s2"):
                store.finish_look(server.id, now=NOW, greeting=GREETING, watermark=None, jobs={})
                store.memory(server.id, horizon=NOW)
                write(store, server.id, page_of(failed(name)))
                store.settle({}, owner="me", now=NOW)
    kinds = ("PRAGMA synchronous = NORMAL", "PRAGMA synchronous = FULL", "UPDATE servers", "INSERT INTO deliveries")
    assert [kind for one in said for kind in kinds if one.startswith(kind)] == [
        "PRAGMA synchronous = NORMAL",
        "UPDATE servers",
        "PRAGMA synchronous = FULL",
        "INSERT INTO deliveries",
    ] * 2


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "cannot be understood"),
        ("watcher.db", "cannot be understood"),
        ("postgresql://user:s3cret@host:port/name", "cannot be understood"),
        ("mysql://user:s3cret@host/name", "`mysql` are not known"),
        ("sqlite://watcher.db", "count the slashes"),
        ("sqlite:///watcher.db?mode=rwc", "more than a path"),
        ("sqlite:////no/such/folder/watcher.db", "make the folder /no/such/folder first"),
        ("sqlite:////", "this is a folder"),
        ("sqlite:////proc/watcher.db", "database /proc/watcher.db: "),
        ("postgresql://user:s3cret@127.0.0.1:1/name", "name on 127.0.0.1: the server cannot be reached"),
        ("postgres://user:s3cret@127.0.0.1:1/name", "the server cannot be reached"),
    ],
)
def test_a_url_that_leads_nowhere_says_so_in_one_line(url: str, words: str) -> None:
    """The sentence names what is wrong and how it is mended, and never the password."""
    with pytest.raises(StoreError) as caught:
        open_store(url)
    text = str(caught.value)
    assert words in text
    assert "s3cret" not in text
    assert "\n" not in text
    assert not isinstance(caught.value, NewerDatabase)


def test_a_server_that_is_away_may_come_back(postgres_url: str) -> None:
    """A server that is down is worth trying again; a database that is not there has to be made."""
    with pytest.raises(StoreError) as away:
        open_store("postgresql://127.0.0.1:1/name")
    with pytest.raises(StoreError, match="no such database") as missing:
        open_store(postgres_url.replace("/lent", "/not_there"))
    assert (away.value.passing, missing.value.passing) == (True, False)


def test_postgresql_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plain install cannot speak to PostgreSQL, and says what to install."""
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'vb365-watcher\[postgres\]'"):
        open_store("postgresql://user:s3cret@127.0.0.1/name")


def test_a_file_of_something_else_is_left_alone(sqlite_url: str, tmp_path: Path) -> None:
    """Neither a text nor another program's database is written to."""
    (tmp_path / "watcher.db").write_text("my diary, and not a short one: " + "dear diary, " * 100)
    before = snapshot(tmp_path)
    with pytest.raises(StoreError, match="no SQLite database"):
        open_store(sqlite_url)
    assert snapshot(tmp_path) == before

    (tmp_path / "watcher.db").unlink()
    run_sql(sqlite_url, "CREATE TABLE bookmarks (url TEXT)")
    before = snapshot(tmp_path)
    with pytest.raises(StoreError, match=r"belongs to another program .*bookmarks"):
        open_store(sqlite_url)
    assert snapshot(tmp_path) == before


def test_an_empty_file_is_made_into_a_database(sqlite_url: str, tmp_path: Path) -> None:
    """A crash between making the file and filling it leaves nothing that the next start stumbles over."""
    (tmp_path / "watcher.db").touch()
    with pytest.raises(StoreError, match="is empty"):
        open_store(sqlite_url, read_only=True)
    store = open_store(sqlite_url)
    meet(store)
    store.close()


@pytest.mark.parametrize("read_only", [False, True])
def test_a_newer_sqlite_file_is_not_touched(sqlite_url: str, tmp_path: Path, read_only: bool) -> None:
    """Every byte stays, and no file appears beside it; the sentence names both revisions."""
    open_store(sqlite_url).close()
    run_sql(sqlite_url, "PRAGMA journal_mode = DELETE")
    run_sql(sqlite_url, "UPDATE alembic_version SET version_num = '9999'", "DROP TABLE channels")
    before = snapshot(tmp_path)
    with pytest.raises(NewerDatabase, match=f"revision is 9999, ours {REVISION}"):
        open_store(sqlite_url, read_only=read_only)
    assert snapshot(tmp_path) == before


def test_a_file_that_another_process_is_making_is_a_passing_trouble(sqlite_url: str, tmp_path: Path) -> None:
    """Two first starts at once: the second says that it had to wait, and nothing is broken."""
    (tmp_path / "watcher.db").touch()
    with closing(sqlite3.connect(tmp_path / "watcher.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreError, match="locked by another process") as caught:
            open_store(sqlite_url, patience=timedelta(milliseconds=10))
    assert caught.value.passing
    open_store(sqlite_url).close()


def test_reading_needs_a_database(sqlite_url: str, tmp_path: Path) -> None:
    """A command that only reads makes nothing, and says what would."""
    with pytest.raises(StoreError, match=r"no database at .*watcher.db: has `watcher run` been started\?"):
        open_store(sqlite_url, read_only=True)
    assert list(tmp_path.iterdir()) == []


def test_a_reader_sees_what_a_writer_beside_it_commits(shared_url: str) -> None:
    """Reading goes on beside a running watcher, shows each commit, and takes no lock."""
    writer = open_store(shared_url)
    writer.hold()
    reader = open_store(shared_url, read_only=True)
    assert reader.sessions(limit=9) == []
    server = meet(writer)
    write(writer, server.id, page_of(failed("s1")))
    assert [session.id for session in reader.sessions(limit=9)] == ["s1"]
    assert reader.status(now=NOW).outbox.pending == 1
    reader.close()
    write(writer, server.id, page_of(failed("s2")))
    writer.close()


def test_a_reader_cannot_write(shared_url: str) -> None:
    """A store that was opened for reading refuses to change anything, in our own words."""
    open_store(shared_url).close()
    reader = open_store(shared_url, read_only=True)
    with pytest.raises(StoreError, match="may only be read"):
        meet(reader)
    reader.close()


def test_a_file_that_was_taken_away_is_not_made_anew(sqlite_url: str, tmp_path: Path) -> None:
    """An administrator who moves the file gets an error, not a watcher that forgot everything."""
    store = open_store(sqlite_url)
    store.close()
    (tmp_path / "watcher.db").rename(tmp_path / "moved.db")
    with pytest.raises(StoreError, match="cannot be opened"):
        meet(store)
    assert not (tmp_path / "watcher.db").exists()
    store.close()


def test_a_usual_start_imports_neither_alembic_nor_psycopg(sqlite_url: str) -> None:
    """Both are heavy: making a file and opening a current one need neither."""
    code = (
        "import sys; from watcher.store import open_store\n"
        f"for _ in range(2): open_store({sqlite_url!r}).close()\n"
        f"open_store({sqlite_url!r}, read_only=True).close()\n"
        "print(sorted({'alembic', 'psycopg', 'sqlalchemy.dialects.postgresql'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"
