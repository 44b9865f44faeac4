"""What each GET answers: pure, the world and a question in, a JSON body out; and since and until when it is served."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from watcher.core.model import JobType, Session
from watcher.demo.estate import Job
from watcher.demo.listing import Desk, filtered, listing, row_of
from watcher.demo.quirks import LogShape
from watcher.demo.wire import Ask, array_or_page, moment, page, word
from watcher.demo.wire_errands import errand_body, restore_event_body
from watcher.demo.wire_jobs import copy_job_body, job_body, organization_body
from watcher.demo.wire_server import (
    health_body,
    history_body,
    instance_body,
    license_body,
    mail_body,
    object_storage_body,
    portal_body,
    proxy_body,
    repository_body,
)
from watcher.demo.wire_sessions import log_body

_NEVER = datetime.min.replace(tzinfo=UTC)
_LOG_TYPES = ("Running", "Warning", "Error", "Success", "Stop")


class NotThereError(LookupError):
    """What was asked for does not exist; its text goes into the answer."""


def session_list(desk: Desk, ask: Ask) -> Any:
    """`/JobSessions`: an array of the whole history up to v4, a page from v5, filters from v6."""
    return listing(desk, ask, filtered(desk.sessions(ask.wire.version), ask))


def sessions_of_job(desk: Desk, ask: Ask) -> Any:
    """`/Jobs/{id}/JobSessions`, up to v6."""
    _require(ask.id in desk.world.jobs, "Job was not found.")
    return listing(desk, ask, [one for one in desk.sessions(ask.wire.version) if one.job_id == ask.id])


def session_by_id(desk: Desk, ask: Ask) -> Any:
    """`/JobSessions/{id}`."""
    bad = desk.faults.bad_rows.get(ask.id)
    if bad is not None and bad.bad_by_id:
        return bad.row
    found = [one for one in desk.sessions(ask.wire.version) if one.id == ask.id]
    _require(bool(found), "Job session was not found.")
    return row_of(desk, ask, found[0])


def log_items(desk: Desk, ask: Ask) -> Any:
    """`/JobSessions/{id}/LogItems`: oldest first; v8 can turn that round and choose a type."""
    _require(ask.id in desk.world.sessions, "Job session was not found.")
    items = list(desk.world.logs.get(ask.id, ()))
    if ask.wire.version >= 8:
        wanted = word(ask.query, "type", _LOG_TYPES)
        items = [item for item in items if wanted in {None, item.type.capitalize()}]
        if word(ask.query, "orderAsc", ("true", "false")) == "false":
            items.reverse()
    is_array = ask.wire.quirks.log_shape is LogShape.ARRAY
    return array_or_page(ask, items, lambda item: log_body(ask.wire, item, ask.id), page_since=6 if is_array else 3)


def restore_list(desk: Desk, ask: Ask) -> Any:
    """`/RestoreSessions`: a page; from v6 by the time of the start, on v8 also of the end, and in a chosen order."""
    found = _errands(desk, JobType.RESTORE)
    if ask.wire.version >= 6:
        found = _between(found, ask, "startTime", lambda one: one.created)
    is_rising, key = False, _created
    if ask.wire.version >= 8:
        found = _between(found, ask, "endTime", lambda one: one.ended)
        is_rising = word(ask.query, "orderAsc", ("true", "false")) == "true"
        by_end = word(ask.query, "orderBy", ("CreationTime", "EndTime")) == "EndTime"
        key = _ended if by_end else _created
    found.sort(key=key, reverse=not is_rising)
    return page(ask, found, lambda one: _listed(desk, ask, one))


def retrieval_list(desk: Desk, ask: Ask) -> Any:
    """`/DataRetrievalSessions`, from v6: a page."""
    wanted = ask.query.get("dataretrievalid")
    found = [one for one in _errands(desk, JobType.RETRIEVAL) if not wanted or _retrieval_of(one) == wanted]
    return page(ask, sorted(found, key=_created, reverse=True), lambda one: _listed(desk, ask, one))


def synchronization_list(desk: Desk, ask: Ask) -> Any:
    """`/RepositorySynchronizeSessions`, from v6: an array."""
    return [_listed(desk, ask, one) for one in _errands(desk, JobType.SYNCHRONIZE)]


def errand_by_id(kind: JobType, refusal: str) -> Callable[[Desk, Ask], Any]:
    """Make the answer for one session of a kind."""

    def answer(desk: Desk, ask: Ask) -> Any:
        found = [one for one in _errands(desk, kind) if one.id == ask.id]
        _require(bool(found), refusal)
        bad = desk.faults.bad_rows.get(ask.id)
        return bad.row if bad is not None and bad.bad_by_id else errand_body(ask.wire, found[0])

    return answer


def _listed(desk: Desk, ask: Ask, session: Session) -> Any:
    bad = desk.faults.bad_rows.get(session.id)
    return bad.row if bad is not None else errand_body(ask.wire, session)


def restore_events(desk: Desk, ask: Ask) -> Any:
    """`/RestoreSessions/{id}/Events`: a page of what became of each item."""
    _require(ask.id in desk.world.errands, "Restore session was not found.")
    items = desk.world.errand_logs.get(ask.id, ())
    return page(ask, items, lambda item: restore_event_body(ask.wire, item, ask.id))


def retrieval_log(desk: Desk, ask: Ask) -> Any:
    """`/DataRetrievalSessions/{id}/LogItems`, from v6."""
    _require(ask.id in desk.world.errands, "Data retrieval session was not found.")
    items = desk.world.errand_logs.get(ask.id, ())
    return page(ask, items, lambda item: log_body(ask.wire, item, ask.id))


def _errands(desk: Desk, kind: JobType) -> list[Session]:
    return [one for one in list(desk.world.errands.values()) if one.job_type is kind]


def _between(
    sessions: Sequence[Session], ask: Ask, name: str, at: Callable[[Session], datetime | None]
) -> list[Session]:
    begin, end = moment(ask.query, f"{name}From"), moment(ask.query, f"{name}To")

    def is_within(when: datetime | None) -> bool:
        if when is None:
            return begin is None and end is None
        return (begin is None or when >= begin) and (end is None or when <= end)

    return [one for one in sessions if is_within(at(one))]


def _created(session: Session) -> datetime:
    return session.created or _NEVER


def _ended(session: Session) -> datetime:
    return session.ended or _NEVER


def _retrieval_of(session: Session) -> str | None:
    return session.errand.retrieval_id if session.errand else None


def job_list(desk: Desk, ask: Ask) -> Any:
    """`/Jobs`: an array, a page on v8."""
    return array_or_page(ask, desk.jobs(JobType.BACKUP), lambda job: job_body(ask.wire, job), page_since=8)


def job_by_id(desk: Desk, ask: Ask) -> Any:
    """`/Jobs/{id}`."""
    return job_body(ask.wire, _one(desk.jobs(JobType.BACKUP), ask.id, "Job was not found."))


def copy_job_list(desk: Desk, ask: Ask) -> Any:
    """`/CopyJobs`, from v6: an array, a page on v8."""
    return array_or_page(ask, desk.jobs(JobType.COPY), lambda job: copy_job_body(ask.wire, job), page_since=8)


def copy_job_by_id(desk: Desk, ask: Ask) -> Any:
    """`/CopyJobs/{id}`."""
    return copy_job_body(ask.wire, _one(desk.jobs(JobType.COPY), ask.id, "Copy job was not found."))


def organization_list(desk: Desk, ask: Ask) -> Any:
    """`/Organizations`: an array, a page on v8."""
    known = list(desk.world.organizations.values())
    return array_or_page(ask, known, lambda one: organization_body(ask.wire, one), page_since=8)


def organization_by_id(desk: Desk, ask: Ask) -> Any:
    """`/Organizations/{id}`."""
    _require(ask.id in desk.world.organizations, "Organization was not found.")
    return organization_body(ask.wire, desk.world.organizations[ask.id])


def proxy_list(desk: Desk, ask: Ask) -> Any:
    """`/Proxies`: an array, a page on v8."""
    known = list(desk.world.proxies.values())
    return array_or_page(ask, known, lambda one: proxy_body(ask.wire, one), page_since=8)


def repository_list(desk: Desk, ask: Ask) -> Any:
    """`/BackupRepositories`: an array, a page on v8."""
    known = list(desk.world.repositories.values())
    return array_or_page(ask, known, lambda one: repository_body(ask.wire, one), page_since=8)


def object_storage_list(desk: Desk, ask: Ask) -> Any:
    """`/objectstoragerepositories`: an array, gone on v8."""
    return [object_storage_body(ask.wire, one) for one in list(desk.world.repositories.values()) if one.object_storage]


def service_instance(desk: Desk, ask: Ask) -> Any:
    """`/ServiceInstance`: documented from v6."""
    switch = ask.wire.quirks.service_instance
    _require(ask.wire.version >= 6 if switch is None else switch, "Not found.")
    return instance_body(desk.world)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A GET: its path below the version (`{id}` stands for an id), its answer, and in which versions it is served."""

    path: str
    answer: Callable[[Desk, Ask], Any]
    since: int = 3
    until: int = 8
    anonymous: bool = False


