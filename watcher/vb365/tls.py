"""How a server proves that it is itself: the system's trust, a CA file, or a pinned fingerprint."""

import hmac
import ssl
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from watcher.core.model import Failure, LookFailed
from watcher.vb365.access import Access


class PinMismatchError(ssl.SSLError):
    """The server showed a certificate that no pinned fingerprint names; `seen` is the fingerprint it has.

    An SSLError, since asyncio takes only that for the end of a handshake.
    """

    def __init__(self, seen: str) -> None:
        """Keep the fingerprint that was seen: public, and what a user needs to compare."""
        super().__init__(f"unexpected certificate {seen}")
        self.seen = seen


def tls_context(access: Access) -> ssl.SSLContext:
    """Build the context of one server's connections.

    Raises LookFailed when the CA file cannot be used. A pin decides alone: the usual certificate of VB365 is
    self-signed, and its name and chain say nothing.
    """
    if access.fingerprints:
        return _pinned(access.fingerprints)
    try:
        changed = access.ca_file.stat().st_mtime_ns if access.ca_file else 0
        return _trusting(access.ca_file, changed, is_verified=access.verify_tls)
    except OSError as error:  # an SSLError is one too
        reason = error.strerror or "no certificate in it"
        text = f"{access.base}: WATCHER_CA_FILE {access.ca_file} cannot be used: {reason}"
        raise LookFailed(Failure.TLS, text) from None


@lru_cache(maxsize=32)
def _trusting(ca_file: Path | None, _changed: int, *, is_verified: bool) -> ssl.SSLContext:
    """Build what servers with the same trust share: the system's authorities take most of a megabyte each time."""
    context = ssl.create_default_context(cafile=ca_file)
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # a server's own certificate in the file is enough
    if not is_verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


@lru_cache(maxsize=1000)
def _pinned(fingerprints: tuple[str, ...]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.sslobject_class = _checking(fingerprints)
    return context


def _checking(fingerprints: tuple[str, ...]) -> type[ssl.SSLObject]:
    """Return an SSLObject that ends the handshake at a wrong certificate, before a byte of ours is sent over it."""

    class Checking(ssl.SSLObject):
        def do_handshake(self) -> None:
            super().do_handshake()
            seen = sha256(self.getpeercert(binary_form=True) or b"").hexdigest()
            if not any(hmac.compare_digest(seen, pin) for pin in fingerprints):
                raise PinMismatchError(seen)

    return Checking
