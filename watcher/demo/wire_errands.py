"""Restores, retrievals and synchronizations in each version's shape.

Sources: the OpenAPI files of v6 to v8; restores of v3 to v5 as clients in the field read them.
"""

from typing import Any

from watcher.core.model import Errand, JobType, Session, Status
from watcher.demo.estate import LogItem
from watcher.demo.wire import Wire

RESOURCES = {
    JobType.RESTORE: "RestoreSessions",
    JobType.RETRIEVAL: "DataRetrievalSessions",
    JobType.SYNCHRONIZE: "RepositorySynchronizeSessions",
}
_EVENTS = {"error": "Failed", "warning": "Warning", "success": "Success"}
_STATES = {Status.SUCCESS: "None", Status.RUNNING: "Synchronizing", Status.FAILED: "Failed"}


def errand_body(wire: Wire, session: Session) -> dict[str, Any]:
    """Return one session of the kind that it is."""
    bodies = {JobType.RESTORE: _restore, JobType.RETRIEVAL: _retrieval, JobType.SYNCHRONIZE: _synchronization}
    kind = session.job_type or JobType.RESTORE
    body = bodies[kind](wire, session, session.errand or Errand())
    body["_links"] = wire.links(self=(RESOURCES[kind], session.id))
    return body


def restore_event_body(wire: Wire, item: LogItem, session_id: str) -> dict[str, Any]:
    """Return what became of one item of a restore."""
    return {
        "id": item.id,
        "type": "Restore",
        "status": _EVENTS.get(item.type, "Running"),
        "startTime": wire.time(item.at),
        "endTime": wire.time(item.at),
        "title": "Restore of an item",
        "message": item.text,
        "order": item.usn,
        **_said(itemName=item.item),
        "_links": wire.links(self=("RestoreSessions", session_id, "Events", item.id)),
    }


def _restore(wire: Wire, session: Session, errand: Errand) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": session.id,
        **_said(name=errand.name, organization=errand.organization),
        "type": errand.kind or "Vex",
        "creationTime": wire.time(session.created),
        "endTime": wire.time(session.ended),
        "state": "Stopped" if session.is_ended else "Working",
        # A result stands there from the first moment on.
        "result": session.status if session.is_ended else "Success",
        **_said(initiatedBy=errand.initiated_by, details=session.details),
    }
    if wire.version >= 6:
        body |= _said(scopeName=errand.scope, clientHost=errand.host, reason=errand.reason)
    if wire.version >= 8:
        body["eTag"] = session.etag or 0
    return body


def _retrieval(wire: Wire, session: Session, errand: Errand) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": session.id,
        **_said(name=errand.name, retrievalId=errand.retrieval_id),
        "creationTime": wire.time(session.created),
        **_said(endTime=wire.time(session.ended)),
        "progress": session.progress or 0,
        "processedObjects": session.statistics.processed_objects or 0,
        # v6 lists this one word with a comma at its end
        "type": f"{errand.kind}," if wire.version == 6 and "Days" in (errand.kind or "") else errand.kind or "Retrieve",
        "status": session.status,
    }
    if wire.version >= 8:
        body |= {**_said(repositoryId=errand.repository_id), "proxyId": None, "proxyPoolId": None}
    return body


def _synchronization(_wire: Wire, session: Session, errand: Errand) -> dict[str, Any]:
    return {
        "id": session.id,
        "repositoryId": errand.repository_id,
        "state": _STATES.get(Status(session.status), session.status),
        "progressPercent": session.progress,
        **_said(error=session.details),
    }


def _said(**parts: str | None) -> dict[str, Any]:
    """Return the fields that have a value: those of errands are missing where there is nothing to say."""
    return {name: part for name, part in parts.items() if part is not None}
