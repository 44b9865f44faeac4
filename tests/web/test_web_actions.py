"""Who may act on the page, what the actions do, and that nobody else gets anywhere."""

import logging
import re
from dataclasses import dataclass, field
from datetime import timedelta

import anyio
import pytest

from tests.web.web_samples import NOW, Site, failing, row
from watcher.core.silence import Silence
from watcher.core.views import KnownJob, Revived, Trial
from watcher.web import keeper as keeper_module
from watcher.web.app import Acting
from watcher.web.keeper import COOKIE, KEPT_FOR, Keeper

TOKEN = "a long random text"
BEARER = {"Authorization": f"Bearer {TOKEN}"}
ACTIONS = ("silence", "end-silence", "retry", "test-channel", "sign-out")


@dataclass
class Hands:
    """Writes down what it was asked to do."""

    done: list[object] = field(default_factory=list)
    failure: str = ""

    async def known_job(self, server: str, job: str) -> KnownJob | None:
        return KnownJob("HQ", failing().job) if (server, job) == ("HQ", "j2") else None

    async def silence(self, silence: Silence) -> int:
        self.done.append(silence)
        return 7

    async def end_silence(self, number: int) -> bool:
        self.done.append(("end", number))
        return number == 7

    async def retry(self, ids: tuple[int, ...]) -> Revived:
        self.done.append(("retry", ids))
        return Revived(ids, ()) if ids == (3,) else Revived((), ((ids[0], "is not dead"),))

    async def test(self, channel: str) -> tuple[Trial, ...] | None:
        self.done.append(("test", channel))
        return (Trial("ops", self.failure),) if channel == "ops" else None


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def site(hands: Hands) -> Site:
    found = Site(acting=Acting(hands, TOKEN))
    found.reader.jobs = [failing(), row()]
    return found


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a wrong token cost a moment only."""
    monkeypatch.setattr(keeper_module, "WRONG_COSTS", 0.01)


async def signed_in(site: Site) -> str:
    """Sign in, and return what forms have to bring back."""
    answer = await site.send("/sign-in", {"token": TOKEN})
    assert (answer.status_code, answer.headers["location"]) == (303, "./")
    found = re.search(r'name="csrf" value="(\w+)"', (await site.ask("/jobs/HQ/j2")).text)
    assert found
    return found[1]


async def test_a_job_is_silenced_by_its_form(site: Site, hands: Hands, caplog: pytest.LogCaptureFixture) -> None:
    """The silence names the job and its server, who says so, why, and for how long; the log says who did it."""
    csrf = await signed_in(site)
    form = {"csrf": csrf, "server": "HQ", "job": "j2", "for": "4h", "reason": "patch day", "by": "ann"}
    with caplog.at_level(logging.INFO):
        answer = await site.send("/actions/silence", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "../jobs/HQ/j2")
    (silence,) = hands.done
    assert isinstance(silence, Silence)
    assert str(silence.match) == "server `HQ`, job `HR - Mail`"
    assert (silence.author, silence.reason, silence.begins, (silence.ends or NOW) - NOW) == (
        "ann",
        "patch day",
        NOW,
        timedelta(hours=4),
    )
    said = [record.getMessage() for record in caplog.records if record.name == "watcher"]
    assert said[-1] == (
        "action silence from 127.0.0.1 (the page): silence 7 of server `HQ`, job `HR - Mail` for 4h by ann"
    )
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    ("action", "form", "done", "code"),
    [
        ("end-silence", {"id": "7"}, ("end", 7), 303),
        ("end-silence", {"id": "8"}, ("end", 8), 400),
        ("retry", {"id": "3"}, ("retry", (3,)), 303),
        ("retry", {"id": "4"}, ("retry", (4,)), 400),
        ("test-channel", {"name": "ops"}, ("test", "ops"), 200),
        ("test-channel", {"name": "nope"}, ("test", "nope"), 400),
        ("retry", {"id": "x"}, None, 400),
        ("retry", {}, None, 400),
        ("silence", {"server": "HQ", "job": "j9", "for": "1h"}, None, 400),
        ("silence", {"server": "HQ", "job": "j2", "for": "0h"}, None, 400),
        ("silence", {"server": "HQ", "job": "j2", "for": "9999d"}, None, 400),
        ("silence", {"server": "HQ", "job": "j2"}, None, 400),
    ],
)
async def test_each_action_for_people_and_for_programs(
    site: Site, hands: Hands, action: str, form: dict[str, str], done: object, code: int
) -> None:
    """The same work behind both; people are led back or get a sentence, programs JSON."""
    csrf = await signed_in(site)
    by_page = await site.send(f"/actions/{action}", {"csrf": csrf, **form})
    assert by_page.status_code == code
    assert hands.done == ([done] if done else [])
    site.cookies.clear()
    by_program = await site.send(f"/actions/{action}", form, **BEARER)
    assert by_program.status_code == (200 if code == 303 else code)
    assert list(by_program.json()) == (["done"] if code < 400 else ["error"])
    assert hands.done == ([done, done] if done else [])


async def test_a_test_message_that_fails_says_why(site: Site, hands: Hands) -> None:
    """To people as a page, to programs as an error of what is behind."""
    hands.failure = "the host is not known"
    csrf = await signed_in(site)
    answer = await site.send("/actions/test-channel", {"csrf": csrf, "name": "ops"})
    assert "The test message through ops failed: ops: the host is not known" in answer.text
    assert (await site.send("/actions/test-channel", {"name": "ops"}, **BEARER)).status_code == 502


@pytest.mark.parametrize("action", ACTIONS)
async def test_nobody_else_gets_anywhere(site: Site, hands: Hands, action: str) -> None:
    """Without a cookie, with one that is made up or outdated, without or with a foreign CSRF, by GET."""
    form = {"id": "3", "name": "ops", "server": "HQ", "job": "j2", "for": "1h"}
    assert (await site.send(f"/actions/{action}", form)).status_code == 401
    for cookie in ("1.x", "99999999999.x", "", "x", f"9{'9' * 400}.x"):
        site.cookies = {COOKIE: cookie}
        assert (await site.send(f"/actions/{action}", form)).status_code == 401
    site.cookies = {}
    csrf = await signed_in(site)
    for wrong in ({}, {"csrf": ""}, {"csrf": csrf[:-1]}, {"csrf": "ü" + csrf}):
        assert (await site.send(f"/actions/{action}", form | wrong)).status_code == 403
    foreign = await site.send(f"/actions/{action}", form | {"csrf": csrf}, **{"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    assert (await site.ask(f"/actions/{action}?id=3&csrf={csrf}")).status_code == 405
    wrong_bearer = await site.send(f"/actions/{action}", form, Authorization="Bearer wrong")
    assert (wrong_bearer.status_code, list(wrong_bearer.json())) == (401, ["error"])
    through_proxy = await site.send(f"/actions/{action}", form, Authorization="Basic YW5uOnB3")
    assert through_proxy.headers["content-type"].startswith("text/html")
    assert hands.done == []


async def test_without_a_token_there_is_no_action(hands: Hands) -> None:
    """Whatever is sent, it is refused with the setting that would allow it."""
    site = Site(acting=Acting(hands, None))
    for action in ACTIONS:
        answer = await site.send(f"/actions/{action}", {"id": "3"}, Authorization="Bearer ")
        assert answer.status_code == 403
        assert "WATCHER_ADMIN_TOKEN is not set" in answer.json()["error"]
    assert (await site.ask("/sign-in")).status_code == 403
    assert (await site.send("/sign-in", {"token": ""})).status_code == 403
    assert "sign-in" not in (await site.ask("/")).text
    assert hands.done == []


async def test_the_cookie_is_not_the_token_and_stays_here(hands: Hands) -> None:
    """No script reads it, no other site sends it, and with an https address it goes over nothing else."""
    for is_https in (False, True):
        site = Site(acting=Acting(hands, TOKEN, is_https=is_https))
        cookie = (await site.send("/sign-in", {"token": TOKEN})).headers["set-cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert ("Secure" in cookie) == is_https
        assert TOKEN not in cookie


async def test_signing_out_ends_it(site: Site) -> None:
    """The cookie is gone, and with it the forms."""
    csrf = await signed_in(site)
    answer = await site.send("/actions/sign-out", {"csrf": csrf})
    assert answer.status_code == 303
    assert f'{COOKIE}=""' in answer.headers["set-cookie"]
    assert "Max-Age=0" in answer.headers["set-cookie"]
    site.cookies.clear()
    assert "csrf" not in (await site.ask("/")).text


async def test_wrong_tokens_are_slowed_down_and_stopped(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each costs time; after ten in a minute not even the right one is heard, and cookies still hold."""
    monkeypatch.setattr(keeper_module, "WRONG_COSTS", 0.02)
    keeper = Keeper(TOKEN, lambda: NOW)
    began = anyio.current_time()
    for _ in range(10):
        assert await keeper.try_token("wrong") is keeper_module.Refusal.WRONG
    assert anyio.current_time() - began >= 10 * 0.02
    assert await keeper.try_token(TOKEN) is keeper_module.Refusal.TOO_MANY
    monkeypatch.setattr(keeper_module, "WITHIN", 0.0)
    assert await keeper.try_token(TOKEN) is None


