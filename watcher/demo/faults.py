"""What goes wrong on command: broken answers, refused logins, spoiled and missing rows.

Single answers are broken by a plan (`fail`, `html`, `reset` …), the rest are switches. All can be changed while the
server runs; `Faults()` breaks nothing.
"""

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from watcher.demo.quirks import Quirks

if TYPE_CHECKING:
    from watcher.demo.estate import Job

_GIBBERISH: tuple[Any, ...] = (
    None,
    42,
    "ok",
    True,
    [],
    {},
    [[]],
    [None, 7],
    {"results": None},
    {"results": {}},
    {"id": "x", "status": 1},
)


class Kind(StrEnum):
    """The ways to break one answer."""

    REPLACED = "replaced"
    NONSENSE = "nonsense"
    TRUNCATED = "truncated"
    RESET = "reset"
    HANG = "hang"
    DRIP = "drip"


@dataclass(slots=True)
class Fault:
    """One planned break. `path` is a pattern searched in the path, any case; `times` is None for always.

    `skip` requests that match are let through first. `seconds` is how long a hang or a drip lasts.
    """

    kind: Kind
    path: str = ""
    times: int | None = 1
    skip: int = 0
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class BadRow:
    """What stands in a listing in place of a session; read by its id the session is well, or bad as well."""

    row: Any
    bad_by_id: bool = False


class Faults:
    """The switches of one stand-in server.

    quirks: how it answers where the manuals are silent. unauthorized: every GET with a good token answers 401.
    login_refused, refresh_refused: the token endpoint refuses passwords, refresh tokens. bad_rows: by session id.
    stray_rows: put before the rows of each session listing. drop_share: 0 to 1, of the sessions that listings leave
    out (always the same ones; by id they are there). empty_listings: no session is listed.
    between_pages: called after each answer of a session listing, to move the world while somebody reads it.
    mute_feed: /Events never says anything. tokens_from: its tokens below this number are outdated.
    jobs_as_of: a snapshot (`dict(world.jobs)`) that `/Jobs` goes on showing. clock_skew: of the `Date` header.
    """

    def __init__(self, quirks: Quirks | None = None, *, seed: int = 0) -> None:
        """Break nothing yet; `seed` is for the nonsense."""
        self.quirks = quirks or Quirks()
        self.plan: list[Fault] = []
        self.unauthorized = False
        self.login_refused = False
        self.refresh_refused = False
        self.bad_rows: dict[str, BadRow] = {}
        self.stray_rows: list[Any] = []
        self.drop_share = 0.0
        self.empty_listings = False
        self.jobs_as_of: Mapping[str, Job] | None = None
        self.between_pages: Callable[[], None] | None = None
        self.mute_feed = False
        self.tokens_from = 0
        self.clock_skew = timedelta()
        self.date_header = True
        self._rng = random.Random(seed)  # noqa: S311 - made-up answers, no secret

    def fail(
        self,
        status: int,
        *,
        path: str = "",
        times: int | None = 1,
        skip: int = 0,
        retry_after: str | None = None,
        body: bytes = b"",
    ) -> None:
        """Answer with a status; `retry_after` is seconds or a date, as the header has it."""
        headers = {"Retry-After": retry_after} if retry_after is not None else {}
        self.plan.append(Fault(Kind.REPLACED, path, times, skip, status, headers, body))

    def html(self, *, path: str = "", times: int | None = 1, skip: int = 0, status: int = 200) -> None:
        """Answer with a web page, as a proxy in between does."""
        page = b"<!DOCTYPE html><html><title>Sign in</title><body>Please sign in.</body></html>"
        self.plan.append(Fault(Kind.REPLACED, path, times, skip, status, {"Content-Type": "text/html"}, page))

    def empty(self, *, path: str = "", times: int | None = 1, skip: int = 0) -> None:
        """Answer 200 with no body at all."""
        self.plan.append(Fault(Kind.REPLACED, path, times, skip))

    def nonsense(self, *, path: str = "", times: int | None = 1, skip: int = 0) -> None:
        """Answer 200 with valid JSON of no sense."""
        self.plan.append(Fault(Kind.NONSENSE, path, times, skip))

    def truncate(self, *, path: str = "", times: int | None = 1, skip: int = 0) -> None:
        """Promise the whole answer, send half of it, close."""
        self.plan.append(Fault(Kind.TRUNCATED, path, times, skip))

    def reset(self, *, path: str = "", times: int | None = 1, skip: int = 0) -> None:
        """Reset the connection in place of an answer."""
        self.plan.append(Fault(Kind.RESET, path, times, skip))

    def hang(self, seconds: float, *, path: str = "", times: int | None = 1, skip: int = 0) -> None:
        """Be silent for so long, then answer."""
        self.plan.append(Fault(Kind.HANG, path, times, skip, seconds=seconds))

    def drip(self, seconds: float, *, path: str = "", times: int | None = 1, skip: int = 0) -> None:
        """Answer in small pieces that take so long in all."""
        self.plan.append(Fault(Kind.DRIP, path, times, skip, seconds=seconds))

    def clear(self) -> None:
        """Plan nothing any more; the switches stay."""
        self.plan.clear()

    def take(self, path: str) -> Fault | None:
        """Return what is planned for this request, and count it as done."""
        for fault in self.plan:
            if re.search(fault.path, path, re.IGNORECASE) and self._is_due(fault):
                return fault
        return None

    def hides(self, session_id: str) -> bool:
        """Whether listings leave this session out."""
        share = int.from_bytes(sha256(session_id.encode()).digest()[:4]) / 2**32
        return self.empty_listings or share < self.drop_share

    def gibberish(self) -> Any:
        """Return some JSON value that answers no question."""
        return self._rng.choice(_GIBBERISH)

    def _is_due(self, fault: Fault) -> bool:
        if fault.skip:
            fault.skip -= 1
            return False
        if fault.times is not None:
            fault.times -= 1
            if not fault.times:
                self.plan.remove(fault)
        return True
