"""The channel for programs: one signed POST for each event.

It stands on aiohttp itself, not on httpx: aiohttp tells a request that never left from one that left and got no
answer, it writes no URL into any log, and one kept connection serves thousands of messages a second.
"""

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from ssl import SSLContext
from urllib.parse import SplitResult, quote, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]  # in no stub

import aiohttp
from yarl import URL

from watcher import __version__
from watcher.channels.answers import verdict_of
from watcher.channels.cloudevent import encode, identity
from watcher.channels.errors import BadChannel
from watcher.channels.signature import BadSecret, Signer
from watcher.clock import now
from watcher.core.delivery import Parcel, Sent, Verdict
from watcher.core.event import Event
from watcher.core.render.style import Details

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
WHOLE_TIMEOUT = 60.0  # for answers that come a byte at a time
_ANSWER_READ = 64 * 1024  # what is read of an answer, to keep its connection for the next request


class WebhookChannel:
    """Posts CloudEvents to one address (contract, section 5)."""

    concurrency = 16

    def __init__(  # noqa: PLR0913 - each says one thing of how a channel tells
        self,
        name: str,
        parts: SplitResult,
        *,
        signer: Signer | None = None,
        tls: SSLContext | None = None,
        is_fresh: bool = False,
        details: Details = Details.FULL,
        page: str | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        """Take a checked URL; `tls` is for tests with an authority of their own. Connections are made by `send`."""
        self.name = name
        self.address = f"{parts.scheme}://{_host_and_port(parts)}"
        self.destinations = (self.address,)
        self._url = _as_typed(parts)
        self._login = _login(parts)
        self._signer = signer
        self._tls = tls
        self._is_fresh = is_fresh
        self._details = details
        self._page = page
        self._clock = clock
        self._session: aiohttp.ClientSession | None = None

    @classmethod
    def open(
        cls,
        name: str,
        url: str,
        *,
        secret: str | None = None,
        is_fresh: bool = False,
        details: Details = Details.FULL,
        page: str | None = None,
    ) -> "WebhookChannel":
        """Check a `webhook+http(s)://` URL and its secret. Raises BadChannel."""
        scheme = url.partition(":")[0].lower()
        try:
            parts = urlsplit(url)
            holds = bool(parts.hostname) and parts.port != 0
        except ValueError:  # the texts of urllib repeat the URL
            holds = False
        if not holds:
            raise BadChannel(name, f"{scheme}:// needs a host and, if any, a port of 1 to 65535")
        try:
            signer = Signer.of(secret) if secret else None
            return cls(name, parts, signer=signer, is_fresh=is_fresh, details=details, page=page)
        except BadSecret as problem:
            raise BadChannel(name, str(problem)) from None

    async def send(self, parcel: Parcel) -> Verdict:
        """Post a parcel once; the same parcel is the same request, but for its time and signature."""
        kind, body = encode(parcel.events, self._details, self._page)
        headers = {"Content-Type": kind, **self._login, **self._identification(identity(parcel.events), body)}
        try:
            async with self._opened().post(self._url, data=body, headers=headers, allow_redirects=False) as answer:
                verdict = verdict_of(answer.status, answer.headers.get("Retry-After"), now=self._clock())
                with suppress(aiohttp.ClientError, TimeoutError):  # the status has said it all
                    await answer.content.read(_ANSWER_READ)
                return verdict
        except (aiohttp.ClientError, OSError, ValueError) as problem:
            return _verdict_of_problem(problem)

    def mistakes(self, examples: Iterable[tuple[Event, ...]]) -> Mapping[str, str]:
        """Programs read events, which no template changes."""
        return {}

    async def aclose(self) -> None:
        """Close the kept connections."""
        if self._session is not None:
            await self._session.close()

    def _identification(self, message_id: str, body: bytes) -> dict[str, str]:
        timestamp = int(self._clock().timestamp())
        headers = {"webhook-id": message_id, "webhook-timestamp": str(timestamp)}
        if self._signer is not None:
            headers["webhook-signature"] = self._signer.signature(message_id, timestamp, body)
        return headers

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:  # it belongs to the loop that sends, which is not there when settings are read
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self.concurrency, ssl=self._tls or True, force_close=self._is_fresh
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=WHOLE_TIMEOUT, connect=CONNECT_TIMEOUT, sock_read=READ_TIMEOUT),
                headers={"User-Agent": f"vb365-watcher/{__version__}"},
                auto_decompress=False,
                proxy=_proxy_for(self._url),
            )
        return self._session


def _host_and_port(parts: SplitResult) -> str:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port}" if parts.port else f"{host}"


def _as_typed(parts: SplitResult) -> URL:
    """Return the URL to post to, escapes and order as they were typed: some receivers sign them."""
    kept = "%/:@!$&'()*+,;=~?"
    return URL.build(
        scheme=parts.scheme.partition("+")[2],
        authority=_host_and_port(parts),
        path=quote(parts.path or "/", safe=kept),
        query_string=quote(parts.query, safe=kept),
        encoded=True,
    )


def _proxy_for(url: URL) -> str | None:
    """Return the proxy that the environment names for an address.

    It is read once: with aiohttp's own `trust_env` every request reads it anew, and a netrc file besides, which costs
    more than the request.
    """
    host = f"{url.host}:{url.port}"
    return None if proxy_bypass_environment(host) else getproxies_environment().get(url.scheme)


def _login(parts: SplitResult) -> dict[str, str]:
    if parts.username is None:
        return {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}


_PROBLEMS: tuple[tuple[type[Exception], Verdict], ...] = (  # the first that fits; the classes of aiohttp overlap
    (aiohttp.ConnectionTimeoutError, Verdict(Sent.TRY_AGAIN, f"no connection within {CONNECT_TIMEOUT:.0f} s")),
    (aiohttp.ClientConnectorDNSError, Verdict(Sent.TRY_AGAIN, "the host's name could not be resolved")),
    (aiohttp.ClientSSLError, Verdict(Sent.TRY_AGAIN, "TLS failed: its certificate or protocol is not accepted")),
    (aiohttp.ClientProxyConnectionError, Verdict(Sent.TRY_AGAIN, "the proxy could not be reached")),
    (aiohttp.ClientHttpProxyError, Verdict(Sent.TRY_AGAIN, "the proxy did not connect")),
    (aiohttp.ClientConnectorError, Verdict(Sent.TRY_AGAIN, "the connection was refused")),
    (ValueError, Verdict(Sent.REFUSED, "its URL does not hold")),
    (TimeoutError, Verdict(Sent.UNKNOWN, f"no answer within {READ_TIMEOUT:.0f} s")),
)
_BROKEN = Verdict(Sent.UNKNOWN, "the connection broke before the answer was there")


def _verdict_of_problem(problem: Exception) -> Verdict:
    """Say whether the request can have arrived. The texts of the exceptions hold addresses and stay out of it."""
    return next((verdict for kind, verdict in _PROBLEMS if isinstance(problem, kind)), _BROKEN)
