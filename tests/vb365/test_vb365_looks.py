"""Whole looks at v5 to v8: what is asked for, and what comes of it."""

from datetime import timedelta
from random import Random
from typing import Any

import httpx
import pytest

from tests.vb365.vb365_script import NOW, Script, at, html, linked, memory, page, row, stamp
from watcher.core.model import Failure, Job, JobType, LookFailed
from watcher.vb365.server import Server


def found(look: Any) -> dict[str, str]:
    """Return status by id."""
    return {session.id: session.status for session in look.sessions}


def by_filter(**answers: Any) -> Any:
    """Answer a v8 listing by its filter: `running` or `recent`."""

    def answer(request: httpx.Request) -> Any:
        rows = answers.get("running" if "status" in request.url.params else "recent", [])
        return page(*rows[int(request.url.params["offset"]) :])

    return answer


async def settle(server: Server) -> None:
    """Take the first looks, which sweep and read names, and forget what they asked."""
    await server.look(memory())
    server.confirm()


async def test_v8_asks_what_runs_and_then_what_ended_since() -> None:
    """In this order, so that what ends in between is seen as ended; both count, each id once, the later read wins."""
    script = Script()
    server = script.server()
    await settle(server)
    script.seen.clear()
    script.on(
        "GET /v8/JobSessions", by_filter(running=[row("a"), row("b")], recent=[row("b", "Success"), row("c", "Failed")])
    )
    look = await server.look(memory())
    assert found(look) == {"a": "Running", "b": "Success", "c": "Failed"}
    assert [line for line in script.asked("GET /v8/JobSessions?") if "offset=0" in line] == [
        "GET /v8/JobSessions?status=Running&limit=1000&offset=0",
        "GET /v8/JobSessions?endTimeLowerBound=2026-03-02T05%3A30%3A00.000Z&limit=1000&offset=0",
    ]


@pytest.mark.parametrize(
    ("watermark", "skew", "bound"),
    [
        (at(5, 40), 0, at(5, 30)),
        (None, 0, at(1, 50, day=1)),
        (at(9), 0, at(5, 50)),
        (at(9), 3600, at(6, 50)),
        (at(5, 55), -3600, at(4, 50)),
    ],
)
async def test_v8_reaches_back_to_the_watermark_less_an_overlap(watermark: Any, skew: int, bound: Any) -> None:
    """Without one to the horizon, and never from the future of the server's clock."""
    script = Script()
    server = script.server()
    await settle(server)
    script.seen.clear()
    date = (NOW + timedelta(seconds=skew)).strftime("%a, %d %b %Y %H:%M:%S GMT")
    script.on("GET /v8/JobSessions", httpx.Response(200, json=page(), headers={"Date": date}))
    await server.look(memory(watermark=watermark))
    await server.look(memory(watermark=watermark))
    asked = script.asked("GET /v8/JobSessions?endTimeLowerBound=")
    assert asked[-1].startswith(f"GET /v8/JobSessions?endTimeLowerBound={bound:%Y-%m-%dT%H%%3A%M}")


@pytest.mark.parametrize(("horizon", "bound"), [(at(5, 55), at(5, 45)), (at(4), at(1, 50, day=1))])
async def test_v8_reaches_a_day_further_for_a_lookback(horizon: Any, bound: Any) -> None:
    """Veeam says both that the bound compares ends and that it compares creations."""
    script = Script()
    await script.server().look(memory(watermark=None, horizon=horizon))
    asked = script.asked("GET /v8/JobSessions?endTimeLowerBound=")
    assert asked[0].startswith(f"GET /v8/JobSessions?endTimeLowerBound={bound:%Y-%m-%dT%H%%3A%M}")


@pytest.mark.parametrize("version", ["v5", "v6", "v7", "v8"])
async def test_a_sweep_goes_back_so_far_and_no_further(version: str) -> None:
    """Through the filter where there is one, else page by page from the newest on."""
    script = Script([version])
    server = script.server()
    assert [page async for page in server.sweep(timedelta(days=7))] == []
    await settle(server)
    script.seen.clear()
    rows = history(5000)
    script.on(f"GET /{version}/JobSessions", page(*rows[:9]) if version == "v8" else paged(rows))
    pages = [page async for page in server.sweep(timedelta(days=7))]
    if version == "v8":
        assert "endTimeLowerBound=2026-02-23T06%3A00" in script.asked()[0]
        assert len(pages[0]) == 9
    else:
        assert script.asked() == [f"GET /{version}/JobSessions?limit=1000&offset={offset}" for offset in (0, 995)]
        assert sum(map(len, pages)) == 2000


