"""What the watchdogs ask of the store: what there is to judge by, and writing down what they say."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from watcher.core.model import Session
from watcher.core.watchdog.alarm import Review
from watcher.core.watchdog.facts import Ledger
from watcher.store import alarms, pages
from watcher.store.transactions import Transactions


class Guards(Transactions):
    """The side of the store that faces the watchdogs."""

    def guard(
        self, server_id: int, job_ids: Iterable[str], decide: Callable[[Ledger], Review], *, now: datetime
    ) -> Review:
        """Let `decide` say what changes, and store it, all of it or nothing.

        It is asked twice if it finds something, the second time with the server locked against others who look at it;
        that answer counts. `job_ids`: the jobs of which it has to know when they ran last.
        """
        wanted = tuple(job_ids)
        with self._reading() as connection:
            said = decide(alarms.read_ledger(connection, server_id, wanted, now))
        if said.is_empty:
            return said
        with self._writing() as connection:
            pages.lock(connection, server_id)
            said = decide(alarms.read_ledger(connection, server_id, wanted, now))
            alarms.write(connection, server_id, said, now)
            return said

    def runs(self, server_id: int, job_ids: Iterable[str], *, most: int) -> Mapping[str, tuple[Session, ...]]:
        """Return the last sessions of some jobs that are over, newest first, so many of each at the most."""
        with self._reading() as connection:
            return {job_id: alarms.runs_of(connection, server_id, job_id, most) for job_id in job_ids}
