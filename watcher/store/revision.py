"""Which revision a database has, and how it gets to be of ours.

Alembic costs a quarter of a second and 10 MB to import, so only an older database pays for it: a fresh one is made from
the tables themselves, and a current one is recognised by a plain SELECT. A test holds both ways to the same schema.
"""

from sqlalchemy import Connection, Engine, insert, inspect, select, text

from watcher.store.errors import NewerDatabase, StoreError
from watcher.store.schema import REVISION, alembic_version, metadata

FRESH = "fresh"
"""The state of a database that has none of our tables yet; every other state is a revision."""

_BASE = "base"
_MAKING = text("SELECT pg_advisory_xact_lock(365083650)")


def find_revision(connection: Connection, database: str) -> str:
    """Return the revision of a database, or FRESH; StoreError if it holds the tables of something else."""
    tables = set(inspect(connection).get_table_names())
    if alembic_version.name in tables:
        return connection.scalar(select(alembic_version.c.version_num)) or _BASE
    others = tables if connection.dialect.name == "sqlite" else tables & metadata.tables.keys()
    if others:
        raise StoreError(f"database {database}: it belongs to another program (table `{min(others)}`); name another")
    return FRESH


def make(engine: Engine, database: str) -> None:
    """Make the tables in an empty database, unless another process has just done so."""
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(_MAKING)
        if find_revision(connection, database) != FRESH:
            return
        metadata.create_all(connection, checkfirst=False)
        alembic_version.create(connection)
        connection.execute(insert(alembic_version).values(version_num=REVISION))


def refuse_newer(database: str, revision: str) -> None:
    """Raise NewerDatabase for a revision that is not known here; nothing has been touched by then."""
    from watcher.store.migrations import is_known  # noqa: PLC0415 - brings Alembic in

    if revision != _BASE and not is_known(revision):
        raise NewerDatabase(
            f"database {database}: a newer watcher wrote it (its revision is {revision}, ours {REVISION}); "
            "it was not touched: run that version, or name another database"
        )


def upgrade(engine: Engine) -> None:
    """Bring an older database to our revision in one transaction."""
    from watcher.store.migrations import run  # noqa: PLC0415 - brings Alembic in

    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            # Migrations rebuild SQLite's tables by dropping them; with foreign keys on, that would delete what refers
            # to them. The pragma means nothing inside a transaction, so it comes before the BEGIN, and the connection
            # does not go back to the others.
            connection.connection.cursor().execute("PRAGMA foreign_keys = OFF")
            connection.detach()
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(_MAKING)
            run(connection)
