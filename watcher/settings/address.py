"""Readers of addresses: servers, proxies, databases, where to listen. No error repeats what was written."""

import re
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from watcher.settings.model import Listen
from watcher.settings.parse import plain
from watcher.settings.secret import Secret

_DEFAULT_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[^\s/@\\]+")
_VERSION_AT_END = re.compile(r"/v[0-9]+$", re.IGNORECASE)


def server_url(text: str) -> str:
    """Read a server's address; a trailing `/` or `/v8` is cut off, scheme and host become lower case."""
    parts = _http(text, "write `https://HOST:4443`")
    if parts.username is not None or parts.password is not None:
        raise ValueError("has a login in it: take it out and use the username and password settings")
    if parts.query or parts.fragment:
        raise ValueError("has a `?` or `#` in it: write only `https://HOST:4443`")
    path = _VERSION_AT_END.sub("", parts.path.rstrip("/")).rstrip("/")
    return f"{parts.scheme}://{_netloc(parts)}{path}"


def is_plain_text(url: str) -> bool:
    """Whether a server's address would send the login over a network unencrypted."""
    parts = urlsplit(url)
    return parts.scheme == "http" and not _is_loopback(parts.hostname or "")


def page_url(text: str) -> str:
    """Read an address for links; a trailing `/` is cut off."""
    _http(text, "write `https://HOST`")
    return text.strip().rstrip("/")


def secret_url(text: str) -> Secret:
    """Read an http address that may hold a login or a token."""
    _http(text, "write `http://HOST:PORT` or `https://HOST:PORT`")
    return Secret(text.strip())


def database_url(text: str) -> Secret:
    """Read where the database is: `sqlite:///path` or `postgresql://…`."""
    url = plain(text).strip()
    if url.startswith("sqlite:///") and len(url) > len("sqlite:///"):
        return Secret(url)
    if url.startswith("postgresql://") and len(url) > len("postgresql://"):
        return Secret(url)
    raise ValueError("is no database this version knows: write `sqlite:///PATH` or `postgresql://USER@HOST/NAME`")


def listen(text: str) -> Listen | None:
    """Read `HOST:PORT` (`[::1]:8365` for IPv6), with ` insecure` behind it or not; empty means nowhere."""
    text, *words = text.split() or [""]
    if not text and not words:
        return None
    host, colon, port = text.rpartition(":")
    is_bracketed = host.startswith("[") and host.endswith("]")
    host = host[1:-1] if is_bracketed else host
    is_port = port.isascii() and port.isdigit() and int(port) <= 65535
    if not (colon and host and is_port and words in ([], ["insecure"])) or (":" in host and not is_bracketed):
        raise ValueError(
            "is no place to listen: write `HOST:PORT`, as `127.0.0.1:8365` or `[::1]:8365`, or nothing for none"
        )
    return Listen(host, int(port), is_exposed=bool(words))


def may_listen(where: Listen, *, has_token: bool) -> bool:
    """Whether it was said that others than this machine may reach what listens there, by a token or by a word."""
    return _is_loopback(where.host) or has_token or where.is_exposed


def _http(text: str, mend: str) -> SplitResult:
    try:
        parts = urlsplit(plain(text).strip())
        _ = parts.port  # a port that is no number raises here
    except ValueError:
        raise ValueError(f"is no address: {mend}") from None
    if parts.scheme not in _DEFAULT_PORTS or not _HOST.fullmatch(parts.hostname or ""):
        raise ValueError(f"is no http or https address: {mend}")
    return parts


def _netloc(parts: SplitResult) -> str:
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    is_default = parts.port is None or parts.port == _DEFAULT_PORTS[parts.scheme]
    return host if is_default else f"{host}:{parts.port}"


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
