"""Sessions read by themselves: bad rows, tracked ones, and ends that lack something."""

import logging
from typing import Any

import httpx
import pytest

from tests.vb365.vb365_script import Script, at, html, memory, page, row, stamp
from watcher.core.model import Failure, LookFailed

LISTING = "GET /v8/JobSessions"


def listing(script: Script, *rows: Any) -> None:
    """List these rows as recently ended."""

    def answer(request: httpx.Request) -> Any:
        shown = "endTimeLowerBound" in request.url.params and request.url.params["offset"] == "0"
        return page(*rows) if shown else page()

    script.on(LISTING, answer)


async def test_a_bad_row_costs_one_row_and_is_read_by_its_id() -> None:
    """The others of its page are whole, and its own answer may be good."""
    script = Script()
    listing(script, row("a", "Failed"), {"id": "b", "status": "Failed", "endTime": "soon"}, row("c", "Success"))
    script.on(f"{LISTING}/b", row("b", "Failed"))
    look = await script.server().look(memory())
    assert {one.id for one in look.sessions} == {"a", "b", "c"}
    assert not look.unreadable


@pytest.mark.parametrize("answer", [{"id": "b"}, 404, 500, html(), httpx.Response(200), row("other", "Failed"), []])
async def test_a_row_that_is_bad_by_its_id_too_is_unreadable(answer: Any) -> None:
    """It is handed on as such, and no other session is lost for it."""
    script = Script()
    listing(script, {"id": "b"}, row("a", "Failed"))
    script.on(f"{LISTING}/b", answer)
    look = await script.server().look(memory())
    assert look.unreadable == {"b"}
    assert not look.gone
    assert [one.id for one in look.sessions] == ["a"]


async def test_an_unreadable_session_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """With its id, as long as it stays bad; rows without an id are counted, once for each number of them."""
    script = Script()
    listing(script, {"id": "bad-1"}, {"status": "Failed"}, 7, row("a", "Failed"))
    server = script.server()
    with caplog.at_level(logging.WARNING, "watcher.vb365.single"):
        for _ in range(3):
            await server.look(memory())
    lines = [record.getMessage() for record in caplog.records if record.name == "watcher.vb365.single"]
    assert sum("'bad-1'" in line for line in lines) == 1
    assert sum("2 sessions without an id" in line for line in lines) == 1
    assert len(lines) == 2


async def test_a_flood_of_bad_rows_is_not_read_one_by_one() -> None:
    """A server that changed its ways costs a hundred requests a look, not thousands."""
    script = Script()
    listing(script, *({"id": f"b{number}"} for number in range(250)))
    for number in range(250):
        script.on(f"{LISTING}/b{number}", {"id": f"b{number}"})
    look = await script.server().look(memory())
    assert len(script.asked(f"{LISTING}/")) == 100
    assert len(look.unreadable) == 250


async def test_a_sick_server_ends_the_look_after_three_sessions_in_a_row() -> None:
    """One session that fails by itself costs only itself; several in a row are the server's trouble."""
    script = Script()
    for name in ("a", "b", "c", "d"):
        script.on(f"{LISTING}/{name}", html())
    tracked: dict[str, Any] = {"a": None, "b": None}
    look = await script.server().look(memory(open=tracked))
    assert look.unreadable == {"a", "b"}
    with pytest.raises(LookFailed) as caught:
        await script.server().look(memory(open={**tracked, "c": None, "d": None}))
    assert caught.value.kind is Failure.BAD_ANSWER
    assert not script.asked(f"{LISTING}/d")


async def test_what_keeps_all_answers_away_ends_the_look_at_once() -> None:
    """A connection that is refused says nothing of a session."""
    script = Script()
    script.on(f"{LISTING}/a", httpx.ReadTimeout("hang"))
    with pytest.raises(LookFailed) as caught:
        await script.server().look(memory(open={"a": None}))
    assert caught.value.kind is Failure.TIMEOUT


async def test_an_end_without_a_time_is_read_once_more() -> None:
    """The time may be written a moment later; if it never is, no look asks again."""
    script = Script()
    listing(script, row("a", "Failed", endTime=None), row("b", "Success", endTime=None))
    script.on(f"{LISTING}/a", row("a", "Failed"))
    script.on(f"{LISTING}/b", row("b", "Success", endTime=None))
    server = script.server()
    look = await server.look(memory())
    assert {one.id: one.ended for one in look.sessions} == {"a": at(5, 30), "b": None}
    await server.look(memory())
    assert len(script.asked(f"{LISTING}/")) == 2


async def test_a_history_without_end_times_is_asked_for_in_portions() -> None:
    """Fifty a look, and none of them twice."""
    script = Script()
    listing(script, *(row(f"s{number}", "Success", endTime=None) for number in range(120)))
    server = script.server()
    counts = []
    for _ in range(4):
        await server.look(memory())
        counts.append(len(script.asked(f"{LISTING}/")))
    assert counts == [50, 100, 120, 120]


async def test_an_end_without_a_time_that_is_gone_by_id_still_counts() -> None:
    """What the listing showed of it holds."""
    script = Script()
    listing(script, row("a", "Failed", endTime=None))
    look = await script.server().look(memory(open={"a": at(5)}))
    assert [one.status for one in look.sessions] == ["Failed"]
    assert not look.gone
    assert not look.unreadable


@pytest.mark.parametrize(
    ("fields", "is_read"),
    [
        ({"jobWillBeRetried": None}, True),
        ({"jobWillBeRetried": False}, False),
        ({"jobWillBeRetried": None, "jobType": "Copy"}, False),
        ({"jobWillBeRetried": None, "status": "Success"}, False),
        ({"jobWillBeRetried": None, "endTime": stamp(at(1, 0, day=1))}, False),
    ],
)
async def test_a_bad_end_without_a_word_on_its_retry_is_read_once_more(fields: dict[str, Any], is_read: bool) -> None:
    """The verdict may follow the end; only fresh ends of backup jobs are worth the request."""
    script = Script()
    listing(script, row("a", "Failed") | fields)
    script.on(f"{LISTING}/a", row("a", "Failed", jobWillBeRetried=True))
    server = script.server()
    look = await server.look(memory())
    assert (look.sessions[0].will_be_retried is True) is is_read
    await server.look(memory())
    assert len(script.asked(f"{LISTING}/a")) == is_read


async def test_v6_knows_no_retry_verdict_and_is_not_asked_for_one() -> None:
    """The field came with v7."""
    script = Script(["v6"])
    script.on("GET /v6/JobSessions", page(row("a", "Failed", jobWillBeRetried=None)))
    await script.server().look(memory())
    assert not script.asked("GET /v6/JobSessions/a")


async def test_ids_are_quoted_in_paths() -> None:
    """Whatever a server calls its sessions stays one path segment."""
    script = Script()
    look = await script.server().look(memory(open={"../Jobs?x": None}))
    assert look.gone == {"../Jobs?x"}
    assert script.asked(LISTING)[-1] == "GET /v8/JobSessions/..%2FJobs%3Fx"
