"""When synchronizations of repositories began and ended: no version shows a time of them, so what is seen counts."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from watcher.core.diff import DOUBTS_TO_VANISH, Sight
from watcher.core.model import JobType, Session, Status
from watcher.core.record import Known


def with_times(known: Mapping[str, Known], sight: Sight, now: datetime, *, is_first: bool) -> Sight:
    """Return a sight in which synchronizations have times, which no version shows: those at which each was first seen.

    `now` is on the server's clock. What a first reading (`is_first`) finds began before it, and what it finds over is
    history. One that is listed no more has come to its good end: a bad one stays in the list. What was not seen under
    way cannot be told to have ended well.
    """
    sessions = [
        _timed(known.get(one.id), one, now, is_first=is_first) if one.job_type is JobType.SYNCHRONIZE else one
        for one in sight.sessions
    ]
    over = {record.session.id: record.session for record in _over(known, sight)}
    sessions += [replace(session, status=Status.SUCCESS, ended=now) for session in over.values()]
    return replace(sight, sessions=tuple(sessions), gone=sight.gone - over.keys())


def _over(known: Mapping[str, Known], sight: Sight) -> Iterator[Known]:
    for record in (known[one] for one in sight.gone if one in known):
        is_synchronization = record.session.job_type is JobType.SYNCHRONIZE
        if is_synchronization and record.is_open and record.doubts + 1 >= DOUBTS_TO_VANISH:
            yield record


def _timed(before: Known | None, shown: Session, now: datetime, *, is_first: bool) -> Session:
    was = before.session if before and before.session.status else None
    if was is None:
        if is_first or shown.status == Status.SUCCESS:
            return shown
        return replace(shown, ended=now) if shown.is_settled else replace(shown, created=now)
    if was.is_settled and shown.status in {was.status, Status.SUCCESS}:
        return replace(shown, status=was.status, created=was.created, ended=was.ended)
    began = None if was.is_settled else was.created
    return replace(shown, created=began, ended=now) if shown.is_settled else replace(shown, created=began or now)
