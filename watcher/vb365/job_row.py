"""One row of /Jobs, /CopyJobs, /Organizations and /BackupRepositories. Sources: Veeam's manuals of v3 to v8."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import groupby

import msgspec

from watcher.core.model import Job, JobType, Schedule, canonical_status
from watcher.vb365.decode import (
    UnreadableError,
    fields,
    href_of,
    last_segment,
    moment_or_none,
    sub,
    text,
    truth,
    whole,
)

_KINDS = {
    "daily": "daily",
    "dailyattime": "daily",
    "periodically": "periodically",
    "manualonly": "manual",
    "immediate": "immediate",
}
_EVERY = re.compile(r"(minutes|hours)([0-9]{1,4})", re.IGNORECASE)
_HOUR = timedelta(hours=1)
_WEEK = 168


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job as its row shows it, and the ids by which its organization is found. `id` is None in a bad row."""

    id: str | None
    job: Job
    organization_id: str | None = None
    backup_job_id: str | None = None


@dataclass(frozen=True, slots=True)
class OrganizationRow:
    """An organization's id and name; both may be missing."""

    id: str | None
    name: str | None


@dataclass(frozen=True, slots=True)
class RepositoryRow:
    """A repository's id and name; both may be missing."""

    id: str | None
    name: str | None


def read_job(raw: msgspec.Raw) -> JobRow:
    """Read a row of /Jobs; what cannot be read is None, for names and schedules never fail a look."""
    return _job(raw, JobType.BACKUP)


def read_copy_job(raw: msgspec.Raw) -> JobRow:
    """Read a row of /CopyJobs, whose organization is that of the backup job it copies."""
    return _job(raw, JobType.COPY)


def read_organization(raw: msgspec.Raw) -> OrganizationRow:
    """Read a row of /Organizations; the connection settings in it are not looked at."""
    row = _fields(raw)
    return OrganizationRow(text(row.get("id")), text(row.get("name")) or text(row.get("officename")))


def read_repository(raw: msgspec.Raw) -> RepositoryRow:
    """Read what a row of /BackupRepositories is called."""
    row = _fields(raw)
    return RepositoryRow(text(row.get("id")), text(row.get("name")))


def _job(raw: msgspec.Raw, kind: JobType) -> JobRow:
    row = _fields(raw)
    job_id = text(row.get("id"))
    schedule = sub(row.get("schedulepolicy"))
    links = sub(row.get("_links"))
    status = text(row.get("laststatus"))
    job = Job(
        id=job_id or "",
        name=text(row.get("name")) or job_id or "",
        type=kind,
        enabled=truth(row.get("isenabled")),
        last_run=moment_or_none(row.get("lastrun")),
        next_run=moment_or_none(row.get("nextrun")),
        last_backup=moment_or_none(row.get("lastbackup")),
        last_status=canonical_status(status) if status else None,
        retry_number=whole(schedule.get("retrynumber")) if truth(schedule.get("retryenabled")) else None,
        schedule=_schedule(schedule),
    )
    return JobRow(
        job_id,
        job,
        organization_id=text(row.get("organizationid")) or last_segment(href_of(links, "organization")),
        backup_job_id=text(row.get("backupjobid")) or last_segment(href_of(links, "backupjob")),
    )


def _schedule(policy: Mapping[str, object]) -> Schedule | None:
    """Read a schedulePolicy; None where its type is missing or new. Copy jobs call a daily one `DailyAtTime`."""
    kind = _KINDS.get((text(policy.get("type")) or "").lower())
    if kind is None:
        return None
    if kind == "daily":
        days = (text(policy.get("dailytype")) or "everyday").lower()
        return _shared(Schedule(kind, days, closed=_closed(policy)))
    if kind != "periodically":
        return _shared(Schedule(kind))
    if truth(policy.get("scheduleenabled")) is False:
        return _shared(Schedule("manual"))
    return _shared(Schedule(kind, every=_every(policy.get("periodicallyevery")), closed=_closed(policy)))


@lru_cache(maxsize=1000)
def _shared(schedule: Schedule) -> Schedule:
    """Return one and the same for all jobs that begin alike."""
    return schedule


def _every(value: object) -> timedelta | None:
    """Read `Minutes5` to `Hours12`."""
    found = _EVERY.fullmatch(text(value) or "")
    if found is None:
        return None
    return int(found[2]) * (_HOUR if found[1].lower() == "hours" else timedelta(minutes=1))


def _closed(policy: Mapping[str, object]) -> timedelta:
    """Return the longest stretch of a week in which a window of the schedule lets nothing begin.

    A window has a boolean for each hour of the week; v6 has no switch for that of periodical runs.
    """
    longest = timedelta(0)
    for name in ("backupwindow", "periodicallywindow", "backupcopywindow"):
        is_on = truth(policy.get(f"{name}enabled"))
        hours = sub(policy.get(f"{name}settings")).get("backupwindow")
        if is_on is False or (is_on is None and name != "periodicallywindow") or not isinstance(hours, list):
            continue
        longest = max(longest, _longest_stretch([truth(hour) is False for hour in hours[:_WEEK]]) * _HOUR)
    return longest


def _longest_stretch(closed: list[bool]) -> int:
    """Return the length of the longest run of closed hours in a week that follows upon itself; 0 for no open hour."""
    if all(closed):
        return 0
    return max((len(list(hours)) for is_closed, hours in groupby(closed + closed) if is_closed), default=0)


def _fields(raw: msgspec.Raw) -> dict[str, object]:
    try:
        return fields(raw)
    except UnreadableError:
        return {}
