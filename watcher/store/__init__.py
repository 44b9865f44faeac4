"""The store: one schema for SQLite and PostgreSQL, and the few operations that the loops and the readers need.

Whatever is not in the store is not known and not owed: that is why a crash loses nothing.
"""

from watcher.store.errors import HeldByAnother, NewerDatabase, NoSuchChannel, StoreError
from watcher.store.opening import open_store
from watcher.store.store import Store

__all__ = ["HeldByAnother", "NewerDatabase", "NoSuchChannel", "Store", "StoreError", "open_store"]