async def test_a_sweep_reads_every_history() -> None:
    """Also those of jobs that did not move."""
    script = Script(["v3"])
    script.on("GET /v3/Jobs", [{"id": "j1", "lastRun": stamp(at(5)), "lastStatus": "Success"}])
    script.on("GET /v3/Jobs/j1/JobSessions", [linked("a", "Success", job="j1")])
    server = script.server()
    await settle(server)
    script.seen.clear()
    pages = [page async for page in server.sweep(timedelta(days=7))]
    assert [[one.id for one in page] for page in pages] == [["a"]]


@pytest.mark.parametrize("version", ["v5", "v6", "v7", "v8"])
async def test_a_tracked_session_that_no_listing_shows_is_read_by_its_id(version: str) -> None:
    """It is found at its end, still open, or gone; an empty listing alone ends nothing."""
    script = Script([version])
    script.on(f"GET /{version}/JobSessions/a", row("a", "Failed"))
    script.on(f"GET /{version}/JobSessions/b", row("b", "Queued"))
    look = await script.server().look(memory(open={"a": at(5), "b": at(5), "c": None}))
    assert found(look) == {"a": "Failed", "b": "Queued"}
    assert look.gone == {"c"}
    assert not look.unreadable


@pytest.mark.parametrize("version", ["v5", "v6", "v7", "v8"])
async def test_a_404_by_id_counts_only_after_listings_that_worked(version: str) -> None:
    """A look that fails says nothing of anybody."""
    script = Script([version])
    server = script.server()
    await server.greet()
    script.on(f"GET /{version}/JobSessions", 500)
    with pytest.raises(LookFailed) as caught:
        await server.look(memory(open={"c": None}))
    assert caught.value.kind is Failure.SERVER_ERROR
    assert not script.asked(f"GET /{version}/JobSessions/c")


@pytest.mark.parametrize("answer", [html(), httpx.Response(200), {"results": None}, 403, httpx.ReadTimeout("hang")])
async def test_a_listing_of_no_sense_gives_the_look_up(answer: Any) -> None:
    """Nothing of it is used, and the next look catches up."""
    script = Script()
    server = script.server()
    await settle(server)
    script.on("GET /v8/JobSessions", by_filter(running=[row("a")])({"x": 1}) if answer is None else answer)
    with pytest.raises(LookFailed):
        await server.look(memory())
    script.on("GET /v8/JobSessions", by_filter(recent=[row("a", "Failed")]))
    assert found(await server.look(memory())) == {"a": "Failed"}


def history(count: int, *, every: int = 60, first: int = 30) -> list[dict[str, Any]]:
    """Return ended sessions, newest first: one each `every` minutes back from 05:`first`, each of 10 minutes."""
    rows = []
    for number in range(count):
        created = at(5, first) - timedelta(minutes=every * number)
        times = {"creationTime": stamp(created), "endTime": stamp(created + timedelta(minutes=10))}
        rows.append(linked(f"s{number}", "Success", **times))
    return rows


def paged(rows: list[dict[str, Any]]) -> Any:
    """Serve rows in pages."""

    def answer(request: httpx.Request) -> Any:
        limit, offset = int(request.url.params["limit"]), int(request.url.params.get("offset", "0"))
        return page(*rows[offset : offset + limit], limit=limit)

    return answer


@pytest.mark.parametrize("version", ["v5", "v6", "v7"])
async def test_newest_pages_are_read_until_one_is_over_and_old(version: str) -> None:
    """A short page does for a usual look over a long history: its last rows are old, and it is in order."""
    script = Script([version])
    script.on(f"GET /{version}/JobSessions", paged(history(5000)))
    server = script.server()
    await settle(server)
    script.seen.clear()
    look = await server.look(memory())
    assert script.asked("GET") == [
        f"GET /{version}/JobSessions?limit=100&offset=0",
    ]
    assert len(look.sessions) == 100


@pytest.mark.parametrize("place", [80, 99])
async def test_an_open_session_near_the_end_of_a_page_leads_on(place: int) -> None:
    """A page counts as over only if all of its last rows are; the page after it is, here."""
    script = Script(["v7"])
    rows = history(2000)
    rows[place] = linked("open", "Running", creationTime=rows[place]["creationTime"])
    script.on("GET /v7/JobSessions", paged(rows))
    server = script.server()
    await settle(server)
    script.seen.clear()
    assert found(await server.look(memory()))["open"] == "Running"
    assert len(script.asked("GET /v7/JobSessions?")) == 2


