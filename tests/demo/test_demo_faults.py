"""Each fault does what it says, over real sockets where the socket is the point."""

import contextlib
import time
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from tests.demo.standin_visitor import NOW, Estate, Visitor
from watcher.core.model import Status
from watcher.demo.faults import BadRow, Faults
from watcher.demo.server import create_app
from watcher.web.serve import serving

PATH = "/v8/JobSessions"


@pytest.fixture
def caller(estate: Estate, faults: Faults) -> Iterator[httpx.Client]:
    """A client that is logged in over a real socket."""
    app = create_app(estate.world, now=lambda: NOW, faults=faults)
    account = estate.world.account
    form = {"username": account.username, "password": account.password, "disable_antiforgery_token": "true"}
    with serving(app, date_header=False) as url, httpx.Client(base_url=url, trust_env=False, timeout=5) as client:
        token = client.post("/v8/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


async def test_fail_answers_with_a_status_and_retry_after(visitor: Visitor, faults: Faults) -> None:
    """The next two requests that match fail as told, after the first was let through; then all is well."""
    faults.fail(503, path="jobsessions$", times=2, skip=1, retry_after="7", body=b"busy")
    answers = [await visitor.get(path) for path in (PATH, "/v8/Jobs", PATH, "/v8/Jobs", PATH, PATH)]
    assert [answer.status_code for answer in answers] == [200, 200, 503, 200, 503, 200]
    assert (answers[2].headers["Retry-After"], answers[2].content) == ("7", b"busy")


async def test_a_fault_without_end_lasts_until_it_is_cleared(visitor: Visitor, faults: Faults) -> None:
    """`times=None` goes on and on; `clear` ends it. The token endpoint can be broken like any other."""
    faults.fail(500, path="/token$", times=None)
    assert [(await visitor.login()).status_code for _ in range(3)] == [500, 500, 500]
    faults.clear()
    assert (await visitor.login()).status_code == 200


async def test_html_empty_and_nonsense(visitor: Visitor, faults: Faults) -> None:
    """A 200 can be a web page, nothing at all, or JSON without sense."""
    await visitor.json(PATH)
    faults.html(path=PATH)
    faults.empty(path=PATH)
    faults.nonsense(path=PATH, times=20)
    page, empty = [await visitor.get(PATH) for _ in range(2)]
    assert (page.status_code, page.headers["Content-Type"], page.text[:9]) == (200, "text/html", "<!DOCTYPE")
    assert (empty.status_code, empty.content) == (200, b"")
    sayings = {(await visitor.get(PATH)).text for _ in range(20)}
    assert len(sayings) > 3
    assert (await visitor.json(PATH))["results"]


def test_truncated_answer_promises_more_than_it_sends(
    caller: httpx.Client, faults: Faults, caplog: pytest.LogCaptureFixture
) -> None:
    """Half of the promised bytes come, then the connection closes; the next answer is whole. The server is quiet."""
    whole = caller.get(PATH).content
    faults.truncate(path=PATH)
    half, all_of_it = len(whole) // 2, len(whole)
    with pytest.raises(httpx.RemoteProtocolError, match=rf"received {half} bytes, expected {all_of_it}"):
        caller.get(PATH)
    assert caller.get(PATH).content == whole
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


def test_reset_breaks_the_connection(caller: httpx.Client, faults: Faults, caplog: pytest.LogCaptureFixture) -> None:
    """No answer comes, the connection is reset; the next request is answered, and the server logs no complaint."""
    faults.reset(path=PATH)
    with pytest.raises(httpx.ReadError, match="reset"):
        caller.get(PATH)
    assert caller.get(PATH).status_code == 200
    assert not [record for record in caplog.records if record.name.startswith("uvicorn")]


def test_hang_is_silent_and_then_answers(caller: httpx.Client, faults: Faults) -> None:
    """A hang outlasts an impatient client; a patient one gets the true answer after it."""
    faults.hang(30, path=PATH)
    with pytest.raises(httpx.ReadTimeout):
        caller.get(PATH, timeout=0.2)
    faults.hang(0.3, path=PATH)
    begun = time.monotonic()
    assert caller.get(PATH).json()["results"]
    assert time.monotonic() - begun >= 0.3


def test_hang_does_not_keep_the_server_from_stopping(estate: Estate, faults: Faults) -> None:
    """A server stops at once though a request hangs whose client has gone."""
    faults.hang(30)
    begun = time.monotonic()
    with (
        serving(create_app(estate.world, now=lambda: NOW, faults=faults)) as url,
        contextlib.suppress(httpx.ReadTimeout),
    ):
        httpx.get(f"{url}/v8/Health", timeout=0.2, trust_env=False)
    assert time.monotonic() - begun < 2


def test_drip_sends_the_answer_in_pieces(caller: httpx.Client, faults: Faults) -> None:
    """A slow answer comes whole, in many pieces, and takes its time."""
    whole = caller.get(PATH).content
    faults.drip(0.4, path=PATH)
    begun = time.monotonic()
    with caller.stream("GET", PATH) as answer:
        pieces = list(answer.iter_raw())
    assert b"".join(pieces) == whole
    assert len(pieces) > 5
    assert time.monotonic() - begun >= 0.3


async def test_unauthorized_refuses_good_tokens(visitor: Visitor, faults: Faults) -> None:
    """Every GET can answer 401 though logins go on to work."""
    faults.unauthorized = True
    assert ((await visitor.login()).status_code, (await visitor.get(PATH)).status_code) == (200, 401)


@pytest.mark.parametrize("bad_by_id", [False, True])
async def test_bad_row(visitor: Visitor, estate: Estate, faults: Faults, bad_by_id: bool) -> None:
    """One session's row is spoilt in listings, and by its id as well or not; the others are as they were."""
    row = {"id": estate.main, "creationTime": "soon", "status": 3}
    faults.bad_rows[estate.main] = BadRow(row, bad_by_id=bad_by_id)
    rows = (await visitor.json(PATH))["results"]
    assert rows[-1] == row
    assert [other["id"] for other in rows[:-1]] == [estate.running, estate.copied, estate.stopped, estate.retry]
    by_id = await visitor.json(f"{PATH}/{estate.main}")
    assert (by_id == row) == bad_by_id


async def test_stray_rows_stand_before_the_sessions(visitor: Visitor, faults: Faults) -> None:
    """A listing can hold rows that are no sessions; they count as rows of the page."""
    faults.stray_rows = [None, {"status": "Failed"}]
    rows = (await visitor.json(PATH, limit=3))["results"]
    assert rows[:2] == [None, {"status": "Failed"}]
    assert len(rows) == 3


async def test_listings_can_be_short_or_empty(visitor: Visitor, estate: Estate, faults: Faults) -> None:
    """A share of the sessions, always the same, or all of them can be missing from listings; by id they are there."""
    for number in range(60):
        estate.world.start(estate.mail, NOW + timedelta(seconds=number))
    faults.drop_share = 0.5
    first, second = [[row["id"] for row in (await visitor.json(PATH, limit=1000))["results"]] for _ in range(2)]
    assert first == second
    assert 15 < len(first) < 50
    missing = next(iter(set(estate.world.sessions) - set(first)))
    assert (await visitor.json(f"{PATH}/{missing}"))["id"] == missing
    faults.empty_listings = True
    assert (await visitor.json(PATH))["results"] == []


async def test_jobs_can_lag_behind(visitor: Visitor, estate: Estate, faults: Faults) -> None:
    """`/Jobs` can go on showing an old snapshot while the sessions move on."""
    faults.jobs_as_of = dict(estate.world.jobs)
    estate.world.end(estate.running, Status.FAILED, NOW)
    (_, hourly) = await visitor.json("/v4/Jobs")
    assert hourly["lastStatus"] == "Running"
    faults.jobs_as_of = None
    assert (await visitor.json("/v4/Jobs"))[1]["lastStatus"] == "Failed"


def test_the_date_is_the_servers_own(caller: httpx.Client, faults: Faults) -> None:
    """Answers carry one Date by the server's clock, skewed on command or missing."""
    date = caller.get(PATH).headers.get_list("Date")
    assert [parsedate_to_datetime(one) for one in date] == [NOW]
    faults.clock_skew = timedelta(hours=-3)
    assert parsedate_to_datetime(caller.get(PATH).headers["Date"]) == NOW - timedelta(hours=3)
    faults.date_header = False
    assert "Date" not in caller.get(PATH).headers


async def test_service_instance_can_be_missing_or_early(visitor: Visitor, faults: Faults) -> None:
    """ServiceInstance may be missing on v8, and be there on v5."""
    faults.quirks.service_instance = False
    assert (await visitor.get("/v8/ServiceInstance")).status_code == 404
    faults.quirks.service_instance = True
    assert (await visitor.json("/v5/ServiceInstance"))["installationId"] == visitor.world.installation_id


async def test_health_can_be_a_503(visitor: Visitor, estate: Estate, faults: Faults) -> None:
    """An unhealthy server answers 200 or, by the switch, 503 with the same body."""
    faults.quirks.health_status = 503
    assert (await visitor.get("/v8/Health")).status_code == 200
    estate.world.unhealthy = {"nats": "connection refused"}
    answer = await visitor.get("/v8/Health")
    assert (answer.status_code, answer.json()["entries"]["nats"]["description"]) == (503, "connection refused")


async def test_without_a_socket_a_break_is_an_exception(visitor: Visitor, faults: Faults) -> None:
    """In one process there is no connection to break: the caller gets the error that a socket would have made."""
    await visitor.json(PATH)
    faults.reset(path=PATH)
    faults.truncate(path=PATH)
    with pytest.raises(ConnectionResetError):
        await visitor.get(PATH)
    with pytest.raises(ConnectionAbortedError):
        await visitor.get(PATH)
