"""A client that is logged in to a stand-in server in this process, and the estate that it serves."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
from starlette.applications import Starlette

from watcher.core.model import Statistics
from watcher.demo.world import World

NOW = datetime(2026, 3, 2, 6, 0, 0, tzinfo=UTC)
COUNTERS = Statistics(5_662_310, 18, 6_100_000, 7_100_000, 1_288_490_188, 4031, "Source")


@dataclass
class Estate:
    """The world under test, and the ids of what is in it."""

    world: World
    mail: str
    hourly: str
    copy: str
    main: str = ""
    retry: str = ""
    running: str = ""
    copied: str = ""
    stopped: str = ""


@dataclass
class Visitor:
    """A client of one app: GETs with a good token, in any version."""

    app: Starlette
    http: httpx.AsyncClient
    world: World
    tokens: dict[str, str] = field(default_factory=dict)

    async def login(self, version: str = "v8", **form: str) -> httpx.Response:
        """Ask for a token by password (or by the form given)."""
        account = self.world.account
        known = {"grant_type": "password", "username": account.username, "password": account.password}
        fields = {**known, "disable_antiforgery_token": "true"} | form
        return await self.http.post(f"/{version}/token", data=fields)

    async def get(self, path: str, **query: Any) -> httpx.Response:
        """GET with a token, which is fetched once."""
        if not self.tokens:
            self.tokens = (await self.login()).json()
        return await self.http.get(path, params=query, headers=self.bearer())

    async def json(self, path: str, **query: Any) -> Any:
        """GET what has to succeed."""
        answer = await self.get(path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def bearer(self) -> dict[str, str]:
        """Return the header that carries the token."""
        return {"Authorization": f"Bearer {self.tokens['access_token']}"}


@asynccontextmanager
async def visiting(app: Starlette, world: World) -> AsyncIterator[Visitor]:
    """Visit an app while the block runs."""
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://vbo") as http:
        yield Visitor(app, http, world)
