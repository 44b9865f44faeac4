"""Looks at v3 and v4, whose listings are a job's whole history."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from tests.vb365.vb365_script import Script, at, html, linked, memory, stamp
from watcher.core.model import Job, Look, LookFailed, Reading, Session
from watcher.vb365.decode import UnreadableError
from watcher.vb365.history import History, Mark, needs_reading
from watcher.vb365.server import Server
from watcher.vb365.session_row import BadRow
from watcher.vb365.splitter import Splitter


def job(job_id: str, last_run: datetime | None = None, last_status: str | None = None) -> dict[str, Any]:
    """Return a row of /Jobs."""
    return {"id": job_id, "name": job_id, "lastRun": last_run and stamp(last_run), "lastStatus": last_status}


def two_jobs(version: str = "v3") -> Script:
    """Return a server with two jobs, each with one run that ended."""
    script = Script([version])
    script.on(f"GET /{version}/Jobs", [job("j1", at(5), "Failed"), job("j2", at(5), "Success")])
    script.on(f"GET /{version}/Jobs/j1/JobSessions", [linked("a", "Failed", job="j1")])
    script.on(f"GET /{version}/Jobs/j2/JobSessions", [linked("b", "Success", job="j2")])
    return script


def found(look: Look) -> dict[str, str]:
    """Return status by id."""
    return {session.id: session.status for session in look.sessions}


def read(script: Script) -> list[str]:
    """Return the jobs whose histories were asked for since the last call."""
    jobs = [one.url.path.split("/")[3] for one in script.seen if one.url.path.endswith("/JobSessions")]
    script.seen.clear()
    return jobs


async def settled(script: Script) -> Server:
    """Return a server after a look that is stored."""
    server = script.server()
    await server.look(memory())
    server.confirm()
    script.seen.clear()
    return server


@pytest.mark.parametrize("version", ["v3", "v4"])
async def test_the_first_look_reads_every_job(version: str) -> None:
    """What was remembered by an earlier process is not known."""
    script = two_jobs(version)
    look = await script.server().look(memory())
    assert found(look) == {"a": "Failed", "b": "Success"}
    assert look.greeting.api_version == version
    assert set(look.jobs) == {"j1", "j2"}
    assert not [line for line in script.asked() if "limit" in line and "Organizations" not in line]


async def test_a_job_that_did_not_move_is_not_read_again() -> None:
    """Its history is long, and /Jobs says that nothing happened."""
    script = two_jobs()
    server = await settled(script)
    look = await server.look(memory())
    assert read(script) == []
    assert found(look) == {}


async def test_a_look_that_was_not_stored_is_read_again() -> None:
    """Marks move by `confirm` only."""
    script = two_jobs()
    server = script.server()
    await server.look(memory())
    read(script)
    await server.look(memory())
    assert read(script) == ["j1", "j2"]


@pytest.mark.parametrize("moved", [job("j2", at(5, 45), "Success"), job("j2", at(5), "Running")])
async def test_a_job_that_moved_is_read(moved: dict[str, Any]) -> None:
    """A new run or another status: either is enough."""
    script = two_jobs()
    server = await settled(script)
    script.on("GET /v3/Jobs", [job("j1", at(5), "Failed"), moved])
    await server.look(memory())
    assert read(script) == ["j2"]


async def test_an_open_session_is_read_until_it_ends() -> None:
    """/Jobs may show its end late, or never."""
    script = two_jobs()
    script.on("GET /v3/Jobs", [job("j1", at(5), "Failed"), job("j2", at(5), "Running")])
    script.on("GET /v3/Jobs/j2/JobSessions", [linked("b", job="j2")], [linked("b", "Success", job="j2")])
    server = await settled(script)
    look = await server.look(memory(open={"b": at(5)}))
    assert (read(script), found(look)) == (["j2"], {"b": "Success"})


async def test_jobs_that_do_not_keep_up_are_read_every_time() -> None:
    """A list that never changes explains nothing, and may hide a run."""
    script = two_jobs()
    script.on("GET /v3/Jobs", [job("j1", at(5), "Failed"), job("j2", at(2), "Failed")])
    server = await settled(script)
    for _ in range(2):
        await server.look(memory())
        server.confirm()
        assert read(script) == ["j2"]


async def test_a_job_deleted_between_the_two_requests_costs_nothing() -> None:
    """Its 404 is no word on the version."""
    script = two_jobs()
    script.on("GET /v3/Jobs/j2/JobSessions", 404)
    assert found(await script.server().look(memory())) == {"a": "Failed"}


async def test_a_tracked_session_of_a_deleted_job_is_read_by_its_id() -> None:
    """Nothing else shows it."""
    script = two_jobs()
    script.on("GET /v3/JobSessions/c", linked("c", "Stopped", job="j3"))
    look = await script.server().look(memory(open={"c": at(4), "d": None}))
    assert found(look)["c"] == "Stopped"
    assert look.gone == {"d"}


SEEN = Session("s", "Failed", "j", created=at(5), ended=at(5, 30))
LISTED = Job("j", "j", last_run=at(5), last_status="Failed")
MARK = Mark(at(5), "Failed", SEEN, frozenset())


@pytest.mark.parametrize(
    ("listed", "mark", "needed"),
    [
        (LISTED, MARK, False),
        (replace(LISTED, last_run=at(4, 58)), replace(MARK, last_run=at(4, 58)), False),
        (replace(LISTED, last_run=at(4, 57)), replace(MARK, last_run=at(4, 57)), True),
        (replace(LISTED, last_run=at(5, 32)), replace(MARK, last_run=at(5, 32)), False),
        (replace(LISTED, last_run=at(5, 33)), replace(MARK, last_run=at(5, 33)), True),
        (replace(LISTED, last_status="Warning"), MARK, True),
        (replace(LISTED, last_status="Warning"), replace(MARK, last_status="Warning"), True),
        (replace(LISTED, last_run=None), replace(MARK, last_run=None), True),
        (LISTED, replace(MARK, newest=replace(SEEN, created=None)), True),
        (LISTED, replace(MARK, open=frozenset({"o"})), True),
        (Job("j", "j"), Mark(None, None, None, frozenset()), True),
        (LISTED, replace(MARK, newest=None), True),
    ],
)
def test_a_history_is_read_unless_everything_is_explained(listed: Job, mark: Mark, needed: bool) -> None:
    """The newest run is the one of which /Jobs speaks, within two minutes, and it is over."""
    assert needs_reading(listed, mark) is needed


def wire(session: Session) -> dict[str, Any]:
    """Return a session as v3 lists it."""
    times = {"creationTime": session.created, "endTime": session.ended}
    return {"id": session.id, "status": session.status} | {key: stamp(time) for key, time in times.items() if time}


def streamed(rows: list[Any], chunk: int = 1000) -> History:
    """Read a history that comes in chunks."""
    history = History({"old-90"}, at(4))
    body = json.dumps(rows, indent=1).encode()
    for start in range(0, len(body), chunk):
        history.feed(body[start : start + chunk])
    history.end()
    return history


@pytest.mark.parametrize("order", [1, -1])
def test_a_long_history_is_cut_to_what_may_matter(order: int) -> None:
    """Open, tracked, recent, the newest twenty, and what cannot be read; the rest ended before the look's reach."""
    old = [
        Session(
            f"old-{number}", "Success", created=at(3) - timedelta(hours=number), ended=at(3) - timedelta(hours=number)
        )
        for number in range(100)
    ]
    recent = Session("recent", "Success", created=at(3), ended=at(4, 30))
    still = Session("still", "Running", created=at(1, day=1))
    vague = Session("vague", "Success")
    rows = [*(wire(one) for one in [*old, recent, still, vague][::order]), {"id": "bad"}, 7]
    history = streamed(rows)
    assert history.read == 105
    names = {row.id for row in history.rows}
    assert names == {*(f"old-{number}" for number in range(20)), "old-90", "recent", "still", "vague", "bad", None}
    assert sum(isinstance(row, BadRow) for row in history.rows) == 2


