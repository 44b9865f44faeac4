"""An event for programs: CloudEvents 1.0 in structured JSON, with the fields of the contract's section 5."""

from dataclasses import fields, replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import TypeAlias
from urllib.parse import quote

import msgspec

from watcher.core.digest import Digest, JobDigest
from watcher.core.event import Event, JobRef, ServerRef
from watcher.core.model import LogLine, Session, Statistics
from watcher.core.render.link import link
from watcher.core.render.style import Details
from watcher.core.render.words import reason

ONE_TYPE = "application/cloudevents+json"
BATCH_TYPE = "application/cloudevents-batch+json"

Json: TypeAlias = "str | int | bool | dict[str, Json] | list[Json] | None"
_STATISTICS = tuple(part.name for part in fields(Statistics))
_NO_STATISTICS = Statistics()
_OURS = ("channel.", "watcher.")  # events of the watcher itself, which speak of no server


def encode(events: tuple[Event, ...], details: Details = Details.FULL, page: str | None = None) -> tuple[str, bytes]:
    """Return the content type and the body for one event, or for several as a batch.

    `page`: the address of the status page, for links.
    """
    if details is not Details.FULL:
        events = tuple(_discreet(event, details) for event in events)
    if len(events) == 1:
        return ONE_TYPE, msgspec.json.encode(cloud_event(events[0], page))
    return BATCH_TYPE, msgspec.json.encode([cloud_event(event, page) for event in events])


def identity(events: tuple[Event, ...]) -> str:
    """Return the `webhook-id`: that of the event, or for a batch a hash of the ids, the same at every attempt."""
    if len(events) == 1:
        return events[0].id
    return sha256(" ".join(event.id for event in events).encode()).hexdigest()[:32]


def cloud_event(event: Event, page: str | None = None) -> dict[str, Json]:
    """Return an event as the contract names its parts: times in UTC with `Z`, and nothing where it has nothing."""
    return _present(
        specversion="1.0",
        id=event.id,
        source="/watcher" if _is_ours(event) else _source(event.server.name),
        type=f"watcher.{event.type}",
        subject=(event.job.name if event.job is not None else None) or None,
        time=_time(event.happened),
        datacontenttype="application/json",
        data=_data(event, page),
    )


def _data(event: Event, page: str | None) -> dict[str, Json]:
    return _present(
        server=None if _is_ours(event) else _server(event.server),
        channel=_present(name=event.channel) or None,
        job=_job(event.job),
        session=_session(event.session),
        transition=_present(**{"from": event.came_from, "to": event.went_to}) or None,
        late=event.late,
        attempts=[{"id": session_id} for session_id in event.attempts] or None,
        log=[_line(line) for line in event.log] or None,
        reason=event.reason,
        link=link((event,), page) if page else None,
        digest=_digest(event.digest) if event.digest is not None else None,
    )


def _discreet(event: Event, details: Details) -> Event:
    """Return an event without what names people; of its log at most the line that says why."""
    why = reason(event) if details is Details.SHORT else None
    session = replace(event.session, details=None) if event.session is not None else None
    return replace(event, session=session, log=(why,) if why in event.log and why is not None else ())


def _digest(digest: Digest) -> dict[str, Json]:
    return {
        "begins": _time(digest.begins),
        "ends": _time(digest.ends),
        "all_well": digest.is_all_well,
        "jobs": [_job_digest(job) for job in digest.jobs],
        "unreachable": [server.name for server in digest.unreachable],
    }


def _job_digest(job: JobDigest) -> dict[str, Json]:
    parts = {field.name: getattr(job, field.name) for field in fields(job) if field.name != "last_good"}
    return _present(**parts, last_good=_time(job.last_good))


@lru_cache(maxsize=1024)
def _source(server: str) -> str:
    return f"/servers/{quote(server, safe='')}"


def _is_ours(event: Event) -> bool:
    return event.type.startswith(_OURS)


def _server(server: ServerRef) -> dict[str, Json]:
    return _present(name=server.name, installation_id=server.installation_id)


def _job(job: JobRef | None) -> dict[str, Json] | None:
    if job is None:
        return None
    return _present(id=job.id, name=job.name, type=job.type, organization=job.organization)


def _session(session: Session | None) -> dict[str, Json] | None:
    if session is None:
        return None
    return _present(
        id=session.id,
        status=session.status,
        creation_time=_time(session.created),
        end_time=_time(session.ended),
        retry_count=session.retry_count,
        details=session.details,
        statistics=_statistics(session.statistics) if session.statistics != _NO_STATISTICS else None,
    )


def _statistics(statistics: Statistics) -> dict[str, Json]:
    return _present(**{name: getattr(statistics, name) for name in _STATISTICS})


def _line(line: LogLine) -> str:
    return f"[{line.type.capitalize()}] {line.text}" if line.type else line.text


def _time(when: datetime | None) -> str | None:
    return when.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z" if when is not None else None


def _present(**parts: Json) -> dict[str, Json]:
    return {name: part for name, part in parts.items() if part is not None}
