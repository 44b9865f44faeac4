"""What SQL says differently on the two databases, and lists too long for one statement."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Dialect, Table, Text, bindparam
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")
_CHUNK = 500  # both databases limit a statement's parameters; SQLite to 32,766, older ones to 999


def in_chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """Cut items, each once and in their order, into lists that fit into one statement."""
    unique = list(dict.fromkeys(items))
    for start in range(0, len(unique), _CHUNK):
        yield unique[start : start + _CHUNK]


class _Numbers(TypeDecorator[Iterable[int]]):
    """Whole numbers as one parameter: in JSON for SQLite, as the text of an array for PostgreSQL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Iterable[int] | None, dialect: Dialect) -> str:
        """Write them down."""
        listed = ",".join(map(str, value or ()))
        return f"[{listed}]" if dialect.name == "sqlite" else f"{{{listed}}}"


class _Listed(FunctionElement[int]):
    """The numbers of a parameter, as a list to look a column up in."""

    inherit_cache = True


@compiles(_Listed, "sqlite")
def _listed_on_sqlite(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:
    numbers = compiler.process(element.clauses, **options)
    return f"(SELECT value FROM json_each({numbers}))"  # noqa: S608 - a parameter's place


@compiles(_Listed, "postgresql")
def _listed_on_postgresql(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:
    numbers = compiler.process(element.clauses, **options)
    return f"(SELECT unnest(CAST({numbers} AS BIGINT[])))"


def among(column: ColumnElement[int], parameter: str) -> ColumnElement[bool]:
    """Ask whether a column is one of the numbers of a parameter, however many they are.

    It is always the same statement: with SQLAlchemy's own `IN` each length is another one, written and parsed anew.
    """
    return column.op("IN", is_comparison=True)(_Listed(bindparam(parameter, type_=_Numbers())))


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
