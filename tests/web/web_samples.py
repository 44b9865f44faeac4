"""What the tests of the web room share: views, a reader that is a script, and a client without a socket."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from watcher.core.delivery import State
from watcher.core.views import ChannelView, DeliveryView, OutboxView, ServerView, SessionView, StatusView
from watcher.web.app import create_app
from watcher.web.health import Health
from watcher.web.metrics import Metrics

NOW = datetime(2026, 3, 2, 6, 0, tzinfo=UTC)
ROUTES = ["/", "/style.css", "/healthz", "/readyz", "/metrics", "/api/status", "/api/sessions", "/api/deliveries"]


def ago(seconds: float) -> datetime:
    """Return the moment so many seconds before NOW."""
    return NOW - timedelta(seconds=seconds)


def server(name: str = "HQ", **fields: Any) -> ServerView:
    """Make a server whose last look succeeded four seconds ago."""
    usual: dict[str, Any] = {
        "url": "https://hq.example:4443",
        "api_version": "v8",
        "reachable": True,
        "last_poll": ago(4),
        "last_success": ago(4),
        "open_sessions": 2,
        "last_error": None,
    }
    return ServerView(name, **usual | fields)


def channel(name: str = "ops", **fields: Any) -> ChannelView:
    """Make a channel that owes nothing."""
    usual: dict[str, Any] = {"address": "json://hook.example:8080", "pending": 0, "dead": 0, "gone": False}
    return ChannelView(name, **usual | fields)


def status(
    *servers: ServerView, channels: Sequence[ChannelView] = (), pending: int = 0, dead: int = 0, oldest: float = 0.0
) -> StatusView:
    """Make a status of these servers; without any, of one that is well."""
    return StatusView(servers or (server(),), OutboxView(pending, dead, oldest), tuple(channels))


def session(session_id: str = "s1", **fields: Any) -> SessionView:
    """Make a session that failed after a quarter of an hour."""
    usual: dict[str, Any] = {
        "server": "HQ",
        "job": "Exchange daily",
        "status": "Failed",
        "creation_time": ago(3600),
        "end_time": ago(2700),
    }
    return SessionView(id=session_id, **usual | fields)


def delivery(number: int = 1, **fields: Any) -> DeliveryView:
    """Make a delivery that waits for its second attempt."""
    usual: dict[str, Any] = {
        "event_id": "e" * 32,
        "event": "session.failed",
        "channel": "ops",
        "destination": "d",
        "message_id": "m1",
        "state": State.PENDING,
        "attempts": 1,
        "next_attempt": NOW + timedelta(seconds=5),
        "last_error": "HTTP 503",
        "created": ago(60),
    }
    return DeliveryView(number, **usual | fields)


@dataclass(slots=True)
class ScriptedReader:
    """Answers with what it was given, or raises it; keeps what was asked for."""

    state_of_things: StatusView | Exception = field(default_factory=status)
    rows: Sequence[SessionView] = ()
    owed: Sequence[DeliveryView] = ()
    asked: list[tuple[object, ...]] = field(default_factory=list)

    async def status(self) -> StatusView:
        """Return the status."""
        if isinstance(self.state_of_things, Exception):
            raise self.state_of_things
        return self.state_of_things

    async def sessions(self, limit: int) -> list[SessionView]:
        """Return the sessions."""
        self.asked.append(("sessions", limit))
        return list(self.rows)

    async def deliveries(self, state: State | None, limit: int) -> list[DeliveryView]:
        """Return the deliveries."""
        self.asked.append(("deliveries", state, limit))
        return list(self.owed)


@dataclass(slots=True)
class Site:
    """An application with all its parts at hand."""

    reader: ScriptedReader = field(default_factory=ScriptedReader)
    health: Health = field(default_factory=lambda: Health(started=NOW))
    metrics: Metrics = field(default_factory=Metrics)
    allowed_hosts: frozenset[str] | None = None

    async def ask(self, path: str, method: str = "GET", **headers: str) -> httpx.Response:
        """Make one request; an exception that the application lets out would come out here."""
        app = create_app(
            reader=self.reader,
            health=self.health,
            metrics=self.metrics,
            now=lambda: NOW,
            allowed_hosts=self.allowed_hosts,
        )
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8365") as client:
            return await client.request(method, path, headers=headers)
