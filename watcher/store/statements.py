"""What SQL says differently on the two databases, and lists too long for one statement."""

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Dialect, Integer, Table, Text, bindparam
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

from watcher.store.columns import storable
from watcher.store.prepared import Prepared

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

T = TypeVar("T")
_CHUNK = 500  # both databases limit a statement's parameters; SQLite to 32,766, older ones to 999


def in_chunks(items: Iterable[T]) -> Iterator[list[T]]:
    """Cut items, each once and in their order, into lists that fit into one statement."""
    unique = list(dict.fromkeys(items))
    for start in range(0, len(unique), _CHUNK):
        yield unique[start : start + _CHUNK]


class _List(TypeDecorator[Iterable[Any]]):
    """Whole numbers or words as one parameter: in JSON for SQLite, as the text of an array for PostgreSQL."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: str) -> None:
        """Keep what PostgreSQL calls the kind of its values."""
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> str:
        """Write them down."""
        values = [storable(one) if isinstance(one, str) else one for one in value or ()]
        if dialect.name == "sqlite":
            return msgspec.json.encode(values).decode()
        return "{" + ",".join(_quoted(one) if isinstance(one, str) else str(one) for one in values) + "}"


class _Listed(FunctionElement[Any]):
    """The values of a parameter, as a list to look a column up in."""

    inherit_cache = True


@compiles(_Listed, "sqlite")
def _listed_on_sqlite(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:
    values = compiler.process(element.clauses, **options)
    return f"(SELECT value FROM json_each({values}))"  # noqa: S608 - a parameter's place


@compiles(_Listed, "postgresql")
def _listed_on_postgresql(element: _Listed, compiler: SQLCompiler, **options: Any) -> str:
    values = compiler.process(element.clauses, **options)
    kind = next(iter(element.clauses)).type.kind  # type: ignore[attr-defined]  # it is a _List
    return f"(SELECT unnest(CAST({values} AS {kind}[])))"


def among(column: ColumnElement[Any], parameter: str) -> ColumnElement[bool]:
    """Ask whether a column is one of the values of a parameter, however many they are.

    It is always the same statement: with SQLAlchemy's own `IN` each length is another one, written and parsed anew.
    """
    kind = "BIGINT" if isinstance(column.type, Integer) else "TEXT"
    return column.op("IN", is_comparison=True)(_Listed(bindparam(parameter, type_=_List(kind))))


@cache
def insert_new(dialect: str, table: Table, returning: tuple[str, ...] = ()) -> Prepared:
    """Build an INSERT that passes over rows which are there already, and returns columns of those that are new."""
    statement = _insert(dialect, table).on_conflict_do_nothing()
    return Prepared(statement.returning(*(table.c[name] for name in returning)) if returning else statement)


@cache
def upsert(dialect: str, table: Table) -> Prepared:
    """Build an INSERT of whole rows that replaces those whose primary key is there already."""
    key = tuple(column.name for column in table.primary_key)
    others = tuple(column.name for column in table.c if column.name not in key)
    return upsert_some(dialect, table, key, others)


@cache
def upsert_some(dialect: str, table: Table, key: tuple[str, ...], changes: tuple[str, ...]) -> Prepared:
    """Build an INSERT that changes only some columns of a row whose key is there already."""
    statement = _insert(dialect, table)
    changed = {name: statement.excluded[name] for name in changes}
    return Prepared(statement.on_conflict_do_update(index_elements=key, set_=changed))


def lock_table(connection: Connection, table: Table) -> None:
    """Keep other writers of a table away until the transaction ends; SQLite has only one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE")


def _quoted(word: str) -> str:
    """Write a word as an array has it (PostgreSQL manual, 8.15.6)."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _insert(dialect: str, table: Table) -> "sqlite.Insert | postgresql.Insert":
    if dialect == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415 - not loaded where SQLite is used

    return postgresql.insert(table)
