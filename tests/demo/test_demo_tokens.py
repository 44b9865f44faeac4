"""The life of a token: how one gets it, how long it lives, how it is renewed and given back."""

import json

import pytest

from tests.demo.standin_visitor import NOW, Estate, Visitor, visiting
from watcher.demo.estate import Account
from watcher.demo.faults import Faults
from watcher.demo.server import ALL_VERSIONS, create_app
from watcher.demo.tokens import Tokens


class Ticks:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


@pytest.mark.parametrize("version", ALL_VERSIONS)
async def test_password_opens_every_version(visitor: Visitor, version: str) -> None:
    """A login in any version gives a token that works in all, since tokens belong to no version."""
    answer = await visitor.login(version)
    visitor.tokens = answer.json()
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("bearer", 3600)
    assert [(await visitor.get(f"/{other}/Jobs")).status_code for other in ALL_VERSIONS] == [200] * 6


@pytest.mark.parametrize(("version", "key"), [("v3", "error"), ("v5", "error"), ("v6", "message"), ("v8", "message")])
async def test_wrong_password_is_refused_in_the_versions_words(visitor: Visitor, version: str, key: str) -> None:
    """A wrong login is a 400: an OAuth body up to v5, a message from v6."""
    answer = await visitor.login(version, password="wrong")
    assert (answer.status_code, key in answer.json()) == (400, True)


async def test_refusals_can_look_otherwise(visitor: Visitor, faults: Faults) -> None:
    """From v6 a refusal may be a 401 without a body; a right login can be refused as well."""
    faults.login_refused = True
    faults.quirks.refusal_status, faults.quirks.refusal_body = 401, False
    answer = await visitor.login("v7")
    assert (answer.status_code, answer.content) == (401, b"")


async def test_user_name_is_taken_in_any_case_and_the_password_is_not(visitor: Visitor, estate: Estate) -> None:
    """Windows knows no case in account names."""
    estate.world.account = Account(r"HOST\Watcher", "p&ss+w=rd%")
    assert (await visitor.login(username=r"host\WATCHER")).status_code == 200
    assert (await visitor.login(password="P&SS+W=RD%")).status_code == 400


async def test_login_may_be_posted_as_json_from_v6(visitor: Visitor, estate: Estate) -> None:
    """v6 and later take the login as JSON as well; v5 does not."""
    account = estate.world.account
    body = json.dumps({"grant_type": "password", "username": account.username, "password": account.password})
    kind = {"Content-Type": "application/json"}
    found = [
        (await visitor.http.post(f"/{version}/token", content=body, headers=kind)).status_code
        for version in ("v5", "v6")
    ]
    assert found == [400, 200]


@pytest.mark.parametrize("header", [None, "Bearer nonsense", "Basic {token}", "Bearer"])
async def test_without_a_good_token_a_get_is_an_empty_401(visitor: Visitor, header: str | None) -> None:
    """A missing, wrong or misused token is answered 401 with no body at all."""
    token = (await visitor.login()).json()["access_token"]
    headers = {"Authorization": header.format(token=token)} if header else {}
    answer = await visitor.http.get("/v8/JobSessions", headers=headers)
    assert (answer.status_code, answer.content) == (401, b"")


async def test_a_refresh_token_works_once(visitor: Visitor) -> None:
    """A refresh gives a whole new pair; the refresh token it took is used up."""
    first = (await visitor.login()).json()
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], "disable_antiforgery_token": "true"}
    second = await visitor.http.post("/v8/token", data=form)
    again = await visitor.http.post("/v8/token", data=form)
    assert (second.status_code, again.status_code) == (200, 400)
    assert second.json()["access_token"] != first["access_token"]
    visitor.tokens = second.json()
    assert (await visitor.get("/v8/Jobs")).status_code == 200


async def test_refresh_can_be_refused_while_passwords_work(visitor: Visitor, faults: Faults) -> None:
    """A dead refresh token is no dead login."""
    first = (await visitor.login()).json()
    faults.refresh_refused = True
    form = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert (await visitor.http.post("/v8/token", data=form)).status_code == 400
    assert (await visitor.login()).status_code == 200


