"""One request to one server: one at a time, with patience, a few tries, and every failure said in a sentence."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Protocol
from urllib.parse import urlencode

import anyio
import httpx
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from watcher import __version__
from watcher.core.model import Failure, LookFailed
from watcher.vb365.access import Access
from watcher.vb365.clockskew import SkewGauge
from watcher.vb365.faults import PassingError, from_transport

_USER_AGENT = f"vb365-watcher/{__version__}"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request may take and how often it is tried; all times in seconds.

    `total` bounds one request with all its tries. `longest_asked`: a Retry-After up to this is waited for inside the
    request; a longer one ends it.
    """

    connect: float = 10.0
    read: float = 30.0
    total: float = 300.0
    tries: int = 3
    first_wait: float = 0.5
    longest_wait: float = 4.0
    longest_asked: float = 10.0


class Sink(Protocol):
    """Takes a body piece by piece."""

    def feed(self, chunk: bytes) -> None: ...


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked. `path` begins with a slash; `form` and `bearer` are secrets and stay out of the repr.

    `hold`: for how many seconds the server may keep its answer back. Such a request waits for no other, and is made
    once: whoever listens decides when to listen again. `sink`: makes what takes the body of a 2xx as it comes, anew for
    each try; the answer's own body is empty then. `takes`: statuses that are an answer here, and no failure.
    """

    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    bearer: str | None = field(default=None, repr=False)
    hold: float = 0.0
    sink: Callable[[], Sink] | None = field(default=None, repr=False)
    takes: frozenset[int] = frozenset()

    @property
    def target(self) -> str:
        """Path and query."""
        return f"{self.path}?{urlencode(self.params)}" if self.params else self.path


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever its status but 429 and 5xx. `where` names the request for a sentence.

    `length` is that of the body, also where a sink has taken it.
    """

    where: str
    status: int
    reason: str
    body: bytes = field(repr=False)
    length: int = 0

    @property
    def said(self) -> str:
        """The start of a sentence about this answer: `GET https://…: answered 404 Not Found`."""
        return f"{self.where}: answered {self.status} {self.reason}".rstrip()


class Http:
    """The connection to one server. It is opened at the first request.

    It speaks to httpx's transport itself: a client would add cookies, redirects and the environment's proxies, none of
    which may have a say here, at half the cost of a request.
    """

    def __init__(
        self,
        access: Access,
        *,
        now: Callable[[], datetime],
        transport: httpx.AsyncBaseTransport | None = None,
        patience: Patience | None = None,
    ) -> None:
        """Take what reaches the server; with `transport` that one is used and aiohttp is never imported."""
        self._access = access
        self.base = access.base
        self._now = now
        self._transport = transport
        self._patience = patience or Patience()
        self._turn = anyio.Lock()
        self.skew = SkewGauge()
        self._tries = AsyncRetrying(
            sleep=anyio.sleep,
            stop=stop_after_attempt(self._patience.tries),
            wait=self._wait,
            retry=retry_if_exception_type(PassingError),
            reraise=True,
        )

    async def send(self, request: Request) -> Answer:
        """Send a request and return its answer; raises LookFailed for 429, 5xx and whatever kept an answer away."""
        where = f"{request.method} {self.base}{request.path}"
        if request.hold:
            return await _within(self._patience.read + request.hold, self._once, request, where)
        async with self._turn:
            return await _within(self._patience.total, partial(self._tries, self._once), request, where)

    async def aclose(self) -> None:
        """Close the connection; a later request would open it again."""
        transport, self._transport = self._transport, None
        if transport is not None:
            await transport.aclose()

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, PassingError) and error.wait is not None:
            return error.wait
        first, longest = self._patience.first_wait, self._patience.longest_wait
        return wait_exponential(multiplier=first, max=longest - first)(state) + wait_random(0, first)(state)

    async def _once(self, request: Request, where: str) -> Answer:
        began = False
        started = self._now()
        try:
            transport = self._opened()
            response = await transport.handle_async_request(self._on_the_wire(request))
            began = True
            if not request.hold:  # nobody knows when the server wrote down the date of an answer that it kept back
                self.skew.measure(response.headers.get("Date"), started, self._now())
            try:
                body, length = await _body(response, request.sink)
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            raise from_transport(where, error, began=began) from None
        except (httpx.InvalidURL, ValueError):
            raise from_transport(where, httpx.UnsupportedProtocol("no URL"), began=began) from None
        answer = Answer(where, response.status_code, response.reason_phrase, body, length)
        if answer.status not in request.takes:
            self._refuse_passing(answer, response.headers.get("Retry-After"))
        return answer

    def _opened(self) -> httpx.AsyncBaseTransport:
        if self._transport is None:
            self._transport = _real(self._access)
        return self._transport

    def _on_the_wire(self, request: Request) -> httpx.Request:
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": _USER_AGENT}
        if request.bearer is not None:
            headers["Authorization"] = f"Bearer {request.bearer}"
        url = httpx.URL(f"{self.base}{request.target}")
        if url.scheme not in {"http", "https"} or not url.host:
            raise httpx.InvalidURL("no scheme or no host")
        patience = self._patience
        timeout = httpx.Timeout(patience.read + request.hold, connect=patience.connect, pool=patience.connect)
        return httpx.Request(
            request.method,
            url,
            data=request.form,
            headers=headers,
            extensions={"timeout": timeout.as_dict()},
        )

    def _refuse_passing(self, answer: Answer, retry_after: str | None) -> None:
        """Raise for what the server itself calls passing: 429 and 5xx."""
        if answer.status != 429 and answer.status < 500:
            return
        wait = _seconds(retry_after, self._now()) if answer.status in {429, 503} else None
        kind = Failure.BUSY if answer.status == 429 or wait is not None else Failure.SERVER_ERROR
        if wait is not None and wait > self._patience.longest_asked:
            raise LookFailed(kind, f"{answer.said}, come back in {wait:.0f} s", wait=wait)
        raise PassingError(kind, answer.said, wait=wait)


async def _within(
    seconds: float, send: Callable[[Request, str], Awaitable[Answer]], request: Request, where: str
) -> Answer:
    try:
        with anyio.fail_after(seconds):
            return await send(request, where)
    except TimeoutError:
        raise LookFailed(Failure.TIMEOUT, f"{where}: no whole answer within {seconds:.0f} s") from None


async def _body(response: httpx.Response, sink: Callable[[], Sink] | None) -> tuple[bytes, int]:
    """Read a body, or let a sink take it; return what is left of it, and its length."""
    if sink is None or not response.is_success:
        body = await response.aread()
        return body, len(body)
    taker, length = sink(), 0
    async for chunk in response.aiter_bytes():
        taker.feed(chunk)
        length += len(chunk)
    return b"", length


def _real(access: Access) -> httpx.AsyncBaseTransport:
    from watcher.vb365.transport import PlainTransport  # noqa: PLC0415 - aiohttp is imported for a real connection only

    return PlainTransport(access)


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """Read a Retry-After header, seconds or a date; None where there is none or it cannot be read."""
    if retry_after is None:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        seconds = _until(retry_after, now)
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _until(date: str, now: datetime) -> float:
    try:
        when = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    return (when.replace(tzinfo=when.tzinfo or UTC) - now) / timedelta(seconds=1)
