"""The channel for programs: one signed POST for each event, or for a batch of them."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from ssl import SSLContext
from urllib.parse import SplitResult, urlsplit

from watcher import __version__
from watcher.channels.answers import verdict_of
from watcher.channels.cloudevent import encode, identity
from watcher.channels.errors import BadChannel
from watcher.channels.line import Broken
from watcher.channels.place import BadProxy, Place, Proxy, basic_login, proxy_for, target
from watcher.channels.pool import READ_TIMEOUT, Pool, Unsent
from watcher.channels.signature import BadSecret, Signer
from watcher.clock import now
from watcher.core.delivery import Parcel, Sent, Verdict
from watcher.core.event import Event
from watcher.core.render.style import Details


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
        """Take a checked URL; `tls` is for tests with an authority of their own. Connections are made by `send`.

        Raises ValueError for a host that is no name, and BadProxy for a proxy of the environment that is none.
        """
        place = Place.of(parts)
        proxy = proxy_for(place)
        self.name = name
        self.address = f"{parts.scheme}://{_shown(parts)}"
        self.destinations = (self.address,)
        self._head = _head(place, target(parts), proxy, basic_login(parts))
        self._pool = Pool(place, size=self.concurrency, proxy=proxy, tls=tls, is_fresh=is_fresh)
        self._signer = signer
        self._details = details
        self._page = page
        self._clock = clock

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
        except (BadSecret, BadProxy) as problem:
            raise BadChannel(name, str(problem)) from None
        except ValueError:
            raise BadChannel(name, f"{scheme}:// needs a host that is a name or an address") from None

    async def send(self, parcel: Parcel) -> Verdict:
        """Post a parcel once; the same parcel is the same request, but for its time and signature."""
        kind, body = encode(parcel.events, self._details, self._page)
        try:
            answer = await self._pool.ask(self._request(identity(parcel.events), kind, body))
        except Unsent as problem:
            return Verdict(Sent.TRY_AGAIN, str(problem))
        except TimeoutError:
            return Verdict(Sent.UNKNOWN, f"no answer within {READ_TIMEOUT:.0f} s")
        except Broken:
            return Verdict(Sent.UNKNOWN, "the connection broke before the answer was there")
        return verdict_of(answer.status, answer.retry_after, now=self._clock())

    def mistakes(self, examples: Iterable[tuple[Event, ...]]) -> Mapping[str, str]:
        """Programs read events, which no template changes."""
        return {}

    async def aclose(self) -> None:
        """Close the kept connections."""
        self._pool.close()

    def _request(self, message_id: str, kind: str, body: bytes) -> bytes:
        timestamp = int(self._clock().timestamp())
        signed = f"webhook-signature: {self._signer.signature(message_id, timestamp, body)}\r\n" if self._signer else ""
        head = (
            f"{self._head}Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            f"webhook-id: {message_id}\r\nwebhook-timestamp: {timestamp}\r\n{signed}\r\n"
        )
        return head.encode("ascii") + body


def _head(place: Place, path: str, proxy: Proxy | None, login: str | None) -> str:
    """Return what all requests begin with: a proxy that can read them is asked for the whole URL."""
    is_read = proxy is not None and place.scheme == "http"
    lines = [f"POST {f'http://{place.name}' if is_read else ''}{path} HTTP/1.1", f"Host: {place.name}"]
    lines += [f"User-Agent: vb365-watcher/{__version__}", "Accept: */*"]
    lines += [f"Authorization: {login}"] if login else []
    lines += [f"Proxy-Authorization: {proxy.login}"] if proxy is not None and is_read and proxy.login else []
    return "".join(f"{line}\r\n" for line in lines)


def _shown(parts: SplitResult) -> str:
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{host}:{parts.port}" if parts.port else f"{host}"
