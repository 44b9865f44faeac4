"""When a run was last seen to move."""

from dataclasses import replace
from datetime import datetime

from watcher.core.model import Session, Status
from watcher.core.record import Known


def with_movement(known: Known, before: Known | None, server_now: datetime) -> Known:
    """Note when a run that is open was last seen to move. Rates do not count: those of a run that hangs fall, too."""
    if known.session.is_settled:
        return replace(known, moved=None, began=None) if known.moved is not None else known
    if before is not None and before.moved is not None and _counters(before.session) == _counters(known.session):
        return known
    was_queued = before is not None and before.session.status == Status.QUEUED
    has_begun = was_queued and known.session.status == Status.RUNNING
    return replace(known, moved=server_now, began=server_now if has_begun else known.began)


def _counters(run: Session) -> tuple[object, ...]:
    return run.status, run.progress, run.statistics.transferred, run.statistics.processed_objects
