"""What is remembered of a job's runs, so that not each new one has to be held against all of them again."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watcher.core.model import Session
from watcher.core.watchdog.facts import GOOD
from watcher.core.watchdog.limits import Limits
from watcher.core.watchdog.running import is_good, usual_limit
from watcher.core.watchdog.short import DATA_SHARE

HOLDS_FOR = timedelta(days=1)
FEW = 30
"""With so few runs each new one changes what is usual."""


@dataclass(frozen=True, slots=True)
class Yardstick:
    """How long a job's runs may take, and the least that they did, as it was when it was `taken`, of so many runs."""

    taken: datetime
    runs: int
    limit: timedelta | None
    objects: int
    data: int

    def holds(self, now: datetime) -> bool:
        """Whether it is still good enough."""
        return self.runs >= FEW and timedelta(0) <= now - self.taken < HOLDS_FOR

    def is_plain(self, run: Session, percent: int) -> bool:
        """Whether a run did so much that it cannot be a short one."""
        done, moved = run.progress, run.statistics.transferred
        few = done is not None and done * 100 < self.objects * percent
        return not few and (moved is None or moved * DATA_SHARE >= self.data)


def yardstick(runs: Sequence[Session], now: datetime) -> Yardstick:
    """Take the measure of a job's last runs."""
    good = [run for run in runs if is_good(run)]
    objects = min((run.progress for run in good if run.progress is not None), default=0)
    data = min((run.statistics.transferred for run in good if run.statistics.transferred is not None), default=0)
    return Yardstick(now, len(good), usual_limit(runs), objects, data)


@dataclass(slots=True)
class Measures:
    """What one watch of a server remembers of its runs.

    `usual`: how long each open run may take, by its id. `held`: the last good run of each job that was held against
    those before. `yards`: what those come to. `short`: the jobs with an alarm about that; None if nobody knows yet.
    """

    usual: dict[str, timedelta | None] = field(default_factory=dict)
    held: dict[str, str] = field(default_factory=dict)
    yards: dict[str, Yardstick] = field(default_factory=dict)
    short: frozenset[str] | None = None

    def sift(
        self, shown: Iterable[Session], limits: Mapping[str, Limits], now: datetime
    ) -> tuple[dict[str, str], dict[str, str]]:
        """Return what has to be held against a job's last runs: open runs with their jobs, and jobs with a new good end
        that may be short.
        """
        opened: dict[str, str] = {}
        last: dict[str, Session] = {}
        for run in shown:
            job_id = run.job_id or ""
            if job_id not in limits:
                continue
            if run.is_settled:
                before = last.get(job_id)
                if run.status in GOOD and run.ended and (before is None or (before.ended or run.ended) < run.ended):
                    last[job_id] = run
            elif limits[job_id].is_slow_usual and run.id not in self.usual and not self._knows(run, job_id, now):
                opened[run.id] = job_id
        new = {job_id: run for job_id, run in last.items() if self.held.get(job_id) != run.id}
        return opened, {job_id: run.id for job_id, run in new.items() if self._may_be_short(run, limits[job_id], now)}

    def take(
        self, runs: Mapping[str, Sequence[Session]], opened: Mapping[str, str], ended: Mapping[str, str], now: datetime
    ) -> None:
        """Take the last runs of some of the jobs that were asked for."""
        self.yards |= {job_id: yardstick(found, now) for job_id, found in runs.items()}
        self.usual |= {name: self.yards[job_id].limit for name, job_id in opened.items() if job_id in runs}
        self.held |= {job_id: last for job_id, last in ended.items() if job_id in runs}

    def give_back(self, jobs: Iterable[str]) -> None:
        """Take note that the last runs of some jobs were not judged after all."""
        for job_id in jobs:
            self.held.pop(job_id, None)

    def forget(self, still_open: Collection[str]) -> None:
        """Forget the runs that are over."""
        self.usual = {name: limit for name, limit in self.usual.items() if name in still_open}

    def _knows(self, run: Session, job_id: str, now: datetime) -> bool:
        yard = self.yards.get(job_id)
        if yard is None or not yard.holds(now):
            return False
        self.usual[run.id] = yard.limit
        return True

    def _may_be_short(self, run: Session, limits: Limits, now: datetime) -> bool:
        """Whether a run has to be held against all those before it; take note of one that has not."""
        job_id, percent = run.job_id or "", limits.short_below
        if percent is None or self.short is None:
            return percent is not None
        yard = self.yards.get(job_id)
        if job_id in self.short or yard is None or not yard.holds(now) or not yard.is_plain(run, percent):
            return True
        self.held[job_id] = run.id
        return False
