"""Reading a listing to its end, or until enough was seen, however the server cuts it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TypeVar

import msgspec

from watcher.core.model import Failure, LookFailed
from watcher.vb365.api import Api
from watcher.vb365.decode import Listing, UnreadableError, listing
from watcher.vb365.http import Answer

FULL_PAGE = 1000
MOST_PAGES = 2000
LARGEST_KEPT = 256 * 1024


class _Row(Protocol):
    @property
    def id(self) -> str | None: ...


R = TypeVar("R", bound=_Row)


def rows_of(answer: Answer) -> Listing:
    """Read an answer as a listing; raises LookFailed with BAD_ANSWER where it is none."""
    try:
        return listing(answer.body)
    except UnreadableError as error:
        what = "it is empty" if not answer.body.strip() else str(error)
        raise LookFailed(Failure.BAD_ANSWER, f"{answer.where}: answered 200, but no listing: {what}") from None


async def read_whole(api: Api, resource: str, read: Callable[[msgspec.Raw], R]) -> list[R]:
    """Read a listing that comes in one piece (v3, v4), or in pages where a server does it against its manual."""
    found = rows_of(await api.get(resource))
    if found.has_next:
        return await read_pages(api, resource, read)
    return [read(raw) for raw in found.rows]


async def read_pages(
    api: Api,
    resource: str,
    read: Callable[[msgspec.Raw], R],
    params: Mapping[str, str] | None = None,
    *,
    until: Callable[[Sequence[R]], bool] = lambda _: False,
    first_page: int = FULL_PAGE,
) -> list[R]:
    """Read a paged listing page by page; `until` is shown each page and says when enough was seen.

    Pages may be smaller than asked, shift under the reader or repeat: a row can come back more than once. Pages after
    the first grow to FULL_PAGE. What was proved to be the last page is not proved again while it shows the same rows.
    Raises LookFailed.
    """
    rows: list[R] = []
    seen: frozenset[str] = frozenset()
    last: frozenset[str] = frozenset()
    listing_name = f"{resource}?{'&'.join(params or {})}"
    asked = first_page
    for _ in range(MOST_PAGES):
        answer = await api.get(resource, {**(params or {}), "limit": str(asked), "offset": str(len(rows))})
        found, page = _decoded(api, listing_name, answer, read, is_first=not rows)
        rows += page
        fresh = frozenset(row.id for row in page if row.id is not None) - seen
        if not fresh:
            api.ends[listing_name] = last
            return rows
        if _is_last(found, asked) or until(page) or fresh == api.ends.get(listing_name):
            return rows
        seen, last = seen | fresh, fresh
        asked = min(asked * 2, FULL_PAGE)
    raise LookFailed(Failure.BAD_ANSWER, f"{answer.where}: the listing does not end")


def _decoded(
    api: Api, listing_name: str, answer: Answer, read: Callable[[msgspec.Raw], R], *, is_first: bool
) -> tuple[Listing, list[R]]:
    """Decode a page; a first page with the bytes of last time is what it was then."""
    kept = api.firsts.get(listing_name) if is_first else None
    if kept is not None and kept[0] == answer.body:
        return kept[1], kept[2]
    found = rows_of(answer)
    page = [read(raw) for raw in found.rows]
    if is_first and len(answer.body) <= LARGEST_KEPT:
        api.firsts[listing_name] = (answer.body, found, page)
    return found, page


def _is_last(page: Listing, asked: int) -> bool:
    """Whether a page says for sure that none follows; if not, the next one is asked for and may be empty.

    A short page proves nothing by itself, since servers cut pages. Only an echoed limit below the one asked shows
    that the server tells what it applied; an echo of what was asked may be just that.
    """
    if not page.is_page:
        return len(page.rows) < asked
    if page.has_next or page.limit is None or not 1 <= page.limit < asked:
        return False
    return len(page.rows) < page.limit
