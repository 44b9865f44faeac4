"""A database in use: its transactions, in the words of the store's errors, and the lock that keeps others out."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine

from watcher.store.errors import translated
from watcher.store.lock import FileLock
from watcher.store.sqlite import is_spoilt


class Transactions:
    """An engine whose errors are ours. They block, so an event loop calls them in a worker thread."""

    def __init__(self, engine: Engine, name: str, lock: FileLock | None = None) -> None:
        """Take over an engine whose schema is of our revision; `name` is what errors call the database."""
        self._engine = engine
        self._idle: list[Connection] = []
        self._name = name
        self._lock = lock

    @property
    def backend(self) -> str:
        """Which database it is: `sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def hold(self) -> None:
        """Take the database for this process until `close` or its death; HeldByAnother names who has it.

        Only an SQLite file is held, by a lock on `<file>.lock`; a PostgreSQL database may have several watchers.
        """
        if self._lock:
            self._lock.take()

    def close(self) -> None:
        """Close all connections, then let the database go."""
        while (connection := self._taken()) is not None:
            connection.close()
        self._engine.dispose()
        if self._lock:
            self._lock.free()

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(self._name), self._connected(reads=True, may_be_lost=False) as connection:
            yield connection

    @contextmanager
    def _writing(self, *, may_be_lost: bool = False) -> Iterator[Connection]:
        """Write in one transaction. One that `may_be_lost` is not waited for until it lies on the disk: a power cut may
        take it back, the death of the process never does, and whatever is written after it takes it along.
        """
        with translated(self._name), self._connected(reads=False, may_be_lost=may_be_lost) as connection:
            yield connection

    @contextmanager
    def _connected(self, **options: bool) -> Iterator[Connection]:
        """Lend a connection for one transaction.

        Those to SQLite are kept here: to get one from SQLAlchemy's pool and to give it back takes as long as to write
        an event. Those to a server are the pool's, which looks whether they still live.
        """
        connection = self._taken() or self._engine.connect()
        try:
            with connection.execution_options(**options).begin():
                yield connection
        except BaseException as problem:
            if is_spoilt(problem):
                connection.invalidate()
            connection.close()
            raise
        if self.backend == "sqlite":
            self._idle.append(connection)
        else:
            connection.close()

    def _taken(self) -> Connection | None:
        try:
            return self._idle.pop()
        except IndexError:  # asked first, it could be taken by another thread in between
            return None
