"""From a database URL to a store that is ready: found or made, of our revision, and said plainly where it is not."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import URL, Engine, make_url
from sqlalchemy.exc import ArgumentError

from watcher.store import revision
from watcher.store.errors import StoreError, translated
from watcher.store.lock import FileLock
from watcher.store.postgresql import server_engine
from watcher.store.schema import REVISION
from watcher.store.sqlite import file_engine, keep_a_journal, make_file, memory_engine
from watcher.store.store import Store

PATIENCE = timedelta(seconds=5)
_FORMS = "sqlite:///path, sqlite:////absolute/path or postgresql://user@host/name"


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a database is: its name in sentences, its engine, and the lock that a file has beside it."""

    name: str
    engine: Engine
    lock: FileLock | None = None


def open_store(url: str, *, read_only: bool = False, patience: timedelta = PATIENCE) -> Store:
    """Open a database, making or upgrading it where needed; read-only, it must be there and is left as it is.

    `url` is `sqlite:///path` (`sqlite://` in memory) or `postgresql://…`; `patience` is how long a call waits for a
    lock that another process holds. Raises StoreError, and NewerDatabase for one that a newer version wrote.
    An older SQLite file is upgraded under the lock of `Store.hold`, so not below a running watcher: HeldByAnother.
    """
    place = _place(_parsed(url), read_only=read_only, patience=patience)
    try:
        with translated(place.name):
            (_look_at if read_only else _prepare)(place)
    except BaseException:
        place.engine.dispose()
        if place.lock:
            place.lock.free()
        raise
    return Store(place.engine, place.name, place.lock)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):  # from None: the text may quote a password
        raise StoreError(f"the database URL cannot be understood; the forms are {_FORMS}") from None
    return parsed


def _place(url: URL, *, read_only: bool, patience: timedelta) -> _Place:
    kind = url.drivername
    if kind == "sqlite":
        return _file_or_memory(url, read_only=read_only, patience=patience)
    if kind in {"postgresql", "postgres", "postgresql+psycopg"}:
        host = url.host or url.query.get("host", "local")
        return _Place(f"{url.database} on {host}", server_engine(url, read_only=read_only, patience=patience))
    raise StoreError(f"databases of the kind `{kind}` are not known; the forms are {_FORMS}")


def _file_or_memory(url: URL, *, read_only: bool, patience: timedelta) -> _Place:
    if url.host or url.query:
        raise StoreError(f"the database URL has more than a path in it (count the slashes); the forms are {_FORMS}")
    if url.database in {None, "", ":memory:"}:
        return _Place("in memory", memory_engine())
    path = Path(url.database or "")
    if not read_only:
        make_file(path)
    elif not path.is_file():
        raise StoreError(f"no database at {path}: has `watcher run` been started?")
    lock = None if read_only else FileLock(path)
    return _Place(str(path), file_engine(path, read_only=read_only, patience=patience), lock)


def _look_at(place: _Place) -> None:
    """Make sure that a database which is only read is of our revision."""
    found = _found(place)
    if found == revision.FRESH:
        raise StoreError(f"database {place.name}: it is empty: has `watcher run` been started?")
    if found != REVISION:
        revision.refuse_newer(place.name, found)
        raise StoreError(f"database {place.name}: an older watcher wrote it; `watcher run` brings it up to date")


def _prepare(place: _Place) -> None:
    """Bring a database to our revision; one of a newer version is not touched at all."""
    found = _found(place)
    if found not in {revision.FRESH, REVISION}:
        revision.refuse_newer(place.name, found)
        if place.lock:
            place.lock.take()
        revision.upgrade(place.engine)
    if place.lock:
        keep_a_journal(place.engine)
    if found == revision.FRESH:
        revision.make(place.engine, place.name)


def _found(place: _Place) -> str:
    with place.engine.connect().execution_options(reads=True) as connection:
        return revision.find_revision(connection, place.name)
