"""The store: what is known and what is owed, each method one transaction."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from watcher.core.backoff import GIVE_UP_AFTER
from watcher.core.delivery import Delivery, Settlement
from watcher.core.model import JOB_KINDS, Failure, Greeting, Job, JobType, Memory, Session
from watcher.core.parcels import Batches, Binder
from watcher.core.record import Ledger, Page, Refusal, ServerRecord
from watcher.core.sickness import Condition, Notice, Place
from watcher.core.views import Revived
from watcher.store import directory, outbox, pages, pruning, watched
from watcher.store import kinds as works
from watcher.store.guards import Guards
from watcher.store.people import People

_SINGLE = Batches()


class Store(People, Guards):
    """What the two loops and the readers share; made by `open_store`.

    Every method is one transaction and raises StoreError, and nothing else, for what the database does. They block, so
    an event loop calls them in a worker thread. Calls may come from any thread, but in memory from one at a time.
    Times are aware.
    """

    def server(self, name: str, installation_id: str | None = None) -> ServerRecord | None:
        """Return the server that was met as this installation, else under this name; None before first contact."""
        with self._reading() as connection:
            met = watched.find(connection, name, installation_id)
            return met and replace(met, kinds=works.watched(connection, met.id))

    def meet(
        self,
        name: str,
        url: str,
        greeting: Greeting,
        *,
        first_contact: datetime,
        news_from: datetime,
        kinds: Collection[JobType] = JOB_KINDS,
    ) -> ServerRecord:
        """Return a server's record, made with these two times if it is new; they never move afterwards.

        It is found by its installation (and renamed, if its name has changed), else by its name; an installation that
        was not known before is filled in, one that is known stays. A server that has the name already and turns out to
        be another is called `NAME#ID` from then on. `kinds`: the work that is watched; for each kind that was not
        watched before, this is a first contact too.
        """
        with self._writing() as connection:
            met = watched.meet(connection, name, url, greeting, first_contact=first_contact, news_from=news_from)
            return replace(met, kinds=works.meet(connection, met.id, kinds, since=news_from, now=first_contact))

    def keep_kinds(
        self,
        server_id: int,
        mine: Mapping[JobType, datetime],
        marks: Mapping[JobType, datetime],
        *,
        since: datetime,
    ) -> frozenset[JobType]:
        """Put back the kinds of work that another watcher has forgotten since a time; return which those are.

        `mine`: from when on the ends of each kind are news; `marks`: up to where they were read.
        """
        with self._reading() as connection:
            if not mine.keys() - works.watched(connection, server_id).keys():
                return frozenset()
        with self._writing() as connection:
            return works.keep(connection, server_id, mine, marks, since=since)

    def memory(self, server_id: int, *, horizon: datetime) -> Memory:
        """Return what is known before a look: the watermark and the sessions whose end is awaited."""
        with self._reading() as connection:
            return watched.memory(connection, server_id, horizon)

    def record(
        self,
        server_id: int,
        session_ids: Iterable[str],
        job_ids: Iterable[str],
        write: Callable[[Ledger], Page],
        *,
        now: datetime,
    ) -> Page:
        """Let `write` judge what is known of these sessions and jobs, and store its page: all of it or nothing.

        Events and debts that are there already stay as they are, so a page may come twice. What `write` raises comes
        through unchanged, and nothing is stored. `write` must not call the store. The page that is returned says what
        of it was claimed.
        """
        with self._writing() as connection:
            page = write(pages.read_ledger(connection, server_id, session_ids, job_ids, now))
            return pages.write_page(connection, server_id, page, now)

    def finish_look(
        self,
        server_id: int,
        *,
        now: datetime,
        greeting: Greeting,
        watermark: datetime | None,
        jobs: Mapping[str, Job],
        feed_token: str | None = None,
        marks: Mapping[JobType, datetime] | None = None,
    ) -> None:
        """Write down that a whole look succeeded: a refused login is forgotten, the watermark only moves forward.

        `feed_token`: up to where the event feed had been heard before the look; None leaves what is there. `marks`: up
        to where other kinds of work are dealt with, where that has moved. A power cut may take it back: then the next
        look begins a little earlier, and finds known what it knows.
        """
        with self._writing(may_be_lost=True) as connection:
            works.mark(connection, server_id, marks or {})
            watched.finish_look(
                connection,
                server_id,
                now=now,
                greeting=greeting,
                watermark=watermark,
                found_jobs=jobs,
                feed_token=feed_token,
            )

    def fail_look(
        self,
        name_or_id: str | int,
        *,
        now: datetime,
        error: str,
        kind: str = Failure.UNREACHABLE,
        refusal: Refusal | None = None,
        doubted: str | None = None,
    ) -> None:
        """Write down why a look was given up; also for a server never met.

        `kind`: one of core.model.Failure. `refusal`: the login, if that was refused. `doubted`: another installation,
        if that answered.
        """
        with self._writing() as connection:
            watched.fail_look(connection, name_or_id, now=now, error=error, kind=kind, refusal=refusal, doubted=doubted)

    def replace(
        self,
        old: ServerRecord,
        url: str,
        greeting: Greeting,
        write: Callable[[ServerRecord], Page],
        *,
        first_contact: datetime,
        now: datetime,
    ) -> ServerRecord:
        """Give a server's name to the installation that answers there now, as a new first contact.

        The record of before is kept as `NAME#ID`. `write` says which events that makes and to whom they are owed;
        they are stored in the same transaction.
        """
        with self._writing() as connection:
            record = watched.replace(connection, old, url, greeting, first_contact=first_contact)
            since = works.meet(connection, record.id, old.kinds, since=first_contact, now=first_contact)
            record = replace(record, kinds=since)
            pages.write_page(connection, record.id, write(record), now)
            return record

    def note_reading(self, name: str, words: str) -> None:
        """Write down how far a server's long first reading is; the end of a look wipes it out."""
        with self._writing() as connection:
            watched.note_reading(connection, name, words)

    def unlike(self, server_id: int, sessions: Iterable[Session]) -> set[str]:
        """Return the ids of those of some sessions that are not known, or known with another status or end."""
        with self._reading() as connection:
            return pages.unlike(connection, server_id, sessions)

    def swept(self, server_id: int, *, now: datetime) -> None:
        """Write down that a server was swept."""
        with self._writing() as connection:
            watched.swept(connection, server_id, now)

    def refusal(self, name: str) -> Refusal | None:
        """Return the login of this server that was refused, if no look has succeeded since."""
        with self._reading() as connection:
            return watched.refusal(connection, name)

    def announce(
        self,
        servers: Sequence[tuple[str, str]],
        channels: Sequence[tuple[str, str]],
        *,
        now: datetime,
        destinations: Mapping[str, Sequence[str]] | None = None,
        give_up_after: Mapping[str, timedelta] | None = None,
    ) -> None:
        """Take over what the settings name: servers with their URLs, channels with their addresses; others are gone.

        `destinations` of each channel: pending rows for others that it had go to these. `give_up_after` of each
        channel: it still holds when the channel is gone.
        """
        with self._writing() as connection:
            watched.announce(connection, servers, channels, now)
            directory.announce(connection, channels, destinations or {})
            directory.patience(connection, give_up_after or {})

    def claim(
        self, channel: str, *, now: datetime, owner: str, lease: timedelta, limit: int, binder: Binder = _SINGLE
    ) -> list[Delivery]:
        """Lease up to `limit` due messages of a channel to `owner`, the longest due first; each counts as an attempt.

        `binder` says which rows leave together; those of one message share `message_id` and come one after the other.
        Until the lease ends nobody else gets them; a row whose owner died comes back then.
        """
        with self._writing() as connection:
            return outbox.claim(connection, channel, now=now, owner=owner, lease=lease, limit=limit, binder=binder)

    def renew(self, ids: Iterable[int], *, owner: str, until: datetime) -> None:
        """Prolong leases; rows that are no longer the owner's are passed over."""
        with self._writing(may_be_lost=True) as connection:
            outbox.renew(connection, ids, owner=owner, until=until)

    def release(self, ids: Iterable[int], *, owner: str) -> None:
        """Give leases back whose rows were not sent after all; those attempts do not count."""
        with self._writing() as connection:
            outbox.release(connection, ids, owner=owner)

    def settle(
        self,
        results: Mapping[int, Settlement],
        *,
        owner: str,
        now: datetime,
        note: Callable[[Mapping[Place, Condition]], Notice] | None = None,
    ) -> set[int]:
        """Write down how attempts went and free their leases; returns the rows whose lease was still ours.

        For the others nothing is done. `note` gets how all destinations do and says what changes by these attempts;
        it is written in the same transaction.
        """
        with self._writing() as connection:
            ours = outbox.settle(connection, results, owner=owner, now=now)
            if note:
                directory.note(connection, note, now)
            return ours

    def revive(self, ids: Sequence[int] | None, *, to: str | None, now: datetime) -> Revived:
        """Put dead deliveries back (all without `ids`), their age and attempts at zero; NoSuchChannel for `to`.

        With `to` they are owed to the destinations of that channel instead, and pending ones can be moved, too.
        """
        with self._writing() as connection:
            return directory.revive(connection, ids, to=to, now=now)

    def bury(self, *, now: datetime, give_up_after: timedelta = GIVE_UP_AFTER) -> int:
        """Let pending rows of channels that are gone die when they were due for too long; returns how many died."""
        with self._writing() as connection:
            return directory.bury(connection, now=now, give_up_after=give_up_after)

    def take_over(self, owner: str) -> int:
        """Free the leases of everybody else, who must be dead if we hold the database; returns how many.

        On PostgreSQL others may well live, so there their leases run out by themselves.
        """
        if self.backend != "sqlite":
            return 0
        with self._writing() as connection:
            return outbox.take_over(connection, owner)

    def due_open(self, channels: Sequence[str], *, now: datetime) -> int:
        """Count the pending rows of some channels whose next attempt is due, in flight or not."""
        with self._reading() as connection:
            return outbox.due_open(connection, channels, now)

    def prune(self, *, before: datetime, limit: int = 1000) -> int:
        """Forget up to `limit` sessions and events that were over before a time, with the events' deliveries.

        Returns how many sessions and events went; call again while it is not 0. Open sessions, and events with a
        pending delivery, never go. Sessions go a day later than asked.
        """
        with self._writing() as connection:
            return pruning.prune(connection, before=before, limit=limit)
