"""Whether a session will be retried, where the server does not say so itself (v6)."""

from collections.abc import Mapping
from dataclasses import replace

from watcher.core.model import Job, JobType, Session, Status
from watcher.vb365.dialect import Dialect


def with_verdict(dialect: Dialect, session: Session, jobs: Mapping[str, Job]) -> Session:
    """Return a session with a word on its retry: v6 counts retries, and its jobs say how many there are.

    v7 and v8 say it themselves; before v6 nothing is counted, so each session stands for itself.
    """
    if dialect.retry_verdict or session.retry_count is None or session.status not in {Status.FAILED, Status.WARNING}:
        return session
    job = jobs.get(session.job_id or "")
    if job is None or job.type is JobType.COPY:
        return session
    return replace(session, will_be_retried=session.retry_count < (job.retry_number or 0))
