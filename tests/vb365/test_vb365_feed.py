"""The event feed of v8, as it is asked for and read, by script and by the stand-in."""

from datetime import timedelta
from typing import Any

import anyio
import httpx
import pytest

from tests.vb365.vb365_script import HASTE, NOW, Script, html, memory, page, row
from watcher.core.model import JOB_KINDS, Errand, Failure, Heard, JobType, LookFailed, Memory
from watcher.demo.faults import Faults
from watcher.demo.quirks import Quirks
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.vb365.access import Access
from watcher.vb365.server import Server

UPDATE = {"eventType": "JobSessionUpdate", "id": "a", "eTag": 3, "jobId": "j", "status": "Failed", "jobType": "Backup"}


def said(*events: Any, up_to: str = "T2") -> dict[str, Any]:
    return {"nextChangeToken": up_to, "limit": 10, "results": list(events)}


async def test_the_first_question_is_for_what_comes_from_now_on() -> None:
    """Afterwards for what comes after the token, kept back by the server while nothing happens."""
    script = Script()
    server = script.server()
    await server.look(memory())
    script.on("GET /v8/Events", said(up_to="T1"), said(UPDATE, up_to="T2"))
    assert await server.listen(None) == Heard("T1")
    assert await server.listen("T1") == Heard("T2", {"a": "Failed"})
    assert script.asked("GET /v8/Events") == [
        "GET /v8/Events?from=latest&limit=1000&timeoutSeconds=25",
        "GET /v8/Events?from=T1&limit=1000&timeoutSeconds=25",
    ]


async def test_of_other_things_nothing_is_heard() -> None:
    """Jobs, restores, deleted sessions, and rows that cannot be read; of two words on one session the last counts."""
    script = Script()
    server = script.server()
    await server.look(memory())
    odd = [None, 7, {}, {"eventType": "JobSessionUpdate"}, {"eventType": 5, "id": []}]
    others = [UPDATE | {"eventType": kind} for kind in ("JobSessionDelete", "JobUpdate", "RestoreSessionUpdate")]
    running = UPDATE | {"status": "Running"}
    script.on("GET /v8/Events", said(*odd, *others, running, UPDATE, UPDATE | {"id": "b", "status": "success"}))
    assert await server.listen("T1") == Heard("T2", {"a": "Failed", "b": "Success"})


RESTORED = {"eventType": "RestoreSessionUpdate", "id": "r", "eTag": 4}


@pytest.mark.parametrize(
    ("kinds", "statuses", "restores"),
    [
        (frozenset(JobType), {"a": "Failed", "b": "Failed"}, frozenset({"r"})),
        (JOB_KINDS, {"a": "Failed", "b": "Failed"}, frozenset()),
        ({JobType.COPY, JobType.RESTORE}, {"b": "Failed"}, frozenset({"r"})),
        ({JobType.RESTORE, JobType.RETRIEVAL}, {}, frozenset({"r"})),
    ],
)
async def test_restores_are_heard_of_where_they_are_watched(
    kinds: frozenset[JobType], statuses: dict[str, str], restores: frozenset[str]
) -> None:
    """Only that they have changed: an event of a restore has no status. What is not watched is not heard."""
    script = Script()
    server = script.server(kinds=kinds)
    await server.look(memory())
    events = [UPDATE, UPDATE | {"id": "b", "jobType": None}, RESTORED, RESTORED | {"eventType": "RestoreSessionDelete"}]
    script.on("GET /v8/Events", said(*events, RESTORED | {"id": []}))
    assert await server.listen("T1") == Heard("T2", statuses, restores)


async def test_nobody_listens_for_what_a_feed_does_not_speak_of() -> None:
    """Retrievals and synchronizations come with the looks by the clock."""
    script = Script()
    server = script.server(kinds={JobType.RETRIEVAL, JobType.SYNCHRONIZE})
    await server.look(memory())
    assert await server.listen(None) is None
    assert not script.asked("GET /v8/Events")


async def test_where_there_is_no_feed() -> None:
    """Before the first look, before v8, and in builds of v8 without it."""
    script = Script()
    server = script.server()
    assert await server.listen(None) is None
    await server.look(memory())
    script.on("GET /v8/Events", 404)
    assert await server.listen(None) is None
    old = Script(["v7"])
    older = old.server()
    await older.look(memory())
    assert await older.listen(None) is None
    assert not old.asked("GET /v7/Events")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (400, Failure.BAD_ANSWER),
        (410, Failure.BAD_ANSWER),
        (500, Failure.SERVER_ERROR),
        (html(), Failure.BAD_ANSWER),
        (httpx.Response(200), Failure.BAD_ANSWER),
        ({"results": []}, Failure.BAD_ANSWER),
        ({"nextChangeToken": "", "results": []}, Failure.BAD_ANSWER),
        (httpx.ReadTimeout("hang"), Failure.TIMEOUT),
        (httpx.ConnectError("gone"), Failure.UNREACHABLE),
    ],
)
async def test_a_feed_that_fails_says_so_at_once(answer: Any, kind: Failure) -> None:
    """One request, and whoever listens decides when to listen again."""
    script = Script()
    server = script.server()
    await server.look(memory())
    script.on("GET /v8/Events", answer)
    with pytest.raises(LookFailed) as caught:
        await server.listen("T1")
    assert caught.value.kind is kind
    assert len(script.asked("GET /v8/Events")) == 1


