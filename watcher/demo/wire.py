"""What the answers of every resource share: times, links, arrays and pages, errors, in each version's manner.

Sources: Veeam's REST manuals v3 to v8 and the OpenAPI files of v6 to v8.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from watcher.demo.quirks import Echo, Quirks

Row = TypeVar("Row")

VERSIONS = (3, 4, 5, 6, 7, 8)
DEFAULT_LIMIT = 30
MAX_LIMIT = 10_000
"""Page sizes, documented for v5 to v8."""


class BadParameterError(Exception):
    """A query parameter that the server refuses; its text goes into the answer."""


@dataclass(frozen=True, slots=True)
class Wire:
    """One version's manner of speaking.

    `base` is the server's own idea of its address: links up to v5 carry it, and behind a NAT it is wrong.
    """

    version: int
    quirks: Quirks = field(default_factory=Quirks)
    base: str = "https://vbo-01.alderwood.example:4443"

    @property
    def name(self) -> str:
        """The version as it stands in paths: `v8`."""
        return f"v{self.version}"

    @property
    def origin(self) -> str:
        """What stands before a path in a link: absolute up to v5, nothing from v6."""
        return self.base if self.version <= 5 else ""

    def href(self, *segments: str) -> str:
        """Return a link to a resource: lower case up to v7, as documented on v8."""
        path = "/".join(segments)
        return f"{self.origin}/{self.name}/{path if self.version >= 8 else path.lower()}"

    def links(self, /, **targets: Sequence[str]) -> dict[str, Any]:
        """Return `_links` with one link for each name."""
        return {name: {"href": self.href(*segments)} for name, segments in targets.items()}

    def time(self, moment: datetime | None) -> str | None:
        """Return a time as the version prints it: 7 digits up to v5; no trailing zeros from v6."""
        if moment is None:
            return None
        moment = moment.astimezone(UTC)
        digits = f"{moment.microsecond:06d}0"
        if self.version >= 6:
            digits = digits.rstrip("0")
        return f"{moment:%Y-%m-%dT%H:%M:%S}{'.' if digits else ''}{digits}Z"

    def error(self, message: str, code: str | None = None) -> dict[str, Any]:
        """Return the body of a refusal; codes are known from v7, where only ProxyOffline is, and many on v8."""
        if self.version >= 8:
            return {"message": message, "errorCode": code, "stackTrace": None}
        return {"message": message}


@dataclass(frozen=True, slots=True)
class Ask:
    """One GET: in which version, with which query (names in lower case), about which id, at which collection."""

    wire: Wire
    query: Mapping[str, str] = field(default_factory=dict)
    id: str = ""
    path: str = ""


def page(ask: Ask, rows: Sequence[Row], render: Callable[[Row], Any]) -> dict[str, Any]:
    """Return the page that was asked for: `offset`, `limit`, `results` and `_links` (v6, v7 may add a total)."""
    quirks = ask.wire.quirks
    asked = min(_number(ask.query, "limit", DEFAULT_LIMIT, least=1), MAX_LIMIT)
    offset = _number(ask.query, "offset", 0, least=0)
    limit = min(asked, quirks.page_cap or MAX_LIMIT)
    results = [render(row) for row in rows[offset : offset + limit]]
    body: dict[str, Any] = _echo(quirks.echo, offset, asked, limit)
    body["results"] = results
    body["_links"] = _page_links(ask, offset, limit, more=offset + len(results) < len(rows))
    if ask.wire.version == 7:
        body["totalCount"] = None
    return body


def array_or_page(ask: Ask, rows: Sequence[Row], render: Callable[[Row], Any], *, page_since: int) -> Any:
    """Return a bare array, or a page from the version on that made it one."""
    if ask.wire.version >= page_since:
        return page(ask, rows, render)
    return [render(row) for row in rows]


def moment(query: Mapping[str, str], name: str) -> datetime | None:
    """Return a query's time, None without one. Raises BadParameterError where it is no time."""
    text = query.get(name.lower())
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadParameterError(f"The value '{text}' is not valid for {name}.") from error
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def word(query: Mapping[str, str], name: str, allowed: Sequence[str]) -> str | None:
    """Return a query's word in its documented spelling, None without one. Raises BadParameterError for others."""
    text = query.get(name.lower())
    if not text:
        return None
    for known in allowed:
        if known.lower() == text.lower():
            return known
    raise BadParameterError(f"The value '{text}' is not valid for {name}.")


def _number(query: Mapping[str, str], name: str, default: int, *, least: int) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isdecimal() or int(text) < least:
        raise BadParameterError(f"The value '{text}' is not valid for {name}.")
    return int(text)


def _echo(echo: Echo, offset: int, asked: int, limit: int) -> dict[str, Any]:
    if echo is Echo.MISSING:
        return {}
    if echo is Echo.WRONG:
        return {"offset": offset + 13, "limit": 7_777_777}
    return {"offset": offset, "limit": asked if echo is Echo.ASKED else limit}


def _page_links(ask: Ask, offset: int, limit: int, *, more: bool) -> dict[str, Any]:
    links = {"self": _page_link(ask, offset, limit)}
    if more and ask.wire.quirks.next_links:
        links["next"] = _page_link(ask, offset + limit, limit)
    return links


def _page_link(ask: Ask, offset: int, limit: int) -> dict[str, str]:
    query = {**ask.query, "offset": str(offset), "limit": str(limit)}
    return {"href": f"{ask.wire.origin}/{ask.wire.name}/{ask.path}?{urlencode(query)}"}
