"""Which sessions of jobs are watched: all of them, or only those of backups or of copies."""

from collections.abc import Collection, Iterable, Mapping

from watcher.core.model import JOB_KINDS, Job, JobType, Session
from watcher.vb365.dialect import Dialect


class Kinds:
    """The kinds of jobs that are watched on one server."""

    def __init__(self, watched: Collection[JobType]) -> None:
        """Take all that is watched; what is no kind of job is passed over."""
        self.of_jobs = JOB_KINDS.intersection(watched)

    def are_listed(self, dialect: Dialect) -> bool:
        """Whether a version has sessions that are watched; before v6 all are backups."""
        return bool(self.of_jobs & (JOB_KINDS if dialect.copy_jobs else {JobType.BACKUP}))

    def filter(self, dialect: Dialect) -> dict[str, str]:
        """Return the filter that leaves only what is watched; none where that is all, nor before v6."""
        if len(self.of_jobs) != 1 or not dialect.copy_jobs:
            return {}
        return {"jobType": "Backup" if JobType.BACKUP in self.of_jobs else "Copy"}

    def jobs(self, jobs: Mapping[str, Job]) -> dict[str, Job]:
        """Leave out the jobs that are not watched."""
        return {job_id: job for job_id, job in jobs.items() if job.type in self.of_jobs}

    def sessions(self, sessions: Iterable[Session], jobs: Mapping[str, Job]) -> tuple[Session, ...]:
        """Leave out the sessions that are not watched; one that says nothing of its kind has that of its job."""
        if self.of_jobs == JOB_KINDS:
            return tuple(sessions)
        return tuple(one for one in sessions if self._kind(one, jobs) in self.of_jobs)

    def _kind(self, session: Session, jobs: Mapping[str, Job]) -> JobType:
        if session.job_type is not None:
            return session.job_type
        job = jobs.get(session.job_id or "")
        if job is not None:
            return job.type
        return next(iter(self.of_jobs)) if len(self.of_jobs) == 1 else JobType.BACKUP
