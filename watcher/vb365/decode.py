"""Reading what a server sends, without trusting its manual: any field may be missing, null, or of a neighbouring type.

Published clients met nulls where the schema has none, values outside of enums, and both .NET extremes for "not ended".
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import unquote

import msgspec

LARGEST = 2**63 - 1
NEVER_UNTIL, NEVER_FROM = 1601, 9999
_JOB_PATH = re.compile(r"/(jobs|copyjobs)/([^/?#]+)", re.IGNORECASE)


class UnreadableError(ValueError):
    """A row, or a whole answer, that cannot be understood; its text says why and quotes nothing."""


def fields(raw: bytes | msgspec.Raw) -> dict[str, object]:
    """Read an object whose keys may be spelled with capitals ("Id"); keys come back in lower case.

    Bytes that are no UTF-8 and halves of surrogate pairs are replaced. Raises UnreadableError.
    """
    try:
        row = json.loads(bytes(raw).decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise UnreadableError("it is not JSON") from None
    if not isinstance(row, dict):
        raise UnreadableError("it is not an object")
    return {key.lower(): value for key, value in row.items()}


def text(value: object) -> str | None:
    """Return a text that every database takes, or None for null, an empty one, and what is no text."""
    if value is None:
        return None
    if isinstance(value, str) and value.isascii() and "\0" not in value:
        return value or None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value).encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}") or None


def whole(value: object) -> int | None:
    """Return a whole number of 64 bits from a number or a text, else None."""
    if value is None or isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) <= LARGEST else None


def truth(value: object) -> bool | None:
    """Return a boolean from a boolean or its text, else None."""
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def moment(value: object) -> datetime | None:
    """Read a time: 0 to 7 digits of a second, `Z`, an offset or nothing (UTC).

    Missing, null, the .NET minimum (year 1) and maximum (year 9999) are None. Raises UnreadableError.
    """
    if value is None or value == "":
        return None
    if not isinstance(value, str):
        raise UnreadableError("a time that is no text")
    try:
        when = datetime.fromisoformat(value.upper())
    except ValueError:
        raise UnreadableError("a time that cannot be read") from None
    if not NEVER_UNTIL < when.year < NEVER_FROM:
        return None
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)


def moment_or_none(value: object) -> datetime | None:
    """Read a time that nothing depends on; one that cannot be read is None."""
    try:
        return moment(value)
    except UnreadableError:
        return None


def sub(value: object) -> Mapping[str, object]:
    """Return an inner object with its keys in lower case; empty for null and for what is no object."""
    return {key.lower(): item for key, item in value.items()} if isinstance(value, dict) else {}


def last_segment(href: object) -> str | None:
    """Return the last path segment of a link, absolute or relative, without its query."""
    if not isinstance(href, str):
        return None
    return text(unquote(re.split(r"[?#]", href, maxsplit=1)[0].rstrip("/").rpartition("/")[2]))


def href_of(links: Mapping[str, object], relation: str) -> str | None:
    """Return the link of a relation out of `_links`, as text."""
    href = sub(links.get(relation)).get("href")
    return href if isinstance(href, str) else None


def job_in(links: Mapping[str, object]) -> tuple[str, str] | None:
    """Find a job in `_links`: (`jobs` or `copyjobs`, id), by the relation `job` or by any path that names one."""
    hrefs = [href_of(links, relation) for relation in ("job", *links)]
    for href in filter(None, hrefs):
        if found := _JOB_PATH.search(href):
            return found[1].lower(), unquote(found[2])
    segment = last_segment(hrefs[0])
    return ("jobs", segment) if segment else None


class Listing(msgspec.Struct, gc=False):
    """One answer of a listing: its rows as they came, whether it was a bare array, and what it says of paging."""

    rows: list[msgspec.Raw]
    is_page: bool = False
    limit: int | None = None
    has_next: bool = False


class _Page(msgspec.Struct):
    results: list[msgspec.Raw]
    limit: object = None
    links: object = msgspec.field(name="_links", default=None)


def listing(body: bytes) -> Listing:
    """Read a listing: an object with `results`, or a bare array. Raises UnreadableError."""
    try:
        if body.lstrip()[:1] == b"[":
            return Listing(msgspec.json.decode(body, type=list[msgspec.Raw]))
        page = msgspec.json.decode(body, type=_Page)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _odd_listing(body)
    return _as_listing(page.results, page.limit, page.links)


def _odd_listing(body: bytes) -> Listing:
    """Read a listing that the quick way refuses: capitals in its keys, or bytes that are no UTF-8."""
    if body.lstrip()[:1] == b"[":
        return Listing(_raws(_loads(body)))
    page = fields(body)
    return _as_listing(_raws(page.get("results")), page.get("limit"), page.get("_links"))


def _loads(body: bytes) -> object:
    try:
        return json.loads(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        raise UnreadableError("it is not JSON") from None


def _raws(rows: object) -> list[msgspec.Raw]:
    if not isinstance(rows, list):
        raise UnreadableError("it is no list and has no `results`")
    return [msgspec.Raw(json.dumps(row).encode()) for row in rows]


def _as_listing(rows: list[msgspec.Raw], limit: object, links: object) -> Listing:
    believed = limit if isinstance(limit, int) and not isinstance(limit, bool) else None
    return Listing(rows, is_page=True, limit=believed, has_next=href_of(sub(links), "next") is not None)
