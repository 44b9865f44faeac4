"""What people ask of the store, and what is said to them by the clock: views, silences, digests, trails."""

from collections.abc import Callable, Sequence
from datetime import datetime

from watcher.core.board import Asked, Overview, Tally, tallies
from watcher.core.delivery import State
from watcher.core.digest import Digest
from watcher.core.event import Event
from watcher.core.followup import Diary, FollowUp
from watcher.core.heartbeat import Standing
from watcher.core.record import Owed
from watcher.core.ruling import Ruling
from watcher.core.sheet import JobSheet
from watcher.core.silence import Silence
from watcher.core.standing import JobRow
from watcher.core.views import DeliveryView, KnownJob, SessionView, StatusView, Trail
from watcher.store import boards, digests, followups, jobrows, pages, pulse, questions, quieted, standing, trail
from watcher.store.transactions import Transactions


class People(Transactions):
    """The side of the store that faces people; each method is one transaction."""

    def follow_up(self, decide: Callable[[Diary], FollowUp], *, now: datetime, with_failing: bool) -> FollowUp | None:
        """Let `decide` say what is due by the clock, and store it; None if there was nothing to decide on.

        `with_failing`: also show it the jobs whose failure lasts.
        """
        if not with_failing:
            with self._reading() as connection:
                if not followups.has_news(connection, now):
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

    def standing(self) -> Standing:
        """Return how servers, jobs, the outbox and the channels stand, in a few numbers."""
        with self._reading() as connection:
            return standing.standing(connection)

    def heartbeat(self, event_id: str, due: datetime) -> Standing | None:
        """Return how everything stands; None if that sign of life was given, or due before the first server was met."""
        with self._reading() as connection:
            met = digests.first_contact(connection)
            if met is None or met >= due or digests.is_told(connection, event_id):
                return None
            return standing.standing(connection)

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

    def overview(self, asked: Asked, *, now: datetime) -> Overview:
        """Return how everything stands, with the last runs of the jobs that are asked for."""
        with self._reading() as connection:
            return boards.overview(connection, asked, now)

    def sheet(self, server: str, job: str, *, now: datetime) -> JobSheet | None:
        """Return all that is known of one job by its server's name and its id; None if there is none."""
        with self._reading() as connection:
            return boards.sheet(connection, server, job, now)

    def standings(self) -> list[JobRow]:
        """Return how every job of the servers in the settings stands."""
        with self._reading() as connection:
            return jobrows.standings(connection)

    def tallies(self, *, now: datetime) -> dict[str, Tally]:
        """Return how many jobs of each server in the settings stand how, by its name."""
        with self._reading() as connection:
            return tallies(jobrows.alike(connection, now), now)

    def pulse(self) -> str:
        """Return a word that changes whenever what people look at may have changed, also by another process."""
        with self._reading() as connection:
            return pulse.take(connection)
