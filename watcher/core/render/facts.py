"""The numbers of a session, in the order in which a person asks for them."""

from collections.abc import Iterator
from datetime import tzinfo

from watcher.core.event import Event
from watcher.core.model import JobType, Session, Statistics
from watcher.core.render.units import duration, moment, number, rate, size

_NO_BOTTLENECK = frozenset({"na", "n/a", "none", "detecting", ""})


def facts(event: Event, zone: tzinfo) -> tuple[tuple[str, str], ...]:
    """Return what is known of an event's job and session as pairs of label and text."""
    session = event.session
    if session is None:
        return tuple(_of_job(event))
    return (*_of_job(event), *_of_errand(session), *_of_session(session, event, zone))


def _of_job(event: Event) -> Iterator[tuple[str, str]]:
    if event.job is None:
        return
    if event.job.organization:
        yield "Organization", event.job.organization
    if event.job.type == JobType.COPY:
        yield "Job type", "backup copy"


def _of_errand(session: Session) -> Iterator[tuple[str, str]]:
    """Say who asked for what, from where, and why."""
    errand = session.errand
    if errand is None:
        return
    told = (
        ("Type", errand.kind if errand.name else None),
        ("Scope", errand.scope),
        ("Initiated by", errand.initiated_by),
        ("From", errand.host),
        ("Reason given", errand.reason),
    )
    yield from ((label, text) for label, text in told if text)


def _of_session(session: Session, event: Event, zone: tzinfo) -> Iterator[tuple[str, str]]:
    if session.created is not None:
        yield "Started", moment(session.created, zone, beside=event.happened)
    if session.created is not None and session.ended is not None and session.ended >= session.created:
        yield "Duration", duration(session.ended - session.created)
    yield from _retries(session, event)
    yield from _of_statistics(session.statistics, session.progress)


def _retries(session: Session, event: Event) -> Iterator[tuple[str, str]]:
    if len(event.attempts) > 1:
        yield "Attempts", number(len(event.attempts))
    elif session.retry_count:
        yield "Retries", number(session.retry_count)


def _of_statistics(statistics: Statistics, progress: int | None) -> Iterator[tuple[str, str]]:
    objects = statistics.processed_objects if statistics.processed_objects is not None else progress
    if objects is not None:
        yield "Objects", number(objects)
    if statistics.transferred is not None:
        yield "Data moved", size(statistics.transferred)
    speeds = ", ".join(_speeds(statistics))
    if speeds:
        yield "Speed", speeds
    if statistics.bottleneck is not None and statistics.bottleneck.strip().lower() not in _NO_BOTTLENECK:
        yield "Bottleneck", statistics.bottleneck


def _speeds(statistics: Statistics) -> Iterator[str]:
    if statistics.processing_rate_bytes:
        yield rate(statistics.processing_rate_bytes)
    if statistics.processing_rate_items:
        noun = "item" if statistics.processing_rate_items == 1 else "items"
        yield f"{number(statistics.processing_rate_items)} {noun}/s"
    if statistics.read_rate_bytes:
        yield f"read {rate(statistics.read_rate_bytes)}"
    if statistics.write_rate_bytes:
        yield f"write {rate(statistics.write_rate_bytes)}"
