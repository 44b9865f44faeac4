"""Pages, filters and order of the listings."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.demo.standin_visitor import NOW, Estate, Visitor
from watcher.core.model import Status
from watcher.demo.answers import session_list
from watcher.demo.faults import Faults
from watcher.demo.listing import Desk
from watcher.demo.quirks import Bound, Echo, MainSession, OpenEnd, Order
from watcher.demo.wire import Ask, Wire
from watcher.demo.world import World


def _ids(body: Mapping[str, Any]) -> list[str]:
    return [row["id"] for row in body["results"]]


def _lengthen(world: World, job: str, count: int) -> None:
    for number in range(count):
        began = NOW - timedelta(hours=number)
        world.end(world.start(job, began), Status.SUCCESS, began + timedelta(minutes=5))


@settings(max_examples=60, deadline=None)
@given(
    version=st.integers(5, 8),
    count=st.integers(0, 70),
    limit=st.integers(1, 40),
    cap=st.none() | st.integers(1, 9),
    order=st.sampled_from(Order),
)
def test_pages_hold_every_session_exactly_once(
    version: int, count: int, limit: int, cap: int | None, order: Order
) -> None:
    """Going on at offset plus rows until no `next` is given reads each session once, in any order and page size."""
    world, faults = World(), Faults()
    _lengthen(world, world.add_job("Mail", "contoso.example"), count)
    faults.quirks.page_cap, faults.quirks.order = cap, order
    desk, read, more = Desk(world, faults), list[str](), True
    while more:
        query = {"limit": str(limit), "offset": str(len(read))}
        body = session_list(desk, Ask(Wire(version, faults.quirks), query, path="JobSessions"))
        assert body["limit"] == min(limit, cap or limit)
        read += _ids(body)
        more = "next" in body["_links"]
    assert sorted(read) == sorted(world.sessions)


async def test_a_page_holds_thirty_by_default_and_ten_thousand_at_most(visitor: Visitor, estate: Estate) -> None:
    """Without a limit 30 rows come; more than 10,000 are not given, and the answer says so."""
    _lengthen(estate.world, estate.mail, 40)
    assert (await visitor.json("/v8/JobSessions"))["limit"] == 30
    assert len((await visitor.json("/v8/JobSessions"))["results"]) == 30
    assert (await visitor.json("/v6/JobSessions", limit=1_000_000))["limit"] == 10_000


async def test_newest_come_first(visitor: Visitor, estate: Estate) -> None:
    """Sessions are listed by their creation, newest first, running and copy sessions among them."""
    ids = _ids(await visitor.json("/v8/JobSessions"))
    assert ids == [estate.running, estate.copied, estate.stopped, estate.retry, estate.main]


async def test_jobs_are_cut_at_a_page_on_v8_only(visitor: Visitor) -> None:
    """v8 lists 30 jobs, copy jobs and organizations at a time; v7 lists all of them."""
    for number in range(40):
        visitor.world.add_job(f"Job {number}", f"tenant-{number}.example")
    for resource in ("Jobs", "Organizations"):
        assert len((await visitor.json(f"/v8/{resource}"))["results"]) == 30
        assert len((await visitor.json(f"/v8/{resource}", limit=1000))["results"]) == 42
        assert len(await visitor.json(f"/v7/{resource}")) == 42


FILTERS: list[tuple[str, dict[str, str], list[str]]] = [
    ("v6", {"jobType": "Copy"}, ["copied"]),
    ("v7", {"jobType": "backup"}, ["running", "stopped", "retry", "main"]),
    ("v7", {"jobId": "{mail}"}, ["retry", "main"]),
    ("v6", {"jobId": "{mail}"}, ["running", "copied", "stopped", "retry", "main"]),
    ("v8", {"jobId": "{copy}"}, ["copied"]),
    ("v8", {"status": "Running"}, ["running"]),
    ("v8", {"status": "Succeeded"}, ["retry"]),
    ("v7", {"status": "Running"}, ["running", "copied", "stopped", "retry", "main"]),
    ("v8", {"endTimeLowerBound": "2026-03-01T22:30:00Z"}, ["copied", "stopped", "retry"]),
    ("v6", {"endTimeLowerBound": "2026-03-02T00:30:00+01:00"}, ["copied"]),
    ("v7", {"endTimeUpperBound": "2026-03-01T22:30:00"}, ["main"]),
    ("v6", {"endTimeUpperBound": "2026-03-01T22:30:00Z"}, ["running", "copied", "stopped", "retry", "main"]),
    ("v8", {"endTimeLowerBound": "2026-03-01T22:30:00.000Z", "status": "Stopped"}, ["stopped"]),
    ("v5", {"endTimeLowerBound": "2026-03-02T05:00:00Z"}, ["running", "stopped", "retry", "main"]),
]


@pytest.mark.parametrize(("version", "query", "expected"), FILTERS)
async def test_filters(
    visitor: Visitor, estate: Estate, version: str, query: dict[str, str], expected: list[str]
) -> None:
    """Each version filters by what it documents and ignores what it does not know."""
    filled = {name: value.format(**vars(estate)) for name, value in query.items()}
    assert _ids(await visitor.json(f"/{version}/JobSessions", **filled)) == [getattr(estate, name) for name in expected]


BAD_QUERIES = [
    {"status": "Success"},
    {"jobType": "Mail"},
    {"endTimeLowerBound": "now"},
    {"limit": "0"},
    {"offset": "-1"},
]


@pytest.mark.parametrize("query", BAD_QUERIES)
async def test_bad_parameters_are_refused(visitor: Visitor, query: dict[str, str]) -> None:
    """What v8 does not document as a value is a 400, `status=Success` too: the filter's word is Succeeded."""
    answer = await visitor.get("/v8/JobSessions", **query)
    assert (answer.status_code, answer.json()["errorCode"]) == (400, "ParameterValidationFailure")


