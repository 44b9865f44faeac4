"""Reading a listing to its end, or until enough was seen, however the server cuts it."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import msgspec

from watcher.core.model import Failure, LookFailed
from watcher.vb365.api import Api
from watcher.vb365.decode import Listing, UnreadableError, listing
from watcher.vb365.http import Answer

FULL_PAGE = 1000
MOST_PAGES = 2000
OVERLAP_ROWS = 5
MOST_STEPS_BACK = 5
MOST_IDLE_PAGES = 4
LARGEST_KEPT = 256 * 1024
_EACH_LOOK = "Sessions"  # what is asked for with each look ends so; names and the like are read too seldom to be kept


class _Row(Protocol):
    @property
    def id(self) -> str | None: ...


R = TypeVar("R", bound=_Row)


def rows_of(answer: Answer) -> Listing:
    """Read an answer as a listing; raises LookFailed with BAD_ANSWER where it is none."""
    try:
        return listing(answer.body)
    except UnreadableError as error:
        raise no_listing(answer, error) from None


def no_listing(answer: Answer, error: UnreadableError) -> LookFailed:
    """Say why an answer is no listing."""
    what = str(error) if answer.length else "it is empty"
    return LookFailed(Failure.BAD_ANSWER, f"{answer.where}: answered 200, but no listing: {what}")


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
    is_newest_first: Callable[[Sequence[R]], bool] = lambda _: True,
    first_page: int = FULL_PAGE,
) -> list[R]:
    """Read a paged listing to its end, or until `until`, which is shown each page, says that enough was seen.

    A row can come back more than once. Raises LookFailed. See `turn_pages`.
    """
    rows: list[R] = []
    pages = turn_pages(api, resource, read, params, until=until, is_newest_first=is_newest_first, first_page=first_page)
    async for page in pages:
        rows += page
    return rows


async def turn_pages(
    api: Api,
    resource: str,
    read: Callable[[msgspec.Raw], R],
    params: Mapping[str, str] | None = None,
    *,
    until: Callable[[Sequence[R]], bool] = lambda _: False,
    is_newest_first: Callable[[Sequence[R]], bool] = lambda _: True,
    first_page: int = FULL_PAGE,
) -> AsyncIterator[list[R]]:
    """Read a paged listing page by page; it is to be read to the end that `until` sets.

    Pages may be smaller than asked and repeat. They may shift under the reader: rows that are new push known ones onto
    the next page, rows that are gone pull unread ones onto the page before. So each page begins a little before the
    end of the last one; where it shows nothing known, the reader has lost touch and steps back, and where it shows
    nothing new, though it is no end, he goes on for a while.

    Pages after the first grow to FULL_PAGE. What was proved to be the last page is not proved again while it shows the
    same rows, newest first: in another order, what is new stands behind them. Raises LookFailed.
    """
    name = f"{resource}?{'&'.join(params or {})}"
    place = _Place()
    asked = first_page
    for _ in range(MOST_PAGES):
        answer = await api.get(resource, {**(params or {}), "limit": str(asked), "offset": str(place.offset)})
        found, page = _decoded(api, name, answer, read, is_first=not place.offset)
        ids = {row.id for row in page if row.id is not None}
        if place.has_lost_touch(ids):
            place.step_back(is_empty=not ids)
            continue
        fresh = frozenset(ids - place.seen)
        yield page if fresh or not place.seen else [row for row in page if row.id is not None]
        if place.is_at_the_end(page, ids, fresh):
            api.ends[name] = place.last
            return
        is_proved = fresh == api.ends.get(name) and is_newest_first(page)
        if until(page) or (fresh and (is_proved or _is_last(found, asked))):
            return
        place.go_on(len(page), fresh)
        asked = min(asked * 2, FULL_PAGE)
    raise LookFailed(Failure.BAD_ANSWER, f"{answer.where}: the listing does not end")


@dataclass(frozen=True, slots=True)
class _Head:
    """What a page says of itself: how many rows it has, and what `Listing` has besides."""

    size: int
    is_page: bool
    limit: int | None
    has_next: bool


@dataclass(slots=True)
class _Place:
    """Where the reader of a listing stands.

    `offset` is where his next page begins, `overlap` how many known rows it should begin with, `size` what the last one
    had. `last`: the rows that were new on the last page with any. `idle`: pages since then.
    """

    offset: int = 0
    overlap: int = 0
    size: int = 0
    idle: int = 0
    steps_back: int = 0
    was_empty: bool = False
    seen: set[str] = field(default_factory=set)
    last: frozenset[str] = frozenset()

    def has_lost_touch(self, ids: set[str]) -> bool:
        """Whether a page does not show the known rows it should begin with: so many rows have gone before it.

        An empty page may also be a server's answer to any offset, so for one a single step back is made.
        """
        may_step_back = self.steps_back < MOST_STEPS_BACK and (bool(ids) or not self.was_empty)
        return self.overlap > 0 and self.offset > 0 and may_step_back and self.seen.isdisjoint(ids)

    def step_back(self, *, is_empty: bool) -> None:
        """Go back by a page."""
        self.offset = max(0, self.offset - self.size)
        self.steps_back, self.idle, self.was_empty = self.steps_back + 1, 0, is_empty

    def is_at_the_end(self, page: Sequence[object], ids: set[str], fresh: frozenset[str]) -> bool:
        """Whether nothing new comes any more: only the overlap is left, or some pages had nothing new."""
        self.idle = 0 if fresh else self.idle + 1
        return not fresh and (not ids or len(page) <= self.overlap or self.idle == MOST_IDLE_PAGES)

    def go_on(self, size: int, fresh: frozenset[str]) -> None:
        """Go on behind a page, but for the overlap."""
        self.seen |= fresh
        self.last = fresh or self.last
        self.size, self.overlap = size, min(OVERLAP_ROWS, size // 2)
        self.offset += size - self.overlap


def _decoded(
    api: Api, listing_name: str, answer: Answer, read: Callable[[msgspec.Raw], R], *, is_first: bool
) -> tuple[_Head, list[R]]:
    """Decode a page; a first page of sessions with the bytes of last time is what it was then."""
    kept = api.firsts.get(listing_name) if is_first else None
    if kept is not None and kept[0] == answer.body:
        return kept[1], kept[2]
    found = rows_of(answer)
    page = [read(raw) for raw in found.rows]
    head = _Head(len(page), found.is_page, found.limit, found.has_next)
    if is_first and listing_name.partition("?")[0].endswith(_EACH_LOOK) and len(answer.body) <= LARGEST_KEPT:
        api.firsts[listing_name] = (answer.body, head, page)
    return head, page


def _is_last(page: _Head, asked: int) -> bool:
    """Whether a page says for sure that none follows; if not, the next one is asked for and may be empty.

    A short page proves nothing by itself, since servers cut pages. Only an echoed limit below the one asked shows
    that the server tells what it applied; an echo of what was asked may be just that.
    """
    if not page.is_page:
        return page.size < asked
    if page.has_next or page.limit is None or not 1 <= page.limit < asked:
        return False
    return page.size < page.limit
