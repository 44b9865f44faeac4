"""Jobs, copy jobs and organizations in each version's shape."""

from datetime import timedelta
from typing import Any

from watcher.demo.estate import Job, Organization, Schedule
from watcher.demo.wire import Wire


def job_body(wire: Wire, job: Job) -> dict[str, Any]:
    """Return one backup job: the repository's id from v6, `lastBackup` from v7, the organization's id on v8."""
    body = _both_kinds(wire, job) | {
        "description": "",
        "backupType": "EntireOrganization",
        "schedulePolicy": _schedule(wire, job.schedule),
    }
    if wire.version in {6, 7}:
        body |= {"selectedItems": [], "excludedItems": []}
    body["_links"] = _job_links(wire, job)
    return body


def copy_job_body(wire: Wire, job: Job) -> dict[str, Any]:
    """Return one copy job (v6 and later); its organization stands in it on v8 only."""
    body = _both_kinds(wire, job) | {"backupJobId": job.backup_job_id, "schedulePolicy": _copy_schedule(job.schedule)}
    body["_links"] = wire.links(self=("CopyJobs", job.id), backupJob=("Jobs", job.backup_job_id or ""))
    return body


def organization_body(wire: Wire, organization: Organization) -> dict[str, Any]:
    """Return one organization; `firstBackuptime` and `lastBackuptime` are spelt so in all versions."""
    body: dict[str, Any] = {
        "id": organization.id,
        "name": organization.name,
        "officeName": organization.name,
        "type": "Office365",
        "region": "Worldwide",
        "isExchangeOnline": True,
        "isSharePointOnline": True,
        "isBackedup": True,
        "firstBackuptime": None,
        "lastBackuptime": None,
    }
    if wire.version >= 7:
        body["description"] = None
    if wire.version >= 8:
        body |= {"msid": organization.id, "backedUpOrganizationId": None}
    body["_links"] = wire.links(
        self=("Organizations", organization.id), jobs=("Organizations", organization.id, "Jobs")
    )
    return body


def _both_kinds(wire: Wire, job: Job) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": job.id,
        "name": job.name,
        "lastRun": wire.time(job.last_run),
        "nextRun": wire.time(job.next_run),
        "isEnabled": job.enabled,
        "lastStatus": job.last_status,
    }
    if wire.version >= 6:
        body["repositoryId"] = job.repository_id
    if wire.version >= 7:
        body["lastBackup"] = wire.time(job.last_backup)
    if wire.version >= 8:
        body |= {"organizationId": job.organization_id, "eTag": job.etag}
    return body


def _job_links(wire: Wire, job: Job) -> dict[str, Any]:
    links = wire.links(self=("Jobs", job.id), backupRepository=("BackupRepositories", job.repository_id))
    if wire.version >= 8:
        return links
    # v7 names the sessions of a job by a path that v7 no longer serves, so it does here.
    return links | wire.links(
        organization=("Organizations", job.organization_id), jobsessions=("Jobs", job.id, "JobSessions")
    )


def _schedule(wire: Wire, schedule: Schedule) -> dict[str, Any]:
    body: dict[str, Any] = {
        "backupWindowEnabled": False,
        "type": "ManualOnly",
        "retryEnabled": schedule.retries > 0,
        "retryNumber": schedule.retries or None,
        "retryWaitInterval": int(schedule.retry_wait / timedelta(minutes=1)) if schedule.retries else None,
    }
    if wire.version >= 6:
        body["scheduleEnabled"] = schedule != Schedule()
    if schedule.daily is not None:
        body |= {"type": "Daily", "dailyType": "Everyday", "dailyTime": schedule.daily.isoformat()}
    elif schedule.every is not None:
        body |= {"type": "Periodically", "periodicallyEvery": _every(schedule.every)}
    return body


def _copy_schedule(schedule: Schedule) -> dict[str, Any]:
    if schedule.daily is not None:
        return {"type": "DailyAtTime", "dailyType": "Everyday", "dailyTime": schedule.daily.isoformat()}
    if schedule.every is not None:
        return {"type": "Periodically", "periodicallyEvery": _every(schedule.every)}
    return {"type": "Immediate"}


def _every(period: timedelta) -> str:
    minutes = int(period / timedelta(minutes=1))
    return f"Minutes{minutes}" if minutes < 60 else f"Hours{minutes // 60}"
