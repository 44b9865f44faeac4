"""What `watcher check` hears of a server."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.vb365.vb365_script import ACCESS, NOW, Script, html
from watcher.core.finding import Finding, Grade
from watcher.vb365.access import Access

OK, WARNING, FAILED = Grade.OK, Grade.WARNING, Grade.FAILED


async def examined(script: Script, access: Access = ACCESS) -> list[Finding]:
    """Return all findings of a server."""
    server = script.server(access)
    try:
        return [finding async for finding in server.examine()]
    finally:
        await server.aclose()


def grades(findings: list[Finding]) -> list[tuple[str, Grade]]:
    """Return what was looked at and how it stands."""
    return [(finding.what, finding.grade) for finding in findings]


async def test_a_healthy_server_passes_at_every_stage() -> None:
    """In the order in which things can fail."""
    script = Script()
    script.on("GET /v8/ServiceInstance", {"installationId": "i", "version": "8.4.0.1457"})
    script.on("GET /v8/VboEmailSettings", {"enableNotification": False})
    findings = await examined(script)
    stages = ["address", "TLS", "login", "version", "clock", "own mail"]
    assert grades(findings) == [(stage, OK) for stage in stages]
    assert findings[3].text == "v8, product 8.4.0.1457"


@pytest.mark.parametrize(
    ("answer", "stages"),
    [
        (httpx.ConnectError("x"), [("address", FAILED)]),
        (httpx.ReadTimeout("x"), [("address", FAILED)]),
        (400, [("address", OK), ("TLS", OK), ("login", FAILED)]),
        (500, [("address", OK), ("TLS", OK), ("login", FAILED)]),
        (html(), [("address", OK), ("TLS", OK), ("login", FAILED)]),
        (404, [("address", OK), ("TLS", OK), ("version", FAILED)]),
    ],
)
async def test_a_login_that_fails_is_found_at_its_stage(answer: Any, stages: list[tuple[str, Grade]]) -> None:
    """What held before it is said, and nothing after it."""
    script = Script()
    script.on("POST /v8/token", answer)
    assert grades(await examined(script)) == stages


@pytest.mark.parametrize("answer", [500, 403, 404, html()])
async def test_a_listing_that_fails_is_found_after_the_login(answer: Any) -> None:
    """The login was good."""
    script = Script()
    script.on("GET /v8/JobSessions", answer)
    expected = [("address", OK), ("TLS", OK), ("login", OK), ("version", FAILED)]
    assert grades(await examined(script)) == expected


@pytest.mark.parametrize(
    ("seconds", "grade", "words"),
    [(0, OK, "agrees"), (30, OK, "ahead"), (90, WARNING, "ahead"), (-90, WARNING, "behind")],
)
async def test_a_clock_is_warned_of_from_a_minute_on(seconds: int, grade: Grade, words: str) -> None:
    """Which side is ahead is said."""
    script = Script()
    ours = replace(script.clock, time=NOW)
    script.clock.move(seconds=seconds)
    server = script.server()
    server._http._now = ours
    clock = [finding async for finding in server.examine()][4]
    assert (clock.what, clock.grade) == ("clock", grade)
    assert words in clock.text


async def test_answers_without_a_date_are_warned_of() -> None:
    """Then nothing is known of the clock."""
    script = Script(date=False)
    assert ("clock", WARNING) in grades(await examined(script))


@pytest.mark.parametrize(("enabled", "grade"), [(True, WARNING), ("true", WARNING), (False, OK)])
async def test_own_mail_is_warned_of(enabled: Any, grade: Grade) -> None:
    """People may hear twice."""
    script = Script()
    script.on("GET /v8/VboEmailSettings", {"enableNotification": enabled})
    assert ("own mail", grade) in grades(await examined(script))


@pytest.mark.parametrize(("version", "answer"), [("v8", 404), ("v8", html()), ("v5", {"enableNotification": True})])
async def test_mail_settings_that_cannot_be_read_are_left_out(version: str, answer: Any) -> None:
    """Before v6 they are not documented."""
    script = Script([version])
    script.on(f"GET /{version}/VboEmailSettings", answer)
    assert "own mail" not in [finding.what for finding in await examined(script)]


@pytest.mark.parametrize(
    ("access", "grade", "words"),
    [
        (ACCESS, OK, "trusted by the system"),
        (replace(ACCESS, verify_tls=False), WARNING, "not verified"),
        (replace(ACCESS, fingerprints=("ab" * 32,), verify_tls=False), OK, "pinned"),
        (replace(ACCESS, url="http://vbo.example:4443"), WARNING, "use https"),
        (replace(ACCESS, url="http://127.0.0.1:4443"), OK, "none"),
    ],
)
async def test_how_the_connection_is_protected_is_said(access: Access, grade: Grade, words: str) -> None:
    """What lets others read the password is a warning, but for this machine itself."""
    tls = (await examined(Script(), access))[1]
    assert (tls.what, tls.grade) == ("TLS", grade)
    assert words in tls.text
