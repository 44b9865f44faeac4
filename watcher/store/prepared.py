"""Statements that are run many times, by a shorter way to SQLite than SQLAlchemy's own.

SQLAlchemy takes 35 to 60 µs for a statement of which SQLite needs 3 to 10, and three times as much where its code has
left the processor's caches: an event would spend most of its way to a channel there. So a statement is still written in
SQLAlchemy, once for both databases, but for SQLite it is compiled once and then handed to the driver itself. To
PostgreSQL there is a network on the way, and SQLAlchemy stays between.
"""

from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Executable
from sqlalchemy.engine import Dialect
from sqlalchemy.exc import CompileError, NoResultFound, StatementError
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from watcher.store.sqlite import driver_of


class Prepared:
    """One statement; made once, since it is compiled when it is first run.

    Its parameters are `bindparam`s, each for one value: nothing that expands, and no value that stands in it itself
    may differ from one time to the next.
    """

    def __init__(self, statement: Executable) -> None:
        """Keep a statement of SQLAlchemy's."""
        self._statement = statement
        self._compiled: dict[tuple[str, ...], _Compiled] = {}

    def all(self, connection: Connection, values: Mapping[str, Any]) -> Sequence[Any]:
        """Run it and return its rows, which are named tuples."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, values).all()
        return self._for(connection.dialect, values).all(connection, values)

    def all_each(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Sequence[Any]:
        """Run it once for each of at least one set of values, which name all the same, and return all their rows."""
        if connection.dialect.name != "sqlite":
            return connection.execute(self._statement, rows).all()
        compiled = self._for(connection.dialect, rows[0])
        return [row for values in rows for row in compiled.all(connection, values)]

    def one(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """Run it and return its only row; SQLAlchemy's NoResultFound if there is none."""
        rows = self.all(connection, values)
        if not rows:
            raise NoResultFound("no such row")
        return rows[0]

    def run(self, connection: Connection, values: Mapping[str, Any]) -> None:
        """Run it where it returns nothing."""
        self.run_each(connection, [values])

    def run_each(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Run it once for each of at least one set of values, which name all the same parameters."""
        if connection.dialect.name != "sqlite":
            connection.execute(self._statement, rows)
        else:
            self._for(connection.dialect, rows[0]).run(connection, rows)

    def _for(self, dialect: Dialect, values: Mapping[str, Any]) -> "_Compiled":
        # The names of the values are a part of the statement: an INSERT and an UPDATE name those columns only.
        names = tuple(values)
        found = self._compiled.get(names)
        if found is None:
            found = self._compiled[names] = _Compiled(self._statement, dialect, names)
        return found


class _Compiled:
    """A statement in the words of SQLite, and how its values are written and read."""

    def __init__(self, statement: Executable, dialect: Dialect, names: Sequence[str]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=list(names))  # type: ignore[attr-defined]
        if not isinstance(compiled, SQLCompiler) or "POSTCOMPILE" in compiled.string:
            raise CompileError("a statement with parts that are only known when it runs cannot be prepared")
        self._words = compiled.string
        binds = [(name, compiled.binds[name]) for name in compiled.positiontup or ()]
        self._given = {name: compiled.params[name] for name, bind in binds if not bind.required}
        self._slots = [(name, _of(bind.type, dialect).bind_processor(dialect)) for name, bind in binds]
        columns = getattr(statement, "exported_columns", None) or ()
        named = namedtuple("Row", [column.key for column in columns], rename=True)  # type: ignore[misc]  # noqa: PYI024
        self._row = named._make
        readers = (_of(column.type, dialect).result_processor(dialect, None) for column in columns)
        self._readers = [(place, read) for place, read in enumerate(readers) if read]

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """Run it and read its rows."""
        rows = driver_of(connection).execute(self._words, self._bound(values)).fetchall()
        return [self._row(self._read(row)) for row in rows]

    def run(self, connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
        """Run it for each of these."""
        driver_of(connection).executemany(self._words, [self._bound(values) for values in rows])

    def _bound(self, values: Mapping[str, Any]) -> list[Any]:
        values = {**self._given, **values}
        try:
            return [values[name] if write is None else write(values[name]) for name, write in self._slots]
        except (TypeError, ValueError) as error:
            raise StatementError(str(error), self._words, None, error, hide_parameters=True) from error

    def _read(self, row: Sequence[Any]) -> Iterable[Any]:
        if not self._readers:
            return row
        values = list(row)
        for place, read in self._readers:
            values[place] = read(values[place])
        return values


def _of(kind: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    return kind.dialect_impl(dialect)
