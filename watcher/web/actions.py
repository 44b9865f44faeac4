"""What the page lets people do: silence a job, end a silence, retry what was given up, send a test message."""

import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from watcher.core.match import Match, Pattern
from watcher.core.render.link import job_path
from watcher.core.silence import Silence
from watcher.core.views import KnownJob, Revived, Trial
from watcher.web import signs
from watcher.web.frame import Page, Part, document, sentence
from watcher.web.guard import json_answer
from watcher.web.keeper import COOKIE, KEPT_FOR, Grant, Keeper, Refusal
from watcher.web.lens import Lens
from watcher.web.markup import element

LARGEST_FORM = 16_384
LONGEST = timedelta(days=366)
_SPAN = re.compile(r"([0-9]{1,4})([mhd])")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_CODES = {
    Refusal.SWITCHED_OFF: 403,
    Refusal.NOBODY: 401,
    Refusal.WRONG: 401,
    Refusal.TOO_MANY: 429,
    Refusal.FOREIGN: 403,
}

_log = logging.getLogger("watcher")


class Hands(Protocol):
    """What acts for the page; the same operations of the store as the commands use."""

    async def known_job(self, server: str, job: str) -> KnownJob | None: ...
    async def silence(self, silence: Silence) -> int: ...
    async def end_silence(self, number: int) -> bool: ...
    async def retry(self, ids: tuple[int, ...]) -> Revived: ...
    async def test(self, channel: str) -> tuple[Trial, ...] | None: ...


class RefusedError(Exception):
    """What was asked for cannot be done; the text is one sentence for the one who asked."""


@dataclass(frozen=True, slots=True)
class Done:
    """What an action came to: a sentence, where its result can be seen, and whether the sentence has to be shown."""

    words: str
    where: str = ""
    is_shown: bool = False
    went_well: bool = True


_Act = Callable[[Mapping[str, str]], Awaitable[Done]]


