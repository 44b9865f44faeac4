"""Pages that follow what happens: what is sent, to whom, at what cost, and how it ends."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import anyio
import httpx
import pytest

from tests.web.web_samples import NOW, ScriptedReader, failing, overview, row
from watcher.web import live as live_module
from watcher.web.app import create_app
from watcher.web.frame import AS_OF, Part
from watcher.web.health import Health
from watcher.web.live import Live, mark_of
from watcher.web.markup import Markup
from watcher.web.metrics import Metrics
from watcher.web.serve import serve


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@dataclass
class Stage:
    """A page whose parts a test changes; counts how often it was asked and written."""

    parts: tuple[Part, ...] = (Part("hero", Markup("<p>one</p>")),)
    beat: int = 0
    asked: int = 0
    written: int = 0
    live: Live = field(init=False)

    def __post_init__(self) -> None:
        self.live = Live(self.pulse)

    async def pulse(self) -> str:
        self.asked += 1
        return str(self.beat)

    async def write(self) -> tuple[Part, ...]:
        self.written += 1
        return self.parts

    def change(self, *parts: Part) -> None:
        self.parts = parts
        self.beat += 1

    def follow(self, seen: str = "x", address: str = "/") -> AsyncIterator[str]:
        return self.live.follow(address, seen, self.write)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look a hundred times a second."""
    monkeypatch.setattr(live_module, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(live_module, "_REST", 0.0)


async def sent(stream: AsyncIterator[str]) -> list[dict[str, str]]:
    """Return the parts of the next event that has any."""
    while True:
        with anyio.fail_after(3):
            text = await anext(stream)
        parts = [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: {")]
        if parts:
            return parts


def part(name: str, text: str, *rows: str) -> Part:
    """Make a part, with rows in it that are named by their first letter."""
    of_rows = tuple((one[0], Markup(f'<li id="{one[0]}">{one}</li>')) for one in rows)
    html = Markup(f"<ul>{text}{''.join(html for _, html in of_rows)}</ul>")
    return Part(name, html, of_rows, Markup(text))


async def test_only_what_has_changed_is_sent() -> None:
    """Parts that are the same are not; of a list whose rows stay, only the row."""
    stage = Stage((part("head", "1"), part("list", "", "a1", "b1")))
    stream = stage.follow()
    assert [one["id"] for one in await sent(stream)] == ["head", "list"]
    stage.change(part("head", "1"), part("list", "", "a1", "b2"))
    assert await sent(stream) == [{"id": "b", "html": '<li id="b">b2</li>'}]
    stage.change(part("head", "2"), part("list", "", "a1", "b2"))
    assert [one["id"] for one in await sent(stream)] == ["head"]
    stage.change(part("head", "2"), part("list", "", "b2", "a1"))
    assert [one["id"] for one in await sent(stream)] == ["list"]
    stage.change(part("head", "2"), part("list", "more", "b2", "a1"))
    assert [one["id"] for one in await sent(stream)] == ["list"]
    stage.live.stopping.set()


async def test_a_browser_that_has_just_loaded_the_page_gets_nothing_again() -> None:
    """It says what it has; one that comes back after a while gets what it missed."""
    stage = Stage()
    seen = mark_of(stage.parts)
    stream = stage.follow(seen=seen)
    assert (await anext(stream)).startswith("retry:")
    async with anyio.create_task_group() as group:
        got: list[Any] = []

        async def read() -> None:
            got.extend(await sent(stream))

        group.start_soon(read)
        await anyio.sleep(0.1)
        assert got == []
        stage.change(Part("hero", Markup("<p>two</p>")))
    assert got == [{"id": "hero", "html": "<p>two</p>"}]
    assert [one["html"] for one in await sent(stage.follow(seen=seen))] == ["<p>two</p>"]
    stage.live.stopping.set()


async def test_what_changes_right_after_a_page_was_loaded_is_sent() -> None:
    """The pulse may be a second old, and what is written then younger: it is not taken for what the browser has."""
    stage = Stage()
    seen = mark_of(stage.parts)
    assert await stage.live.pulse() == "0"
    stage.parts = (Part("hero", Markup("<p>two</p>")),)
    assert await sent(stage.follow(seen=seen)) == [{"id": "hero", "html": "<p>two</p>"}]
    stage.live.stopping.set()


async def test_the_time_at_which_a_page_was_written_makes_it_no_other() -> None:
    """Only what it shows does."""
    one, other = (Part(AS_OF, Markup(f"<span>{n}</span>")) for n in "12")
    hero = Part("hero", Markup("<p>one</p>"))
    assert mark_of((one, hero)) == mark_of((other, hero)) == mark_of((hero,))
    assert mark_of((hero, hero)) != mark_of((hero,))


async def test_a_hundred_listeners_cost_as_much_as_one() -> None:
    """The store is asked once a look, and the page written once a change."""
    stage = Stage()
    streams = [stage.follow() for _ in range(50)]
    async with anyio.create_task_group() as group:
        for stream in streams:
            group.start_soon(sent, stream)
    assert stage.written == 1
    stage.change(Part("hero", Markup("<p>two</p>")))
    async with anyio.create_task_group() as group:
        for stream in streams:
            group.start_soon(sent, stream)
    assert stage.written == 2
    assert stage.asked < 50
    stage.live.stopping.set()


async def test_writing_rests_however_many_pages_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one page took keeps the next one waiting, so that all together cost a share of a core."""
    monkeypatch.setattr(live_module, "_REST", 10.0)
    stage = Stage()
    plain = stage.write

    async def slowly() -> tuple[Part, ...]:
        await anyio.sleep(0.02)
        return await plain()

    stage.write = slowly  # type: ignore[method-assign]
    began = anyio.current_time()
    await sent(stage.follow(address="/a"))
    await sent(stage.follow(address="/b"))
    assert anyio.current_time() - began > 0.2
    stage.live.stopping.set()


async def test_a_page_that_nobody_follows_is_forgotten() -> None:
    """A browser that leaves frees its place, and the last one what was written for it."""
    reader = ScriptedReader(view=overview(failing(), row()))
    app = create_app(reader=reader, health=Health(started=NOW), metrics=Metrics(), now=lambda: NOW)
    live: Live = app.state.live
    async with serve(app) as url:
        async with httpx.AsyncClient(trust_env=False) as client, client.stream("GET", f"{url}/live?seen=x") as answer:
            async for text in answer.aiter_text():
                if '"id":"hero"' in text:
                    break
            assert live._followers.total() == 1
            assert len(live._written) == 1
        with anyio.fail_after(3):
            while live._followers:  # noqa: ASYNC110 - nothing in it tells anybody
                await anyio.sleep(0.01)
        assert live._written == {}
        live.stopping.set()


async def test_a_busy_store_ends_no_stream() -> None:
    """What cannot be read now may be read at the next look."""
    stage = Stage()
    problems = [RuntimeError("locked")]

    async def pulse() -> str:
        if problems:
            raise problems.pop()
        return "1"

    stage.live = Live(pulse)
    assert [one["id"] for one in await sent(stage.follow())] == ["hero"]
    stage.live.stopping.set()


async def test_streams_are_bounded_and_end_with_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over real sockets: the third of two is turned away; stopping ends those that are open at once."""
    monkeypatch.setattr(live_module, "MOST_STREAMS", 2)
    reader = ScriptedReader(view=overview(failing(), row()))
    app = create_app(reader=reader, health=Health(started=NOW), metrics=Metrics(), now=lambda: NOW)
    async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
        began = 0.0
        async with serve(app) as url, anyio.create_task_group() as group:
            ended: list[str] = []

            async def follow() -> None:
                async with client.stream("GET", f"{url}/live?seen=x") as answer:
                    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
                    assert answer.headers["cache-control"] == "no-store"
                    ended.append("".join([text async for text in answer.aiter_text()]))

            group.start_soon(follow)
            group.start_soon(follow)
            with anyio.fail_after(3):
                while not app.state.live.is_full:  # noqa: ASYNC110 - nothing in it tells anybody
                    await anyio.sleep(0.01)
            assert (await client.get(f"{url}/live")).status_code == 503
            assert (await client.head(f"{url}/live")).status_code in {200, 503}
            assert (await client.get(f"{url}/")).status_code == 200
            await anyio.sleep(0.1)
            began = anyio.current_time()
            app.state.live.stopping.set()
    assert anyio.current_time() - began < 2.5, "an open stream that is not told costs 3 s"
    assert len(ended) == 2
    assert all('"id":"hero"' in text for text in ended)
    assert not app.state.live.is_full
