"""Sessions that no job repeats: restores, retrievals and synchronizations, and what they are called.

None of them stands for a job: an end is told by its own status, and the next one makes nothing good again.
"""

from dataclasses import replace

from watcher.core.event import Event, JobRef
from watcher.core.model import Errand, JobType, Session

_CALLED = {JobType.RESTORE: "Restore", JobType.RETRIEVAL: "Retrieval", JobType.SYNCHRONIZE: "Synchronization"}


def reference(session: Session) -> JobRef:
    """Return what stands in the place of a job: each errand is by itself, so its id is that of the session."""
    errand = session.errand or Errand()
    return JobRef(session.id, errand.name or called(session), session.job_type, errand.organization)


def noun(session: Session) -> str:
    """Return what a session is in a word: "Restore"."""
    return _CALLED.get(session.job_type or JobType.BACKUP, "Session")


def called(session: Session) -> str:
    """Return what a session is in words that name nobody: "Exchange restore", or only "Restore"."""
    return (session.errand.kind if session.errand else None) or noun(session)


def discreet(event: Event) -> Event:
    """Return an event without the words of an errand that name people or what is theirs.

    A restore is named after what is restored, so it is called by its kind; its log names the items.
    """
    session = event.session
    if session is None or session.errand is None:
        return event
    errand = session.errand
    name = errand.name if session.job_type is not JobType.RESTORE else None
    bare = Errand(name, errand.kind, errand.organization, None, None, None, None, errand.retrieval_id)
    session = replace(session, errand=replace(bare, repository_id=errand.repository_id))
    log = () if session.job_type is JobType.RESTORE else event.log
    return replace(event, session=session, job=reference(session), log=log)
