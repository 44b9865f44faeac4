"""The stand-in server as an application: routes of all versions, login, faults, and a record of every request."""

from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Protocol

import anyio
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watcher.demo.answers import ENDPOINTS, Endpoint, NotThereError
from watcher.demo.breakage import answer_broken
from watcher.demo.faults import Faults
from watcher.demo.feed import OutdatedError, events
from watcher.demo.listing import Desk
from watcher.demo.login import Door, bearer, cookie_of, read_form
from watcher.demo.tokens import Tokens
from watcher.demo.wire import VERSIONS, Ask, BadParameterError, Wire
from watcher.demo.world import World

ALL_VERSIONS = tuple(f"v{number}" for number in VERSIONS)
_REMEMBERED = 100_000
_SEEN = "watcher.seen"
_SECRETS = frozenset({"username", "password", "refresh_token"})

Handler = Callable[[Request], Awaitable[Response]]


class Playing(Protocol):
    """A story that changes the world as time goes by."""

    def advance(self, now: datetime) -> None:
        """Let everything happen that happens up to `now`."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived. `version` is the first part of its path; no token or password is kept.

    `form` holds what was posted to the token endpoint, but for `username`, `password` and `refresh_token`.
    """

    method: str
    path: str
    query: str
    version: str
    good_token: bool
    form: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """What the parts of one stand-in share."""

    desk: Desk
    door: Door
    faults: Faults
    now: Callable[[], datetime]
    versions: frozenset[str]
    player: Playing | None
    seen: deque[Seen]

    def let_time_pass(self) -> None:
        """Let everything happen that happens until now."""
        if self.player is not None:
            self.player.advance(self.now())

    def wire(self, request: Request) -> Wire:
        """Return the manner of the version that a request asks for."""
        return Wire(int(request.path_params["version"][1:]), self.faults.quirks)


def create_app(
    world: World,
    *,
    now: Callable[[], datetime],
    versions: Iterable[str] = ALL_VERSIONS,
    faults: Faults | None = None,
    player: Playing | None = None,
    token_lifetime: float = 3600.0,
) -> Starlette:
    """Return a stand-in server for a world.

    `now` is the server's clock, `player` is advanced to it before each answer, tokens live `token_lifetime` seconds of
    real time. `app.state.requests` are the requests so far (`Seen`), `app.state.tokens` the tokens, to revoke them.
    To be served with `date_header=False`: it sets its own.
    """
    faults = faults or Faults()
    tokens = Tokens(token_lifetime, anyio.current_time)
    seen: deque[Seen] = deque(maxlen=_REMEMBERED)
    door = Door(world, faults, tokens)
    stage = Stage(Desk(world, faults), door, faults, now, frozenset(versions), player, seen)
    app = Starlette(
        routes=[*_token_routes(stage), _feed_route(stage), *(_route(stage, endpoint) for endpoint in ENDPOINTS)],
        middleware=[Middleware(_Front, stage=stage)],
        exception_handlers={HTTPException: _refused},
    )
    app.router.redirect_slashes = False
    app.state.requests = seen
    app.state.tokens = tokens
    return app