@pytest.mark.parametrize(
    ("bound", "shows_open", "expected"),
    [
        (Bound.ENDED, False, ["copied", "stopped", "retry"]),
        (Bound.ENDED, True, ["running", "copied", "stopped", "retry"]),
        (Bound.CREATED, False, ["running", "copied", "stopped"]),
    ],
)
async def test_both_readings_of_the_bound(
    visitor: Visitor, estate: Estate, faults: Faults, bound: Bound, shows_open: bool, expected: list[str]
) -> None:
    """The lower bound compares ends or creations, with running sessions or without, as the switch says."""
    faults.quirks.bound, faults.quirks.bound_shows_open = bound, shows_open
    body = await visitor.json("/v8/JobSessions", endTimeLowerBound="2026-03-01T22:30:00Z")
    assert _ids(body) == [getattr(estate, name) for name in expected]


async def test_orders(visitor: Visitor, faults: Faults) -> None:
    """A listing can come oldest first or shuffled; shuffled is the same shuffle on every page."""
    newest = _ids(await visitor.json("/v8/JobSessions"))
    faults.quirks.order = Order.OLDEST
    assert _ids(await visitor.json("/v8/JobSessions")) == newest[::-1]
    faults.quirks.order = Order.SHUFFLED
    shuffled = _ids(await visitor.json("/v8/JobSessions"))
    assert shuffled not in (newest, newest[::-1])
    assert sorted(shuffled) == sorted(newest)


@pytest.mark.parametrize(
    ("echo", "expected"),
    [(Echo.TRUE, (1, 2)), (Echo.ASKED, (1, 4)), (Echo.WRONG, (14, 7_777_777)), (Echo.MISSING, (None, None))],
)
async def test_echoes(visitor: Visitor, faults: Faults, echo: Echo, expected: tuple[int | None, int | None]) -> None:
    """A page says the truth of itself, what was asked, nonsense or nothing; and it can lack its next link."""
    faults.quirks.page_cap, faults.quirks.echo, faults.quirks.next_links = 2, echo, False
    body = await visitor.json("/v8/JobSessions", limit=4, offset=1)
    assert (body.get("offset"), body.get("limit")) == expected
    assert len(body["results"]) == 2
    assert "next" not in body["_links"]


