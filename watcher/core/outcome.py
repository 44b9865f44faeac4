"""How a job stands after each of its ends, and which event an end is because of that."""

from collections.abc import Iterable, Mapping

from watcher.core import event
from watcher.core.event import Story
from watcher.core.model import Job, Session, Status
from watcher.core.record import Outcome

_TYPES = {
    Status.FAILED: event.SESSION_FAILED,
    Status.WARNING: event.SESSION_WARNING,
    Status.STOPPED: event.SESSION_STOPPED,
    Status.SUCCESS: event.SESSION_SUCCESS,
}
_COUNTS = frozenset({Status.FAILED, Status.WARNING, Status.SUCCESS})


def judge(before: Outcome | None, session: Session, *, is_told: bool = False) -> tuple[str, Story, Outcome | None]:
    """Return the event type of an end, what happened before it, and how the job stands now.

    Failed is bad; Warning after Failed ends the failure; Stopped changes nothing. An end older than the one that the
    outcome rests on is told by its own status and changes nothing either. `is_told`: an earlier attempt of the same run
    was told and counted already.
    """
    event_type = _TYPES[Status(session.status)]
    if session.status not in _COUNTS or is_older(session, before):
        return event_type, Story(), before
    story = _story(before, session, is_told=is_told)
    if session.status == Status.SUCCESS and before is not None and before.status == Status.FAILED:
        event_type = event.JOB_RECOVERED
    return event_type, story, _after(before, session, story)


def laid_aside(before: Outcome | None, session: Session) -> Outcome | None:
    """Return how the job stands after an end that is history: its status counts, but nothing is counted."""
    if session.status not in _COUNTS or (before is not None and (before.ended is None or is_older(session, before))):
        return before
    return Outcome(session.status, session.ended)


def seeds(jobs: Mapping[str, Job], sessions: Iterable[Session]) -> dict[str, Outcome]:
    """Return how jobs stood at first contact, for those of which the look showed no end: by their `lastStatus`."""
    shown = {session.job_id for session in sessions if session.status in _COUNTS}
    return {
        job.id: Outcome(job.last_status) for job in jobs.values() if job.last_status in _COUNTS and job.id not in shown
    }


def is_older(session: Session, outcome: Outcome | None) -> bool:
    """Whether an end lies before the one that a job's outcome rests on."""
    if outcome is None or outcome.ended is None or session.ended is None:
        return False
    return session.ended < outcome.ended


def _story(before: Outcome | None, session: Session, *, is_told: bool) -> Story:
    was_bad = before is not None and before.status == Status.FAILED
    failures = before.failures if before and was_bad else 0
    since = before.failing_since if before and was_bad else None
    last_good = before.last_good if before else None
    if session.status == Status.FAILED:
        counted = failures if is_told and failures else failures + 1
        return Story(counted, since or session.ended, last_good, was_bad=was_bad)
    return Story(failures, since, last_good, was_bad=was_bad)


def _after(before: Outcome | None, session: Session, story: Story) -> Outcome:
    last_good = before.last_good if before else None
    if session.status == Status.FAILED:
        told = before.told if before and story.was_bad else ()
        return Outcome(session.status, session.ended, story.failures, story.failing_since, last_good, told)
    if session.status == Status.SUCCESS:
        last_good = session.ended
    return Outcome(session.status, session.ended, last_good=last_good)
