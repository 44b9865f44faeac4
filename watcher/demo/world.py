"""The truth that the stand-in server serves: an estate in memory, changed by a story or by hand.

Every change takes its moment as an argument: aware, in UTC. Records are frozen and replaced whole, so that a reader in
another thread sees each of them before or after a change, and `dict(world.jobs)` is a snapshot.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from watcher.core.model import Errand, JobType, LogLine, Session, Statistics, Status
from watcher.demo.estate import Account, Job, License, LogItem, MailSettings, Organization, Proxy, Repository, Schedule

_NAMESPACE = UUID("7b0f3c52-5d0e-4f6a-9a3e-2f5f2b1c8d41")
_BACKED_UP = frozenset({Status.SUCCESS, Status.WARNING})


CHANGES_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """One change of the world: its number from 1 on, what kind it is, of what, and the session as it was then."""

    number: int
    kind: str
    subject: str
    etag: int
    session: Session | None = None


class World:
    """One VB365 server's estate and history. The same calls give the same ids."""

    def __init__(self, name: str = "vbo-01", *, version: str = "8.4.0.1457") -> None:
        """Begin with one proxy, one repository, a licence and an account, and no jobs."""
        self.name = name
        self.version = version
        self._ids = 0
        self._etag = 0
        self.changes: deque[Change] = deque(maxlen=CHANGES_KEPT)
        self.installation_id = self._new_id()
        self.account = Account()
        self.mail = MailSettings()
        self.keep_weeks: int | None = None
        self.unhealthy: dict[str, str] = {}
        self.license = License(self._new_id())
        self.organizations: dict[str, Organization] = {}
        self.proxies: dict[str, Proxy] = {}
        self.repositories: dict[str, Repository] = {}
        self.jobs: dict[str, Job] = {}
        self.sessions: dict[str, Session] = {}
        self.errands: dict[str, Session] = {}
        self.errand_logs: dict[str, tuple[LogItem, ...]] = {}
        self._forgotten = 0
        self.logs: dict[str, tuple[LogItem, ...]] = {}
        self.add_repository("Disk 01", self.add_proxy("proxy-01"))

    def add_proxy(self, host: str) -> str:
        """Add a proxy; returns its id."""
        proxy = Proxy(self._new_id(), host, version=self.version)
        self.proxies[proxy.id] = proxy
        return proxy.id

    def add_repository(self, name: str, proxy: str, *, object_storage: bool = False) -> str:
        """Add a repository on a proxy; returns its id."""
        repository = Repository(self._new_id(), name, proxy, object_storage=object_storage)
        self.repositories[repository.id] = repository
        return repository.id

    def add_organization(self, name: str) -> str:
        """Return the id of the organization of that name, which is added where it is new."""
        known = [organization.id for organization in self.organizations.values() if organization.name == name]
        if known:
            return known[0]
        organization = Organization(self._new_id(), name)
        self.organizations[organization.id] = organization
        return organization.id

    def add_job(
        self,
        name: str,
        organization: str,
        *,
        schedule: Schedule | None = None,
        copy_of: str | None = None,
        enabled: bool = True,
    ) -> str:
        """Add a backup job, or with `copy_of` (the id of a backup job) a copy job; returns its id."""
        repository = next(iter(self.repositories.values()))
        job = Job(
            id=self._new_id(),
            name=name,
            organization_id=self.add_organization(organization),
            repository_id=repository.id,
            proxy_id=repository.proxy_id,
            type=JobType.COPY if copy_of else JobType.BACKUP,
            schedule=schedule or Schedule(),
            backup_job_id=copy_of,
            enabled=enabled,
        )
        self.set_job(job.id, job)
        return job.id

    def set_job(self, job_id: str, job: Job | None = None, **changes: Any) -> None:
        """Change fields of a job (or put a whole one); its eTag rises."""
        self.jobs[job_id] = replace(job or self.jobs[job_id], etag=self._next_etag(), **changes)
        self._note("JobUpdate", job_id)

    def start(
        self,
        job: str,
        at: datetime,
        *,
        retry_of: str | None = None,
        status: str = Status.RUNNING,
        following: datetime | None = None,
    ) -> str:
        """Begin a session of a job; returns its id. `retry_of` is any earlier session of the same chain.

        `following`: when its next run is planned, if not by its schedule.
        """
        previous = self.sessions[retry_of] if retry_of else None
        session = Session(
            id=self._new_id(),
            status=str(status),
            job_id=job,
            job_type=self.jobs[job].type,
            created=at,
            progress=0,
            retry_count=(previous.retry_count or 0) + 1 if previous else 0,
            main_session_id=(previous.main_session_id or previous.id) if previous else None,
        )
        self.logs[session.id] = ()
        self.put(session)
        following = following or self.jobs[job].schedule.after(at)
        self.set_job(job, last_run=at, last_status=str(status), next_run=following)
        return session.id

    def progress(self, session: str, objects: int, statistics: Statistics | None = None) -> None:
        """Say how far a session is: objects done, and its counters so far."""
        self.change(session, progress=objects, statistics=statistics or self.sessions[session].statistics)

    def end(
        self,
        session: str,
        status: str,
        at: datetime,
        *,
        details: str | None = None,
        log: Iterable[LogLine] = (),
        statistics: Statistics | None = None,
        will_be_retried: bool = False,
    ) -> None:
        """End a session; `log` lines are added to its log first."""
        for line in log:
            self.log(session, line.type, line.text, at)
        before = self.sessions[session]
        self.change(
            session,
            status=str(status),
            ended=at,
            details=details,
            will_be_retried=will_be_retried,
            statistics=statistics or before.statistics,
        )
        if before.job_id:
            self._note_end(before.job_id, str(status), at)

    def set_status(self, session: str, status: str) -> None:
        """Show a session in any status, documented or not; one that is no end takes its end time away."""
        changed = self.change(session, status=str(status))
        if changed.ended and changed.is_recognized and not changed.is_ended:
            changed = self.change(session, ended=None, will_be_retried=None)
        if changed.job_id:
            self.set_job(changed.job_id, last_status=str(status))

    def log(self, session: str, kind: str, text: str, at: datetime) -> None:
        """Add a line to a session's log; `kind` is error, warning, success, running or stop."""
        lines = self.logs[session]
        self.logs[session] = (*lines, LogItem(self._new_id(), len(lines) + 1, kind, text, at))

    def change(self, session: str, **changes: Any) -> Session:
        """Change any field of a session; returns what it is now."""
        return self.put(replace(self.sessions[session], **changes))

    def put(self, session: Session) -> Session:
        """Put a whole session, as it is but for its eTag, which rises."""
        self.sessions[session.id] = replace(session, etag=self._next_etag())
        self._note("JobSessionUpdate", session.id, session)
        return self.sessions[session.id]

    def begin_errand(self, kind: JobType, at: datetime | None, errand: Errand, status: str = Status.RUNNING) -> str:
        """Begin a restore, a retrieval or a synchronization (which has no times); returns its id.

        `errand.kind` is the word of the wire: Vex, Veod, Vesp or Vet; Retrieve and the like. Ids and eTags are counted
        apart from those of jobs.
        """
        name = str(uuid5(_NAMESPACE, f"{self.name}/errand/{len(self.errands) + self._forgotten}"))
        self._put_errand(Session(name, str(status), job_type=kind, created=at, progress=0, errand=errand))
        return name

    def end_errand(self, session: str, status: str, at: datetime | None, *, details: str | None = None) -> None:
        """End one of those, or show it in another status."""
        self._put_errand(replace(self.errands[session], status=str(status), ended=at, details=details))

    def _put_errand(self, session: Session) -> None:
        session = replace(session, etag=(session.etag or 0) + 1)
        self.errands[session.id] = session
        if session.job_type is JobType.RESTORE:  # of the others the feed does not speak
            self._note("RestoreSessionUpdate", session.id, session)

    def log_errand(self, session: str, kind: str, text: str, at: datetime, *, item: str | None = None) -> None:
        """Add a line to the log of a retrieval, or say what became of an item of a restore."""
        lines = self.errand_logs.get(session, ())
        name = str(uuid5(_NAMESPACE, f"{session}/{len(lines)}"))
        self.errand_logs[session] = (*lines, LogItem(name, len(lines) + 1, kind, text, at, item))

    def forget_errand(self, session: str) -> None:
        """Forget one of those: it answers 404 from now on."""
        gone = self.errands.pop(session)
        self._forgotten += 1
        if gone.job_type is JobType.RESTORE:
            self._note("RestoreSessionDelete", session, gone)

    def remove(self, session: str) -> None:
        """Forget a session, as history retention does: it answers 404 from now on."""
        gone = self.sessions.pop(session)
        self.logs.pop(session, None)
        self._note("JobSessionDelete", session, gone)

    def restore(self, to: datetime) -> None:
        """Be again what it was, as from a backup: later sessions are gone, later ends too, and all numbers run back."""
        for session in list(self.sessions.values()):
            if session.created is not None and session.created > to:
                del self.sessions[session.id]
            elif session.ended is not None and session.ended > to:
                self.sessions[session.id] = replace(
                    session, status=Status.RUNNING, ended=None, will_be_retried=None, etag=1
                )
        self._etag = 1
        self.changes.clear()

    def forget(self, before: datetime) -> None:
        """Remove the sessions that ended before a moment, of jobs and others."""
        for session in list(self.sessions.values()):
            if session.ended is not None and session.ended < before:
                self.remove(session.id)
        for errand in list(self.errands.values()):
            if errand.ended is not None and errand.ended < before:
                self.forget_errand(errand.id)

    def _note_end(self, job: str, status: str, at: datetime) -> None:
        changes: dict[str, Any] = {"last_status": status}
        if status in _BACKED_UP:
            changes["last_backup"] = at
        self.set_job(job, **changes)

    @property
    def changed(self) -> int:
        """How many changes there have been."""
        return self.changes[-1].number if self.changes else 0

    def _note(self, kind: str, subject: str, session: Session | None = None) -> None:
        self.changes.append(Change(self.changed + 1, kind, subject, self._etag, session))

    def _new_id(self) -> str:
        self._ids += 1
        return str(uuid5(_NAMESPACE, f"{self.name}/{self._ids}"))

    def _next_etag(self) -> int:
        self._etag += 1
        return self._etag
