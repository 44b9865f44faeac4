"""Finding the wire version, and finding it again."""

from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.vb365.vb365_script import ACCESS, Script, html, memory
from watcher.core.model import Failure, LookFailed

ALL = ("v8", "v7", "v6", "v5", "v4", "v3")


@pytest.mark.parametrize("version", ALL)
async def test_the_newest_version_served_is_spoken(version: str) -> None:
    """Both the token endpoint and the session listing decide; nothing below is asked."""
    script = Script(ALL[ALL.index(version) :])
    server = script.server()
    greeting = await server.greet()
    assert greeting.api_version == version
    assert len(script.forms()) == ALL.index(version) + 1
    assert all(f"/{below}/" not in line for line in script.asked() for below in ALL[ALL.index(version) + 1 :])


async def test_a_token_is_kept_while_going_down() -> None:
    """Tokens are not tied to a version: a v8 token endpoint over a v6 listing costs one login."""
    script = Script(["v6"])
    script.on("POST /v8/token", script.routes["POST /v6/token"][0])
    assert (await script.server().greet()).api_version == "v6"
    assert script.asked("POST") == ["POST /v8/token"]
    assert script.asked("GET")[:3] == [
        "GET /v8/JobSessions?limit=1",
        "GET /v7/JobSessions?limit=1",
        "GET /v6/JobSessions?limit=1",
    ]


@pytest.mark.parametrize(
    ("route", "answer", "kind"),
    [
        ("POST /v8/token", 500, Failure.SERVER_ERROR),
        ("POST /v8/token", httpx.ConnectError("x"), Failure.UNREACHABLE),
        ("POST /v8/token", 400, Failure.LOGIN_REFUSED),
        ("POST /v8/token", html(), Failure.BAD_ANSWER),
        ("GET /v8/JobSessions", 401, Failure.UNAUTHORIZED),
        ("GET /v8/JobSessions", 403, Failure.UNAUTHORIZED),
        ("GET /v8/JobSessions", 500, Failure.SERVER_ERROR),
        ("GET /v8/JobSessions", html(), Failure.BAD_ANSWER),
        ("GET /v8/JobSessions", httpx.Response(200), Failure.BAD_ANSWER),
    ],
)
async def test_only_a_404_moves_on_to_the_next_version(route: str, answer: Any, kind: Failure) -> None:
    """Anything else is that failure, and no older version is spoken by mistake."""
    script = Script(ALL)
    script.on(route, answer)
    with pytest.raises(LookFailed) as caught:
        await script.server().look(memory())
    assert caught.value.kind is kind
    assert not script.asked("GET /v7")
    assert not script.asked("POST /v7")


ILL = [500, 503, html(), httpx.Response(200), httpx.ReadError("x"), httpx.ReadTimeout("x")]


@pytest.mark.parametrize("answer", ILL)
async def test_a_server_whose_listing_fails_is_met_all_the_same(answer: Any) -> None:
    """What ends between then and the first look that works would be history else; that look searches again."""
    script = Script(["v7"])
    works = script.routes["GET /v7/JobSessions"][0]
    script.on("GET /v7/JobSessions", answer)
    server = script.server()
    assert (await server.greet()).api_version == "v7"
    asked = len(script.asked("GET /v7/JobSessions"))
    with pytest.raises(LookFailed):
        await server.look(memory())
    assert len(script.asked("GET /v7/JobSessions")) == asked
    script.on("GET /v7/JobSessions", works)
    assert (await server.look(memory())).greeting.api_version == "v7"
    assert not script.asked("GET /v6")


async def test_a_server_of_something_else_serves_no_version() -> None:
    """The sentence asks whether the address is right."""
    with pytest.raises(LookFailed, match="is this the address of VB365's REST API") as caught:
        await Script([]).server().greet()
    assert caught.value.kind is Failure.NO_VERSION


async def test_a_fixed_version_is_used_as_given() -> None:
    """Nothing above it is tried."""
    script = Script(ALL)
    assert (await script.server(replace(ACCESS, api_version="v6")).greet()).api_version == "v6"
    assert not script.asked("POST /v8")


async def test_a_fixed_version_that_is_not_served_names_the_setting() -> None:
    """And nothing else is tried in its place."""
    script = Script(["v8"])
    with pytest.raises(LookFailed, match="WATCHER_API_VERSION") as caught:
        await script.server(replace(ACCESS, api_version="v6")).greet()
    assert caught.value.kind is Failure.NO_VERSION
    assert script.asked() == ["POST /v6/token"]


async def test_a_listing_that_is_gone_makes_the_next_look_search_again() -> None:
    """An upgraded server no longer serves its oldest version."""
    script = Script(["v5"])
    server = script.server()
    assert (await server.look(memory())).greeting.api_version == "v5"
    upgraded = Script(["v8"])
    script.routes = upgraded.routes
    with pytest.raises(LookFailed) as caught:
        await server.look(memory())
    assert caught.value.kind is Failure.NO_VERSION
    assert (await server.look(memory())).greeting.api_version == "v8"


async def test_other_404s_leave_the_version_alone() -> None:
    """Names and single sessions may be missing in any version."""
    script = Script(["v7"])
    script.on("GET /v7/Jobs", 404)
    script.on("GET /v7/Organizations", 404)
    server = script.server()
    look = await server.look(memory(open={"gone": None}))
    assert look.gone == {"gone"}
    logins = len(script.forms())
    await server.look(memory())
    assert len(script.forms()) == logins


async def test_newer_versions_are_looked_for_daily() -> None:
    """With the token at hand, and only once the look that tried is stored."""
    script = Script(["v7"])
    server = script.server()
    await server.look(memory())
    server.confirm()
    script.routes |= Script(["v8"]).routes
    script.clock.move(hours=23)
    assert (await server.look(memory())).greeting.api_version == "v7"
    server.confirm()
    script.clock.move(hours=2)
    assert (await server.look(memory())).greeting.api_version == "v8"
    assert not [form for form in script.forms()[2:] if form["grant_type"] == "password"]


async def test_a_daily_search_that_finds_nothing_is_repeated_only_the_next_day() -> None:
    """It costs one GET, and one more where the look was not stored."""
    script = Script(["v7"])
    server = script.server()
    await server.look(memory())
    server.confirm()
    script.clock.move(hours=25)
    for _ in range(2):
        await server.look(memory())
    assert len(script.asked("GET /v8/JobSessions")) == 2
    server.confirm()
    await server.look(memory())
    assert len(script.asked("GET /v8/JobSessions")) == 2


@pytest.mark.parametrize("answer", [500, 403, html(), httpx.Response(200)])
async def test_trouble_above_is_no_reason_to_give_up_what_works(answer: Any) -> None:
    """A server in the middle of its upgrade may answer anything."""
    script = Script(["v7"])
    server = script.server()
    await server.look(memory())
    server.confirm()
    script.clock.move(hours=25)
    script.on("GET /v8/JobSessions", answer)
    assert (await server.look(memory())).greeting.api_version == "v7"


async def test_a_fixed_version_is_never_left() -> None:
    """Also not after a day."""
    script = Script(["v7", "v8"])
    server = script.server(replace(ACCESS, api_version="v7"))
    await server.look(memory())
    server.confirm()
    script.clock.move(days=3)
    assert (await server.look(memory())).greeting.api_version == "v7"
    assert not script.asked("GET /v8")
