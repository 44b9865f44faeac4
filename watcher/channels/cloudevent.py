"""An event for programs: CloudEvents 1.0 in structured JSON, with the fields of the contract's section 5."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import quote

import msgspec

from watcher.channels.shapes import (
    AttemptShape,
    ChannelShape,
    CloudEvent,
    DataShape,
    DigestShape,
    HeartbeatShape,
    JobDigestShape,
    JobShape,
    ServerShape,
    SessionShape,
    StatisticsShape,
    ThingShape,
    TransitionShape,
)
from watcher.core.digest import Digest, JobDigest
from watcher.core.errand import discreet
from watcher.core.event import Event, JobRef, ServerRef, Thing
from watcher.core.heartbeat import Heartbeat
from watcher.core.model import JOB_KINDS, Errand, LogLine, Session, Statistics
from watcher.core.render.link import link
from watcher.core.render.style import Details
from watcher.core.render.words import reason

ONE_TYPE = "application/cloudevents+json"
BATCH_TYPE = "application/cloudevents-batch+json"

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


def cloud_event(event: Event, page: str | None = None) -> CloudEvent:
    """Return an event in its shape: times in UTC, which are written with `Z`."""
    return CloudEvent(
        specversion="1.0",
        id=event.id,
        source="/watcher" if _is_ours(event) else _source(event.server.name),
        type=f"watcher.{event.type}",
        subject=(event.job.name if event.job is not None else None) or None,
        time=event.happened.astimezone(UTC),
        datacontenttype="application/json",
        data=_data(event, page),
    )


def _data(event: Event, page: str | None) -> DataShape:
    is_change = event.came_from is not None or event.went_to is not None
    data = DataShape(
        server=None if _is_ours(event) else _server(event.server),
        channel=ChannelShape(name=event.channel) if event.channel is not None else None,
        job=_job(event.job),
        session=_session(event.session),
        transition=TransitionShape(went_from=event.came_from, to=event.went_to) if is_change else None,
        late=event.late,
        attempts=[AttemptShape(id=session_id) for session_id in event.attempts] if event.attempts else None,
        log=[_line(line) for line in event.log] if event.log else None,
        reason=event.reason,
        link=link((event,), page) if page else None,
        digest=_digest(event.digest) if event.digest is not None else None,
        heartbeat=_heartbeat(event.heartbeat) if event.heartbeat is not None else None,
    )
    if event.thing is not None:
        _say_thing(data, event, event.thing)
    return data


def _say_thing(data: DataShape, event: Event, thing: Thing) -> None:
    """Say which proxy, repository or license an event speaks of; the first word of its type tells them apart."""
    setattr(data, event.type.partition(".")[0], ThingShape(id=thing.id, name=thing.name or None))


def _discreet(event: Event, details: Details) -> Event:
    """Return an event without what names people; of its log at most the line that says why."""
    event = discreet(event)
    why = reason(event) if details is Details.SHORT else None
    session = replace(event.session, details=None) if event.session is not None else None
    return replace(event, session=session, log=(why,) if why in event.log and why is not None else ())


def _digest(digest: Digest) -> DigestShape:
    return DigestShape(
        begins=digest.begins.astimezone(UTC),
        ends=digest.ends.astimezone(UTC),
        all_well=digest.is_all_well,
        jobs=[_job_digest(job) for job in digest.jobs],
        unreachable=[server.name for server in digest.unreachable],
    )


def _heartbeat(beat: Heartbeat) -> HeartbeatShape:
    return HeartbeatShape(
        all_well=beat.is_well,
        servers=len(beat.servers),
        jobs=beat.jobs,
        running=beat.running,
        failing=beat.failing,
        alarms=beat.alarms,
        pending=beat.pending,
        dead=beat.dead,
        unreachable=[server.name for server in beat.away],
        sick=list(beat.sick),
        stuck=list(beat.stuck),
    )


def _job_digest(job: JobDigest) -> JobDigestShape:
    return JobDigestShape(
        server=job.server,
        job=job.job,
        organization=job.organization,
        runs=job.runs,
        failures=job.failures,
        warnings=job.warnings,
        stopped=job.stopped,
        status=job.status,
        moved=job.moved,
        moved_before=job.moved_before,
        last_good=_time(job.last_good),
    )


@lru_cache(maxsize=1024)
def _source(server: str) -> str:
    return f"/servers/{quote(server, safe='')}"


def _is_ours(event: Event) -> bool:
    return event.type.startswith(_OURS)


def _server(server: ServerRef) -> ServerShape:
    return ServerShape(name=server.name, installation_id=server.installation_id)


def _job(job: JobRef | None) -> JobShape | None:
    if job is None:
        return None
    job_id = job.id if job.type is None or job.type in JOB_KINDS else None  # there is no job behind a restore
    return JobShape(id=job_id, name=job.name, type=job.type, organization=job.organization)


def _session(session: Session | None) -> SessionShape | None:
    if session is None:
        return None
    told = SessionShape(
        id=session.id,
        status=session.status,
        creation_time=_time(session.created),
        end_time=_time(session.ended),
        retry_count=session.retry_count,
        details=session.details,
        statistics=_statistics(session.statistics) if session.statistics != _NO_STATISTICS else None,
    )
    if session.errand is not None:
        _say_errand(told, session.errand)
    return told


def _say_errand(told: SessionShape, errand: Errand) -> None:
    """Say what a session is about that no job repeats."""
    told.name, told.type, told.scope_name = errand.name, errand.kind, errand.scope
    told.initiated_by, told.client_host, told.reason = errand.initiated_by, errand.host, errand.reason
    told.retrieval_id, told.repository_id = errand.retrieval_id, errand.repository_id


def _statistics(statistics: Statistics) -> StatisticsShape:
    return StatisticsShape(
        processing_rate_bytes=statistics.processing_rate_bytes,
        processing_rate_items=statistics.processing_rate_items,
        read_rate_bytes=statistics.read_rate_bytes,
        write_rate_bytes=statistics.write_rate_bytes,
        transferred=statistics.transferred,
        processed_objects=statistics.processed_objects,
        bottleneck=statistics.bottleneck,
    )


def _line(line: LogLine) -> str:
    return f"[{line.type.capitalize()}] {line.text}" if line.type else line.text


def _time(when: datetime | None) -> datetime | None:
    return when if when is None or when.tzinfo is UTC else when.astimezone(UTC)
