"""What can go wrong with the database, in one sentence each; foreign errors are translated here and nowhere else."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from sqlalchemy import exc


class StoreError(Exception):
    """The database could not do what was asked. The text is one sentence without a password.

    `passing`: whether trying again later may help (a lock, a full disk, a server that restarts), or somebody has to
    mend something first.
    """

    def __init__(self, text: str, *, passing: bool = False) -> None:
        """Keep the sentence and whether the trouble may pass by itself."""
        super().__init__(text)
        self.passing = passing


class NewerDatabase(StoreError):  # noqa: N818 - it is said as a noun: "a newer database"
    """The database was written by a newer version; nothing in it was touched."""


class HeldByAnother(StoreError):  # noqa: N818 - it is said as a sentence: "held by another"
    """Another `watcher run` holds this database; the text names it."""


class NoSuchChannel(StoreError):  # noqa: N818 - it is said as a sentence
    """A channel that rows should go to is in no settings that the daemon knows; the text names those that are."""


_SQLITE = (
    ("SQLITE_BUSY", "it is locked by another process", True),
    ("SQLITE_LOCKED", "it is locked by another connection", True),
    ("SQLITE_FULL", "the disk is full", True),
    ("SQLITE_IOERR", "the disk reports an input/output error", True),
    ("SQLITE_CANTOPEN", "it cannot be opened", True),
    ("SQLITE_NOTADB", "the file is no SQLite database; name another in WATCHER_DATABASE_URL", False),
    ("SQLITE_CORRUPT", "the file is damaged; put a copy of it back from a backup", False),
    ("SQLITE_READONLY", "it may only be read", False),
    ("SQLITE_PERM", "access is denied", False),
    ("SQLITE_AUTH", "access is denied", False),
    ("SQLITE_CONSTRAINT", "it refused a row that contradicts another", False),
)
"""Beginnings of SQLite's result codes (sqlite.org/rescode.html), what they say, and whether it may pass."""

_POSTGRESQL = (
    ("28", "the server refused the login", False),
    ("3D", "the server has no such database", False),
    ("42501", "the login may not do that", False),
    ("42", "the tables are not those of this program", False),
    ("23", "it refused a row that contradicts another", False),
    ("25006", "it may only be read", False),
    ("53100", "the disk is full", True),
    ("55P03", "it is locked by another process", True),
    ("40", "another process got in between", True),
    ("53", "the server is short of resources", True),
    ("57", "the server is shutting down or starting", True),
    ("08", "the connection broke", True),
)
"""Beginnings of SQLSTATE codes (PostgreSQL manual, appendix A), what they say, and whether it may pass."""


@contextmanager
def translated(database: str) -> Iterator[None]:
    """Turn the errors of SQLAlchemy, its drivers and the decoder into a StoreError that names the database."""
    try:
        yield
    except exc.DBAPIError as error:
        text, passing = _driver_trouble(error)
    except sqlite3.Error as error:
        text, passing = _sqlite_trouble(error)
    except exc.TimeoutError:
        text, passing = "all connections are in use", True
    except exc.StatementError as error:
        text, passing = f"a value cannot be stored ({type(error.orig).__name__})", False
    except exc.NoResultFound:
        text, passing = "it has no such row", False
    except exc.SQLAlchemyError as error:
        text, passing = f"it cannot be used ({type(error).__name__})", False
    except UnicodeError:
        text, passing = "a value cannot be stored (it is not Unicode)", False
    except msgspec.MsgspecError:
        text, passing = "a stored value cannot be read; was the database edited by hand?", False
    else:
        return
    # Raised out here, without its cause: what drivers say may quote values.
    raise StoreError(f"database {database}: {text}", passing=passing)


def os_trouble(database: str, error: OSError) -> StoreError:
    """Say what the operating system refused about the database's file or folder."""
    return StoreError(f"database {database}: {(error.strerror or 'the file cannot be used').lower()}")


def _driver_trouble(error: exc.DBAPIError) -> tuple[str, bool]:
    original = error.orig
    if isinstance(original, sqlite3.Error):
        return _sqlite_trouble(original)
    code = getattr(original, "sqlstate", None)
    if code is None and isinstance(error, exc.OperationalError):
        return _unreachable(str(original))
    return _by_code(_POSTGRESQL, code or "", type(original).__name__)


def _sqlite_trouble(error: sqlite3.Error) -> tuple[str, bool]:
    return _by_code(_SQLITE, getattr(error, "sqlite_errorname", ""), type(error).__name__)


def _by_code(table: tuple[tuple[str, str, bool], ...], code: str, otherwise: str) -> tuple[str, bool]:
    for beginning, text, passing in table:
        if code.startswith(beginning):
            return text, passing
    return f"it reports {code or otherwise}", False


def _unreachable(text: str) -> tuple[str, bool]:
    # libpq gives no code when connecting fails, and its text names user and host, never the password.
    if "authentication failed" in text or "no password supplied" in text:
        return "the server refused the login", False
    if "does not exist" in text:
        return "the server has no such database or login", False
    return "the server cannot be reached", True