async def test_a_session_that_ended_late_is_no_reason_to_stop() -> None:
    """Begun long ago and ended after the bound, it shows that such ends may follow."""
    script = Script(["v7"])
    rows = history(2000)
    rows[90]["endTime"] = stamp(at(5, 45))
    script.on("GET /v7/JobSessions", paged(rows))
    server = script.server()
    await settle(server)
    script.seen.clear()
    await server.look(memory())
    assert len(script.asked("GET /v7/JobSessions?")) == 2


@pytest.mark.parametrize("order", ["oldest first", "shuffled"])
async def test_a_listing_in_another_order_is_read_to_its_end(order: str) -> None:
    """No version promises newest first, and what is new may stand on the last page."""
    rows = history(450)
    rows.reverse()
    if order == "shuffled":
        Random(1).shuffle(rows)
    script = Script(["v6"])
    script.on("GET /v6/JobSessions", paged(rows))
    server = script.server()
    await settle(server)
    assert "s0" in found(await server.look(memory()))


async def test_a_listing_by_end_is_an_order_too() -> None:
    """Long sessions stand out of line by their creation, and nothing more is read for that."""
    rows = history(2000)
    rows[3]["creationTime"] = stamp(at(1))
    script = Script(["v6"])
    script.on("GET /v6/JobSessions", paged(rows))
    server = script.server()
    await settle(server)
    script.seen.clear()
    await server.look(memory())
    assert len(script.asked("GET /v6/JobSessions?")) == 1


async def test_a_recently_begun_tracked_session_is_reached_by_pages() -> None:
    """One of weeks ago is read by its id: its history in between costs more."""
    script = Script(["v6"])
    rows = history(3000)
    rows[400] = linked("near", "Running", creationTime=stamp(at(5, 30) - timedelta(hours=20)))
    script.on("GET /v6/JobSessions", paged(rows))
    script.on("GET /v6/JobSessions/far", linked("far", "Disconnected"))
    server = script.server()
    await settle(server)
    script.seen.clear()
    tracked = {"near": at(9, 30, day=1), "far": at(5) - timedelta(days=30)}
    assert "far" in found(await server.look(memory(open=tracked)))
    assert len(script.asked("GET /v6/JobSessions?")) <= 3
    assert script.asked("GET /v6/JobSessions/far")


@pytest.mark.parametrize(
    ("version", "route", "query"),
    [
        ("v5", "GET /v5/Jobs/job-9/JobSessions", "?limit=100&offset=0"),
        ("v6", "GET /v6/Jobs/job-9/JobSessions", "?limit=100&offset=0"),
        ("v7", "GET /v7/JobSessions", "?jobId=job-9&limit=100&offset=0"),
    ],
)
async def test_first_contact_finds_what_began_long_ago_and_still_runs(version: str, route: str, query: str) -> None:
    """By the jobs that are said to run and of which the newest pages show nothing open."""
    script = Script([version])
    old = history(1500, first=0)
    script.on(f"GET /{version}/JobSessions", paged(old))
    jobs = [{"id": "job-9", "lastStatus": "running"}, {"id": "job-1", "lastStatus": "Success"}]
    script.on(f"GET /{version}/Jobs", jobs)
    ancient = linked("ancient", "Running", job="job-9")
    if version == "v7":
        rest = paged(old)
        script.on(route, lambda one: page(ancient) if "jobId" in one.url.params else rest(one))
    else:
        script.on(route, page(ancient))
    server = script.server()
    look = await server.look(memory(watermark=None))
    assert found(look)["ancient"] == "Running"
    assert [line for line in script.asked(route) if "job-9" in line] == [route + query]
    script.seen.clear()
    await server.look(memory(open={"ancient": at(5)}))
    assert not [line for line in script.asked() if "job-9" in line]


@pytest.mark.parametrize("answer", [500, 404, html()])
async def test_a_job_that_cannot_be_listed_alone_costs_only_itself(answer: Any) -> None:
    """v7 may not take a copy job's id, and that would fail every first contact."""
    script = Script(["v6"])
    script.on("GET /v6/Jobs", [{"id": "job-9", "lastStatus": "Running"}])
    script.on("GET /v6/Jobs/job-9/JobSessions", answer)
    script.on("GET /v6/JobSessions", page(linked("a", "Failed")))
    assert found(await script.server().look(memory(watermark=None))) == {"a": "Failed"}


async def test_the_look_says_what_server_it_saw() -> None:
    """Installation, product and skew; each look measures the clock anew."""
    script = Script()
    script.on("GET /v8/ServiceInstance", {"installationId": "inst-1", "version": "8.4.0.1457"})
    server = script.server()
    greeting = await server.greet()
    assert (greeting.api_version, greeting.installation_id, greeting.product_version) == ("v8", "inst-1", "8.4.0.1457")
    assert greeting.skew == timedelta(0)
    script.date = False
    assert (await server.look(memory())).greeting.skew is None