ENDPOINTS: Sequence[Endpoint] = (
    Endpoint("JobSessions", session_list),
    Endpoint("JobSessions/{id}", session_by_id),
    Endpoint("JobSessions/{id}/LogItems", log_items),
    Endpoint("RestoreSessions", restore_list),
    Endpoint("RestoreSessions/{id}", errand_by_id(JobType.RESTORE, "Restore session was not found.")),
    Endpoint("RestoreSessions/{id}/Events", restore_events),
    Endpoint("DataRetrievalSessions", retrieval_list, since=6),
    Endpoint("DataRetrievalSessions/{id}/LogItems", retrieval_log, since=6),
    Endpoint(
        "DataRetrievalSessions/{id}", errand_by_id(JobType.RETRIEVAL, "Data retrieval session was not found."), since=6
    ),
    Endpoint("RepositorySynchronizeSessions", synchronization_list, since=6),
    Endpoint(
        "RepositorySynchronizeSessions/{id}", errand_by_id(JobType.SYNCHRONIZE, "Session was not found."), since=6
    ),
    Endpoint("Jobs", job_list),
    Endpoint("Jobs/{id}", job_by_id),
    Endpoint("Jobs/{id}/JobSessions", sessions_of_job, until=6),
    Endpoint("CopyJobs", copy_job_list, since=6),
    Endpoint("CopyJobs/{id}", copy_job_by_id, since=6),
    Endpoint("Organizations", organization_list),
    Endpoint("Organizations/{id}", organization_by_id),
    Endpoint("Proxies", proxy_list),
    Endpoint("BackupRepositories", repository_list),
    Endpoint("objectstoragerepositories", object_storage_list, since=4, until=7),
    Endpoint("License", lambda desk, ask: license_body(ask.wire, desk.world)),
    Endpoint("HistorySettings", lambda desk, ask: history_body(ask.wire, desk.world)),
    Endpoint("VboEmailSettings", lambda desk, ask: mail_body(ask.wire, desk.world), since=6),
    Endpoint("ServiceInstance", service_instance),
    Endpoint("RestorePortalSettings", lambda desk, ask: portal_body(ask.wire, desk.world), since=6, anonymous=True),
    Endpoint("Health", lambda desk, _ask: health_body(desk.world), since=8, anonymous=True),
)
"""Every GET that is served. Session listings: Veeam's manuals v3 to v5, the OpenAPI files of v6 to v8."""


def _one(jobs: Sequence[Job], wanted: str, refusal: str) -> Job:
    found = [job for job in jobs if job.id == wanted]
    _require(bool(found), refusal)
    return found[0]


def _require(there: bool, refusal: str) -> None:  # noqa: FBT001 - reads as a sentence where it is called
    if not there:
        raise NotThereError(refusal)
