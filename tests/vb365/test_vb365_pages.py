"""Listings that servers cut, shift, repeat and lie about."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.vb365.vb365_script import BASE, Script, html
from watcher.core.model import Failure, LookFailed
from watcher.vb365.pages import read_pages, read_whole


@pytest.fixture
def anyio_backend() -> str:
    """Run on one backend: the tables are long, and nothing in them waits."""
    return "asyncio"


@dataclass(frozen=True)
class Row:
    """A row that is nothing but its id."""

    id: str | None


def read(raw: msgspec.Raw) -> Row:
    """Read a row."""
    value = msgspec.json.decode(raw)
    return Row(value["id"])


@dataclass
class Shelf:
    """A listing of rows 0 to `size`, and how it is served."""

    size: int
    cap: int = 10_000
    echo: Callable[[int, int], Any] | None = None
    next_links: bool = False
    bare: bool = False
    ignores_offset: bool = False
    newest_first: bool = False

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Serve a page."""
        limit = int(request.url.params.get("limit", "30"))
        offset = 0 if self.ignores_offset else int(request.url.params.get("offset", "0"))
        applied = min(limit, self.cap)
        numbers = list(range(self.size))[:: -1 if self.newest_first else 1]
        rows = [{"id": str(number)} for number in numbers][offset : offset + applied]
        if self.bare:
            return httpx.Response(200, json=rows)
        body: dict[str, Any] = {"results": rows}
        if self.echo:
            body["limit"] = self.echo(limit, applied)
        if self.next_links and offset + applied < self.size:
            body["_links"] = {"next": {"href": f"https://inner.name:4443/v8/Jobs?offset={offset + applied}"}}
        return httpx.Response(200, json=body)


def ids(rows: list[Row]) -> list[str | None]:
    """Return each id once, in order."""
    return list(dict.fromkeys(row.id for row in rows))


ECHOES: dict[str, Callable[[int, int], Any]] = {
    "what was asked": lambda limit, _: limit,
    "what was applied": lambda _, applied: applied,
    "zero": lambda *_: 0,
    "more than asked": lambda limit, _: limit * 10,
    "a text": lambda limit, _: str(limit),
    "null": lambda *_: None,
}


@pytest.mark.parametrize("size", [0, 1, 29, 30, 31, 90, 100])
@pytest.mark.parametrize("cap", [7, 30, 10_000])
@pytest.mark.parametrize("next_links", [True, False])
@pytest.mark.parametrize("echo", [None, *ECHOES])
async def test_every_row_is_read_however_pages_are_cut(size: int, cap: int, next_links: bool, echo: str | None) -> None:
    """Smaller pages than asked, with or without a word of it, true or not, end nothing too early."""
    script = Script()
    script.on("GET /v8/Jobs", Shelf(size, cap, ECHOES[echo] if echo else None, next_links))
    rows = await read_pages(script.api(), "Jobs", read)
    assert ids(rows) == [str(number) for number in range(size)]


async def test_the_bearer_never_follows_a_link_to_another_host() -> None:
    """A link only says that there is more; its host may be the server's own idea of its name."""
    script = Script()
    script.on("GET /v8/Jobs", Shelf(90, 30, ECHOES["what was applied"], next_links=True))
    await read_pages(script.api(), "Jobs", read)
    assert {f"{one.url.scheme}://{one.url.netloc.decode()}" for one in script.seen} == {BASE}


@pytest.mark.parametrize("size", [0, 30, 2500])
async def test_a_bare_array_is_a_listing_too(size: int) -> None:
    """Also where a page is documented, and where the array honours offset and limit."""
    script = Script()
    script.on("GET /v8/Jobs", Shelf(size, bare=True))
    assert len(ids(await read_pages(script.api(), "Jobs", read))) == size


async def test_a_server_that_ignores_the_offset_is_not_asked_for_ever() -> None:
    """A few pages without a new id are the end."""
    script = Script()
    script.on("GET /v8/Jobs", Shelf(30, next_links=True, ignores_offset=True, cap=10))
    assert ids(await read_pages(script.api(), "Jobs", read)) == [str(number) for number in range(10)]
    assert len(script.asked("GET")) == 5


async def test_rows_without_an_id_do_not_go_on_for_ever() -> None:
    """They bring nothing that could be told from what is known."""
    script = Script()
    script.on("GET /v8/Jobs", {"results": [{"id": None}]})
    assert await read_pages(script.api(), "Jobs", read) == [Row(None)]


async def test_a_true_echo_of_a_smaller_page_spares_the_last_request() -> None:
    """Who says what was applied is believed."""
    script = Script()
    script.on("GET /v8/Jobs", Shelf(35, 30, ECHOES["what was applied"]))
    await read_pages(script.api(), "Jobs", read)
    assert len(script.asked("GET")) == 2


async def test_a_last_page_is_proved_again_only_when_it_changes() -> None:
    """An idle server costs one request a listing, and a new row is worth the next page."""
    script = Script()
    shelf = Shelf(7, 7, ECHOES["what was asked"], newest_first=True)
    script.on("GET /v8/Jobs", shelf)
    api = script.api()
    counts = []
    for size in (7, 7, 12, 12):
        shelf.size = size
        script.seen.clear()
        assert len(ids(await read_pages(api, "Jobs", read))) == size
        counts.append(len(script.asked("GET")))
    assert counts == [2, 1, 4, 3]


async def test_pages_grow_from_a_short_first_one() -> None:
    """The usual look needs few rows; one that needs many gets them in few requests."""
    script = Script()
    script.on("GET /v8/Jobs", Shelf(5000))
    await read_pages(script.api(), "Jobs", read, first_page=100)
    limits = [one.url.params["limit"] for one in script.seen if one.method == "GET"]
    assert limits[:6] == ["100", "200", "400", "800", "1000", "1000"]


