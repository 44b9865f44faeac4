"""Keeps what `requests` makes anew for every call: the authorities that are trusted, and for a moment the connection.

Apprise's plugins call `requests.post`, which reads some 140 authorities (30 ms) and shakes hands each time. A session
of `requests` asks its adapter for connections; the one here outlives the session.
"""

import ssl
from functools import lru_cache
from pathlib import Path
from time import monotonic
from typing import Any

import requests
from certifi import where
from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

IDLE = 2.0
"""Seconds after which a connection is not used again: receivers hang up on quiet ones, after five at the earliest, and
a request that meets such an end is one of which nobody knows whether it arrived."""


class Kept(HTTPAdapter):
    """The connections of one channel. With `is_fresh` none of them is used twice."""

    def __init__(self, *, is_fresh: bool = False) -> None:
        """Start without any."""
        super().__init__(pool_connections=4, pool_maxsize=4)
        self._is_fresh = is_fresh
        self._used = monotonic()

    def send(self, *args: Any, **options: Any) -> requests.Response:
        """Send a request, over the connection of the last one if that was a moment ago."""
        if self._is_fresh or monotonic() - self._used > IDLE:
            self.hang_up()
        try:
            return super().send(*args, **options)
        finally:
            self._used = monotonic()

    def close(self) -> None:
        """Keep all: the session that asks for this was made for one call."""

    def hang_up(self) -> None:
        """Close the connections that are idle."""
        super().close()

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: bool | str,  # noqa: FBT001 - it is what `requests` calls it
        cert: Any = None,
    ) -> Any:
        """Say which connection a request needs: one with the context that is kept, where certificates are checked."""
        host, pool = super().build_connection_pool_key_attributes(request, verify, cert)
        trusted = _file(verify)
        if trusted is not None and host["scheme"] == "https":
            pool = {key: value for key, value in pool.items() if key not in {"ca_certs", "ca_cert_dir"}}
            pool |= {"ssl_context": _context(trusted, Path(trusted).stat().st_mtime_ns)}
        return host, pool

    def cert_verify(self, conn: Any, url: str, verify: bool | str, cert: Any) -> None:  # noqa: FBT001 - the same
        """Leave the authorities to the context that is kept, or to `requests` where there is none."""
        super().cert_verify(conn, url, verify, cert)
        if url.lower().startswith("https") and _file(verify) is not None:
            conn.ca_certs = conn.ca_cert_dir = None


def keep(session: requests.Session, url: str | None, kept: Kept) -> None:
    """Let a session use kept connections, unless its plugin has brought an adapter of its own."""
    for prefix in ("https://", "http://"):
        if (url or "").lower().startswith(prefix) and type(session.adapters.get(prefix)) is HTTPAdapter:
            session.mount(prefix, kept)


def _file(verify: bool | str) -> str | None:  # noqa: FBT001 - it is what `requests` calls it
    """Return the file of authorities that `verify` asks for; None for none and for a folder of them."""
    path = where() if verify is True else verify
    return path if isinstance(path, str) and Path(path).is_file() else None


@lru_cache(maxsize=8)
def _context(trusted: str, changed: int) -> ssl.SSLContext:
    context = create_urllib3_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(trusted)
    return context
