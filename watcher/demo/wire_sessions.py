"""Job sessions and their log items in each version's shape."""

from typing import Any

from watcher.core.model import JobType, Session
from watcher.demo.estate import Job, LogItem
from watcher.demo.quirks import MainSession, OpenEnd
from watcher.demo.wire import Wire

_TYPE = {JobType.BACKUP: "Backup", JobType.COPY: "Copy"}


def session_body(wire: Wire, session: Session, job: Job) -> dict[str, Any]:
    """Return one session: v3 to v5 the seven fields of the manuals, then what each version added."""
    body: dict[str, Any] = {
        "id": session.id,
        "creationTime": wire.time(session.created),
        **_end_time(wire, session),
        "progress": session.progress or 0,
        "status": session.status,
        "statistics": _statistics(session),
    }
    if wire.version >= 6:
        body |= {"details": session.details or _transferred(session), "retryCount": session.retry_count or 0}
    if wire.version >= 7:
        body |= _since_v7(wire, session, job)
    if wire.version >= 8:
        body |= _since_v8(session, job)
    body["_links"] = _links(wire, session, job)
    return body


def log_body(wire: Wire, item: LogItem, session_id: str) -> dict[str, Any]:
    """Return one log item: a `title` with its severity before it up to v7, `type` and `message` on v8."""
    body: dict[str, Any] = {"id": item.id, "usn": item.usn}
    if wire.version >= 8:
        body |= {"type": item.type.capitalize(), "message": item.text}
    else:
        prefix = wire.quirks.error_prefix if item.type == "error" else item.type.capitalize()
        body["title"] = f"[{prefix}] {item.text}"
    body |= {"creationTime": wire.time(item.at), "endTime": wire.time(item.at)}
    body["_links"] = wire.links(jobsessions=("JobSessions", session_id))
    return body


def _end_time(wire: Wire, session: Session) -> dict[str, Any]:
    if session.ended is not None:
        return {"endTime": wire.time(session.ended)}
    shown = wire.quirks.open_end or (OpenEnd.NULL if wire.version >= 7 else OpenEnd.MISSING)
    if shown is OpenEnd.MISSING:
        return {}
    return {"endTime": None if shown is OpenEnd.NULL else shown.value}


def _statistics(session: Session) -> dict[str, Any]:
    counters = session.statistics
    return {
        "processingRateBytesPS": counters.processing_rate_bytes or 0,
        "processingRateItemsPS": counters.processing_rate_items or 0,
        "readRateBytesPS": counters.read_rate_bytes or 0,
        "writeRateBytesPS": counters.write_rate_bytes or 0,
        "transferredDataBytes": counters.transferred or 0,
        "processedObjects": counters.processed_objects or 0,
        "bottleneck": counters.bottleneck or ("NA" if session.is_ended else "Detecting"),
    }


def _since_v7(wire: Wire, session: Session, job: Job) -> dict[str, Any]:
    return {
        "repositoryId": job.repository_id,
        **_main_session(wire.quirks.main_session, session),
        "jobWillBeRetried": session.will_be_retried,
        "jobType": _TYPE[job.type],
    }


def _main_session(shown: MainSession, session: Session) -> dict[str, Any]:
    if session.main_session_id:
        return {"mainSessionId": session.main_session_id}
    if shown is MainSession.ABSENT:
        return {}
    values = {MainSession.NULL: None, MainSession.OWN: session.id}
    return {"mainSessionId": values.get(shown, shown.value)}


def _since_v8(session: Session, job: Job) -> dict[str, Any]:
    return {
        "jobId": job.id,
        "jobSessionConfigType": "Incremental",
        "eTag": session.etag or 0,
        "proxyId": job.proxy_id,
        "proxyPoolId": None,
    }


def _links(wire: Wire, session: Session, job: Job) -> dict[str, Any]:
    is_copy = job.type is JobType.COPY
    rel = wire.quirks.copy_rel if is_copy and wire.version < 8 else "job"
    links = wire.links(self=("JobSessions", session.id), **{rel: ("CopyJobs" if is_copy else "Jobs", job.id)})
    if wire.version not in {6, 7}:
        # The manual of v3 shows `/log` here, a path that v3 itself no longer serves.
        links |= wire.links(log=("JobSessions", session.id, "log" if wire.version == 3 else "LogItems"))
    return links


def _transferred(session: Session) -> str:
    counters = session.statistics
    items = counters.processed_objects or 0
    speed = f"{_size(counters.processing_rate_bytes)}/s ({counters.processing_rate_items or 0} items/s)"
    return f"Transferred: {_size(counters.transferred)} ({items} items) at {speed}"


def _size(count: int | None) -> str:
    size = float(count or 0)
    for unit in ("B", "KB", "MB", "GB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TB"
