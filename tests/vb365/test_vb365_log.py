"""The first errors and warnings of a session's log."""

from typing import Any

import httpx
import pytest
import trio

from tests.vb365.vb365_script import Script, html, page
from watcher.core.model import LogLine


def title(usn: int, words: str) -> dict[str, Any]:
    """Return an item as v3 to v7 print it."""
    return {"id": f"i{usn}", "usn": usn, "title": words}


TITLES = [
    title(4, "[Failed] Job failed"),
    title(3, "[Error] Failed to connect to the organization. Unauthorized."),
    title(1, "[Success] Job started at 3/1/2026 10:00:00 PM"),
    title(2, "[Warning] Failed to backup item: /Inbox/Report"),
    title(5, "No prefix at all"),
    title(6, "[Site] is no severity"),
]
LINES = (
    LogLine("error", "Failed to connect to the organization. Unauthorized."),
    LogLine("error", "Job failed"),
    LogLine("warning", "Failed to backup item: /Inbox/Report"),
)


async def lines_of(script: Script, session: str = "a") -> tuple[LogLine, ...]:
    """Return what a greeted server's log gives."""
    server = script.server()
    await server.greet()
    return await server.log_lines(session)


@pytest.mark.parametrize("version", ["v3", "v4", "v5", "v6", "v7"])
@pytest.mark.parametrize("body", [TITLES, page(*TITLES, limit=30)])
async def test_titles_begin_with_their_severity(version: str, body: Any) -> None:
    """Array or page; errors come first, both kinds in the order of their numbers."""
    script = Script([version])
    script.on(f"GET /{version}/JobSessions/a/LogItems", body)
    assert await lines_of(script) == LINES


async def test_v8_is_asked_for_each_kind() -> None:
    """One that does not know the filter sends everything, and only what fits is taken."""
    script = Script()
    items = [
        {"usn": 2, "type": "Warning", "message": "Item was skipped"},
        {"usn": 1, "type": "Success", "message": "Job started"},
        {"usn": 57, "type": "Error", "message": "[Error] stays, it is part of the message"},
    ]

    def answer(request: httpx.Request) -> Any:
        return page(*[item for item in items if item["type"] == request.url.params["type"]])

    script.on("GET /v8/JobSessions/a/LogItems", answer)
    expected = (LogLine("error", "[Error] stays, it is part of the message"), LogLine("warning", "Item was skipped"))
    assert await lines_of(script) == expected
    assert script.asked("GET /v8/JobSessions/a/LogItems") == [
        "GET /v8/JobSessions/a/LogItems?type=Error&limit=20&offset=0",
        "GET /v8/JobSessions/a/LogItems?type=Warning&limit=20&offset=0",
    ]


async def test_twenty_lines_of_two_pages_are_enough() -> None:
    """One session of thousands of objects holds no message up."""
    script = Script(["v7"])

    def answer(request: httpx.Request) -> Any:
        offset = int(request.url.params["offset"])
        rows = [title(offset + number, f"[Warning] {offset + number}") for number in range(15)]
        return page(*rows, _links={"next": {"href": "/v7/x"}})

    script.on("GET /v7/JobSessions/a/LogItems", answer)
    lines = await lines_of(script)
    assert [line.text for line in lines] == [str(number) for number in range(20)]
    assert len(script.asked("GET /v7/JobSessions/a/LogItems")) == 2


@pytest.mark.parametrize(
    "answer",
    [404, 401, 403, 500, html(), httpx.Response(200), {}, [7, None, {"usn": "x"}], httpx.ReadTimeout("x"), page({})],
)
@pytest.mark.parametrize("version", ["v5", "v8"])
async def test_a_log_that_cannot_be_read_is_empty(version: str, answer: Any) -> None:
    """Whatever the server answers, nothing is raised."""
    script = Script([version])
    script.on(f"GET /{version}/JobSessions/a/LogItems", answer)
    assert await lines_of(script) == ()


async def test_there_is_no_log_before_the_first_greeting() -> None:
    """And nothing is asked for one."""
    script = Script()
    assert await script.server().log_lines("a") == ()
    assert not script.seen


def test_a_log_that_hangs_is_given_up_after_five_seconds() -> None:
    """What came until then is kept."""

    async def slow(request: httpx.Request) -> httpx.Response:
        if request.url.params.get("type") == "Warning":
            await trio.sleep(3600)
        return script(request)

    script = Script()
    script.on("GET /v8/JobSessions/a/LogItems", page({"usn": 1, "type": "Error", "message": "Denied"}))
    server = script.server()
    server._http._transport = httpx.MockTransport(slow)
    took = []

    async def read() -> tuple[LogLine, ...]:
        await server.greet()
        started = trio.current_time()
        lines = await server.log_lines("a")
        took.append(trio.current_time() - started)
        return lines

    assert trio.run(read, clock=trio.testing.MockClock(autojump_threshold=0)) == (LogLine("error", "Denied"),)
    assert took == [pytest.approx(5.0)]
