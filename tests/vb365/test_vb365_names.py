"""Names: when they are read, and that they never cost a look."""

import logging
from typing import Any

import httpx
import pytest

from tests.vb365.vb365_script import Script, html, memory, page, row
from watcher.vb365.server import Server

JOBS = "GET /v8/Jobs"


def named() -> Script:
    """Return a server with one job of one organization."""
    script = Script()
    script.on(JOBS, page({"id": "job-1", "name": "Mail", "organizationId": "o-1"}))
    script.on("GET /v8/CopyJobs", page())
    script.on("GET /v8/Organizations", page({"id": "o-1", "name": "contoso.example"}))
    return script


async def seen_jobs(server: Server) -> dict[str, str | None]:
    """Return organization by job of a look."""
    return {key: job.organization for key, job in (await server.look(memory())).jobs.items()}


def reads(script: Script) -> int:
    """Return how often the names were read since the last call."""
    count = len([line for line in script.asked(JOBS) if "offset=0" in line])
    script.seen.clear()
    return count


async def test_names_are_read_at_the_first_look_and_hourly() -> None:
    """Other looks know them already."""
    script = named()
    server = script.server()
    counts = []
    for minutes in (0, 30, 31, 1):
        script.clock.move(minutes=minutes)
        assert await seen_jobs(server) == {"job-1": "contoso.example"}
        counts.append(reads(script))
    assert counts == [1, 0, 1, 0]


async def test_a_job_that_was_made_a_moment_ago_is_known_by_its_name() -> None:
    """Its first end may come seconds after the names were read; people do not know their jobs by ids."""
    script = named()
    server = script.server()
    await server.look(memory())
    for number in (2, 3):
        script.on(JOBS, page({"id": "job-1"}, *({"id": f"job-{made}"} for made in range(2, number + 1))))
        script.on("GET /v8/JobSessions", page(row("a", job=f"job-{number}")))
        script.clock.move(seconds=1)
        assert f"job-{number}" in await seen_jobs(server)


async def test_a_job_that_stays_unknown_is_asked_for_once() -> None:
    """Sessions outlive their jobs: no look may pay for that, also where two of them take turns."""
    script = named()
    server = script.server()
    await server.look(memory())
    reads(script)
    counts = []
    for job in ("job-2", "job-2", "job-3", "job-2", "job-3"):
        script.on("GET /v8/JobSessions", page(row("a", job=job)))
        script.clock.move(seconds=60)
        await server.look(memory())
        counts.append(reads(script))
    assert counts == [1, 0, 1, 0, 0]


async def test_names_that_fail_are_left_alone_for_a_minute() -> None:
    """Whatever jobs are unknown meanwhile."""
    script = named()
    server = script.server()
    script.on(JOBS, 500)
    script.on("GET /v8/JobSessions", page(row("a", job="job-2")))
    counts = []
    for seconds in (0, 5, 50, 5):
        script.clock.move(seconds=seconds)
        await server.look(memory())
        counts.append(min(reads(script), 1))
    assert counts == [1, 0, 0, 1]


@pytest.mark.parametrize("answer", [404, 403, 500, html(), httpx.Response(200), httpx.ReadTimeout("hang"), page(7, {})])
async def test_names_that_fail_never_fail_the_look(answer: Any) -> None:
    """The session counts; its job is then known by its id alone."""
    script = named()
    script.on(JOBS, answer)
    script.on("GET /v8/JobSessions", page(row("a")))
    look = await script.server().look(memory())
    assert [one.id for one in look.sessions] == ["a"]
    assert not look.jobs


async def test_the_last_good_names_are_kept_and_the_failure_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """They are tried again a minute later, each part by itself."""
    script = named()
    server = script.server()
    await server.look(memory())
    script.on(JOBS, 403)
    script.on("GET /v8/Organizations", page({"id": "o-1", "name": "renamed.example"}))
    with caplog.at_level(logging.WARNING, "watcher.vb365.names"):
        for minutes in (61, 2, 2):
            script.clock.move(minutes=minutes)
            assert await seen_jobs(server) == {"job-1": "renamed.example"}
    assert [record.getMessage() for record in caplog.records if "/v8/Jobs" in record.getMessage()] == [
        "GET https://vbo.example:4443/v8/Jobs: answered 403 Forbidden, after a login that was accepted; "
        "names stay as they were last read"
    ]
    script.on(JOBS, page({"id": "job-1"}))
    script.clock.move(minutes=2)
    assert await seen_jobs(server) == {"job-1": None}


async def test_the_default_page_cuts_nobody_off() -> None:
    """v8 made pages of 30 out of what were arrays."""
    script = named()

    def answer(request: httpx.Request) -> Any:
        offset = int(request.url.params.get("offset", "0"))
        rows = [{"id": f"job-{number}"} for number in range(75)][offset : offset + 30]
        return page(*rows, limit=30)

    script.on(JOBS, answer)
    assert len(await seen_jobs(script.server())) == 75


async def test_each_job_is_kept_once_and_follows_its_organization() -> None:
    """Its row and the mapping share it, also where it has moved, or its organization has another name or none."""
    script = named()
    server = script.server()
    given: list[str | None] = []
    for job, organization in (
        ({"id": "job-1", "organizationId": "o-1"}, {"id": "o-1", "name": "contoso.example"}),
        ({"id": "job-1", "organizationId": "o-1"}, {"id": "o-1", "name": "fabrikam.example"}),
        ({"id": "job-1", "organizationId": "o-2"}, {"id": "o-1", "name": "fabrikam.example"}),
    ):
        script.on(JOBS, page(job))
        script.on("GET /v8/Organizations", page(organization))
        script.clock.move(minutes=61)
        given.append((await seen_jobs(server))["job-1"])
        assert server._names._jobs.rows[-1].job is server._names.jobs()["job-1"]
    assert given == ["contoso.example", "fabrikam.example", None]


async def test_only_what_each_look_asks_for_is_kept_as_it_came() -> None:
    """Jobs and organizations are read once an hour, and their answers can be large."""
    script = named()
    script.on("GET /v8/JobSessions", page(row("a", job="job-1")))
    server = script.server()
    await server.look(memory())
    api = server._api
    assert api is not None
    assert {name.partition("?")[0] for name in api.firsts} == {"JobSessions"}
    assert server._names.jobs().keys() == {"job-1"}
