"""From when on something is worth a word, and where that differs."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from watcher.core.event import (
    JOB_DISABLED,
    JOB_OVERDUE,
    JOB_SHORT,
    JOB_SLOW,
    JOB_STALE,
    JOB_STALLED,
    LICENSE_EXPIRING,
    PROXY_OFFLINE,
    REPOSITORY_INVALID,
    REPOSITORY_LOW,
    SERVER_UNHEALTHY,
    SESSION_DISCONNECTED,
)
from watcher.core.match import LABEL, Match
from watcher.core.model import Job, Session, Status

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Limits:
    """One limit a rule; None, or no levels, switches the rule off.

    `rpo`: how old a job's last good end may be; `is_rpo_usual`: it follows from the schedule instead.
    `slow_after`: how long a run may take; `is_slow_usual`: it follows from the job's own runs instead.
    `short_below`: percent of the fewest objects that the job ever did. `repository_low`: percent free, falling.
    `license_days`: days before the end, falling.
    """

    overdue_grace: timedelta | None = 90 * _MINUTE
    rpo: timedelta | None = None
    is_rpo_usual: bool = True
    disabled_after: timedelta | None = 12 * _HOUR
    slow_after: timedelta | None = None
    is_slow_usual: bool = True
    stalled_after: timedelta | None = 2 * _HOUR
    queued_after: timedelta | None = _HOUR
    disconnected_after: timedelta | None = 15 * _MINUTE
    short_below: int | None = 50
    unhealthy_after: timedelta | None = 5 * _MINUTE
    proxy_offline_after: timedelta | None = 5 * _MINUTE
    repository_invalid_after: timedelta | None = 5 * _MINUTE
    repository_low: tuple[int, ...] = (10, 5)
    license_days: tuple[int, ...] = (30, 14, 7, 1)

    def watch(self, kind: str, session: Session | None = None) -> bool:
        """Whether the rule of an alarm is on. `session`: the run that it is about; one in the queue has its own."""
        names = _OF_QUEUE if kind == JOB_STALLED and session and session.status == Status.QUEUED else RULES[kind]
        return any(getattr(self, name) not in _OFF for name in names)


RULES: Mapping[str, tuple[str, ...]] = {
    JOB_OVERDUE: ("overdue_grace",),
    JOB_STALE: ("rpo", "is_rpo_usual"),
    JOB_DISABLED: ("disabled_after",),
    JOB_SLOW: ("slow_after", "is_slow_usual"),
    JOB_STALLED: ("stalled_after",),
    JOB_SHORT: ("short_below",),
    SESSION_DISCONNECTED: ("disconnected_after",),
    SERVER_UNHEALTHY: ("unhealthy_after",),
    PROXY_OFFLINE: ("proxy_offline_after",),
    REPOSITORY_INVALID: ("repository_invalid_after",),
    REPOSITORY_LOW: ("repository_low",),
    LICENSE_EXPIRING: ("license_days",),
}
"""The limits of each alarm's rule; it is on while one of them is."""

_OF_QUEUE = ("queued_after",)
_OFF = (None, False, ())


@dataclass(frozen=True, slots=True)
class Override:
    """Limits that differ for what is meant: names of fields of Limits, with their values."""

    match: Match
    changes: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The limits, and where they differ: of several overrides that are meant, a later one counts.

    `labels`: those of each server, by its name.
    """

    limits: Limits = Limits()
    overrides: tuple[Override, ...] = ()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def of_server(self, server: str) -> Limits:
        """Return the limits for what a server says of itself."""
        return self._limits(server, {}) if self.overrides else self.limits

    def of_job(self, server: str, job: Job) -> Limits:
        """Return the limits for a job."""
        if not self.overrides:
            return self.limits
        return self._limits(server, {"job": job.name, "organization": job.organization, "job_type": job.type.value})

    def _limits(self, server: str, about: Mapping[str, str | None]) -> Limits:
        labels = {f"{LABEL}{name}": text for name, text in self.labels.get(server, {}).items()}
        traits = {"server": server, **labels, **about}
        limits = self.limits
        for one in self.overrides:
            if one.match.why_not(traits) is None:
                limits = replace(limits, **dict(one.changes))
        return limits