async def test_a_hint_is_read_by_its_id_where_the_listing_does_not_show_it_so() -> None:
    """The listing may be behind, or leave it out; one that is gone is nobody's news."""
    script = Script()
    script.on("GET /v8/JobSessions", page(row("a"), row("b", "Success")))
    script.on("GET /v8/JobSessions/a", row("a", "Failed"))
    script.on("GET /v8/JobSessions/c", row("c", "Warning"))
    hints = {"a": "Failed", "b": "Success", "c": "Warning", "d": "Failed"}
    look = await script.server().look(memory(hints=hints))
    assert {one.id: one.status for one in look.sessions} == {"a": "Failed", "b": "Success", "c": "Warning"}
    assert not look.gone
    assert not look.unreadable
    assert not script.asked("GET /v8/JobSessions/b")


@pytest.fixture
def anyio_backend() -> str:
    """Run on one backend: httpx's ASGI transport is the same on both."""
    return "asyncio"


def standing_in(world: World, faults: Faults, kinds: frozenset[JobType] = JOB_KINDS) -> Server:
    app = create_app(world, now=lambda: NOW, versions=["v8"], faults=faults)
    access = Access("vbo", "http://vbo.example", world.account.username, world.account.password)
    return Server(access, now=lambda: NOW, kinds=kinds, transport=httpx.ASGITransport(app), patience=HASTE)


async def test_the_stand_in_keeps_the_answer_back_until_something_happens() -> None:
    """And looks go on meanwhile."""
    world = World()
    server = standing_in(world, Faults())
    job = world.add_job("Mail", "contoso.example")
    await server.look(Memory(NOW))
    first = await server.listen(None)
    assert first is not None
    heard = []

    async def listen() -> None:
        heard.append(await server.listen(first.token))

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listen)
            await anyio.sleep(0.1)
            await server.look(Memory(NOW))
            assert not heard
            session = world.start(job, NOW)
            world.end(session, "Failed", NOW + timedelta(minutes=1))
    assert heard[0] is not None
    assert heard[0].statuses == {session: "Failed"}


async def test_the_stand_in_says_that_a_restore_has_changed() -> None:
    """When it begins, when it ends, and not with which status."""
    world = World()
    server = standing_in(world, Faults(), frozenset(JobType))
    await server.look(Memory(NOW))
    first = await server.listen(None)
    assert first is not None
    restore = world.begin_errand(JobType.RESTORE, NOW, Errand("Mailbox of Ann", "Vex"))
    world.begin_errand(JobType.RETRIEVAL, NOW, Errand("Mails of 2019"))
    heard = await server.listen(first.token)
    assert heard is not None
    assert heard == Heard(heard.token, {}, frozenset({restore}))
    world.end_errand(restore, "Failed", NOW)
    again = await server.listen(heard.token)
    assert again is not None
    assert again.restores == {restore}


@pytest.mark.parametrize("status", [400, 409, 410, 500])
async def test_the_stand_in_refuses_an_old_token(status: int) -> None:
    """With any status: nobody documents which."""
    world, faults = World(), Faults(Quirks(outdated_status=status))
    server = standing_in(world, faults)
    await server.look(Memory(NOW))
    heard = await server.listen(None)
    assert heard is not None
    faults.tokens_from = 10**6
    with pytest.raises(LookFailed):
        await server.listen(heard.token)


async def test_the_stand_in_may_have_no_feed() -> None:
    """As in the first builds of v8."""
    server = standing_in(World(), Faults(Quirks(events=False)))
    await server.look(Memory(NOW))
    assert await server.listen(None) is None


async def test_the_tokens_of_a_restored_server_run_back() -> None:
    """One from before the restoring is refused, and what comes from now on is heard."""
    world = World()
    server = standing_in(world, Faults())
    job = world.add_job("Mail", "contoso.example")
    world.end(world.start(job, NOW), "Failed", NOW + timedelta(minutes=1))
    await server.look(Memory(NOW))
    before = await server.listen(None)
    assert before is not None
    world.restore(NOW - timedelta(days=1))
    with pytest.raises(LookFailed) as caught:
        await server.listen(before.token)
    assert caught.value.kind is Failure.BAD_ANSWER
    assert await server.listen(None) is not None


async def test_a_server_may_answer_sooner_than_it_was_asked_to() -> None:
    """Nobody documents the longest hold."""
    world, faults = World(), Faults(Quirks(event_hold=0.05))
    server = standing_in(world, faults)
    await server.look(Memory(NOW))
    first = await server.listen(None)
    assert first is not None
    with anyio.fail_after(5):
        assert await server.listen(first.token) == Heard(first.token)
