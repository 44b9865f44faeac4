"""The token endpoint: password and refresh grants, refusals in each version's shape, logout."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from http.cookies import SimpleCookie
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from watcher.demo.faults import Faults
from watcher.demo.tokens import Pair, Tokens
from watcher.demo.wire import Wire
from watcher.demo.wire_server import token_body
from watcher.demo.world import World

COOKIE = "antiforgery"


@dataclass(frozen=True, slots=True)
class Door:
    """Who may come in. A form is what was posted to the token endpoint, its names in lower case."""

    world: World
    faults: Faults
    tokens: Tokens

    def answer(self, wire: Wire, form: Mapping[str, str], cookie: str | None, now: datetime) -> Response:
        """Return a new pair, or the version's refusal."""
        pair = self._pair(wire, form, cookie)
        if pair is None:
            return self._refusal(wire)
        username = self.world.account.username
        response = JSONResponse(token_body(wire, pair, username, now, self.tokens.lifetime))
        if pair.cookie:
            response.set_cookie(COOKIE, pair.cookie, httponly=True)
        return response

    def is_open_for(self, request: Request) -> bool:
        """Whether a request carries a good token (with its antiforgery cookie, where that was not switched off)."""
        return self.tokens.is_good(bearer(request), cookie_of(request))

    def _pair(self, wire: Wire, form: Mapping[str, str], cookie: str | None) -> Pair | None:
        grant = form.get("grant_type", "password")
        if grant == "refresh_token" and not self.faults.refresh_refused:
            return self.tokens.redeem(form.get("refresh_token", ""), cookie)
        if grant == "password" and not self.faults.login_refused and self._knows(form):
            wanted = form.get("disable_antiforgery_token", "").lower() != "true"
            return self.tokens.issue(antiforgery=wire.quirks.antiforgery and wire.version >= 7 and wanted)
        return None

    def _knows(self, form: Mapping[str, str]) -> bool:
        account = self.world.account
        same_name = form.get("username", "").lower() == account.username.lower()
        return same_name and form.get("password") == account.password

    def _refusal(self, wire: Wire) -> Response:
        if wire.version <= 5:
            text = "The user name or password is incorrect."
            return JSONResponse({"error": "invalid_grant", "error_description": text}, 400)
        if not wire.quirks.refusal_body:
            return Response(status_code=wire.quirks.refusal_status)
        return JSONResponse(wire.error("Failed to log in: access is denied."), wire.quirks.refusal_status)


def bearer(request: Request) -> str | None:
    """Return the request's bearer token."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" else None


def cookie_of(request: Request) -> str | None:
    """Return the request's antiforgery cookie."""
    morsel = SimpleCookie(request.headers.get("Cookie", "")).get(COOKIE)
    return morsel.value if morsel else None


async def read_form(request: Request, *, json_too: bool) -> dict[str, str]:
    """Return what was posted, form-encoded or (v6 and later) as JSON; names in lower case."""
    body = await request.body()
    if json_too and "json" in request.headers.get("Content-Type", ""):
        posted = json.loads(body)
        return {name.lower(): str(value) for name, value in posted.items()}
    return {name.lower(): value for name, value in parse_qsl(body.decode(), keep_blank_values=True)}
