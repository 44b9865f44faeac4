"""SQLite as this store needs it: safe against crashes, open to readers beside the writer, private to its user."""

import os
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.exc import DBAPIError

from watcher.store.errors import StoreError, os_trouble

_SPOILT = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR")


def memory_engine() -> Engine:
    """Make a database in memory: one connection, used by one caller at a time, for simulations and tests."""
    engine = create_engine(
        "sqlite://",
        poolclass=StaticPool,
        connect_args={"isolation_level": None, "check_same_thread": False},
        hide_parameters=True,
    )
    _listen(engine)
    return engine


def file_engine(path: Path, *, read_only: bool, patience: timedelta) -> Engine:
    """Open a file that is there already; `patience` is how long a statement waits for another process's lock."""
    mode = "ro" if read_only else "rw"  # never "rwc": a file taken away must be an error, not a fresh empty database
    uri = f"file:{quote(str(path.absolute()))}?mode={mode}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(
            uri, uri=True, timeout=patience.total_seconds(), isolation_level=None, check_same_thread=False
        )

    engine = create_engine(f"sqlite:///{path}", creator=connect, hide_parameters=True)
    _listen(engine)
    return engine


def make_file(path: Path) -> None:
    """Make an empty file that only its user may read, or leave the one that is there."""
    if path.is_dir():
        raise StoreError(f"database {path}: this is a folder; name a file in it")
    if not path.parent.is_dir():
        raise StoreError(f"database {path}: make the folder {path.parent} first, or name another database")
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return
    except OSError as error:
        raise os_trouble(str(path), error) from error


def keep_a_journal(engine: Engine) -> None:
    """Switch the file to write-ahead logging, so that readers never wait for the writer; the file remembers it.

    Not done on connecting: it writes to the file, and a file of a newer version must not be touched.
    """
    connection = engine.raw_connection()
    try:
        connection.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        connection.close()


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Return the driver's own connection, which takes a fifth of SQLAlchemy's time for a short statement."""
    driver: Any = connection.connection.dbapi_connection
    return driver  # type: ignore[no-any-return]


def is_spoilt(problem: BaseException) -> bool:
    """Whether a connection has seen a file that is damaged or cannot be read, and would not see that it was mended.

    It has pages of that file in its memory, and keeps the file open that may have been replaced by another.
    """
    original = problem.orig if isinstance(problem, DBAPIError) else problem
    return getattr(original, "sqlite_errorname", "").startswith(_SPOILT)


def _listen(engine: Engine) -> None:
    # Python 3.11's sqlite3 begins transactions only before a write, and deferred: a look that reads first would then
    # fail with SQLITE_BUSY_SNAPSHOT, which no timeout cures. So it is told to keep out, and we say BEGIN ourselves.
    event.listen(engine, "connect", _on_connect)
    event.listen(engine, "begin", _on_begin)


def _on_connect(connection: sqlite3.Connection, record: Any) -> None:
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    record.info["synchronous"] = "FULL"


def _on_begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    driver = driver_of(connection)
    if options.get("reads"):
        driver.execute("BEGIN")
        return
    wanted = "NORMAL" if options.get("may_be_lost") else "FULL"
    if connection.info["synchronous"] != wanted:  # it cannot be changed within a transaction
        driver.execute(f"PRAGMA synchronous = {wanted}")
        connection.info["synchronous"] = wanted
    driver.execute("BEGIN IMMEDIATE")
