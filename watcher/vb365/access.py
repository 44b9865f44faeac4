"""All that is needed to reach one watched server."""

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

HASH_ROUNDS = 100_000
_VERSION_AT_END = re.compile(r"/v\d+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Access:
    """Where a server is, who we are to it, and how it proves that it is itself.

    `api_version`: `auto`, or `v3` to `v8`. `ca_file`: a PEM bundle that replaces the system's trust. `fingerprints`:
    SHA-256 of accepted certificates, hex, lower case, no colons; they replace the chain's verdict. `proxy`: the one
    proxy used; the environment's is ignored. Password and proxy are secrets and stay out of the repr.
    """

    name: str
    url: str
    username: str = field(repr=False)
    password: str = field(repr=False)
    api_version: str = "auto"
    ca_file: Path | None = None
    fingerprints: tuple[str, ...] = ()
    verify_tls: bool = True
    proxy: str | None = field(default=None, repr=False)

    @property
    def base(self) -> str:
        """The address in front of `/v8/…`: no trailing slash, no version, no user and password."""
        parts = urlsplit(self.url.strip())
        host = parts.netloc.rpartition("@")[2]
        path = _VERSION_AT_END.sub("", parts.path.rstrip("/")).rstrip("/")
        return f"{parts.scheme}://{host}{path}"

    @property
    def is_encrypted(self) -> bool:
        """Whether the address asks for TLS."""
        return urlsplit(self.url.strip()).scheme == "https"

    @property
    def is_loopback(self) -> bool:
        """Whether the address never leaves this machine."""
        host = urlsplit(self.base).hostname or ""
        return host in {"localhost", "::1"} or host.startswith("127.")

    @property
    def is_fixed(self) -> bool:
        """Whether the settings name the wire version, so that nothing is searched."""
        return self.api_version != "auto"

    def login_hash(self, salt: str) -> str:
        """Return a salted hash of address, user and password: changed means that trying again makes sense."""
        login = f"{self.base}\0{self.username}\0{self.password}"
        return hashlib.pbkdf2_hmac("sha256", login.encode(), salt.encode(), HASH_ROUNDS).hex()
