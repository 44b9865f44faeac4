"""All that is known of one job: its sessions, and for each of its ends who was told of it, and why others were not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from watcher.core import event as events
from watcher.core.board import JobCard
from watcher.core.event import Event, ServerRef, event_id
from watcher.core.model import Status
from watcher.core.record import End, Known
from watcher.core.ruling import Ruling
from watcher.core.silence import Silence
from watcher.core.views import DeliveryView
from watcher.core.watchdog.limits import Rulebook

SESSIONS = 60
"""So many of a job's last sessions stand on its page."""

_TYPES: Mapping[str, tuple[str, ...]] = {
    Status.FAILED: (events.SESSION_FAILED,),
    Status.WARNING: (events.SESSION_WARNING,),
    Status.STOPPED: (events.SESSION_STOPPED,),
    Status.SUCCESS: (events.SESSION_SUCCESS, events.JOB_RECOVERED),
}


@dataclass(frozen=True, slots=True)
class Account:
    """One event of a job: what was decided of it, and what became of each delivery."""

    event: Event
    ruling: Ruling | None
    deliveries: tuple[DeliveryView, ...] = ()


@dataclass(frozen=True, slots=True)
class JobSheet:
    """All that a job's own page shows. `sessions`: the latest first. `told`: of what was told, by session.

    `silences`: those that are in force for the job. `slow`: how long a run may take, as the watchdogs have it by the
    job's own runs; None if nobody can say, or if they are not asked.
    """

    now: datetime
    card: JobCard
    sessions: tuple[Known, ...] = ()
    told: Mapping[str, tuple[Account, ...]] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    slow: timedelta | None = None

    def by(self, rulebook: Rulebook) -> "JobSheet":
        """Return the same, with the limit that somebody has set for the job, where that is so."""
        limits = rulebook.of_job(self.card.row.server.name, self.card.row.job)
        return self if limits.is_slow_usual else replace(self, slow=limits.slow_after)


def event_ids(server: ServerRef, known: Known) -> Iterator[str]:
    """Yield the ids that events of a session's ends have, those that were told before it ran on as well."""
    session = known.session
    ends = [End(session.status, session.ended), *known.settled]
    for end in dict.fromkeys(ends):
        for event_type in _TYPES.get(end.status, ()):
            yield event_id(server, session.id, event_type, end.status, end.ended)