def test_a_cookie_ends_by_itself_and_with_its_token() -> None:
    """After thirty days, and at once where the token is another."""
    moment = [NOW]
    keeper = Keeper(TOKEN, lambda: moment[0])
    cookie = keeper.cookie()
    assert keeper._holds(cookie)
    assert not Keeper("another", lambda: NOW)._holds(cookie)
    ends, _, mark = cookie.partition(".")
    assert not keeper._holds(f"{int(ends) + 1}.{mark}")
    moment[0] = NOW + KEPT_FOR
    assert not keeper._holds(cookie)


async def test_a_database_that_is_busy_is_said_in_a_sentence(site: Site, hands: Hands) -> None:
    """The store's own words; whatever else breaks is one line without them."""

    class LockedError(Exception):
        passing = True

    for error, code in ((LockedError("database w.db: it is locked"), 503), (RuntimeError("secret"), 500)):

        async def broken(number: int, error: Exception = error) -> bool:
            raise error

        hands.end_silence = broken  # type: ignore[method-assign]
        answer = await site.send("/actions/end-silence", {"id": "7"}, **BEARER)
        assert answer.status_code == code
        assert ("it is locked" in answer.text) == (code == 503)
        assert "secret" not in answer.text


async def test_a_form_may_be_no_form(site: Site, hands: Hands) -> None:
    """What is too large or has too many fields is no form at all."""
    assert (await site.send("/actions/retry", {"id": "3", "x": "y" * 20_000}, **BEARER)).status_code == 400
    many = {f"f{number}": "x" for number in range(50)}
    assert (await site.send("/actions/retry", many | {"id": "3"}, **BEARER)).status_code == 400
    assert hands.done == []
