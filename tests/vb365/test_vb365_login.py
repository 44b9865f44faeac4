"""The token: how it is asked for, renewed, dropped and refused."""

from typing import Any

import anyio
import httpx
import pytest
import trio
import trio.testing

from tests.vb365.vb365_script import ACCESS, BASE, Script, html, page, token
from watcher.core.model import Failure, LookFailed
from watcher.vb365.login import Login

PASSWORD = {"grant_type": "password", "username": "VBO\\svc-watch", "password": "s3cret&+%"}


@pytest.mark.parametrize(("version", "has_flag"), [("v8", True), ("v7", True), ("v6", False), ("v3", False)])
async def test_the_password_is_sent_as_a_form(version: str, has_flag: bool) -> None:
    """v7 and v8 are told to leave the antiforgery token out; earlier versions do not know it."""
    script = Script([version])
    script.on(f"GET /{version}/Jobs", [])
    await script.api(version).get("Jobs")
    flag = {"disable_antiforgery_token": "true"} if has_flag else {}
    assert script.forms() == [PASSWORD | flag]
    assert script.seen[0].headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert "Authorization" not in script.seen[0].headers
    assert script.seen[1].headers["Authorization"] == "Bearer T1"


async def test_one_login_serves_many_requests_at_once() -> None:
    """Two that find no token make one login."""
    script = Script()
    api = script.api()
    async with anyio.create_task_group() as group:
        group.start_soon(api.get, "Jobs")
        group.start_soon(api.get, "Jobs")
    assert len(script.forms()) == 1


def run_for(seconds: float, script: Script) -> None:
    """GET, wait so long in virtual time, and GET again."""

    async def twice() -> None:
        api = script.api()
        await api.get("Jobs")
        await anyio.sleep(seconds)
        await api.get("Jobs")

    trio.run(twice, clock=trio.testing.MockClock(autojump_threshold=0))


@pytest.mark.parametrize(
    ("expires_in", "lifetime"),
    [
        (3600, 3600),
        ("600", 600),
        (600.0, 600),
        (60, 60),
        (59, 3600),
        (0, 3600),
        (-1, 3600),
        (30 * 86400 + 1, 3600),
        ("soon", 3600),
        (None, 3600),
        (True, 3600),
        ([600], 3600),
    ],
)
def test_a_token_is_renewed_half_a_minute_before_its_end(expires_in: Any, lifetime: float) -> None:
    """On the monotonic clock; a lifetime that cannot be is read as an hour."""
    for seconds, logins in ((lifetime - 31, 1), (lifetime - 29, 2)):
        script = Script()
        script.on("POST /v8/token", token(expires_in=expires_in))
        run_for(seconds, script)
        assert len(script.forms()) == logins


def test_a_renewal_goes_by_the_refresh_token() -> None:
    """The password stays at home, and the new pair replaces the old one."""
    script = Script()
    script.on("POST /v8/token", token("T1"), token("T2"))
    run_for(3590, script)
    assert script.forms()[1] == {
        "grant_type": "refresh_token",
        "refresh_token": "R-T1",
        "disable_antiforgery_token": "true",
    }
    assert script.seen[-1].headers["Authorization"] == "Bearer T2"


@pytest.mark.parametrize("refusal", [400, 401, httpx.Response(200, json={"odd": 1}), html(403)])
def test_a_refused_refresh_falls_back_to_the_password(refusal: Any) -> None:
    """At once: a dead refresh token says nothing about the password."""
    script = Script()
    script.on("POST /v8/token", token("T1"), refusal, token("T2"))
    run_for(3590, script)
    assert [form["grant_type"] for form in script.forms()] == ["password", "refresh_token", "password"]


@pytest.mark.parametrize("trouble", [500, 429, httpx.ReadTimeout("hang"), httpx.ConnectError("refused")])
def test_a_refresh_that_got_no_verdict_does_not_send_the_password(trouble: Any) -> None:
    """The server is in trouble, not the token."""
    script = Script()
    script.on("POST /v8/token", token("T1"), trouble)
    with pytest.raises(LookFailed):
        run_for(3590, script)
    assert {form["grant_type"] for form in script.forms()[1:]} == {"refresh_token"}


@pytest.mark.parametrize("status", [400, 401, 403, 405])
async def test_a_refused_password_is_tried_once_until_it_is_forgiven(status: int) -> None:
    """Accounts get locked by trying again; what refused shows no secret."""
    script = Script()
    script.on("POST /v8/token", httpx.Response(status, json={"error": "s3cret&+% is wrong"}))
    login = Login(script.http(), ACCESS)
    api = script.api()
    for _ in range(2):
        with pytest.raises(LookFailed) as caught:
            await api.get("Jobs")
        assert caught.value.kind is Failure.LOGIN_REFUSED
        assert str(caught.value).startswith(f"POST {BASE}/v8/token: answered {status} ")
        assert "s3cret" not in str(caught.value)
        assert "svc-watch" not in str(caught.value)
    assert len(script.seen) == 1
    api.login.forgive()
    with pytest.raises(LookFailed):
        await api.get("Jobs")
    assert len(script.seen) == 2
    assert not login.is_done


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (429, Failure.BUSY),
        (500, Failure.SERVER_ERROR),
        (302, Failure.BAD_ANSWER),
        (html(), Failure.BAD_ANSWER),
        (httpx.Response(200), Failure.BAD_ANSWER),
        (httpx.Response(200, json={"access_token": ""}), Failure.BAD_ANSWER),
        (httpx.Response(200, json={"access_token": "a\nb"}), Failure.BAD_ANSWER),
        (httpx.Response(200, json=[]), Failure.BAD_ANSWER),
    ],
)
async def test_no_token_and_no_refusal_is_another_failure(answer: Any, kind: Failure) -> None:
    """Only a 4xx is a verdict on the login."""
    script = Script()
    script.on("POST /v8/token", answer)
    with pytest.raises(LookFailed) as caught:
        await script.api().get("Jobs")
    assert caught.value.kind is kind


async def test_a_token_is_read_whatever_its_declared_type() -> None:
    """v6 to v8 declare `*/*`."""
    script = Script()
    script.on("POST /v8/token", httpx.Response(200, text='{"access_token": "T9"}', headers={"Content-Type": "text/x"}))
    await script.api().get("Jobs")
    assert script.seen[-1].headers["Authorization"] == "Bearer T9"


async def test_a_401_with_an_empty_body_leads_to_one_new_login() -> None:
    """The token went out before its time: by password, once, and the GET is repeated once."""
    script = Script()
    script.on("POST /v8/token", token("T1"), token("T2"))
    script.on("GET /v8/JobSessions", httpx.Response(401), page())
    await script.api().get("JobSessions")
    assert [form["grant_type"] for form in script.forms()] == ["password", "password"]
    assert script.seen[-1].headers["Authorization"] == "Bearer T2"


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Failure.UNAUTHORIZED), (403, Failure.UNAUTHORIZED), (302, Failure.BAD_ANSWER), (418, Failure.BAD_ANSWER)],
)
async def test_a_get_that_is_refused_after_a_good_login_is_just_a_failed_look(status: int, kind: Failure) -> None:
    """It is no verdict on the password."""
    script = Script()
    script.on("GET /v8/JobSessions", status)
    with pytest.raises(LookFailed) as caught:
        await script.api().get("JobSessions")
    assert caught.value.kind is kind
    assert len(script.asked("GET")) == (2 if status == 401 else 1)
