"""What every request passes first and every answer last: the Host check, the safe headers, the net under it all."""

import logging
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watcher.core.jsonview import Json, dump

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_log = logging.getLogger(__name__)


def hosts_for(bound: str, public_url: str | None = None) -> frozenset[str] | None:
    """Return the names under which a browser may speak to what listens on `bound`; None where any name may.

    A proxy in front may pass on the name of the public address.

    Only a listener on loopback knows its names. It checks them, since a foreign page could otherwise have its own name
    resolve to 127.0.0.1 and read our answers as its own (DNS rebinding).
    """
    public = urlsplit(public_url or "").hostname
    known = _LOOPBACK | ({public} if public else set())
    if bound in _LOOPBACK:
        return known
    try:
        address = ip_address(bound)
    except ValueError:
        return None
    return known | {str(address)} if address.is_loopback else None


def json_answer(value: object, status: int = 200) -> Response:
    """Answer with a view or a plain document as JSON, one line."""
    return Response(dump(value) + "\n", status, media_type="application/json")


def one_line(error: Exception) -> str:
    """Write an error for the log: its kind and its text, with line breaks folded."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


class Guard:
    """Middleware around the application. Whatever goes wrong in there is one line in the log and one to the client."""

    def __init__(self, app: ASGIApp, allowed_hosts: frozenset[str] | None = None) -> None:
        """Wrap `app`; `allowed_hosts` are lower-case names without port, None lets every name pass."""
        self._app = app
        self._allowed_hosts = allowed_hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what is no HTTP request (lifespan) passes untouched."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        if refusal := self._refusal(scope):
            await refusal(scope, receive, answer.send)
            return
        try:
            await self._app(scope, receive, answer.send)
        except Exception as error:  # noqa: BLE001 - the net under all of them: no traceback leaves the process
            _log.error("%s %r: %s", scope["method"], scope["path"], one_line(error))
            if not answer.started:
                problem: Json = {"error": f"internal error ({type(error).__name__}); the log says more"}
                await json_answer(problem, 500)(scope, receive, answer.send)

    def _refusal(self, scope: Scope) -> Response | None:
        if self._allowed_hosts is None:
            return None
        if _host_name(Headers(scope=scope).get("host", "")) in self._allowed_hosts:
            return None
        names = ", ".join(sorted(self._allowed_hosts))
        return json_answer({"error": f"this address answers only under the names {names}"}, 421)


class _Answer:
    """Puts the safe headers on an answer, where it has none of its own, and knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await self._send(message)


def _host_name(host: str) -> str:
    """Return the name in a Host header, in lower case, without port and the brackets of IPv6."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower().rstrip(".")
