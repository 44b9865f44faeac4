"""One row of /Jobs, /CopyJobs, /Organizations and /BackupRepositories. Sources: Veeam's manuals of v3 to v8."""

from dataclasses import dataclass

import msgspec

from watcher.core.model import Job, JobType, canonical_status
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
    )
    return JobRow(
        job_id,
        job,
        organization_id=text(row.get("organizationid")) or last_segment(href_of(links, "organization")),
        backup_job_id=text(row.get("backupjobid")) or last_segment(href_of(links, "backupjob")),
    )


def _fields(raw: msgspec.Raw) -> dict[str, object]:
    try:
        return fields(raw)
    except UnreadableError:
        return {}
