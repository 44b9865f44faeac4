"""Where requests go: a receiver, or a proxy on the way to it."""

from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, unquote, urlsplit
from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]  # in no stub

from yarl import URL

_PORTS = {"http": 80, "https": 443}


class BadProxy(ValueError):  # noqa: N818 - it is said as words: "bad proxy"
    """A proxy of the environment that is none; the text does not repeat it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Scheme, host and port; `host` is in ASCII, without brackets."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, parts: SplitResult) -> "Place":
        """Take the place from a URL with a host. Raises ValueError for a host that is none."""
        scheme = parts.scheme.rpartition("+")[2]
        url = URL.build(scheme=scheme, host=parts.hostname or "")
        return cls(scheme, url.raw_host or "", parts.port or _PORTS[scheme])

    @property
    def authority(self) -> str:
        """Host and port, as a tunnel is asked for."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def name(self) -> str:
        """Host and port, as they stand in a request: without the port that is the scheme's own."""
        return self.authority.removesuffix(f":{_PORTS[self.scheme]}")


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy on the way, and its login as the value of a header."""

    place: Place
    login: str | None = None


def proxy_for(place: Place) -> Proxy | None:
    """Return the proxy that the environment names for a place. Raises BadProxy."""
    url = proxy_url(place)
    if url is None:
        return None
    variable = f"{place.scheme.upper()}_PROXY"
    try:
        parts = urlsplit(url)
        if parts.scheme in _PORTS and parts.hostname:
            return Proxy(Place.of(parts), basic_login(parts))
    except ValueError:  # its text repeats the URL, which may hold a password
        pass
    raise BadProxy(f"{variable} has to be http:// or https://, a host and a port; else add the receiver to NO_PROXY")


def proxy_url(place: Place) -> str | None:
    """Return the URL of the proxy that the environment names for a place; it may hold a login."""
    found = getproxies_environment().get(place.scheme)
    if not found or proxy_bypass_environment(place.authority):
        return None
    return found if "://" in found else f"http://{found}"


def basic_login(parts: SplitResult) -> str | None:
    """Return user and password of a URL as the value of a header; None if it has none."""
    if parts.username is None:
        return None
    pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return f"Basic {b64encode(pair.encode()).decode()}"


def target(parts: SplitResult) -> str:
    """Return what is asked for, escapes and order as they were typed: some receivers sign them."""
    kept = "%/:@!$&'()*+,;=~?"
    path = quote(parts.path or "/", safe=kept)
    return f"{path}?{quote(parts.query, safe=kept)}" if parts.query else path
