"""The real transport: httpx over aiohttp, with errors that say what happened.

Imported only when a connection is wanted: aiohttp costs 25 MB. httpx-aiohttp 0.2 calls a refused connection, a failed
name, a failed handshake and a dropped connection all ConnectTimeout, and lets some aiohttp errors through as they are;
here each becomes the httpx error that fits. It must be used on asyncio.
"""

import ssl
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from watcher.core.model import Failure, LookFailed
from watcher.vb365.access import Access
from watcher.vb365.faults import NotHttpError
from watcher.vb365.tls import tls_context

_MEANINGS: tuple[tuple[type[BaseException], type[httpx.TransportError]], ...] = (
    (aiohttp.ConnectionTimeoutError, httpx.ConnectTimeout),
    (aiohttp.ServerTimeoutError, httpx.ReadTimeout),
    (aiohttp.ClientProxyConnectionError, httpx.ProxyError),
    (aiohttp.ClientHttpProxyError, httpx.ProxyError),
    (aiohttp.ClientConnectorError, httpx.ConnectError),
    (aiohttp.ClientResponseError, NotHttpError),
    (aiohttp.InvalidURL, httpx.UnsupportedProtocol),
    (aiohttp.NonHttpUrlClientError, httpx.UnsupportedProtocol),
    (aiohttp.ClientError, httpx.ReadError),
    (ssl.SSLError, httpx.ConnectError),
    (TimeoutError, httpx.ReadTimeout),
    (OSError, httpx.ReadError),
)
"""First match counts. What is left of ClientError is a connection that broke: disconnected, reset, half an answer."""


class PlainTransport(AiohttpTransport):
    """httpx-aiohttp's transport with its errors told apart."""

    def __init__(self, access: Access) -> None:
        """Build what reaches one server; raises LookFailed when CA file or proxy cannot be used.

        No cookie is kept: an antiforgery cookie that comes back would make v7 and v8 demand its token.
        """
        context = tls_context(access)
        proxy, self._proxy_login = _proxy(access)

        def session() -> aiohttp.ClientSession:
            connector = aiohttp.TCPConnector(ssl=context, limit=2)
            return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)

        super().__init__(verify=context, proxy=proxy, client=session)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request; raises httpx.TransportError, with the first cause kept in `__cause__`."""
        if self._proxy_login is not None and request.url.scheme == "http":
            request.headers["Proxy-Authorization"] = self._proxy_login  # for https it is sent with CONNECT
        with _told_apart():
            response = await super().handle_async_request(request)
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 - what the parent builds
        response.stream = _PlainStream(response.stream)
        return response


class _PlainStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _told_apart():
            async for chunk in self._stream:
                yield chunk

    async def aclose(self) -> None:
        with _told_apart():
            await self._stream.aclose()


@contextmanager
def _told_apart() -> Iterator[None]:
    try:
        yield
    except (httpx.TransportError, aiohttp.ClientError, OSError) as error:
        cause = error.__cause__ if isinstance(error, httpx.TransportError) and error.__cause__ else error
        for known, meaning in _MEANINGS:
            if isinstance(cause, known):
                raise meaning(type(cause).__name__) from cause
        raise


def _proxy(access: Access) -> tuple[httpx.Proxy | None, str | None]:
    """Return the proxy without its login, and the login as a header: aiohttp has given up its own form of it."""
    if access.proxy is None:
        return None, None
    try:
        given = httpx.Proxy(access.proxy)
    except (ValueError, httpx.InvalidURL):
        given = None
    if given is None or given.url.scheme not in {"http", "https"} or not given.url.host:
        text = f"{access.base}: WATCHER_PROXY cannot be used: it has to be http://host:port or https://host:port"
        raise LookFailed(Failure.UNREACHABLE, text)
    if given.auth is None:
        return given, None
    login = f"Basic {b64encode(':'.join(given.auth).encode()).decode()}"
    return httpx.Proxy(given.url, headers={"Proxy-Authorization": login}), login
