"""What programs read: health, metrics, and the JSON of the contract's section 3; openapi.json describes it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watcher.core.board import objects
from watcher.core.delivery import State
from watcher.core.model import Session
from watcher.core.silence import Silence
from watcher.core.standing import JobRow
from watcher.web.guard import json_answer
from watcher.web.health import Health
from watcher.web.metrics import CONTENT_TYPE, Metrics
from watcher.web.reading import Reader, read
from watcher.web.sick import sick

DEFAULT_LIMIT = 1000
LARGEST_LIMIT = 10_000


@dataclass(frozen=True, slots=True)
class Api:
    """The endpoints for programs. All of them only read."""

    reader: Reader
    health: Health
    metrics: Metrics
    now: Callable[[], datetime]

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/healthz", self.healthz),
            Route("/readyz", self.readyz),
            Route("/metrics", self.prometheus),
            Route("/api/status", self.status),
            Route("/api/jobs", self.jobs),
            Route("/api/sessions", self.sessions),
            Route("/api/deliveries", self.deliveries),
            Route("/api/silences", self.silences),
            Route("/api/openapi.json", self.openapi),
        ]

    async def healthz(self, request: Request) -> Response:
        """Say whether both loops make progress and the database can be read."""
        stuck = self.health.stuck(self.now())
        if stuck:
            return json_answer({"status": "stuck", "stuck": stuck}, 503)
        await read(self.reader.status())
        return json_answer({"status": "ok"})

    async def readyz(self, request: Request) -> Response:
        """Say whether every server was tried once; what is sick stands in the body and changes nothing."""
        untried = self.health.untried()
        body = {
            "status": "waiting" if untried else "ready",
            "untried": untried,
            "sick": sick(await read(self.reader.status())),
        }
        return json_answer(body, 503 if untried else 200)

    async def prometheus(self, request: Request) -> Response:
        """Write the metrics."""
        status = await read(self.reader.status())
        text = self.metrics.render(status, await read(self.reader.tallies()))
        return Response(text, headers={"Content-Type": CONTENT_TYPE})

    async def status(self, request: Request) -> Response:
        """Give what `watcher status --json` gives."""
        return json_answer(await read(self.reader.status()))

    async def jobs(self, request: Request) -> Response:
        """Give how each job stands, ordered by server and name."""
        rows = await read(self.reader.standings())
        now, limit, begin = self.now(), limit_of(request), _number(request, "offset", 0, 0)
        ordered = sorted(rows, key=lambda row: (row.server.name, row.job.name, row.job.id))
        return json_answer([_job(row, now) for row in ordered[begin : begin + limit]])

    async def sessions(self, request: Request) -> Response:
        """Give what `watcher sessions --json` gives."""
        return json_answer(await read(self.reader.sessions(limit_of(request))))

    async def deliveries(self, request: Request) -> Response:
        """Give what `watcher deliveries --json` gives."""
        return json_answer(await read(self.reader.deliveries(_state(request), limit_of(request))))

    async def silences(self, request: Request) -> Response:
        """Give the silences that somebody has set, the newest first."""
        now = self.now()
        return json_answer([_silence(one, now) for one in await read(self.reader.silences(limit_of(request)))])

    async def openapi(self, request: Request) -> Response:
        """Give the description of all this."""
        text = (files("watcher.web") / "openapi.json").read_bytes()
        return Response(text, media_type="application/json")


def limit_of(request: Request) -> int:
    """Return how many rows are asked for; HTTPException where that is no number that is served."""
    return _number(request, "limit", DEFAULT_LIMIT, 1, LARGEST_LIMIT)


def _number(request: Request, name: str, usual: int, lowest: int, highest: int = 10**8) -> int:
    given = request.query_params.get(name) or str(usual)
    if not (given.isascii() and given.isdigit() and len(given) <= 9 and lowest <= int(given) <= highest):
        raise HTTPException(400, f"{name} must be a whole number from {lowest} to {highest}")
    return int(given)


def _state(request: Request) -> State | None:
    given = request.query_params.get("state")
    if not given:
        return None
    if given not in set(State):
        raise HTTPException(400, f"state must be one of {', '.join(State)}")
    return State(given)


def _job(row: JobRow, now: datetime) -> dict[str, object]:
    return {
        "server": row.server.name,
        "id": row.job.id,
        "job": row.job.name,
        "type": row.job.type,
        "organization": row.job.organization,
        "standing": row.standing(now).name.lower(),
        "failures": row.outcome.failures if row.outcome else 0,
        "failing_since": row.outcome.failing_since if row.outcome else None,
        "last_good": row.last_good,
        "next_run": row.job.next_run,
        "running": _running(row.running) if row.running else None,
        "alarms": [{"event": one.kind, "since": one.since, "reason": one.reason} for one in row.alarms],
    }


def _running(session: Session) -> dict[str, object]:
    return {"id": session.id, "creation_time": session.created, "objects": objects(session)}


def _silence(silence: Silence, now: datetime) -> dict[str, object]:
    return {
        "id": silence.id,
        "match": str(silence.match),
        "begins": silence.begins,
        "ends": silence.ends,
        "active": silence.over(now) is not None,
        "author": silence.author,
        "reason": silence.reason,
        "muted": silence.muted,
    }
