"""What a VB365 server looks after, as plain values. Sessions are those of `watcher.core.model`."""

from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from watcher.core.model import JobType


@dataclass(frozen=True, slots=True)
class Account:
    """The one login that the server accepts."""

    username: str = r"VBO-01\svc-watcher"
    password: str = field(default="let-me-look", repr=False)


@dataclass(frozen=True, slots=True)
class Organization:
    """A Microsoft 365 organization that is backed up."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Schedule:
    """When a job starts by itself: daily at a time (UTC), every so often, or, with neither, by hand only.

    `retries` is how often a run that ended Failed or Warning is tried again, `retry_wait` how long after its end.
    """

    daily: time | None = None
    every: timedelta | None = None
    retries: int = 0
    retry_wait: timedelta = timedelta(minutes=10)

    def after(self, moment: datetime) -> datetime | None:
        """Return the first start after `moment`; None where there is no schedule."""
        if self.daily is not None:
            today = datetime.combine(moment.date(), self.daily, tzinfo=moment.tzinfo)
            return today if today > moment else today + timedelta(days=1)
        return moment + self.every if self.every is not None else None


@dataclass(frozen=True, slots=True)
class Job:
    """A backup or copy job. `backup_job_id` is the job whose backups a copy job copies."""

    id: str
    name: str
    organization_id: str
    repository_id: str
    proxy_id: str
    type: JobType = JobType.BACKUP
    schedule: Schedule = Schedule()
    backup_job_id: str | None = None
    enabled: bool = True
    last_run: datetime | None = None
    next_run: datetime | None = None
    last_backup: datetime | None = None
    last_status: str | None = None
    etag: int = 0


@dataclass(frozen=True, slots=True)
class LogItem:
    """One line of a session's log; `usn` numbers them from 1, `type` is a word of `core.model.LogLine`.

    `item`: what a restore speaks of.
    """

    id: str
    usn: int
    type: str
    text: str
    at: datetime
    item: str | None = None


@dataclass(frozen=True, slots=True)
class Proxy:
    """A machine that does the work."""

    id: str
    host: str
    online: bool = True
    maintenance: bool = False
    version: str = "8.4.0.1457"


@dataclass(frozen=True, slots=True)
class Repository:
    """A place for backups. `invalid` is the reason why the console calls it invalid, None while it is not.

    `object_storage` makes it a bucket with a size limit instead of a disk; sizes are bytes.
    """

    id: str
    name: str
    proxy_id: str
    capacity: int = 8 * 1024**4
    free: int = 3 * 1024**4
    object_storage: bool = False
    invalid: str | None = None


@dataclass(frozen=True, slots=True)
class License:
    """What the server is licensed for."""

    id: str
    licensed_to: str = "Alderwood Group"
    expires: datetime | None = None
    grace: timedelta = timedelta(days=30)
    valid: bool = True
    total: int = 500
    used: int = 412
    new: int = 3


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The server's own result mails."""

    enabled: bool = False
    on_success: bool = True
    on_warning: bool = True
    on_failure: bool = True
    until_last_retry: bool = True
