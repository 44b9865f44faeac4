"""Whether a session will be retried, where the server does not say so itself (v6)."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from watcher.core.model import Job, JobType, Session, Status
from watcher.vb365.dialect import Dialect

_BAD = frozenset({Status.FAILED, Status.WARNING})


def with_verdicts(dialect: Dialect, sessions: Iterable[Session], jobs: Mapping[str, Job]) -> tuple[Session, ...]:
    """Return sessions with a word on their retries; only v6 leaves that to be worked out."""
    if dialect.retry_verdict or not dialect.counts_retries:
        return tuple(sessions)
    return tuple(_with_verdict(session, jobs) for session in sessions)


def _with_verdict(session: Session, jobs: Mapping[str, Job]) -> Session:
    """Say whether a session will be retried: v6 counts retries, and its jobs say how many there are."""
    if session.status not in _BAD or session.retry_count is None:
        return session
    job = jobs.get(session.job_id or "")
    if job is None or job.type is JobType.COPY:
        return session
    return replace(session, will_be_retried=session.retry_count < (job.retry_number or 0))
