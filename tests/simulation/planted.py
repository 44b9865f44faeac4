"""Bugs that others have, put in on purpose: the simulation has to find both."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from watcher.core.delivery import Delivery, Settlement, State
from watcher.core.record import Ledger, Page
from watcher.store import Store


class MarksBeforeItSends:
    """A store that calls a delivery delivered as soon as it is claimed, as Healthchecks does."""

    def __init__(self, store: Store, _crash: Callable[[], None]) -> None:
        """Stand in front of a store."""
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def claim(self, channel: str, *, now: datetime, owner: str, **others: Any) -> list[Delivery]:
        """Claim, and mark."""
        rows = self._store.claim(channel, now=now, owner=owner, **others)
        self._store.settle({row.id: Settlement(State.DELIVERED) for row in rows}, owner=owner, now=now)
        return rows


class TwoTransactions:
    """A store that writes what it knows in one transaction, and what it owes in the next."""

    def __init__(self, store: Store, crash: Callable[[], None]) -> None:
        """Stand in front of a store; `crash` is where a process may end."""
        self._store = store
        self._crash = crash

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def record(
        self, server_id: int, session_ids: Any, job_ids: Any, write: Callable[[Ledger], Page], *, now: datetime
    ) -> Page:
        """Record in two steps."""
        pages: list[Page] = []

        def knowing(ledger: Ledger) -> Page:
            pages.append(write(ledger))
            return Page(pages[0].sessions, pages[0].outcomes)

        self._store.record(server_id, session_ids, job_ids, knowing, now=now)
        self._crash()
        self._store.record(server_id, [], [], lambda _: Page(events=pages[0].events, owed=pages[0].owed), now=now)
        return pages[0]


BUGS: Mapping[str, Callable[[Store, Callable[[], None]], Any]] = {
    "mark before send": MarksBeforeItSends,
    "state and outbox in two transactions": TwoTransactions,
}
