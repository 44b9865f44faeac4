"""The description of the API, and that all answers are as it says: jsonschema judges them."""

import json
from dataclasses import replace
from importlib.resources import files
from typing import Any

import jsonschema
import pytest

from tests.web.test_web_actions import Hands
from tests.web.web_samples import (
    NOW,
    ScriptedReader,
    Site,
    ago,
    alarm,
    channel,
    delivery,
    failing,
    of_job,
    row,
    run,
    server,
    session,
    status,
)
from watcher.core.delivery import State
from watcher.core.match import Match
from watcher.core.silence import Silence
from watcher.web.app import Acting

DOCUMENT: dict[str, Any] = json.loads((files("watcher.web") / "openapi.json").read_text(encoding="utf-8"))
TOKEN = "a long random text"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class LockedError(Exception):
    passing = True


def full() -> Site:
    """Make a site that has something of everything, and nothing where nothing may be."""
    view = status(
        server(first_contact=ago(9), skew_seconds=1.5, reading="job 1 of 2"),
        server("New", reachable=None, last_poll=None, last_success=None, api_version=None),
        server("Away", reachable=False, last_error="refused", failing_since=ago(60)),
        channels=[
            channel(),
            channel("sick", sick_since=ago(9), sick_reason="500", pending=2, oldest_seconds=7.5, dead=1),
        ],
        alarms=[alarm(), alarm("server.unhealthy", "HQ", subject="")],
    )
    reader = ScriptedReader(
        view,
        rows=[session(), session("s2", job=None, end_time=None, creation_time=None, status="")],
        owed=[
            delivery(),
            delivery(2, state=State.DEAD, message_id=None, next_attempt=None, last_error=None, held="quiet hours"),
        ],
        jobs=[
            row(running=run(0, status="Running", ended=None)),
            failing(),
            row("N", "n", outcome=None, alarms=(of_job(),)),
        ],
        quiet=[Silence(Match(), ago(9), NOW, "ann", "why", 3, muted=2)],
    )
    return Site(reader, acting=Acting(Hands(), TOKEN))


def check(path: str, method: str, code: int, body: Any) -> None:
    """Hold an answer to what the document says of it."""
    said = DOCUMENT["paths"][path][method]["responses"][str(code)]["content"]["application/json"]["schema"]
    whole = {**said, "components": DOCUMENT["components"]}
    jsonschema.validate(body, whole, format_checker=jsonschema.FormatChecker())


def strict(schema: Any) -> Any:
    """Return the schemas with nothing allowed that they do not name: so that no key is missing in the document."""
    if isinstance(schema, dict):
        closed = {key: strict(value) for key, value in schema.items()}
        return closed | {"additionalProperties": False} if schema.get("type") == "object" else closed
    return [strict(one) for one in schema] if isinstance(schema, list) else schema


@pytest.fixture(autouse=True)
def nothing_unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judge by the strict schemas."""
    monkeypatch.setitem(DOCUMENT, "components", strict(DOCUMENT["components"]))


GETS = [path for path, methods in DOCUMENT["paths"].items() if "get" in methods]


@pytest.mark.parametrize("path", GETS)
async def test_every_answer_is_as_described(path: str) -> None:
    """With something of everything, with nothing, and while the database is out."""
    for site in (
        full(),
        Site(ScriptedReader(jobs=[])),
        Site(ScriptedReader(LockedError("database w.db: it is locked"))),
    ):
        site.health.expect(["HQ"])
        answer = await site.ask(path)
        if answer.status_code == 200 or path in {"/healthz", "/readyz", "/api/status"}:
            check(path, "get", answer.status_code, answer.json())
    for query in ("limit=0", "limit=x", "offset=-1", "state=gone"):
        answer = await full().ask(f"{path}?{query}")
        if answer.status_code != 200:
            check(path, "get", answer.status_code, answer.json())
            assert query.partition("=")[0] in {one["name"] for one in DOCUMENT["paths"][path]["get"]["parameters"]}


async def test_stuck_is_described_too() -> None:
    """Which loops do not go on."""
    site = full()
    site.health.watch("poll HQ", NOW - ago(1), ago(60))
    answer = await site.ask("/healthz")
    assert answer.status_code == 503
    check("/healthz", "get", 503, answer.json())


@pytest.mark.parametrize(
    ("action", "form"),
    [
        ("silence", {"server": "HQ", "job": "j2", "for": "4h"}),
        ("end-silence", {"id": "7"}),
        ("retry", {"id": "3"}),
        ("test-channel", {"name": "ops"}),
    ],
)
async def test_actions_answer_programs_as_described(action: str, form: dict[str, str]) -> None:
    """What was done, what cannot be done, a wrong token, none at all, and no action."""
    path = f"/actions/{action}"
    required = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"][
        "required"
    ]
    assert set(required) == set(form)
    for site, sent, token in (
        (full(), form, TOKEN),
        (full(), {}, TOKEN),
        (full(), form, "wrong"),
        (replace(full(), acting=Acting(Hands(), None)), form, TOKEN),
    ):
        answer = await site.send(path, sent, Authorization=f"Bearer {token}")
        check(path, "post", answer.status_code, answer.json())


async def test_every_path_for_programs_is_described() -> None:
    """And it is served where the page says."""
    paths = (str(getattr(route, "path", "")) for route in full().app().routes)
    served = {path for path in paths if path.startswith(("/api/", "/actions/"))}
    assert served - {"/api/openapi.json", "/actions/sign-out"} == {
        path for path in DOCUMENT["paths"] if path.startswith(("/api/", "/actions/"))
    }
    assert (await full().ask("/api/openapi.json")).json()["openapi"] == "3.1.0"


async def test_jobs_come_in_pages() -> None:
    """Ordered by server and name."""
    site = full()
    whole = (await site.ask("/api/jobs")).json()
    assert [one["job"] for one in whole] == ["Exchange daily", "HR - Mail", "N"]
    assert (await site.ask("/api/jobs?limit=1&offset=1")).json() == whole[1:2]
    assert [one["standing"] for one in whole] == ["good", "failing", "overdue"]
    assert whole[2]["alarms"][0]["event"] == "job.overdue"
