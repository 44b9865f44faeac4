"""Rows of /RestoreSessions, /DataRetrievalSessions and /RepositorySynchronizeSessions as core Sessions.

Sources: Veeam's OpenAPI files of v6 to v8; restores of v3 to v5 as clients in the field read them. Fields that the
files require have been seen missing.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec

from watcher.core.model import Errand, JobType, Session, Statistics, Status, canonical_status
from watcher.vb365.decode import UnreadableError, fields, moment, text, whole
from watcher.vb365.session_row import BadRow

Fields: TypeAlias = Mapping[str, object]
Reader: TypeAlias = Callable[[bytes | msgspec.Raw], Session | BadRow]

_RESTORES = {
    "vex": "Exchange restore",
    "veod": "OneDrive restore",
    "vesp": "SharePoint restore",
    "vet": "Teams restore",
}
_RETRIEVALS = {
    "retrieve": "Retrieval",
    "retrievalchangeavailabilityperioddays": "Change of how long retrieved data is kept",
    "retrievalremoving": "Removal of retrieved data",
}
_SYNCHRONIZATIONS = {"none": Status.SUCCESS, "synchronizing": Status.RUNNING, "failed": Status.FAILED}


def read_restore(raw: bytes | msgspec.Raw) -> Session | BadRow:
    """Read one restore. Its result counts only once it has stopped: the row carries one from its first moment on."""
    return _read(raw, _restore)


def read_retrieval(raw: bytes | msgspec.Raw) -> Session | BadRow:
    """Read one retrieval of data from an archive."""
    return _read(raw, _retrieval)


def read_synchronization(raw: bytes | msgspec.Raw) -> Session | BadRow:
    """Read one synchronization of a repository. It has no times; the state None is shown as a good end."""
    return _read(raw, _synchronization)


def _read(raw: bytes | msgspec.Raw, read: Callable[[str, Fields], Session]) -> Session | BadRow:
    session_id = None
    try:
        row = fields(raw)
        session_id = text(row.get("id"))
        return read(session_id, row) if session_id is not None else BadRow(None, "it has no id")
    except UnreadableError as error:
        return BadRow(session_id, str(error))


def _restore(session_id: str, row: Fields) -> Session:
    return Session(
        session_id,
        _standing(_word(row, "state"), text(row.get("result"))),
        job_type=JobType.RESTORE,
        created=moment(row.get("creationtime")),
        ended=moment(row.get("endtime")),
        details=text(row.get("details")),
        etag=whole(row.get("etag")),
        errand=Errand(
            name=text(row.get("name")),
            kind=_in_words(_RESTORES, row),
            organization=text(row.get("organization")),
            scope=text(row.get("scopename")),
            initiated_by=text(row.get("initiatedby")),
            host=text(row.get("clienthost")),
            reason=text(row.get("reason")),
        ),
    )


def _standing(state: str, result: str | None) -> str:
    """Return the status that state and result come to; a stopped one without a result is just that."""
    if state.lower() == "working":
        return Status.RUNNING
    if state.lower() == "stopped":
        return canonical_status(result or Status.STOPPED)
    return state


def _retrieval(session_id: str, row: Fields) -> Session:
    status = _word(row, "status")
    return Session(
        session_id,
        Status.SUCCESS if status.lower() == "succeeded" else canonical_status(status),
        job_type=JobType.RETRIEVAL,
        created=moment(row.get("creationtime")),
        ended=moment(row.get("endtime")),
        progress=whole(row.get("progress")),
        statistics=Statistics(processed_objects=whole(row.get("processedobjects"))),
        errand=Errand(
            name=text(row.get("name")),
            kind=_in_words(_RETRIEVALS, row),
            retrieval_id=text(row.get("retrievalid")),
            repository_id=text(row.get("repositoryid")),
        ),
    )


def _synchronization(session_id: str, row: Fields) -> Session:
    state = _word(row, "state")
    return Session(
        session_id,
        _SYNCHRONIZATIONS.get(state.lower(), state),
        job_type=JobType.SYNCHRONIZE,
        details=text(row.get("error")),
        errand=Errand(repository_id=text(row.get("repositoryid"))),
    )


def _word(row: Fields, name: str) -> str:
    word = row.get(name)
    if not isinstance(word, str) or not word.strip():
        raise UnreadableError(f"it has no {name}")
    return text(word.strip()) or ""


def _in_words(known: Mapping[str, str], row: Fields) -> str | None:
    """Say what kind it is; one that no version documents by its own word. v6 lists one with a comma at its end."""
    word = (text(row.get("type")) or "").rstrip(", ")
    return known.get(word.lower(), word) or None