def test_access_expires_and_refresh_does_not() -> None:
    """An access token is good until its lifetime is over; its refresh token still gives a new one then."""
    ticks = Ticks()
    tokens = Tokens(60.0, ticks)
    pair = tokens.issue()
    ticks.now += 59.9
    assert tokens.is_good(pair.access)
    ticks.now += 0.1
    assert not tokens.is_good(pair.access)
    renewed = tokens.redeem(pair.refresh)
    assert renewed is not None
    assert tokens.is_good(renewed.access)


async def test_a_short_life_is_said_and_kept(estate: Estate) -> None:
    """`token_lifetime` is what `expires_in` says, and the token is dead after it."""
    app = create_app(estate.world, now=lambda: NOW, token_lifetime=0.0)
    async with visiting(app, estate.world) as visitor:
        assert (await visitor.login()).json()["expires_in"] == 0
        assert (await visitor.get("/v8/Jobs")).status_code == 401


async def test_a_server_started_anew_knows_no_token(visitor: Visitor) -> None:
    """Tokens can all be revoked at once; a new login helps."""
    await visitor.json("/v8/Jobs")
    visitor.app.state.tokens.revoke_all()
    assert (await visitor.get("/v8/Jobs")).status_code == 401
    visitor.tokens = {}
    assert (await visitor.get("/v8/Jobs")).status_code == 200


@pytest.mark.parametrize(("version", "status"), [("v6", 404), ("v7", 200), ("v8", 204)])
async def test_logout(visitor: Visitor, version: str, status: int) -> None:
    """v7 answers a logout with 200, v8 with 204, v6 has none; after it neither token works."""
    visitor.tokens = (await visitor.login()).json()
    answer = await visitor.http.post(f"/{version}/token/logout", headers=visitor.bearer())
    assert answer.status_code == status
    assert (await visitor.get("/v8/Jobs")).status_code == (200 if version == "v6" else 401)
    again = await visitor.http.post("/v8/token/logout")
    assert again.status_code == 401


@pytest.mark.parametrize(("version", "alone"), [("v6", 200), ("v7", 401), ("v8", 401)])
async def test_antiforgery_is_on_unless_switched_off(visitor: Visitor, version: str, alone: int) -> None:
    """A v7 or v8 login without `disable_antiforgery_token` gives a token that is no good without its cookie."""
    visitor.tokens = (await visitor.login(version, disable_antiforgery_token="")).json()
    cookies = dict(visitor.http.cookies)
    visitor.http.cookies.clear()
    assert (await visitor.get("/v8/Jobs")).status_code == alone
    visitor.http.cookies.update(cookies)
    assert (await visitor.get("/v8/Jobs")).status_code == 200


async def test_antiforgery_can_be_taken_out(visitor: Visitor, faults: Faults) -> None:
    """Some servers in the field get by without the cookie."""
    faults.quirks.antiforgery = False
    visitor.tokens = (await visitor.login("v8", disable_antiforgery_token="")).json()
    assert (await visitor.get("/v8/Jobs")).status_code == 200


async def test_requests_are_on_record_without_secrets(visitor: Visitor, estate: Estate) -> None:
    """Every request is recorded with its version and whether its token was good; of a login no secret is kept."""
    await visitor.get("/v8/JobSessions", limit=5)
    await visitor.http.get("/v6/Jobs")
    login, listing, stranger = visitor.app.state.requests
    assert (login.method, login.path, login.form) == (
        "POST",
        "/v8/token",
        {"grant_type": "password", "disable_antiforgery_token": "true"},
    )
    assert (listing.path, listing.query, listing.version, listing.good_token) == (
        "/v8/jobsessions",
        "limit=5",
        "v8",
        True,
    )
    assert (stranger.version, stranger.good_token) == ("v6", False)
    assert estate.world.account.password not in repr(visitor.app.state.requests)


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"])
@pytest.mark.parametrize("path", ["/v8/Jobs", "/v5/JobSessions"])
async def test_nothing_but_get_is_served(visitor: Visitor, method: str, path: str) -> None:
    """What could change the server is a 405, with a good token too."""
    await visitor.json("/v8/Jobs")
    assert (await visitor.http.request(method, path, headers=visitor.bearer())).status_code == 405


async def test_unknown_paths_are_404(visitor: Visitor) -> None:
    """What is not served at all is a 404, not a redirect."""
    for path in ("/", "/v8", "/v8/Nothing", "/v8/Jobs/", "/v9/Jobs", "/swagger"):
        assert (await visitor.get(path)).status_code == 404
