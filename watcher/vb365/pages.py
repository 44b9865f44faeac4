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
    the first grow to FULL_PAGE. Raises LookFailed.
    """
    rows: list[R] = []
    seen: set[str] = set()
    asked = first_page
    for _ in range(MOST_PAGES):
        answer = await api.get(resource, {**(params or {}), "limit": str(asked), "offset": str(len(rows))})
        found = rows_of(answer)
        page = [read(raw) for raw in found.rows]
        rows += page
        fresh = {row.id for row in page if row.id is not None} - seen
        if not fresh or _is_last(found, asked) or until(page):
            return rows
        seen |= fresh
        asked = min(asked * 2, FULL_PAGE)
    raise LookFailed(Failure.BAD_ANSWER, f"{answer.where}: the listing does not end")


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
