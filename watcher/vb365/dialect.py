"""The wire versions v3 to v8: what each one serves, and under which path.

Sources: Veeam's REST manuals of 3.0 to 8, and its OpenAPI files of v6 to v8.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote


class Listing(Enum):
    """How sessions are listed."""

    BY_JOB = "by job"  # v3, v4: the whole history of a job in one array
    NEWEST_FIRST = "newest first"  # v5 to v7: pages without a useful filter
    FILTERED = "filtered"  # v8: pages by status and by end time


@dataclass(frozen=True, slots=True)
class Dialect:
    """One wire version.

    `copy_jobs`: /CopyJobs is there. `service`: /ServiceInstance and /VboEmailSettings are documented. `antiforgery`:
    the login has to refuse the antiforgery token, and there is a logout. `jobs_sessions_by_filter`: a job's sessions
    are asked for by `?jobId=` and not under the job's own path. `retry_verdict`: sessions say whether they will be
    retried. `typed_logs`: log items carry type and message. `events`: there is a feed to listen to.
    `counts_retries`: sessions say which retry they are. `health`: there is a report of it. `nested_buckets`: object
    storages stand in their repositories, and not in a listing of their own.
    """

    version: str
    listing: Listing
    copy_jobs: bool = False
    service: bool = False
    antiforgery: bool = False
    jobs_sessions_by_filter: bool = False
    retry_verdict: bool = False
    typed_logs: bool = False
    events: bool = False
    counts_retries: bool = False
    health: bool = False
    nested_buckets: bool = False

    @property
    def number(self) -> int:
        """The version as a number."""
        return int(self.version[1:])

    def path(self, resource: str) -> str:
        """Return the path of a resource in this version."""
        return f"/{self.version}/{resource}"

    @property
    def probe(self) -> tuple[str, Mapping[str, str]]:
        """The listing whose 404 means that this version is not served: resource and parameters."""
        if self.listing is Listing.BY_JOB:
            return "Jobs", {}
        return "JobSessions", {"limit": "1"}

    def sessions_of(self, job_id: str) -> tuple[str, Mapping[str, str]]:
        """Return resource and parameters that list one job's sessions."""
        if self.jobs_sessions_by_filter:
            return "JobSessions", {"jobId": job_id}
        return f"Jobs/{quote(job_id, safe='')}/JobSessions", {}


def session(session_id: str) -> str:
    """Return the resource of one session."""
    return f"JobSessions/{quote(session_id, safe='')}"


DIALECTS: Mapping[str, Dialect] = {
    dialect.version: dialect
    for dialect in (
        Dialect(
            "v8",
            Listing.FILTERED,
            copy_jobs=True,
            service=True,
            antiforgery=True,
            jobs_sessions_by_filter=True,
            retry_verdict=True,
            typed_logs=True,
            events=True,
            health=True,
            nested_buckets=True,
        ),
        Dialect(
            "v7",
            Listing.NEWEST_FIRST,
            copy_jobs=True,
            service=True,
            antiforgery=True,
            jobs_sessions_by_filter=True,
            retry_verdict=True,
        ),
        Dialect("v6", Listing.NEWEST_FIRST, copy_jobs=True, service=True, counts_retries=True),
        Dialect("v5", Listing.NEWEST_FIRST),
        Dialect("v4", Listing.BY_JOB),
        Dialect("v3", Listing.BY_JOB),
    )
}
"""All versions, newest first: the order in which they are looked for."""
