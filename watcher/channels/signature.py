"""Signatures of Standard Webhooks (https://www.standardwebhooks.com, specification 1.0)."""

from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from hmac import digest

_PREFIX = "whsec_"


class BadSecret(ValueError):  # noqa: N818 - it is said as words: "bad secret"
    """A secret that is not `whsec_` and base64; the text does not repeat it."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs with one symmetric key; the key shows in no text about the signer."""

    key: bytes = field(repr=False)

    @classmethod
    def of(cls, secret: str) -> "Signer":
        """Read a secret as it is written in settings. Raises BadSecret."""
        try:
            key = b64decode(secret.strip().removeprefix(_PREFIX), validate=True)
        except ValueError:
            key = b""
        if not key or not secret.strip().startswith(_PREFIX):
            raise BadSecret("the webhook secret has to be `whsec_` and then base64, as `openssl rand -base64 32` gives")
        return cls(key)

    def signature(self, message_id: str, timestamp: int, body: bytes) -> str:
        """Return the value of `webhook-signature`: version 1, HMAC-SHA256 of id, time (Unix seconds) and body."""
        signed = b".".join((message_id.encode(), str(timestamp).encode(), body))
        return f"v1,{b64encode(digest(self.key, signed, sha256)).decode()}"
