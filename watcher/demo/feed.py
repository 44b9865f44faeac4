"""`/Events` of v8: what has changed since a token; the answer is kept back until there is something."""

from collections.abc import Callable
from typing import Any

import anyio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from watcher.core.model import JobType
from watcher.demo.faults import Faults
from watcher.demo.wire import Ask, BadParameterError
from watcher.demo.world import Change, World

_LOOK_EVERY = 0.01
_PREFIX = "OPAQUE-"
_MOST = 10_000


class OutdatedError(ValueError):
    """A token that this server does not know, or not any more."""


async def events(
    world: World, faults: Faults, ask: Ask, request: Request, let_time_pass: Callable[[], None]
) -> Response:
    """Answer with what comes after a token, or with nothing when the time is over.

    May raise BadParameterError and OutdatedError.
    """
    given = ask.query.get("from")
    if given is None:
        raise BadParameterError("from is required.")
    start = world.changed if given == "latest" else _number(given, world, faults)
    limit = min(_whole(ask.query.get("limit", "30"), "limit"), _MOST)
    hold = min(_whole(ask.query.get("timeoutseconds", "0"), "timeoutSeconds"), ask.wire.quirks.event_hold)
    if given != "latest":
        with anyio.move_on_after(hold):
            while world.changed <= start or faults.mute_feed:
                await anyio.sleep(_LOOK_EVERY)
                let_time_pass()
                if await request.is_disconnected():
                    break
    found = [] if faults.mute_feed else [change for change in list(world.changes) if change.number > start][:limit]
    last = found[-1].number if found else start
    rows = [_row(world, change) for change in found]
    return JSONResponse({"nextChangeToken": f"{_PREFIX}{last}", "limit": limit, "results": rows})


def _number(token: str, world: World, faults: Faults) -> int:
    number = token.removeprefix(_PREFIX)
    oldest = world.changes[0].number - 1 if world.changes else 0
    if not number.isdigit() or not max(oldest, faults.tokens_from) <= int(number) <= world.changed:
        raise OutdatedError("The change token is outdated.")
    return int(number)


def _row(world: World, change: Change) -> dict[str, Any]:
    if change.kind == "RestoreSessionDelete":
        return {"eventType": change.kind, "id": change.subject}
    if change.kind == "RestoreSessionUpdate":
        return {"eventType": change.kind, "id": change.subject, "eTag": change.session.etag if change.session else 0}
    row: dict[str, Any] = {"eventType": change.kind, "id": change.subject, "eTag": change.etag, "jobType": "Backup"}
    job = world.jobs.get((change.session.job_id if change.session else change.subject) or "")
    if job is not None and job.type is JobType.COPY:
        row["jobType"] = "Copy"
    if change.session is not None and change.kind == "JobSessionUpdate":
        row |= {"jobId": change.session.job_id, "status": change.session.status}
    return row


def _whole(text: str, name: str) -> int:
    if not text.isdigit():
        raise BadParameterError(f"{name} is not a whole number.")
    return int(text)