class _Front:
    """Takes every request first: lets time pass, records it, breaks it if that is planned, and dates the answer."""

    def __init__(self, app: ASGIApp, stage: Stage) -> None:
        self._app = app
        self._stage = stage

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        stage = self._stage
        # The real server takes paths in any case; ids are lower case.
        scope = {**scope, "path": scope["path"].lower()}
        stage.let_time_pass()
        scope[_SEEN] = self._record(Request(scope))
        fault = stage.faults.take(scope["path"])
        if fault is None:
            await self._served(scope, receive, self._dated(send))
        else:
            await answer_broken(fault, stage.faults, self._served, scope, receive, self._dated(send))

    async def _served(self, scope: Scope, receive: Receive, send: Send) -> None:
        version = scope["path"].split("/")[1]
        if version not in self._stage.versions:
            await Response(status_code=404)(scope, receive, send)
        elif scope["method"] not in {"GET", "POST"}:
            await Response(status_code=405)(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _record(self, request: Request) -> Seen:
        path = request.url.path
        good = self._stage.door.is_open_for(request)
        seen = Seen(request.method, path, request.url.query, path.split("/")[1], good)
        self._stage.seen.append(seen)
        return seen

    def _dated(self, send: Send) -> Send:
        faults = self._stage.faults

        async def dated(message: Message) -> None:
            if message["type"] == "http.response.start" and faults.date_header:
                moment = self._stage.now() + faults.clock_skew
                MutableHeaders(scope=message)["Date"] = format_datetime(moment.astimezone(UTC), usegmt=True)
            await send(message)

        return dated


def _route(stage: Stage, endpoint: Endpoint) -> Route:
    async def handle(request: Request) -> Response:
        wire = stage.wire(request)
        if not endpoint.since <= wire.version <= endpoint.until:
            return _error(wire, 404, "Not found.")
        if not endpoint.anonymous and (stage.faults.unauthorized or not stage.door.is_open_for(request)):
            return Response(status_code=401)
        return _answer(stage, endpoint, wire, request)

    return Route("/{version}/" + endpoint.path.lower().replace("{id}", "{id:str}"), handle, methods=["GET"])


def _answer(stage: Stage, endpoint: Endpoint, wire: Wire, request: Request) -> Response:
    session_id = request.path_params.get("id", "")
    query = {name.lower(): value for name, value in request.query_params.items()}
    ask = Ask(wire, query, session_id, endpoint.path.replace("{id}", session_id))
    try:
        body = endpoint.answer(stage.desk, ask)
    except NotThereError as error:
        return _error(wire, 404, str(error), "ResourceNotFound")
    except BadParameterError as error:
        return _error(wire, 400, str(error), "ParameterValidationFailure")
    is_ill = endpoint.path == "Health" and stage.desk.world.unhealthy
    return JSONResponse(body, wire.quirks.health_status if is_ill else 200)


def _feed_route(stage: Stage) -> Route:
    async def handle(request: Request) -> Response:
        wire = stage.wire(request)
        if wire.version < 8 or not wire.quirks.events:
            return _error(wire, 404, "Not found.")
        if stage.faults.unauthorized or not stage.door.is_open_for(request):
            return Response(status_code=401)
        ask = Ask(wire, {name.lower(): value for name, value in request.query_params.items()}, "", "Events")
        try:
            return await events(stage.desk.world, stage.faults, ask, request, stage.let_time_pass)
        except OutdatedError as error:
            return _error(wire, wire.quirks.outdated_status, str(error), "OutdatedChangeToken")
        except BadParameterError as error:
            return _error(wire, 400, str(error), "ParameterValidationFailure")

    return Route("/{version}/events", handle, methods=["GET"])


def _token_routes(stage: Stage) -> list[Route]:
    async def token(request: Request) -> Response:
        wire = stage.wire(request)
        form = await read_form(request, json_too=wire.version >= 6)
        request.scope[_SEEN].form.update({name: value for name, value in form.items() if name not in _SECRETS})
        return stage.door.answer(wire, form, cookie_of(request), stage.now())

    async def logout(request: Request) -> Response:
        wire = stage.wire(request)
        if wire.version < 7:
            return _error(wire, 404, "Not found.")
        if not stage.door.is_open_for(request):
            return Response(status_code=401)
        stage.door.tokens.revoke(bearer(request) or "")
        return Response(status_code=204 if wire.version >= 8 else 200)

    return [
        Route("/{version}/token", token, methods=["POST"]),
        Route("/{version}/token/logout", logout, methods=["POST"]),
    ]


def _error(wire: Wire, status: int, message: str, code: str | None = None) -> Response:
    return JSONResponse(wire.error(message, code), status)


async def _refused(_request: Request, error: Exception) -> Response:
    return Response(status_code=error.status_code if isinstance(error, HTTPException) else 500)
