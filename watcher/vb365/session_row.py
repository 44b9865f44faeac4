"""One row of a session listing, or one session read by itself, as a core Session.

Sources: Veeam's OpenAPI files of v6 to v8; for v3 to v5 the samples in its manuals. No version requires any field.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from watcher.core.model import JobType, Session, Statistics, canonical_status
from watcher.vb365.decode import UnreadableError, fields, job_in, moment, sub, text, truth, whole

ZERO_GUID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be understood: its id, if it has one, and why."""

    id: str | None
    why: str


class _Row(msgspec.Struct, rename="camel"):
    """The fields that are read, of any type: each is judged by itself, so that an odd one costs only itself."""

    id: object = None
    status: object = None
    job_id: object = None
    job_type: object = None
    creation_time: object = None
    end_time: object = None
    progress: object = None
    retry_count: object = None
    main_session_id: object = None
    job_will_be_retried: object = None
    details: object = None
    etag: object = msgspec.field(name="eTag", default=None)
    statistics: object = None
    links: object = msgspec.field(name="_links", default=None)


def read_session(raw: bytes | msgspec.Raw) -> Session | BadRow:
    """Read one session. Without an id, without a status or with a time that cannot be read it is a bad row."""
    session_id = None
    try:
        row = _row(raw)
        session_id = text(row.id)
        return _session(row, session_id)
    except UnreadableError as error:
        return BadRow(session_id, str(error))


def _row(raw: bytes | msgspec.Raw) -> _Row:
    try:
        row = msgspec.json.decode(raw, type=_Row)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _odd_row(raw)
    return row if row.id is not None and row.status is not None else _odd_row(raw)


def _odd_row(raw: bytes | msgspec.Raw) -> _Row:
    """Read a row that the quick way refuses: capitals in its keys, or bytes that are no UTF-8."""
    found = fields(raw)
    names = {field.name: field.encode_name.lower() for field in msgspec.structs.fields(_Row)}
    return _Row(**{name: found[key] for name, key in names.items() if key in found})


def _session(row: _Row, session_id: str | None) -> Session:
    if session_id is None:
        raise UnreadableError("it has no id")
    status = canonical_status(text(row.status) or "") if isinstance(row.status, str) else ""
    if not status:
        raise UnreadableError("it has no status")
    job_id, job_type = _job(row)
    return Session(
        id=session_id,
        status=status,
        job_id=job_id,
        job_type=job_type,
        created=moment(row.creation_time),
        ended=moment(row.end_time),
        progress=whole(row.progress),
        retry_count=whole(row.retry_count),
        main_session_id=_main(text(row.main_session_id), session_id),
        will_be_retried=truth(row.job_will_be_retried),
        details=text(row.details),
        etag=whole(row.etag),
        statistics=_statistics(sub(row.statistics)),
    )


def _job(row: _Row) -> tuple[str | None, JobType | None]:
    """Find the job: `jobId` (v8), else a link; the link of a copy job may be the only word about its kind (v6)."""
    job_id = text(row.job_id)
    kind = {"backup": JobType.BACKUP, "copy": JobType.COPY}.get(str(row.job_type).lower())
    if job_id is not None and kind is not None:
        return job_id, kind
    linked = job_in(sub(row.links))
    if linked is None:
        return job_id, kind
    by_path = JobType.COPY if linked[0] == "copyjobs" else None
    return job_id or linked[1], kind or by_path


def _main(main_id: str | None, session_id: str) -> str | None:
    """Name the first run of a retry; a first run may carry nothing, the zero GUID, or its own id."""
    if main_id is None or main_id == ZERO_GUID or main_id.lower() == session_id.lower():
        return None
    return main_id


def _statistics(row: Mapping[str, object]) -> Statistics:
    """Read the counters; v1 and v2 print texts under other names, which are left alone."""
    bottleneck = text(row.get("bottleneck"))
    return Statistics(
        processing_rate_bytes=whole(row.get("processingratebytesps")),
        processing_rate_items=whole(row.get("processingrateitemsps")),
        read_rate_bytes=whole(row.get("readratebytesps")),
        write_rate_bytes=whole(row.get("writeratebytesps")),
        transferred=whole(row.get("transferreddatabytes", row.get("transferreddatabytesps"))),
        processed_objects=whole(row.get("processedobjects")),
        bottleneck=None if bottleneck in {"NA", "N/A"} else bottleneck,
    )
