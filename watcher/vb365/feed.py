"""The event feed of v8: what has changed since a token, by a request that the server holds until there is something.

Source: Veeam's OpenAPI file of v8 (`/Events`). It names no status for an outdated token and no longest hold; clients in
the field ask for 25 seconds. Not every build of v8 serves it. It speaks of the sessions of jobs, with their status, and
of restores, without; of retrievals and synchronizations it does not speak.
"""

from collections.abc import Collection

import msgspec

from watcher.core.model import JOB_KINDS, Failure, Heard, JobType, LookFailed, canonical_status
from watcher.vb365.api import Api
from watcher.vb365.decode import text
from watcher.vb365.faults import NotFoundError
from watcher.vb365.http import Answer

LATEST = "latest"
HOLD = 25
MOST = 1000
SPOKEN_OF = JOB_KINDS | {JobType.RESTORE}
"""The kinds of sessions of which a feed speaks."""

_UPDATED = "jobsessionupdate"
_RESTORE_UPDATED = "restoresessionupdate"


class _Event(msgspec.Struct, rename="camel"):
    event_type: object = None
    id: object = None
    status: object = None
    job_type: object = None


class _Events(msgspec.Struct, rename="camel"):
    next_change_token: object = None
    results: object = None


async def read_events(api: Api, token: str | None, kinds: Collection[JobType] = JOB_KINDS) -> Heard | None:
    """Wait for what comes after a token (None: after now); None where this server has no feed.

    `kinds`: of which kinds of sessions it is to be heard; an event of a job that does not say its kind counts for all.

    Raises LookFailed: BAD_ANSWER also for a token that the server does not take any more.
    """
    params = {"from": token or LATEST, "limit": str(MOST), "timeoutSeconds": str(HOLD)}
    try:
        answer = await api.get("Events", params, hold=float(HOLD))
    except NotFoundError:
        return None
    return _heard(answer, kinds)


def _heard(answer: Answer, kinds: Collection[JobType]) -> Heard:
    try:
        events = msgspec.json.decode(answer.body, type=_Events)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise _odd(answer, "no JSON object") from None
    token = text(events.next_change_token)
    if token is None:
        raise _odd(answer, "no nextChangeToken")
    rows = events.results if isinstance(events.results, list) else []
    read = [event for row in rows if (event := _event(row))]
    statuses: dict[str, str] = {}
    for event in read:
        statuses.update(_hint(event, kinds))
    restores = (text(one.id) for one in read if JobType.RESTORE in kinds and _is(one, _RESTORE_UPDATED))
    return Heard(token, statuses, frozenset(one for one in restores if one is not None))


def _event(row: object) -> _Event | None:
    """Read one event; None if that cannot be done."""
    try:
        return msgspec.convert(row, _Event)
    except msgspec.ValidationError:
        return None


def _is(event: _Event, kind: str) -> bool:
    return str(event.event_type).lower() == kind


def _hint(event: _Event, kinds: Collection[JobType]) -> dict[str, str]:
    """Return id and status of a job's session that an event speaks of, if it is of a kind that is watched."""
    session_id, watched = text(event.id), JOB_KINDS.intersection(kinds)
    if session_id is None or not _is(event, _UPDATED):
        return {}
    if not watched or str(event.job_type).lower() in JOB_KINDS - watched:
        return {}
    return {session_id: canonical_status(text(event.status) or "")}


def _odd(answer: Answer, what: str) -> LookFailed:
    return LookFailed(Failure.BAD_ANSWER, f"{answer.where}: answered {answer.status} with {what}")