async def test_reading_stops_when_enough_was_seen() -> None:
    """The page that is enough is the last one asked for, and its rows count."""
    script = Script()
    script.on("GET /v8/Jobs", Shelf(5000))
    rows = await read_pages(script.api(), "Jobs", read, until=lambda page: page[0].id == "995")
    assert len(rows) == 2000


async def test_a_link_to_more_counts_for_more_than_a_short_page() -> None:
    """Who says that more follows is asked for it, whatever limit is echoed."""
    script = Script()
    first = {"results": [{"id": "2"}], "limit": 30, "_links": {"next": {"href": "/v8/Jobs?offset=30"}}}
    script.on("GET /v8/Jobs", first, {"results": [{"id": "1"}], "limit": 30})
    assert ids(await read_pages(script.api(), "Jobs", read)) == ["2", "1"]


async def test_rows_that_shift_under_the_reader_come_twice_and_not_never() -> None:
    """A session that begins while pages are read moves all others down."""
    script = Script()
    first = {"results": [{"id": "3"}, {"id": "2"}], "limit": 2}
    second = {"results": [{"id": "2"}, {"id": "1"}], "limit": 2}
    script.on("GET /v8/Jobs", first, second, {"results": []})
    assert ids(await read_pages(script.api(), "Jobs", read)) == ["3", "2", "1"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (html(), "no listing: it is not JSON"),
        (httpx.Response(200), "no listing: it is empty"),
        (httpx.Response(204), "no listing: it is empty"),
        (httpx.Response(200, content=b'{"results": [{"id": "1"}, {"i'), "no listing"),
        ({"message": "well"}, "has no `results`"),
    ],
)
async def test_what_is_no_listing_is_a_bad_answer(answer: Any, words: str) -> None:
    """HTML, nothing, half an answer and wrong shapes are never an empty listing."""
    script = Script()
    script.on("GET /v8/Jobs", answer)
    with pytest.raises(LookFailed, match=words) as caught:
        await read_pages(script.api(), "Jobs", read)
    assert caught.value.kind is Failure.BAD_ANSWER
    assert str(caught.value).startswith(f"GET {BASE}/v8/Jobs: ")


async def test_a_listing_in_one_piece_is_asked_for_without_paging() -> None:
    """v3 and v4 know no limit; a page with more to come is paged all the same."""
    script = Script(["v3"])
    script.on("GET /v3/Jobs", Shelf(45, bare=True, cap=10_000))
    api = script.api("v3")
    assert len(await read_whole(api, "Jobs", read)) == 30
    assert script.asked("GET") == ["GET /v3/Jobs"]
    script.on("GET /v3/Jobs", Shelf(45, cap=20, echo=ECHOES["what was applied"], next_links=True))
    assert len(ids(await read_whole(api, "Jobs", read))) == 45


@dataclass
class Moving:
    """A listing that changes between two of its pages: `moves` says after which request rows come, or go, where."""

    rows: list[str]
    moves: dict[int, Callable[[list[str]], None]]
    cap: int = 20
    requests: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Serve a page, then let the world move."""
        offset = int(request.url.params["offset"])
        shown = self.rows[offset : offset + self.cap]
        self.requests += 1
        if self.requests in self.moves:
            self.moves[self.requests](self.rows)
        return httpx.Response(200, json={"results": [{"id": row} for row in shown]})


def drop(count: int, start: int = 0) -> Callable[[list[str]], None]:
    """Let rows go from a place on."""

    def move(rows: list[str]) -> None:
        del rows[start : start + count]

    return move


def add(count: int) -> Callable[[list[str]], None]:
    """Let rows come at the front."""

    def move(rows: list[str]) -> None:
        rows[:0] = [f"new-{len(rows)}-{number}" for number in range(count)]

    return move


@pytest.mark.parametrize("count", [1, 4, 5, 6, 14, 15, 16, 19, 20, 21, 40])
@pytest.mark.parametrize("after", [1, 2, 3])
@pytest.mark.parametrize("kind", ["gone", "new"])
async def test_pages_that_shift_hide_no_row(count: int, after: int, kind: str) -> None:
    """Whatever stays in the listing from beginning to end is read, however rows come and go in front of it."""
    names = [str(number) for number in range(130)]
    shelf = Moving(list(names), {after: drop(count) if kind == "gone" else add(count)})
    script = Script()
    script.on("GET /v8/Jobs", shelf)
    read_ids = ids(await read_pages(script.api(), "Jobs", read))
    assert set(shelf.rows) & set(names) <= set(read_ids)


@settings(max_examples=400, deadline=None)
@given(
    cap=st.integers(16, 40),
    moves=st.dictionaries(
        st.integers(1, 12),
        st.one_of(st.builds(add, st.integers(1, 8)), st.builds(drop, st.integers(1, 10), st.integers(0, 60))),
        max_size=4,
    ),
)
def test_any_shift_hides_no_row(cap: int, moves: dict[int, Callable[[list[str]], None]]) -> None:
    """Rows that come in front, rows that go anywhere, pages of any size."""
    names = [str(number) for number in range(150)]
    shelf = Moving(list(names), moves, cap)
    script = Script()
    script.on("GET /v8/Jobs", shelf)

    async def run() -> list[Row]:
        return await read_pages(script.api(), "Jobs", read)

    read_ids = set(ids(anyio.run(run)))
    lost = (set(shelf.rows) & set(names)) - read_ids
    assert not lost