@dataclass(frozen=True, slots=True)
class Actions:
    """The endpoints that change something. All take forms by POST, from people and from programs alike."""

    hands: Hands
    keeper: Keeper
    lens: Callable[[], Lens]
    now: Callable[[], datetime]

    def routes(self) -> list[Route]:
        """Return the routes."""
        acts: Mapping[str, _Act] = {
            "silence": self._silence,
            "end-silence": self._end_silence,
            "retry": self._retry,
            "test-channel": self._test,
        }
        made = [Route(f"/actions/{name}", self._endpoint(name, act), methods=["POST"]) for name, act in acts.items()]
        out = Route("/actions/sign-out", self._sign_out, methods=["POST"])
        return [*made, out, Route("/sign-in", self._sign_in, methods=["GET", "POST"])]

    def _endpoint(self, name: str, act: _Act) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            given = await _form(request)
            grant = await self.keeper.judge(request, given)
            if isinstance(grant, Refusal):
                _log.warning("action %s from %s: refused: %s", name, _from(request), grant.value)
                return self._refused(grant.value, _CODES[grant], is_program=_is_program(request))
            try:
                done = await act(given)
            except RefusedError as refused:
                return self._refused(str(refused), 400, is_program=grant.csrf is None)
            except Exception as error:
                if not hasattr(error, "passing"):  # the store's own errors have it, and may be shown
                    raise
                _log.warning("action %s from %s: %s", name, _from(request), error)
                return self._refused(str(error), 503, is_program=grant.csrf is None)
            _log.info("action %s from %s (%s): %s", name, _from(request), _by(grant), done.words)
            return self._answer(done, grant)

        return endpoint

    def _answer(self, done: Done, grant: Grant) -> Response:
        if grant.csrf is None:
            return json_answer({"done": done.words}, 200 if done.went_well else 502)
        if not done.is_shown:
            return RedirectResponse(f"../{done.where}", 303)
        sign = signs.GOOD if done.went_well else signs.BAD
        return HTMLResponse(sentence(done.words, sign, lens=self.lens().below("../")))

    def _refused(self, words: str, code: int, *, is_program: bool) -> Response:
        if is_program:
            return json_answer({"error": words}, code)
        lens = self.lens().below("../")
        signing = element("p", element("a", "Sign in", href="../sign-in")) if code == 401 else ""
        return HTMLResponse(sentence(f"Not done: {words}", signs.BAD, signing, lens=lens), code)

    async def _silence(self, given: Mapping[str, str]) -> Done:
        known = await self.hands.known_job(given.get("server", ""), given.get("job", ""))
        if known is None:
            raise RefusedError("there is no such job")
        span, begins = _span(given.get("for", "")), self.now()
        match = Match((("server", Pattern((known.server,))), ("job", Pattern((known.job.name,)))))
        author = given.get("by", "").strip()[:60] or "somebody on the page"
        silence = Silence(match, begins, begins + span, author, given.get("reason", "").strip()[:200])
        number = await self.hands.silence(silence)
        return Done(f"silence {number} of {match} for {given['for']} by {author}", job_path(known.server, known.job.id))

    async def _end_silence(self, given: Mapping[str, str]) -> Done:
        number = _id(given)
        if not await self.hands.end_silence(number):
            raise RefusedError(f"there is no silence {number}, or it is over")
        return Done(f"silence {number} is over", "#silences")

    async def _retry(self, given: Mapping[str, str]) -> Done:
        revived = await self.hands.retry((_id(given),))
        for one, why in revived.refused:
            raise RefusedError(f"{one} {why}")
        return Done(f"delivery {revived.ids[0]} is put back", "#messages")

    async def _test(self, given: Mapping[str, str]) -> Done:
        name = given.get("name", "")
        trials = await self.hands.test(name)
        if trials is None:
            raise RefusedError("there is no such channel")
        failed = [f"{one.destination}: {one.reason}" for one in trials if one.reason]
        words = (
            f"The test message through {name} failed: {'; '.join(failed)}"
            if failed
            else f"A test message went out through {name}"
        )
        return Done(words, is_shown=True, went_well=not failed)

    async def _sign_in(self, request: Request) -> Response:
        if not self.keeper.is_open:
            return self._refused(Refusal.SWITCHED_OFF.value, 403, is_program=False)
        if request.method != "POST":
            return HTMLResponse(_sign_in_page(self.lens(), ""))
        refused = await self.keeper.try_token((await _form(request)).get("token", ""))
        if refused is not None:
            _log.warning("sign-in from %s: refused: %s", _from(request), refused.value)
            return HTMLResponse(_sign_in_page(self.lens(), refused.value), _CODES[refused])
        _log.info("sign-in from %s", _from(request))
        answer = RedirectResponse("./", 303)
        self._set_cookie(answer, self.keeper.cookie(), int(KEPT_FOR.total_seconds()))
        return answer

    async def _sign_out(self, request: Request) -> Response:
        given = await _form(request)
        grant = await self.keeper.judge(request, given)
        if isinstance(grant, Refusal):
            return self._refused(grant.value, _CODES[grant], is_program=_is_program(request))
        answer = RedirectResponse("../", 303)
        self._set_cookie(answer, "", 0)
        return answer

    def _set_cookie(self, answer: Response, value: str, seconds: int) -> None:
        answer.set_cookie(
            COOKIE, value, max_age=seconds, httponly=True, samesite="strict", secure=self.keeper.is_https, path="/"
        )


async def _form(request: Request) -> dict[str, str]:
    """Read the fields of a form, of some size at the most."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            return {}
    with suppress(ValueError):  # too many fields
        return dict(parse_qsl(body.decode(errors="replace"), max_num_fields=20, keep_blank_values=True))
    return {}


def _span(text: str) -> timedelta:
    match = _SPAN.fullmatch(text)
    span = int(match[1]) * _UNITS[match[2]] if match else timedelta(0)
    if not timedelta(0) < span <= LONGEST:
        raise RefusedError("say for how long, as `4h`, and a year at most")
    return span


def _id(given: Mapping[str, str]) -> int:
    text = given.get("id", "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise RefusedError("say which one by its id")
    return int(text)


def _is_program(request: Request) -> bool:
    return request.headers.get("authorization", "").lower().startswith("bearer")  # a proxy's login is no program's


def _by(grant: Grant) -> str:
    return "a program" if grant.csrf is None else "the page"


def _from(request: Request) -> str:
    return request.client.host if request.client else "somewhere"


def _sign_in_page(lens: Lens, wrong: str) -> str:
    field = element("input", type="password", name="token", autocomplete="current-password", required="", autofocus="")
    form = element(
        "form",
        element("label", "The token (WATCHER_ADMIN_TOKEN) ", field),
        element("button", "Sign in"),
        method="post",
        action="sign-in",
        class_="acts",
    )
    said = element("p", wrong, class_="cause", role="alert") if wrong else ""
    section = element("section", element("h1", "Sign in to act"), said, form, class_="card narrow")
    return document(Page("Sign in", (Part("sign-in", section),)), lens)
