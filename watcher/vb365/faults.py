"""Foreign errors become LookFailed here, once: what went wrong in one clause, and whether seconds may mend it."""

import socket
import ssl
from collections.abc import Iterator

import httpx

from watcher.core.model import Failure, LookFailed
from watcher.vb365.tls import PinMismatchError


class PassingError(LookFailed):
    """A failure that may be over in seconds, so that the same request is tried again."""


class NotFoundError(LookFailed):
    """The server answered 404. At the session listing it means that this version is not served."""


class NotHttpError(httpx.RemoteProtocolError):
    """What came back is not HTTP."""


_SAID: tuple[tuple[type[httpx.HTTPError], type[LookFailed], Failure, str], ...] = (
    (httpx.ConnectTimeout, LookFailed, Failure.TIMEOUT, "no connection in time"),
    (httpx.TimeoutException, LookFailed, Failure.TIMEOUT, "no answer in time"),
    (NotHttpError, LookFailed, Failure.BAD_ANSWER, "what came back is not HTTP"),
    (httpx.DecodingError, LookFailed, Failure.BAD_ANSWER, "the answer cannot be unpacked"),
    (httpx.ProxyError, PassingError, Failure.UNREACHABLE, "the proxy (WATCHER_PROXY) refuses or cannot be reached"),
    (httpx.UnsupportedProtocol, LookFailed, Failure.UNREACHABLE, "no usable address; write it as https://host:4443"),
)
"""First match counts; what is not named here is a connection that was not made or that broke."""


def from_transport(where: str, error: httpx.HTTPError, *, began: bool) -> LookFailed:
    """Say what a transport's error means. `where` is the request; `began`: its answer had begun to arrive."""
    for known, failed, kind, clause in _SAID:
        if isinstance(error, known):
            return failed(kind, f"{where}: {clause}")
    if isinstance(error, httpx.ConnectError):
        return _no_connection(where, error)
    if began:
        return PassingError(Failure.BAD_ANSWER, f"{where}: the answer broke off half way")
    return PassingError(Failure.UNREACHABLE, f"{where}: the connection was closed without an answer")


def _no_connection(where: str, error: httpx.ConnectError) -> LookFailed:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return LookFailed(Failure.TLS, f"{where}: {_tls_clause(cause)}")
        if isinstance(cause, socket.gaierror):
            return LookFailed(Failure.UNREACHABLE, f"{where}: the name of the host cannot be resolved")
        if isinstance(cause, ConnectionRefusedError):
            return PassingError(Failure.UNREACHABLE, f"{where}: the connection was refused")
        if isinstance(cause, TimeoutError):
            return LookFailed(Failure.TIMEOUT, f"{where}: no connection in time")
        if isinstance(cause, OSError) and cause.strerror:
            return PassingError(Failure.UNREACHABLE, f"{where}: no connection ({cause.strerror})")
    return PassingError(Failure.UNREACHABLE, f"{where}: no connection")


def _tls_clause(error: ssl.SSLError) -> str:
    if isinstance(error, PinMismatchError):
        return f"WATCHER_TLS_FINGERPRINT names another certificate; the server's is {error.seen}"
    mend = "name its CA in WATCHER_CA_FILE, or its fingerprint in WATCHER_TLS_FINGERPRINT"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not trusted ({error.verify_message}); {mend}"
    return f"no TLS with this port ({(error.reason or 'handshake failed').replace('_', ' ').lower()})"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from the first cause outwards: aiohttp's own errors are OSErrors that say less than what caused them."""
    chain: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in chain:
        chain.append(cause)
        cause = cause.__cause__
    return reversed(chain)
