"""Statements by the short way: what they read and write is what SQLAlchemy reads and writes."""

from datetime import datetime

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import bindparam, insert, select, text, update
from sqlalchemy.exc import CompileError, NoResultFound, StatementError

from tests.store.store_values import MINUTE, NOW, failed, meet, running, write
from watcher.core.match import Match
from watcher.core.model import Session
from watcher.core.record import Known, Page
from watcher.store import Store, open_store
from watcher.store.prepared import Prepared
from watcher.store.schema import servers, sessions, silences
from watcher.store.statements import among

ALL = select(sessions).where(sessions.c.server_id == bindparam("server_id")).order_by(sessions.c.id)
IDS = st.lists(st.text(max_size=8), max_size=6)


def test_rows_are_those_of_sqlalchemy(store: Store) -> None:
    """Times, packed values and nothing at all, by name and by position."""
    server = meet(store)
    write(store, server.id, Page((failed("s1"), running("s2"), failed("s3", ended=None))))
    key = {"server_id": server.id}
    with store._reading() as connection:
        wanted = connection.execute(ALL, key).all()
        found = Prepared(ALL).all(connection, key)
    assert [tuple(row) for row in found] == [tuple(row) for row in wanted]
    assert [row._asdict() for row in found] == [row._asdict() for row in wanted]
    assert found[0].settled == NOW
    assert found[1].settled is None


def test_what_is_written_is_what_sqlalchemy_writes(store: Store) -> None:
    """A value that stands in the statement itself, one that is given, and a column that nobody names."""
    statement = insert(silences).values(author="me")
    rows = [{"begins": NOW, "ends": NOW + n * MINUTE, "match": Match(), "reason": f"r{n}"} for n in range(3)]
    prepared = Prepared(statement.returning(silences.c.id, silences.c.ends))
    with store._writing() as connection:
        connection.execute(statement, rows)
        Prepared(statement).run_each(connection, rows)
        named = prepared.all_each(connection, rows)
        Prepared(statement).run(connection, rows[1])
        written = connection.execute(select(silences).order_by(silences.c.id)).all()
    contents = [tuple(row)[1:] for row in written]
    assert contents == [*contents[:3], *contents[:3], *contents[:3], contents[1]]
    assert [row.ends for row in named] == [row["ends"] for row in rows]
    assert [row.id for row in named] == [row.id for row in written[6:9]]


def test_only_the_columns_that_are_named_are_written(store: Store) -> None:
    """One statement serves rows of different shapes, as SQLAlchemy's does."""
    server = meet(store)
    prepared = Prepared(update(servers).where(servers.c.id == bindparam("which")))
    with store._writing() as connection:
        prepared.run(connection, {"which": server.id, "last_error": "one"})
        prepared.run(connection, {"which": server.id, "reading": "two"})
        row = connection.execute(select(servers)).one()
    assert (row.last_error, row.reading, row.name) == ("one", "two", "HQ")


def test_a_time_without_a_zone_is_refused(store: Store) -> None:
    """By either way it is the same error, which quotes no value."""
    prepared = Prepared(select(silences).where(silences.c.ends > bindparam("now")))
    naive = datetime(2026, 1, 1)
    with store._reading() as connection, pytest.raises(StatementError, match="a time without a zone") as caught:
        prepared.all(connection, {"now": naive})
    assert "2026" not in str(caught.value)


def test_a_value_that_is_missing_is_no_null(store: Store) -> None:
    """A mistake of ours is loud."""
    with store._reading() as connection, pytest.raises((KeyError, StatementError)):
        Prepared(ALL).all(connection, {})


def test_what_expands_when_it_runs_is_refused() -> None:
    """A list of values in the statement would be frozen at the first one's length."""
    store = open_store("sqlite://")
    statement = select(sessions).where(sessions.c.id.in_(bindparam("ids", expanding=True)))
    with store._reading() as connection, pytest.raises(CompileError):
        Prepared(statement).all(connection, {"ids": ["a"]})


def test_the_only_row(store: Store) -> None:
    """None is an error by name, as with SQLAlchemy."""
    server = meet(store)
    one = Prepared(select(servers.c.name).where(servers.c.id == bindparam("id")))
    with store._reading() as connection:
        assert one.one(connection, {"id": server.id}).name == "HQ"
        with pytest.raises(NoResultFound):
            one.one(connection, {"id": server.id + 1})


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(asked=IDS, known=IDS)
@example(asked=['a"b', "a\\", "{}", "NULL", "", "a,b", "\n\t", "é\U0001f600"], known=["NULL", "", '"', "a\\", "\n\t"])
def test_words_are_found_among_others_whatever_they_are(store: Store, asked: list[str], known: list[str]) -> None:
    """Quotes, braces, commas and the empty word are parts of a word; a NUL is what the column makes of it."""
    server = meet(store)
    shown = {name: Known(Session(name, "Failed", created=NOW)) for name in known}
    with store._writing() as connection:
        connection.execute(text("DELETE FROM sessions"))
    write(store, server.id, Page(tuple(shown.values())))
    ids = Prepared(select(sessions.c.id).where(among(sessions.c.id, "ids")))
    with store._reading() as connection:
        found = {row.id for row in ids.all(connection, {"ids": asked})}
    stored = {name.replace("\x00", "\N{REPLACEMENT CHARACTER}") for name in known}
    assert found == stored & {name.replace("\x00", "\N{REPLACEMENT CHARACTER}") for name in asked}


def test_a_connection_that_failed_is_not_lent_again(sqlite_url: str) -> None:
    """After an error the next transaction begins on a fresh one; otherwise it is the same each time."""
    store = open_store(sqlite_url)
    with store._connected() as first:
        pass
    with pytest.raises(ZeroDivisionError), store._connected() as second:
        raise ZeroDivisionError
    assert second is first
    assert first.closed
    with store._connected() as third:
        assert third is not first
    store.close()
    assert third.closed
