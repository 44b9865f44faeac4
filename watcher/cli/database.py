"""The database that a command asks: opened and closed, and what is wrong with it in plain words."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from watcher.cli.ending import Ending
from watcher.settings import Settings
from watcher.store import NewerDatabase, NoSuchChannel, Store, StoreError, open_store

_SQLITE = "sqlite:///"


@contextmanager
def opened(settings: Settings, *, read_only: bool = True) -> Iterator[Store]:
    """Open the database for as long as the block runs. StoreError, PermissionError.

    To be written, it has to be there: naming the wrong one makes none.
    """
    url = settings.database_url.reveal()
    if not read_only:
        open_store(url, read_only=True).close()
    store = open_store(url, read_only=read_only)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn errors of the store into endings: 2 for a newer database and for names that nothing has, else 1."""
    try:
        yield
    except (NewerDatabase, NoSuchChannel) as error:
        raise Ending(str(error), code=2) from None
    except StoreError as error:
        raise Ending(str(error), code=1) from None
    except PermissionError as error:
        raise Ending(closed_to_us(error), code=1) from None


def closed_to_us(error: PermissionError) -> str:
    """Say that a database stands in a folder that this user may not enter: others than the service mostly may not."""
    return f"database {error.filename or '?'}: this user may not enter its folder; try as another, or as root"


def database_file(settings: Settings) -> Path | None:
    """Return the file of the database, which need not be there; None for one on a server."""
    url = settings.database_url.reveal()
    return Path(url.removeprefix(_SQLITE)) if url.startswith(_SQLITE) else None
