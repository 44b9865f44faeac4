"""Who may act on the page: whoever has the token, by a cookie made from it or as a bearer; wrong ones are slowed."""

import hmac
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

import anyio
from starlette.requests import Request

COOKIE = "watcher_admin"
KEPT_FOR = timedelta(days=30)
WRONG_COSTS = 1.0
WRONG_AT_MOST = 10
WITHIN = 60.0


class Refusal(Enum):
    """Why somebody may not act."""

    SWITCHED_OFF = "no action is possible here: WATCHER_ADMIN_TOKEN is not set"
    NOBODY = "sign in with the token first, or send it as `Authorization: Bearer TOKEN`"
    WRONG = "that is not the token"
    TOO_MANY = "too many wrong tokens: wait a minute"
    FOREIGN = "this form was not made for you: load the page again"


@dataclass(frozen=True, slots=True)
class Grant:
    """The leave to act. `csrf`: what a form has to bring back; None for a program, which has no forms."""

    csrf: str | None


@dataclass(slots=True)
class Keeper:
    """Knows the token, and compares in constant time. `is_https`: its cookies only go over https."""

    token: str | None
    now: Callable[[], datetime]
    is_https: bool = False
    _wrong: deque[float] = field(default_factory=deque)

    @property
    def is_open(self) -> bool:
        """Whether anybody can act at all."""
        return self.token is not None

    def reader(self, request: Request) -> Grant | None:
        """Return the leave of whoever reads a page, by the cookie; None for guests."""
        cookie = request.cookies.get(COOKIE, "")
        return Grant(self._mark(f"csrf {cookie}")) if self._holds(cookie) else None

    async def judge(self, request: Request, given: dict[str, str]) -> Grant | Refusal:
        """Return the leave of whoever acts; `given` are the fields of the form."""
        if not self.is_open:
            return Refusal.SWITCHED_OFF
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            refused = await self.try_token(token.strip())
            return refused or Grant(None)
        grant = self.reader(request)
        if grant is None or grant.csrf is None:
            return Refusal.NOBODY
        is_ours = hmac.compare_digest(grant.csrf.encode(), given.get("csrf", "").encode(errors="replace"))
        if not is_ours or request.headers.get("sec-fetch-site") == "cross-site":
            return Refusal.FOREIGN
        return grant

    async def try_token(self, given: str) -> Refusal | None:
        """Compare a token; None if it is right. After ten wrong ones in a minute nobody is heard for a while."""
        moment = anyio.current_time()
        while self._wrong and moment - self._wrong[0] > WITHIN:
            self._wrong.popleft()
        if self.token is None:
            return Refusal.SWITCHED_OFF
        if len(self._wrong) >= WRONG_AT_MOST:
            return Refusal.TOO_MANY
        if hmac.compare_digest(_hash(given), _hash(self.token)):
            return None
        self._wrong.append(moment)
        await anyio.sleep(WRONG_COSTS)
        return Refusal.WRONG

    def cookie(self) -> str:
        """Return the value of a new cookie: when it ends, and a mark that only the token can make."""
        ends = int((self.now() + KEPT_FOR).timestamp())
        return f"{ends}.{self._mark(f'cookie {ends}')}"

    def _holds(self, cookie: str) -> bool:
        ends, _, mark = cookie.partition(".")
        if self.token is None or not (ends.isascii() and ends.isdigit() and len(ends) < 16):
            return False
        is_ours = hmac.compare_digest(mark.encode(errors="replace"), self._mark(f"cookie {ends}").encode())
        return is_ours and int(ends) > self.now().timestamp()

    def _mark(self, text: str) -> str:
        return hmac.new((self.token or "").encode(), text.encode(errors="replace"), "sha256").hexdigest()[:40]


def _hash(text: str) -> bytes:
    return hmac.digest(b"watcher", text.encode(errors="replace"), "sha256")
