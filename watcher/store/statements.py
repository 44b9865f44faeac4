"""What SQL says differently on the two databases, and lists too long for one statement."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import sqlite

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")
_CHUNK = 500  # both databases limit a statement's parameters; SQLite to 32,766, older ones to 999


def in_chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """Cut items, each once and in their order, into lists that fit into one statement."""
    unique = list(dict.fromkeys(items))
    for start in range(0, len(unique), _CHUNK):
        yield unique[start : start + _CHUNK]


@cache
def insert_new(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Build an INSERT that passes over rows which are there already."""
    return _insert(dialect, table).on_conflict_do_nothing()


@cache
def upsert(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    """Build an INSERT of whole rows that replaces those whose primary key is there already."""
    key = tuple(column.name for column in table.primary_key)
    others = tuple(column.name for column in table.c if column.name not in key)
    return upsert_some(dialect, table, key, others)


@cache
def upsert_some(
    dialect: str, table: Table, key: tuple[str, ...], changes: tuple[str, ...]
) -> "sqlite.Insert | postgresql.Insert":
    """Build an INSERT that changes only some columns of a row whose key is there already."""
    statement = _insert(dialect, table)
    return statement.on_conflict_do_update(
        index_elements=key, set_={name: statement.excluded[name] for name in changes}
    )


def lock_table(connection: Connection, table: Table) -> None:
    """Keep other writers of a table away until the transaction ends; SQLite has only one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE")


def _insert(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - not loaded where SQLite is used

    return postgresql.insert(table)
