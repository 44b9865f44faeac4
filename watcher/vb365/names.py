"""Names of jobs and their organizations: read rarely, kept when reading fails, never a reason to give up a look."""

import logging
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Generic

import anyio
import msgspec

from watcher.core.model import Failure, Job, JobType, LookFailed
from watcher.vb365.api import Api
from watcher.vb365.dialect import Listing
from watcher.vb365.job_row import JobRow, OrganizationRow, read_copy_job, read_job, read_organization
from watcher.vb365.pages import R, read_pages

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
AGAIN_AFTER = timedelta(minutes=1)
"""How long a listing that failed is left alone."""
WITHIN = 30.0


@dataclass(slots=True)
class _Part(Generic[R]):
    """One listing of names: what it brought last and when that was asked for, and whether it failed since."""

    resource: str
    read: Callable[[msgspec.Raw], R]
    rows: Sequence[R] = field(default_factory=list)
    is_failing: bool = False
    read_at: datetime | None = None

    async def refresh(self, api: Api, now: datetime) -> None:
        """Read the listing anew; a failure keeps what is there and is logged once. Raises only a refused login."""
        try:
            self.rows = await read_pages(api, self.resource, self.read)
            self.is_failing, self.read_at = False, now
        except LookFailed as failure:
            if failure.kind == Failure.LOGIN_REFUSED:
                raise
            self.fail(str(failure))

    def fail(self, why: str) -> None:
        if not self.is_failing:
            logger.warning("%s; names stay as they were last read", why)
        self.is_failing = True


class Names:
    """What the jobs and organizations of one server are called."""

    def __init__(self, server: str) -> None:
        """Take the server's name, for the log."""
        self._server = server
        self._jobs = _Part("Jobs", read_job)
        self._copies = _Part("CopyJobs", read_copy_job)
        self._organizations = _Part("Organizations", read_organization)
        self._asked_at: datetime | None = None
        self._is_wanted = False
        self._unheard_of: AbstractSet[str] = frozenset()
        self._named: Mapping[str, Job] | None = None
        self._named_by: tuple[object, ...] = ()

    def take_jobs(self, rows: Sequence[JobRow], now: datetime) -> None:
        """Take the rows of /Jobs that a look read anyway (v3, v4)."""
        self._jobs.rows, self._jobs.read_at = rows, now

    def want(self) -> None:
        """Have the jobs read anew with the next look, whatever the time."""
        self._is_wanted = True

    def read_at(self) -> Mapping[JobType, datetime]:
        """Return when the jobs of each kind were read last."""
        parts = ((JobType.BACKUP, self._jobs), (JobType.COPY, self._copies))
        return {kind: part.read_at for kind, part in parts if part.read_at is not None}

    async def refresh(self, api: Api, *, now: datetime, wanted: AbstractSet[str]) -> None:
        """Read the names where it is time: at first, hourly, and at once for a job id that was never asked for.

        `wanted`: the job ids that a look saw. Raises LookFailed only for a refused login.
        """
        is_due, is_wanted = self._is_due(now, wanted), self._is_wanted
        if not is_due and not is_wanted:
            return
        self._asked_at, self._is_wanted = now if is_due else self._asked_at, False
        parts = self._parts(api) if is_due else [part for part in self._parts(api) if part is not self._organizations]
        with anyio.move_on_after(WITHIN) as scope:
            for part in parts:
                await part.refresh(api, now)
        if scope.cancelled_caught and parts:
            parts[-1].fail(f"{self._server}: reading the names takes longer than {WITHIN:.0f} s")
        if not any(part.is_failing for part in parts):
            self._unheard_of = (self._unheard_of | wanted) - self.jobs().keys()

    def jobs(self) -> Mapping[str, Job]:
        """Return all known jobs by id, each with its organization's name; a copy job has that of what it copies.

        As long as nothing is read anew, it is the same mapping.
        """
        if self._named is None or any(old is not new for old, new in zip(self._named_by, self._rows(), strict=True)):
            self._named = self._name()
            self._named_by = self._rows()
        return self._named

    def _rows(self) -> tuple[object, ...]:
        return (self._jobs.rows, self._copies.rows, self._organizations.rows)

    def _name(self) -> dict[str, Job]:
        """Name the organization of each job in its row, so that no job is kept twice."""
        names = {row.id: row.name for row in self._organizations.rows if row.id}
        homes = {row.id: row.organization_id for row in self._jobs.rows}
        for part in (self._copies, self._jobs):
            part.rows = [_at_home(row, names.get(_home(row, homes) or "")) for row in part.rows]
        return {row.id: row.job for row in (*self._copies.rows, *self._jobs.rows) if row.id}

    def _is_due(self, now: datetime, wanted: AbstractSet[str]) -> bool:
        if self._asked_at is None or not timedelta(0) <= now - self._asked_at < EVERY:
            return True
        if self._jobs.is_failing or self._copies.is_failing or self._organizations.is_failing:
            return now - self._asked_at >= AGAIN_AFTER
        return bool(wanted - self.jobs().keys() - self._unheard_of)

    def _parts(self, api: Api) -> list[_Part[JobRow] | _Part[OrganizationRow]]:
        parts: list[_Part[JobRow] | _Part[OrganizationRow]] = []
        if api.dialect.listing is not Listing.BY_JOB:
            parts.append(self._jobs)
        if api.dialect.copy_jobs:
            parts.append(self._copies)
        return [*parts, self._organizations]


def _at_home(row: JobRow, organization: str | None) -> JobRow:
    if row.job.organization == organization:
        return row
    return replace(row, job=replace(row.job, organization=organization))


def _home(row: JobRow, homes: Mapping[str | None, str | None]) -> str | None:
    return row.organization_id or homes.get(row.backup_job_id)
