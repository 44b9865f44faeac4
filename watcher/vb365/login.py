"""Logging in: the token, its renewal, and a refusal that is not tried again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NoReturn

import anyio
import msgspec

from watcher.core.model import Failure, LookFailed
from watcher.vb365.access import Access
from watcher.vb365.dialect import Dialect
from watcher.vb365.faults import NotFoundError
from watcher.vb365.http import Answer, Http, Request

RENEW_BEFORE = 30.0
SHORTEST, LONGEST, USUAL = 60.0, 30 * 86400.0, 3600.0


@dataclass(frozen=True, slots=True)
class Token:
    """An access token and its refresh token, both secret; `until` is on anyio's clock, with the margin taken off."""

    access: str = field(repr=False)
    refresh: str | None = field(repr=False)
    until: float


class _TokenAnswer(msgspec.Struct):
    access_token: str
    refresh_token: str | None = None
    expires_in: object = None


class Login:
    """Who we are to one server. A token is not tied to a wire version, so it is kept while versions are tried.

    `count`: logins with the password so far; one more may mean that another server answers.
    """

    def __init__(self, http: Http, access: Access) -> None:
        """Take the connection, and the account's user and password."""
        self._http = http
        self._access = access
        self._token: Token | None = None
        self._refusal: str | None = None
        self.count = 0
        self._turn = anyio.Lock()

    @property
    def is_done(self) -> bool:
        """Whether a token is there."""
        return self._token is not None

    def forgive(self) -> None:
        """Let a refused login be tried again; without this a refusal stands, since accounts get locked by trying."""
        self._refusal = None

    def drop(self, access_token: str) -> None:
        """Forget a token that the server rejected, unless another one has taken its place already."""
        if self._token is not None and self._token.access == access_token:
            self._token = None

    async def token(self, dialect: Dialect) -> str:
        """Return an access token, after a login or a renewal where one is due.

        Raises LookFailed: LOGIN_REFUSED for a 4xx with the password, and NotFoundError where this version has no
        token endpoint.
        """
        async with self._turn:
            if self._token is None or anyio.current_time() >= self._token.until:
                self._token = await self._renewed(dialect)
            return self._token.access

    async def leave(self, dialect: Dialect) -> None:
        """Log out where the version knows how (v7, v8); raises LookFailed."""
        if self._token is None or not dialect.antiforgery:
            return
        token, self._token = self._token, None
        await self._http.send(Request("POST", dialect.path("token/logout"), bearer=token.access))

    async def _renewed(self, dialect: Dialect) -> Token:
        if self._token is not None and self._token.refresh is not None:
            form = {"grant_type": "refresh_token", "refresh_token": self._token.refresh}
            answer = await self._ask(dialect, form)
            if answer.status == 200 and (token := _read(answer.body)):
                return token
            self._token = None
        return await self._with_password(dialect)

    async def _with_password(self, dialect: Dialect) -> Token:
        if self._refusal is not None:
            raise LookFailed(Failure.LOGIN_REFUSED, self._refusal)
        form = {"grant_type": "password", "username": self._access.username, "password": self._access.password}
        answer = await self._ask(dialect, form)
        if answer.status != 200:
            self._give_up(answer)
        token = _read(answer.body)
        self.count += 1
        if token is None:
            raise LookFailed(Failure.BAD_ANSWER, f"{answer.where}: answered without a token: is this VB365's REST API?")
        return token

    def _give_up(self, answer: Answer) -> NoReturn:
        if answer.status == 404:
            raise NotFoundError(Failure.NO_VERSION, answer.said)
        if 400 <= answer.status < 500:
            self._refusal = f"{answer.said}: the login was refused; check WATCHER_USERNAME and WATCHER_PASSWORD"
            raise LookFailed(Failure.LOGIN_REFUSED, self._refusal)
        raise LookFailed(Failure.BAD_ANSWER, f"{answer.said}, which is no answer to a login")

    async def _ask(self, dialect: Dialect, form: Mapping[str, str]) -> Answer:
        extra = {"disable_antiforgery_token": "true"} if dialect.antiforgery else {}
        return await self._http.send(Request("POST", dialect.path("token"), form={**form, **extra}))


def _read(body: bytes) -> Token | None:
    """Read a token from an answer, whatever its declared type (v6 to v8 declare `*/*`); None if there is none."""
    try:
        answer = msgspec.json.decode(body, type=_TokenAnswer)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not answer.access_token or not answer.access_token.isascii() or not answer.access_token.isprintable():
        return None
    until = anyio.current_time() + _lifetime(answer.expires_in) - RENEW_BEFORE
    return Token(answer.access_token, answer.refresh_token or None, until)


def _lifetime(expires_in: object) -> float:
    """Return a believable lifetime in seconds; what is not between a minute and 30 days is read as an hour."""
    if isinstance(expires_in, bool) or not isinstance(expires_in, int | float | str):
        return USUAL
    try:
        seconds = float(expires_in)
    except (ValueError, OverflowError):
        return USUAL
    return seconds if SHORTEST <= seconds <= LONGEST else USUAL
