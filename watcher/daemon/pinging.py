"""One GET to the heartbeat URL: whether it arrived, without a word of the URL but its scheme and host."""

from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from watcher import __version__
from watcher.channels.place import Place, proxy_url

WITHIN = 10.0
_CONNECT_WITHIN = 5.0


class Ping:
    """Calls one address. It follows the environment's proxies, as channels do, and no redirect."""

    def __init__(self, url: str) -> None:
        """Take the URL, which is a secret; nothing is opened yet."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        self.address = f"{parts.scheme}://{f'[{host}]' if ':' in host else host}"
        self._url = url

    async def __call__(self) -> str | None:
        """Call once; return None if it arrived, else a sentence why not."""
        timeout = aiohttp.ClientTimeout(total=WITHIN, connect=_CONNECT_WITHIN)
        try:
            async with (
                aiohttp.ClientSession(timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()) as session,
                session.get(
                    URL(self._url),
                    headers={"User-Agent": f"vb365-watcher/{__version__}"},
                    allow_redirects=False,
                    proxy=proxy_url(Place.of(urlsplit(self._url))),
                ) as answer,
            ):
                return self._judged(answer.status)
        except TimeoutError:
            return f"{self.address} gave no answer within {WITHIN:.0f} s"
        except (aiohttp.ClientError, OSError, ValueError) as error:
            return f"{self.address} could not be called: {_why(error)}"

    def _judged(self, status: int) -> str | None:
        if 200 <= status < 300:
            return None
        redirects = ", and redirects are not followed" if 300 <= status < 400 else ""
        return f"{self.address} answered {status}{redirects}"


def _why(error: Exception) -> str:
    """Say what is wrong in a clause; the texts of libraries repeat the URL."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientConnectorSSLError):
        return "its certificate is not trusted"
    if isinstance(error, aiohttp.ClientProxyConnectionError | aiohttp.ClientHttpProxyError):
        return "the proxy did not connect"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name is not known"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "the connection was refused"
    return "it broke the connection" if isinstance(error, aiohttp.ClientError | OSError) else "the URL cannot be used"