@pytest.mark.parametrize("chunk", [100, 4096, 1_000_000])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_long_array_is_cut_into_its_rows(chunk: int, indent: int | None) -> None:
    """However it comes in and is laid out; texts that look like the end of a row, and rows in rows, do not cut it."""
    nasty = ['"},{"', "},{", "\\", '\\"},', "],[{", "\u007d,\u007b", ""]
    rows = [
        {"id": str(number), "details": nasty[number % 7] * 9, "more": [{"a": [{}, {}]}, {"b": nasty[number % 5]}]}
        for number in range(6000)
    ]
    body = b" \n" + json.dumps([*rows[:3000], None, 7, "},{", *rows[3000:]], indent=indent).encode() + b" "
    splitter, pieces = Splitter(), []
    for start in range(0, len(body), chunk):
        pieces += list(splitter.feed(body[start : start + chunk]))
    pieces.append(splitter.end())
    found = [msgspec.json.decode(raw) for piece in pieces for raw in piece]
    assert found == [*rows[:3000], None, 7, "},{", *rows[3000:]]
    assert len(pieces) >= 2


@pytest.mark.parametrize("cut", [1, 2, 300_000, 500_000])
def test_half_an_array_is_none(cut: int) -> None:
    """Its rows are not believed: the history was not read."""
    body = json.dumps([wire(SEEN) | {"id": str(number)} for number in range(5000)]).encode()
    history = History((), at(4))
    history.feed(body[:-cut])
    with pytest.raises(UnreadableError):
        history.end()


async def test_a_history_that_breaks_off_is_read_anew() -> None:
    """Each try begins with nothing, so no row comes twice and none is missing."""
    script = two_jobs()
    script.on("GET /v3/Jobs/j2/JobSessions", httpx.ReadError("gone"), 500, [linked("b", "Success", job="j2")])
    assert found(await script.server().look(memory())) == {"a": "Failed", "b": "Success"}


@pytest.mark.parametrize("answer", [html(), httpx.Response(200), {"x": 1}])
async def test_a_history_of_no_sense_gives_the_look_up(answer: Any) -> None:
    """The next look reads it again."""
    script = two_jobs()
    script.on("GET /v3/Jobs/j2/JobSessions", answer)
    with pytest.raises(LookFailed):
        await script.server().look(memory())


async def test_how_far_a_long_reading_is() -> None:
    """While it lasts: jobs done, and sessions read."""
    script = two_jobs()
    row = wire(SEEN) | {"details": "x" * 1000}
    script.on("GET /v3/Jobs/j2/JobSessions", [row | {"id": str(number)} for number in range(1000)])
    server = script.server()
    told: list[Reading | None] = []

    class Telling(type(server)):  # type: ignore[misc]  # the class of what it watches
        reading = property(lambda _: None, lambda _, reading: told.append(reading))

    server.__class__ = Telling
    await server.look(memory())
    assert told[-1] is None
    read = [one for one in told if one is not None]
    assert {(one.done, one.jobs) for one in read} == {(1, 2)}
    assert [one.sessions for one in read] == sorted(one.sessions for one in read)
    assert read[-1].sessions > 900
