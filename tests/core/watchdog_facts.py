"""Short ways to make what the watchdogs judge."""

from datetime import UTC, datetime, timedelta
from typing import Any

from watcher.core.event import Event, JobRef, ServerRef
from watcher.core.model import JOB_KINDS, Job, JobType, Schedule, Session, Statistics
from watcher.core.policy import Case, Policy, Route
from watcher.core.record import Known
from watcher.core.ruling import Told
from watcher.core.wanted import EVENTS
from watcher.core.watchdog.alarm import Alarm, Desk, Key, Review, Says, Verdict, review
from watcher.core.watchdog.facts import Facts, Ledger
from watcher.core.watchdog.judge import Bench, judge, limits_of
from watcher.core.watchdog.limits import Limits, Rulebook
from watcher.core.watchdog.missing import sift

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
HQ = ServerRef("HQ", "0f0f")
REF = JobRef("j1", "Mail", JobType.BACKUP, "contoso")
NIGHTLY = Schedule("daily", "everyday")
POLICY = Policy((Route("all", EVENTS),), {"chat": ("chat",)})


def a_job(**fields: Any) -> Job:
    """Make a nightly job that ran in the night and will run again in the evening."""
    usual: dict[str, Any] = {
        "enabled": True,
        "last_run": NOW - 10 * HOUR,
        "next_run": NOW + 14 * HOUR,
        "last_backup": NOW - 9 * HOUR,
        "last_status": "Success",
        "schedule": NIGHTLY,
    }
    return Job("j1", "Mail", organization="contoso", **{**usual, **fields})


def a_run(hours: float = 1, status: str = "Running", name: str = "s1", **fields: Any) -> Session:
    """Make a run that began so many hours ago."""
    usual: dict[str, Any] = {"progress": 10, "retry_count": 0, "statistics": Statistics(transferred=1000)}
    return Session(name, status, "j1", JobType.BACKUP, created=NOW - hours * HOUR, **{**usual, **fields})


def a_good(days: float, minutes: float = 10, objects: int | None = 100, data: int = 10**9, **fields: Any) -> Session:
    """Make a run that ended well so many days ago."""
    begun = NOW - days * DAY
    usual: dict[str, Any] = {"retry_count": 0, "progress": objects, "statistics": Statistics(transferred=data)}
    name = f"d{days}"
    return Session(name, "Success", "j1", created=begun, ended=begun + minutes * MINUTE, **{**usual, **fields})


class Kennel:
    """One server over time: what is told of it, and what is remembered."""

    def __init__(self, rulebook: Rulebook | None = None) -> None:
        self.rulebook = rulebook or Rulebook(Limits())
        self.alarms: dict[Key, Alarm] = {}
        self.steady = NOW - DAY
        self.said = Review()

    def judge(self, now: datetime = NOW, *, usual: timedelta | None = None, **parts: Any) -> list[Event]:
        """Judge some facts, with jobs that were read just now; returns the events."""
        jobs = {job.id: job for job in parts.pop("jobs", [])}
        read, kinds = parts.pop("read", now), parts.pop("kinds", JOB_KINDS)
        ledger_parts = {name: parts.pop(name) for name in ("open", "past", "failing") if name in parts}
        ledger = Ledger(HQ, NOW - 30 * DAY, alarms=self.alarms, kinds=parts.pop("shared", kinds), **ledger_parts)
        facts = Facts(jobs, dict.fromkeys(JobType, read), **parts)
        limits = limits_of(self.rulebook, "HQ", jobs)
        lengths = {known.session.id: usual for known in ledger.open}
        bench = Bench(facts, self.rulebook.of_server("HQ"), limits, lengths, now, sift(jobs, limits, now), kinds)
        return self.take(judge(ledger, bench), now)

    def take(self, verdicts: Any, now: datetime = NOW) -> list[Event]:
        """Review verdicts, and remember what follows."""
        self.said = review(self.alarms, verdicts, Desk(HQ, now, Case(POLICY, now), self.steady))
        for key in self.said.over:
            del self.alarms[key]
        self.alarms |= {alarm.key: alarm for alarm in self.said.kept}
        return list(self.said.events)

    def kinds(self, now: datetime = NOW, **parts: Any) -> list[str]:
        """Judge some facts; returns the kinds of events."""
        return [event.type for event in self.judge(now, **parts)]


def moved(run: Session, hours: float) -> Known:
    """Say when a run was last seen to move."""
    return Known(run, moved=NOW - hours * HOUR)


def yes(kind: str = "proxy.offline", subject: str = "p1", **fields: Any) -> Verdict:
    """Make a verdict."""
    return Verdict(kind, subject, Says.YES, **fields)


def no(kind: str = "proxy.offline", subject: str = "p1") -> Verdict:
    """Make a verdict."""
    return Verdict(kind, subject, Says.NO, "it is well")


KNOWS = (Told("chat", "all", NOW),)
