"""The store: what is known and what is owed, each method one transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine

from watcher.core.backoff import GIVE_UP_AFTER
from watcher.core.delivery import Delivery, Settlement, State
from watcher.core.digest import Digest
from watcher.core.event import Event
from watcher.core.followup import Diary, FollowUp
from watcher.core.model import Greeting, Job, Memory, Session
from watcher.core.parcels import Batches, Binder
from watcher.core.policy import Ruling
from watcher.core.record import Ledger, Owed, Page, Refusal, ServerRecord
from watcher.core.sickness import Condition, Notice, Place
from watcher.core.silence import Silence
from watcher.core.views import DeliveryView, KnownJob, Revived, SessionView, StatusView, Trail
from watcher.store import digests, directory, followups, outbox, pages, pruning, questions, quieted, trail, watched
from watcher.store.errors import translated
from watcher.store.lock import FileLock

_SINGLE = Batches()


class Store:
    """What the two loops and the readers share; made by `open_store`.

    Every method is one transaction and raises StoreError, and nothing else, for what the database does. They block, so
    an event loop calls them in a worker thread. Calls may come from any thread, but in memory from one at a time.
    Times are aware.
    """

    def __init__(self, engine: Engine, name: str, lock: FileLock | None = None) -> None:
        """Take over an engine whose schema is of our revision; `name` is what errors call the database."""
        self._engine = engine
        self._reads = engine.execution_options(reads=True)
        self._name = name
        self._lock = lock

    @property
    def backend(self) -> str:
        """Which database it is: `sqlite` or `postgresql`."""
        return self._engine.dialect.name

    def hold(self) -> None:
        """Take the database for this process until `close` or its death; HeldByAnother names who has it.

        Only an SQLite file is held, by a lock on `<file>.lock`; a PostgreSQL database may have several watchers.
        """
        if self._lock:
            self._lock.take()

    def close(self) -> None:
        """Close all connections, then let the database go."""
        self._engine.dispose()
        if self._lock:
            self._lock.free()

    def server(self, name: str, installation_id: str | None = None) -> ServerRecord | None:
        """Return the server that was met as this installation, else under this name; None before first contact."""
        with self._reading() as connection:
            return watched.find(connection, name, installation_id)

    def meet(
        self, name: str, url: str, greeting: Greeting, *, first_contact: datetime, news_from: datetime
    ) -> ServerRecord:
        """Return a server's record, made with these two times if it is new; they never move afterwards.

        It is found by its installation (and renamed, if its name has changed), else by its name; an installation that
        was not known before is filled in, one that is known stays. A server that has the name already and turns out to
        be another is called `NAME#ID` from then on.
        """
        with self._writing() as connection:
            return watched.meet(connection, name, url, greeting, first_contact=first_contact, news_from=news_from)

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
        through unchanged, and nothing is stored. `write` must not call the store.
        """
        with self._writing() as connection:
            page = write(pages.read_ledger(connection, server_id, session_ids, job_ids, now))
            pages.write_page(connection, server_id, page, now)
            return page

    def finish_look(
        self,
        server_id: int,
        *,
        now: datetime,
        greeting: Greeting,
        watermark: datetime | None,
        jobs: Mapping[str, Job],
        feed_token: str | None = None,
    ) -> None:
        """Write down that a whole look succeeded: a refused login is forgotten, the watermark only moves forward.

        `feed_token`: up to where the event feed had been heard before the look; None leaves what is there.
        """
        with self._writing() as connection:
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
        refusal: Refusal | None = None,
        doubted: str | None = None,
    ) -> None:
        """Write down why a look was given up; also for a server never met.

        `refusal`: the login, if that was refused. `doubted`: another installation, if that answered.
        """
        with self._writing() as connection:
            watched.fail_look(connection, name_or_id, now=now, error=error, refusal=refusal, doubted=doubted)

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
        with self._writing() as connection:
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

    def follow_up(self, decide: Callable[[Diary], FollowUp], *, now: datetime, with_failing: bool) -> FollowUp | None:
        """Let `decide` say what is due by the clock, and store it; None if there was nothing to decide on.

        `with_failing`: also show it the jobs whose failure lasts.
        """
        if not with_failing:
            with self._reading() as connection:
                if not followups.keeps_back(connection):
                    return None
        with self._writing() as connection:
            said = decide(followups.diary(connection, now, with_failing=with_failing))
            followups.say(connection, said, now)
            return said

    def digest(self, event_id: str, period: tuple[datetime, datetime], *, is_weekly: bool) -> Digest | None:
        """Sum up a period; None if that was told already, or if it was over before the first server was met."""
        with self._reading() as connection:
            met = digests.first_contact(connection)
            if met is None or met >= period[1] or digests.is_told(connection, event_id):
                return None
            return digests.make(connection, period, is_weekly=is_weekly)

    def tell(self, event: Event, ruling: Ruling, owed: Sequence[Owed], *, now: datetime) -> None:
        """Write down an event of our own and whom it is owed to."""
        with self._writing() as connection:
            pages.write_events(connection, None, [event], now, {event.id: ruling})
            if owed:
                pages.owe(connection, owed, {event.id: event.subject}, now)

    def silence(self, silence: Silence) -> int:
        """Set a silence; returns its number."""
        with self._writing() as connection:
            return quieted.add(connection, silence)

    def end_silence(self, number: int, *, now: datetime) -> bool:
        """Let a silence end now; returns whether there was one that had not ended."""
        with self._writing() as connection:
            return quieted.end(connection, number, now)

    def silences(self, *, limit: int) -> list[Silence]:
        """Return the silences set last, newest first, those that are over as well."""
        with self._reading() as connection:
            return quieted.latest(connection, limit)

    def trails(self, session: str) -> list[Trail]:
        """Return what is known of the sessions whose id begins so (ten at the most), and of who was told of them."""
        with self._reading() as connection:
            return trail.find(connection, session)

    def known_jobs(self) -> list[KnownJob]:
        """Return every job that was ever read, with its server's name."""
        with self._reading() as connection:
            return trail.jobs_of(connection)

    def next_due(self, channel: str) -> datetime | None:
        """Return when the next pending row of a channel can be claimed; None without one."""
        with self._reading() as connection:
            return outbox.next_due(connection, channel)

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

    def status(self, *, now: datetime) -> StatusView:
        """Return how servers, channels and the outbox stand; what is in no settings shows only where it still owes."""
        with self._reading() as connection:
            return questions.status(connection, now)

    def sessions(self, *, limit: int) -> list[SessionView]:
        """Return the sessions created last, newest first."""
        with self._reading() as connection:
            return questions.latest_sessions(connection, limit)

    def deliveries(self, *, state: State | None, limit: int) -> list[DeliveryView]:
        """Return the deliveries owed last, newest first, of one state or of all."""
        with self._reading() as connection:
            return questions.latest_deliveries(connection, state, limit)

    def prune(self, *, before: datetime, limit: int = 1000) -> int:
        """Forget up to `limit` sessions and events that were over before a time, with the events' deliveries.

        Returns how many sessions and events went; call again while it is not 0. Open sessions, and events with a
        pending delivery, never go. Sessions go a day later than asked.
        """
        with self._writing() as connection:
            return pruning.prune(connection, before=before, limit=limit)

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with translated(self._name), self._reads.connect() as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with translated(self._name), self._engine.begin() as connection:
            yield connection
