"""A server written by hand: which request gets which answers, and what was asked."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, TypeAlias
from urllib.parse import parse_qs

import httpx

from watcher.core.model import JOB_KINDS, JobType, Memory
from watcher.vb365.access import Access
from watcher.vb365.api import Api
from watcher.vb365.dialect import DIALECTS
from watcher.vb365.http import Http, Patience
from watcher.vb365.login import Login
from watcher.vb365.server import Server

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
HASTE = Patience(first_wait=0.001, longest_wait=0.002)
BASE = "https://vbo.example:4443"
ACCESS = Access("vbo", BASE, "VBO\\svc-watch", "s3cret&+%")

Reply: TypeAlias = httpx.Response | Exception | int | Mapping[str, Any] | list[Any]
Answering: TypeAlias = Reply | Callable[[httpx.Request], Reply]


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    time: datetime = NOW

    def __call__(self) -> datetime:
        """Return the time."""
        return self.time

    def move(self, **by: float) -> None:
        """Let time pass."""
        self.time += timedelta(**by)


def token(name: str = "T1", **changes: Any) -> dict[str, Any]:
    """Return a token endpoint's answer."""
    return {"access_token": name, "refresh_token": f"R-{name}", "token_type": "bearer", "expires_in": 3600, **changes}


def page(*rows: Any, **fields: Any) -> dict[str, Any]:
    """Return a page of a listing as v8 sends it, with an echoed limit that proves nothing."""
    return {"offset": 0, "limit": 1000, "results": list(rows), "_links": {}, **fields}


@dataclass
class Script:
    """Answers by route (`GET /v8/Jobs`): each answer once, the last one for ever; 404 for what is not there."""

    versions: Iterable[str] = ("v8",)
    clock: Clock = field(default_factory=Clock)
    seen: list[httpx.Request] = field(default_factory=list)
    routes: dict[str, list[Answering]] = field(default_factory=dict)
    date: bool = True

    def __post_init__(self) -> None:
        """Let everybody in, and list nothing."""
        for version in self.versions:
            self.on(f"POST /{version}/token", token())
            self.on(f"GET /{version}/Jobs", [])
            self.on(f"GET /{version}/Organizations", [])
            if version not in {"v3", "v4"}:
                self.on(f"GET /{version}/JobSessions", page())

    def on(self, route: str, *answers: Answering) -> None:
        """Set the answers of a route."""
        self.routes[route] = list(answers)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.seen.append(request)
        answers = self.routes.get(f"{request.method} {request.url.path}", [404])
        answer = answers[0] if len(answers) == 1 else answers.pop(0)
        reply = answer(request) if callable(answer) else answer
        if isinstance(reply, Exception):
            raise reply
        response = _response(reply)
        if self.date:
            response.headers.setdefault("Date", format_datetime(self.clock.time, usegmt=True))
        return response

    def asked(self, route: str = "") -> list[str]:
        """Return the requests so far that begin so, each as `GET /v8/JobSessions?limit=1`."""
        lines = [f"{one.method} {one.url.raw_path.decode()}" for one in self.seen]
        return [line for line in lines if line.startswith(route)]

    def forms(self) -> list[dict[str, str]]:
        """Return what was posted to token endpoints."""
        posted = [one.content.decode() for one in self.seen if one.url.path.endswith("/token")]
        return [{key: value[0] for key, value in parse_qs(body).items()} for body in posted]

    def server(
        self, access: Access = ACCESS, *, patience: Patience = HASTE, kinds: Collection[JobType] = JOB_KINDS
    ) -> Server:
        """Return a client of this server."""
        transport = httpx.MockTransport(self)
        return Server(access, now=self.clock, kinds=kinds, transport=transport, patience=patience)

    def http(self, access: Access = ACCESS, *, patience: Patience = HASTE) -> Http:
        """Return a bare connection to this server."""
        return Http(access, now=self.clock, transport=httpx.MockTransport(self), patience=patience)

    def api(self, version: str = "v8", *, patience: Patience = HASTE) -> Api:
        """Return a way to GET from this server in one version."""
        http = self.http(patience=patience)
        return Api(http, Login(http, ACCESS), DIALECTS[version])


def _response(reply: Reply) -> httpx.Response:
    if isinstance(reply, httpx.Response):
        # a response can be sent once only
        return httpx.Response(reply.status_code, headers=reply.headers, content=reply.content)
    if isinstance(reply, int):
        return httpx.Response(reply)
    assert not isinstance(reply, Exception)
    return httpx.Response(200, json=reply)


def html(status: int = 200) -> httpx.Response:
    """Return a web page, as a proxy in between sends it."""
    return httpx.Response(status, html="<!DOCTYPE html><title>Sign in</title>")


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    """Return a moment of the day under test, before 06:00."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def stamp(time: datetime) -> str:
    """Print a time as the server does."""
    return time.isoformat().replace("+00:00", "Z")


def row(session_id: str, status: str = "Running", *, job: str = "job-1", **fields: Any) -> dict[str, Any]:
    """Return a session as v8 lists it: begun at 05:00, and ended at 05:30 unless it is open."""
    ended = {"endTime": stamp(at(5, 30))} if status in {"Success", "Warning", "Failed", "Stopped"} else {}
    verdict = {"jobWillBeRetried": False} if ended else {}
    return {"id": session_id, "jobId": job, "jobType": "Backup", "creationTime": stamp(at(5)), "status": status} | (
        ended | verdict | fields
    )


def linked(session_id: str, status: str = "Running", *, job: str = "job-1", **fields: Any) -> dict[str, Any]:
    """Return a session as v3 to v7 list it, where a link names its job."""
    full = row(session_id, status, **fields)
    full.pop("jobId")
    full.pop("jobType")
    return full | {"_links": {"job": {"href": f"/v6/jobs/{job}"}}}


def memory(**changes: Any) -> Memory:
    """Return what is known: the horizon is 04:00, the watermark 05:40."""
    return Memory(**{"horizon": at(4), "watermark": at(5, 40), **changes})
