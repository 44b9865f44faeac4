"""The two ways to a schema, `create_all` and the migrations, lead to the same one on both databases."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

import watcher.store.migrations
from tests.store.conftest import PostgresServer
from tests.store.store_values import meet, owe
from watcher.store import HeldByAnother, StoreError, open_store
from watcher.store.schema import REVISION, metadata

if TYPE_CHECKING:
    from collections.abc import Iterable

ALEMBICS_TABLE = "CREATE TABLE alembic_version (version_num VARCHAR(32) CONSTRAINT alembic_version_pkc PRIMARY KEY)"


def stamp_as_oldest(path: Path) -> None:
    """Leave a file as Alembic does before the first revision: its own table, and nothing in it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(ALEMBICS_TABLE)


def sqlite_schema(path: Path) -> set[str]:
    """Read what SQLite itself says its tables and indexes are, with the columns in any order."""
    with closing(sqlite3.connect(path)) as connection:
        rows: Iterable[tuple[str]] = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
        made = ["".join(sql.replace("CREATE UNIQUE", "CREATE").split()).replace('"', "") for (sql,) in rows]
    return {",".join(sorted(sql.replace("(", ",", 1).split(","))) for sql in made if "alembic_version" not in sql}


def postgres_schema(url: str) -> set[tuple[object, ...]]:
    """Read what PostgreSQL itself says its columns, indexes and constraints are."""
    questions = (
        "SELECT table_name, column_name, data_type, character_maximum_length, is_nullable, column_default"
        " FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE connamespace = 'public'::regnamespace",
    )
    with psycopg.connect(url) as connection:
        rows = [row for question in questions for row in connection.execute(question.encode())]
    return {row for row in rows if "alembic_version" not in str(row)}


def differences(url: str) -> list[object]:
    """Ask Alembic what it would still change in a database to make it ours."""
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found: list[object] = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()
    return [change for change in found if not _is_a_partial_index(change)]


def _is_a_partial_index(change: object) -> bool:
    """Alembic sees the partial indexes only in the database: the tables make them by statements of their own."""
    match change:
        case ("remove_index", index):
            return getattr(index, "name", "") in {
                "ix_sessions_open",
                "ix_chains_open",
                "ix_deliveries_pending",
                "ix_deliveries_subject",
                "ix_deliveries_grouping",
                "ix_deliveries_dead",
            }
    return False


def test_the_newest_migration_is_our_revision() -> None:
    """A fresh database is stamped with the revision that the migrations end with."""
    scripts = ScriptDirectory.from_config(watcher.store.migrations._config())
    assert scripts.get_heads() == [REVISION]


def test_sqlite_comes_out_the_same_both_ways(tmp_path: Path) -> None:
    """A file that was upgraded from the beginning has the tables of a fresh one."""
    fresh, upgraded = tmp_path / "fresh.db", tmp_path / "upgraded.db"
    stamp_as_oldest(upgraded)
    for path in (fresh, upgraded):
        open_store(f"sqlite:///{path}").close()
        assert differences(f"sqlite:///{path}") == []
    assert sqlite_schema(upgraded) == sqlite_schema(fresh)
    assert len(sqlite_schema(fresh)) > len(metadata.tables)


def test_postgresql_comes_out_the_same_both_ways(postgres: PostgresServer) -> None:
    """A database that was upgraded from the beginning has the tables of a fresh one."""
    fresh, upgraded = postgres.make(empty=True), postgres.make(empty=True)
    with psycopg.connect(upgraded) as connection:
        connection.execute(ALEMBICS_TABLE.encode())
    for url in (fresh, upgraded):
        open_store(url).close()
        assert differences(url) == []
    assert postgres_schema(upgraded) == postgres_schema(fresh)
    assert len(postgres_schema(fresh)) > len(metadata.tables)


def test_an_upgraded_file_works_like_any_other(sqlite_url: str, tmp_path: Path) -> None:
    """It is stamped, it is not upgraded again, and it does its work."""
    stamp_as_oldest(tmp_path / "watcher.db")
    open_store(sqlite_url).close()
    store = open_store(sqlite_url)
    assert owe(store) == [1]
    store.close()


def test_an_older_file_is_not_upgraded_below_a_running_watcher(sqlite_url: str, tmp_path: Path) -> None:
    """Whoever holds the file works with its old tables; the newcomer is sent away before it changes them."""
    running = open_store(sqlite_url)
    running.hold()
    with closing(sqlite3.connect(tmp_path / "watcher.db")) as connection, connection:
        connection.execute("DELETE FROM alembic_version")
    with pytest.raises(HeldByAnother):
        open_store(sqlite_url)
    meet(running)
    running.close()


def test_an_older_database_is_not_upgraded_by_a_reader(sqlite_url: str, tmp_path: Path) -> None:
    """Reading changes nothing, so it says what would."""
    stamp_as_oldest(tmp_path / "watcher.db")
    before = (tmp_path / "watcher.db").read_bytes()
    with pytest.raises(StoreError, match="`watcher run` brings it up to date"):
        open_store(sqlite_url, read_only=True)
    assert (tmp_path / "watcher.db").read_bytes() == before


def test_a_newer_postgresql_database_is_not_touched(own_postgres_url: str) -> None:
    """Nothing is made or changed in a database whose revision is not known here."""
    with psycopg.connect(own_postgres_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.execute("DROP TABLE channels")
    before = postgres_schema(own_postgres_url)
    with pytest.raises(StoreError, match="newer watcher") as caught:
        open_store(own_postgres_url)
    assert type(caught.value).__name__ == "NewerDatabase"
    assert postgres_schema(own_postgres_url) == before


def test_a_database_may_be_shared_with_other_tables(postgres: PostgresServer) -> None:
    """On PostgreSQL strangers' tables are no obstacle, unless one has a name of ours."""
    url = postgres.make(empty=True)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    open_store(url).close()
    url = postgres.make(empty=True)
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE sessions (url TEXT)")
    with pytest.raises(StoreError, match=r"another program \(table `sessions`\)"):
        open_store(url)
