"""How one job stands: by its outcome, by what runs and waits, and by what the watchdogs say of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum

from watcher.core.event import (
    JOB_DISABLED,
    JOB_OVERDUE,
    JOB_SHORT,
    JOB_SLOW,
    JOB_STALE,
    JOB_STALLED,
    SESSION_DISCONNECTED,
    ServerRef,
)
from watcher.core.model import Job, Session, Status
from watcher.core.record import Outcome
from watcher.core.watchdog.alarm import BY_SESSION, Alarm

RESTING_AFTER = timedelta(days=14)
"""A job of which nothing was heard for so long, and nothing is planned, is taken as switched off or gone."""


class Standing(IntEnum):
    """How a job stands; the smaller, the worse. What the watchdogs say of it comes right after a failure."""

    FAILING = 0
    OVERDUE = 1
    STALE = 2
    STALLED = 3
    DISCONNECTED = 4
    SLOW = 5
    SHORT = 6
    DISABLED = 7
    RETRYING = 8
    WARNING = 9
    GOOD = 10
    NEW = 11
    RESTING = 12

    @property
    def is_bad(self) -> bool:
        """Whether there is no backup, or none in time."""
        return self <= Standing.STALLED

    @property
    def is_trouble(self) -> bool:
        """Whether somebody should look at it."""
        return self <= Standing.DISABLED


OF_ALARM: Mapping[str, Standing] = {
    JOB_OVERDUE: Standing.OVERDUE,
    JOB_STALE: Standing.STALE,
    JOB_STALLED: Standing.STALLED,
    SESSION_DISCONNECTED: Standing.DISCONNECTED,
    JOB_SLOW: Standing.SLOW,
    JOB_SHORT: Standing.SHORT,
    JOB_DISABLED: Standing.DISABLED,
}
"""How a job stands of which an alarm was told; all other alarms are about servers and what belongs to them."""

_AWAITED = frozenset({Standing.OVERDUE, Standing.STALE})


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job as the store has it. `server_id` is the store's own. `running`: its session that is open, if any.

    `held`: since when a bad end of it waits for its retry. `alarms`: what the watchdogs have
    told of it or of its run, and is not over.
    """

    server_id: int
    server: ServerRef
    job: Job
    outcome: Outcome | None = None
    running: Session | None = None
    held: datetime | None = None
    alarms: tuple[Alarm, ...] = ()

    def standing(self, now: datetime) -> Standing:
        """Say how the job stands. A bad end that waits for its retry is none yet."""
        if self._is_resting(now):
            return Standing.RESTING
        if self._has_failed:
            return Standing.FAILING
        if self.alarm is not None:
            return OF_ALARM[self.alarm.kind]
        if self.held is not None:
            return Standing.RETRYING
        if self.outcome is None:
            return Standing.NEW
        return Standing.WARNING if self.outcome.status == Status.WARNING else Standing.GOOD

    @property
    def alarm(self) -> Alarm | None:
        """The worst of its alarms."""
        return min(self.alarms, key=lambda one: OF_ALARM[one.kind], default=None)

    def besides(self, standing: Standing) -> tuple[Alarm, ...]:
        """Return the alarms that a standing does not say already."""
        return tuple(one for one in self.alarms if OF_ALARM[one.kind] is not standing)

    def of_run(self, run: Session) -> tuple[Alarm, ...]:
        """Return the alarms about one run."""
        return tuple(one for one in self.alarms if one.kind in BY_SESSION and one.subject == run.id)

    @property
    def since(self) -> datetime | None:
        """Since when it stands so: the first failure in a row, else its worst alarm, else the latest end."""
        if self.alarm is not None and not self._has_failed:
            return self.alarm.since
        if self.outcome is None:
            return self.held
        return self.outcome.failing_since or self.outcome.ended

    @property
    def last_good(self) -> datetime | None:
        """When it last ended with a backup: Success, or Warning, which has one too."""
        if self.outcome is None:
            return self.job.last_backup
        is_good = self.outcome.status in {Status.SUCCESS, Status.WARNING}
        known = (self.outcome.last_good, self.outcome.ended if is_good else None, self.job.last_backup)
        return max((one for one in known if one), default=None)

    @property
    def _has_failed(self) -> bool:
        return self.outcome is not None and self.outcome.status == Status.FAILED

    def _is_resting(self, now: datetime) -> bool:
        if self.running is not None or self.held is not None:
            return False
        if any(OF_ALARM[one.kind] in _AWAITED for one in self.alarms):
            return False  # somebody has planned that it runs
        ended = self.outcome.ended if self.outcome else None
        heard = [one for one in (self.job.last_run, self.job.next_run, ended) if one]
        return bool(heard) and now - max(heard) > RESTING_AFTER
