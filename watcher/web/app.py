"""The routes of the contract's section 6. All of them only read, by a reader and a clock that they are given."""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from typing import Protocol, TypeVar

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from watcher.core.delivery import State
from watcher.core.views import DeliveryView, SessionView, StatusView
from watcher.web.guard import Guard, json_answer, one_line
from watcher.web.health import Health
from watcher.web.metrics import CONTENT_TYPE, Metrics
from watcher.web.page import Overview, render, render_failure
from watcher.web.sick import sick

READ_WITHIN = 5.0
ROWS_ON_PAGE = 50
DEFAULT_LIMIT = 1000
LARGEST_LIMIT = 10_000

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Reader(Protocol):
    """What the database knows, newest first.

    Each method may raise. An error with the attribute `passing`, as the store's own have it, is taken to say in one
    sentence and without a secret what is wrong; of any other only its kind is told to the client.
    """

    async def status(self) -> StatusView: ...
    async def sessions(self, limit: int) -> list[SessionView]: ...
    async def deliveries(self, state: State | None, limit: int) -> list[DeliveryView]: ...


class UnreadableError(Exception):
    """The database could not be read; the text is one sentence for anybody's eyes."""


def create_app(
    *,
    reader: Reader,
    health: Health,
    metrics: Metrics,
    now: Callable[[], datetime],
    allowed_hosts: frozenset[str] | None = None,
) -> Starlette:
    """Build the application; `allowed_hosts` as `guard.hosts_for` gives it for the address it listens on."""
    site = _Site(reader, health, metrics, now, (files("watcher.web") / "style.css").read_bytes())
    app = Starlette(
        routes=[
            Route("/", site.page),
            Route("/style.css", site.style),
            Route("/healthz", site.healthz),
            Route("/readyz", site.readyz),
            Route("/metrics", site.prometheus),
            Route("/api/status", site.status),
            Route("/api/sessions", site.sessions),
            Route("/api/deliveries", site.deliveries),
        ],
        middleware=[Middleware(Guard, allowed_hosts=allowed_hosts)],
        exception_handlers={HTTPException: _refused, UnreadableError: _unreadable},
    )
    app.router.redirect_slashes = False  # a redirect would repeat whatever name the client put into Host
    return app


@dataclass(frozen=True, slots=True)
class _Site:
    """The endpoints, and what they read from."""

    reader: Reader
    health: Health
    metrics: Metrics
    now: Callable[[], datetime]
    css: bytes

    async def page(self, request: Request) -> Response:
        """Show servers, channels, and the latest sessions and deliveries to a person."""
        try:
            overview = Overview(
                now=self.now(),
                status=await _read(self.reader.status()),
                sessions=await _read(self.reader.sessions(ROWS_ON_PAGE)),
                deliveries=await _read(self.reader.deliveries(None, ROWS_ON_PAGE)),
                stuck=self.health.stuck(self.now()),
            )
        except UnreadableError as error:
            return HTMLResponse(render_failure(str(error)), 503)
        return HTMLResponse(render(overview))

    async def style(self, request: Request) -> Response:
        """Serve the style sheet; the page asks for it by version, so it may be kept."""
        return Response(self.css, media_type="text/css", headers={"Cache-Control": "max-age=86400"})

    async def healthz(self, request: Request) -> Response:
        """Say whether both loops make progress and the database can be read."""
        stuck = self.health.stuck(self.now())
        if stuck:
            return json_answer({"status": "stuck", "stuck": stuck}, 503)
        await _read(self.reader.status())
        return json_answer({"status": "ok"})

    async def readyz(self, request: Request) -> Response:
        """Say whether every server was tried once; what is sick stands in the body and changes nothing."""
        untried = self.health.untried()
        body = {
            "status": "waiting" if untried else "ready",
            "untried": untried,
            "sick": sick(await _read(self.reader.status())),
        }
        return json_answer(body, 503 if untried else 200)

    async def prometheus(self, request: Request) -> Response:
        """Write the metrics."""
        text = self.metrics.render(await _read(self.reader.status()))
        return Response(text, headers={"Content-Type": CONTENT_TYPE})

    async def status(self, request: Request) -> Response:
        """Give what `watcher status --json` gives."""
        return json_answer(await _read(self.reader.status()))

    async def sessions(self, request: Request) -> Response:
        """Give what `watcher sessions --json` gives."""
        return json_answer(await _read(self.reader.sessions(_limit(request))))

    async def deliveries(self, request: Request) -> Response:
        """Give what `watcher deliveries --json` gives."""
        return json_answer(await _read(self.reader.deliveries(_state(request), _limit(request))))


async def _read(reading: Awaitable[_T]) -> _T:
    """Await the database for a while; whatever it raises becomes one sentence that is safe to show."""
    try:
        with anyio.fail_after(READ_WITHIN):
            return await reading
    except TimeoutError:
        raise UnreadableError(f"the database did not answer within {READ_WITHIN:g} s") from None
    except Exception as error:  # noqa: BLE001 - a reader may be built on any database, and none may end the daemon
        _log.warning("the database could not be read: %s", one_line(error))
        vague = f"the database could not be read ({type(error).__name__}); the log says more"
        raise UnreadableError(str(error) if hasattr(error, "passing") else vague) from None


def _limit(request: Request) -> int:
    given = request.query_params.get("limit") or str(DEFAULT_LIMIT)
    if not (given.isascii() and given.isdigit() and len(given) <= 9 and 1 <= int(given) <= LARGEST_LIMIT):
        raise HTTPException(400, f"limit must be a whole number from 1 to {LARGEST_LIMIT}")
    return int(given)


def _state(request: Request) -> State | None:
    given = request.query_params.get("state")
    if not given:
        return None
    if given not in set(State):
        raise HTTPException(400, f"state must be one of {', '.join(State)}")
    return State(given)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - Starlette's types do not say which handler gets what
    sentence = "only GET and HEAD are served here" if error.status_code == 405 else error.detail
    answer = json_answer({"error": sentence}, error.status_code)
    answer.headers.update(error.headers or {})
    return answer


async def _unreadable(request: Request, error: Exception) -> Response:
    return json_answer({"status": "unavailable", "error": str(error)}, 503)