@pytest.mark.parametrize("version", ["v3", "v6", "v7", "v8"])
@pytest.mark.parametrize("shown", [None, *OpenEnd])
async def test_open_ends(visitor: Visitor, estate: Estate, faults: Faults, version: str, shown: OpenEnd | None) -> None:
    """A running session's end is missing (v3 to v6) or null (v7, v8), or what the switch says."""
    faults.quirks.open_end = shown
    body = await visitor.json(f"/{version}/JobSessions/{estate.running}")
    expected = shown or (OpenEnd.MISSING if version in {"v3", "v6"} else OpenEnd.NULL)
    end = body.get("endTime", "missing")
    assert end == (None if expected is OpenEnd.NULL else expected.value)


@pytest.mark.parametrize("shown", list(MainSession))
async def test_main_sessions(visitor: Visitor, estate: Estate, faults: Faults, shown: MainSession) -> None:
    """A retry names its main session; a main session names none, null, zero or itself."""
    faults.quirks.main_session = shown
    retry = await visitor.json(f"/v7/JobSessions/{estate.retry}")
    main = await visitor.json(f"/v7/JobSessions/{estate.main}")
    assert (retry["mainSessionId"], retry["retryCount"]) == (estate.main, 1)
    own = {MainSession.ABSENT: "absent", MainSession.NULL: None, MainSession.ZERO: shown.value}.get(shown, estate.main)
    assert main.get("mainSessionId", "absent") == own


async def test_a_late_verdict_comes_with_the_second_reading(visitor: Visitor, estate: Estate, faults: Faults) -> None:
    """`jobWillBeRetried` may be null when a session is first shown ended; then it says what it is."""
    assert (await visitor.json(f"/v8/JobSessions/{estate.running}"))["jobWillBeRetried"] is None
    faults.quirks.verdict_late = True
    first, second = [await visitor.json(f"/v8/JobSessions/{estate.main}") for _ in range(2)]
    assert (first["jobWillBeRetried"], second["jobWillBeRetried"]) == (None, True)


@pytest.mark.parametrize(("rel", "version"), [("job", "v6"), ("copyJob", "v7")])
async def test_a_copy_session_links_its_copy_job(
    visitor: Visitor, estate: Estate, faults: Faults, rel: str, version: str
) -> None:
    """A copy session's link leads to `/copyjobs/…`, by either name."""
    faults.quirks.copy_rel = rel
    body = await visitor.json(f"/{version}/JobSessions/{estate.copied}")
    assert body["_links"][rel]["href"] == f"/{version}/copyjobs/{estate.copy}"


async def test_log_can_be_chosen_and_turned_round_on_v8(visitor: Visitor, estate: Estate, faults: Faults) -> None:
    """v8 gives types and messages, by type and newest first if asked; older versions ignore that and give titles."""
    path = f"JobSessions/{estate.main}/LogItems"
    lines = (await visitor.json(f"/v8/{path}", orderAsc="false"))["results"]
    assert [(line["usn"], line["type"]) for line in lines] == [(2, "Error"), (1, "Warning")]
    errors = (await visitor.json(f"/v8/{path}", type="Error", limit=1))["results"]
    assert [line["message"] for line in errors] == ["Access is denied"]
    faults.quirks.error_prefix = "Failed"
    titles = [line["title"] for line in (await visitor.json(f"/v7/{path}", type="Error"))["results"]]
    assert titles == ["[Warning] Mailbox was skipped", "[Failed] Access is denied"]


async def test_etags_rise_with_every_change(visitor: Visitor, estate: Estate) -> None:
    """A session's eTag on v8 is higher after a change, and the same without one."""

    async def etag() -> int:
        return int((await visitor.json(f"/v8/JobSessions/{estate.running}"))["eTag"])

    seen = [await etag(), await etag()]
    estate.world.progress(estate.running, 9)
    seen.append(await etag())
    estate.world.end(estate.running, Status.SUCCESS, NOW)
    seen.append(await etag())
    assert seen[0] == seen[1]
    assert all(a < b for a, b in pairwise(seen[1:]))