@pytest.mark.parametrize("answer", [404, 500, html(), {"id": 1}, httpx.Response(200)])
async def test_a_service_instance_that_fails_is_no_failure(answer: Any) -> None:
    """The installation is then unknown, or what it was."""
    script = Script()
    script.on("GET /v8/ServiceInstance", answer)
    server = script.server()
    assert (await server.greet()).installation_id is None
    script.on("GET /v8/ServiceInstance", {"installationId": "inst-1"}, answer)
    script.clock.move(hours=2)
    assert (await server.look(memory())).greeting.installation_id == "inst-1"
    script.clock.move(hours=2)
    assert (await server.look(memory())).greeting.installation_id == "inst-1"


async def test_after_a_failed_look_the_installation_is_read_again() -> None:
    """Another server may answer after an outage."""
    script = Script()
    script.on("GET /v8/ServiceInstance", {"installationId": "inst-1"}, {"installationId": "inst-2"})
    server = script.server()
    await server.look(memory())
    await server.look(memory())
    assert len(script.asked("GET /v8/ServiceInstance")) == 1
    script.on("GET /v8/JobSessions", 403, page())
    with pytest.raises(LookFailed):
        await server.look(memory())
    assert (await server.look(memory())).greeting.installation_id == "inst-2"


async def test_the_organization_of_a_copy_job_is_that_of_its_backup_job() -> None:
    """On v6 and v7 nothing else names it."""
    script = Script(["v6"])
    backup = {"id": "b", "name": "Mail", "_links": {"organization": {"href": "/v6/organizations/o"}}}
    script.on("GET /v6/Jobs", [backup])
    script.on("GET /v6/CopyJobs", [{"id": "c", "name": "Mail copy", "backupJobId": "b"}])
    script.on("GET /v6/Organizations", [{"id": "o", "name": "contoso.example"}])
    look = await script.server().look(memory())
    assert look.jobs == {
        "b": Job("b", "Mail", organization="contoso.example"),
        "c": Job("c", "Mail copy", JobType.COPY, organization="contoso.example"),
    }


async def test_a_refused_login_in_the_middle_of_a_look_stays_refused() -> None:
    """The password is not sent a second time by whatever comes next in the look, or by a log after it."""
    script = Script()
    script.on("GET /v8/Jobs", 401)
    server = script.server()
    await server.greet()
    script.on("POST /v8/token", 400)
    with pytest.raises(LookFailed) as caught:
        await server.look(memory())
    assert caught.value.kind is Failure.LOGIN_REFUSED
    assert await server.log_lines("a") == ()
    assert len(script.forms()) == 2


@pytest.mark.parametrize(("version", "leaves"), [("v8", True), ("v7", True), ("v6", False)])
async def test_closing_logs_out_where_the_version_knows_how(version: str, leaves: bool) -> None:
    """Best effort: a server that is gone holds nothing up."""
    script = Script([version])
    script.on(f"POST /{version}/token/logout", httpx.ConnectError("gone"))
    server = script.server()
    await server.greet()
    await server.aclose()
    logouts = [one for one in script.seen if one.url.path.endswith("/logout")]
    assert bool(logouts) is leaves
    assert all(one.headers["Authorization"] == "Bearer T1" for one in logouts)
    await script.server().aclose()


async def test_disorder_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    """It makes each look a long one, so somebody should know."""
    rows = history(450)
    rows.reverse()
    script = Script(["v6"])
    script.on("GET /v6/JobSessions", paged(rows))
    server = script.server()
    for _ in range(3):
        await server.look(memory())
    assert [line for line in caplog.messages if "in no order" in line] == [
        "https://vbo.example:4443: lists its sessions in no order, so each look has to read all of them"
    ]


async def test_a_look_at_which_nothing_has_moved_is_the_one_before() -> None:
    """Its sessions are the very same, so that nobody has to compare them; whatever moves makes new ones."""
    script = Script(["v6"])
    rows = history(300)
    script.on("GET /v6/JobSessions", paged(rows))
    server = script.server()
    first, second = await server.look(memory()), await server.look(memory())
    assert second.sessions is first.sessions
    script.on("GET /v6/JobSessions/s250", linked("s250", "Failed"))
    tracked = await server.look(memory(open={"s250": at(5) - timedelta(days=9)}))
    assert found(tracked)["s250"] == "Failed"
    rows[0]["status"] = "Warning"
    assert found(await server.look(memory()))["s0"] == "Warning"
    hinted = await server.look(memory(hints={"s250": "Failed"}))
    assert found(hinted)["s250"] == "Failed"
