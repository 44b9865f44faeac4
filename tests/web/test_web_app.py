"""Every route, over HTTP but without a socket."""

import json
import re
from dataclasses import replace
from datetime import timedelta

import anyio
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.web.web_samples import (
    KEPT,
    NOW,
    ROUTES,
    ScriptedReader,
    Site,
    ago,
    channel,
    delivery,
    overview,
    row,
    run,
    server,
    session,
    status,
    telling,
)
from watcher.core.board import Asked, JobCard
from watcher.core.delivery import State
from watcher.core.jsonview import document
from watcher.core.views import ChannelView, SessionView
from watcher.web import reading as reading_module

READING = [route for route in ROUTES if route not in KEPT]


class LockedError(Exception):
    """Speaks as the store's own errors do."""

    passing = True


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.mark.parametrize("path", ROUTES)
async def test_every_route_answers_with_the_safe_headers(path: str) -> None:
    """Each route is there, and no answer goes without the headers that keep a browser on a short leash."""
    answer = await Site().ask(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == ("max-age=86400" if path in KEPT else "no-store")


@pytest.mark.parametrize("path", ROUTES)
async def test_head_works_and_nothing_else_does(path: str) -> None:
    """HEAD is GET without the body; every other method is refused with the ones that work."""
    head, get = await Site().ask(path, "HEAD"), await Site().ask(path)
    assert head.status_code == 200
    assert head.headers["content-type"] == get.headers["content-type"]
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        answer = await Site().ask(path, method)
        assert answer.status_code == 405
        assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
        assert answer.json() == {"error": "only GET and HEAD are served here"}


@pytest.mark.parametrize("path", ["/nothing", "/api", "/api/", "/healthz/", "/%00", "/style.css%2f.."])
async def test_an_unknown_path_is_not_found(path: str) -> None:
    """What is not there is 404 as JSON, without a redirect."""
    answer = await Site().ask(path)
    assert answer.status_code == 404
    assert answer.json() == {"error": "Not Found"}


async def test_pages_ask_for_what_the_address_says() -> None:
    """The page is HTML in UTF-8; search and page number reach the reader, bounded, and nonsense is page one."""
    site = Site(ScriptedReader(jobs=[row("Büro")]))
    answer = await site.ask("/?q=mail&page=2")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert site.reader.asked == [("overview", Asked("mail", 2))]
    for odd in ("page=0x2", "page=-1", "page=", "page=99999999"):
        await site.ask(f"/?{odd}")
    await site.ask("/?q=" + "x" * 5000)
    assert site.reader.asked[1:5] == [("overview", Asked("", 1))] * 4
    assert site.reader.asked[5] == ("overview", Asked("x" * 200, 1))
    assert "Büro" in (await site.ask("/")).text


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/jobs/HQ/j1", ("HQ", "j1")),
        ("/jobs/A%2FB/j1", ("A/B", "j1")),
        ("/jobs/Gr%C3%BCn%20%3F/j%25", ("Grün ?", "j%")),
    ],
)
async def test_a_job_has_its_own_address(path: str, names: tuple[str, str]) -> None:
    """Percent-encoded, whatever its server is called."""
    site = Site()
    assert (await site.ask(path)).status_code == 200
    assert site.reader.asked == [("sheet", *names)]


async def test_a_job_that_is_not_there_is_a_page_that_says_so() -> None:
    """And the way back leads to the first page."""
    answer = await Site(ScriptedReader(of_job=None)).ask("/jobs/HQ/nothing")
    assert answer.status_code == 404
    assert "there is no such job" in answer.text
    assert 'href="../../"' in answer.text


async def test_page_links_to_the_style_sheet_that_is_served() -> None:
    """The address of the style sheet in the page leads to it."""
    page = await Site().ask("/")
    link = re.search(r'rel="stylesheet" href="([^"]+)"', page.text)
    assert link
    sheet = await Site().ask("/" + link[1])
    assert sheet.status_code == 200
    assert sheet.headers["content-type"] == "text/css; charset=utf-8"
    assert "prefers-color-scheme: dark" in sheet.text
    assert "url(" not in sheet.text


async def test_page_classes_all_have_their_style() -> None:
    """No state is drawn with a class that the style sheet does not know."""
    words = ("Success", "Warning", "Failed", "Running", "Stopped", "Odd")
    runs = tuple(run(number, status=word) for number, word in enumerate(words))
    seen = overview(row(), latest=(telling(),), dead=(telling(state=State.DEAD),))
    view = replace(seen, cards=(JobCard(row(running=runs[3]), runs),))
    pages = [(await Site(ScriptedReader(view=view)).ask(path)).text for path in ("/", "/jobs/HQ/j1", "/nothing")]
    sheet = (await Site().ask("/style.css")).text
    drawn = {word for classes in re.findall(r'class="([^"]+)"', "".join(pages)) for word in classes.split()}
    assert {"good", "warn", "bad", "busy", "idle", "odd"} <= drawn
    assert [word for word in drawn if f".{word}" not in sheet] == []


async def test_healthz_is_ok_while_nothing_is_stuck() -> None:
    """Sick servers and channels do not make the watcher itself unhealthy."""
    site = Site(ScriptedReader(status(server(reachable=False, last_error="refused"), channels=[channel(dead=3)])))
    site.health.watch("poll HQ", timedelta(seconds=90), ago(60))
    answer = await site.ask("/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_healthz_names_what_is_stuck() -> None:
    """A loop over its limit is 503, with a sentence for each; that holds while the database is out too."""
    for view in (status(), LockedError("database w.db: it is locked")):
        site = Site(ScriptedReader(view))
        site.health.watch("poll HQ", timedelta(seconds=90), ago(95))
        answer = await site.ask("/healthz")
        assert answer.status_code == 503
        assert answer.json() == {"status": "stuck", "stuck": ["poll HQ made no progress for 95 s (limit 90 s)"]}


async def test_readyz_waits_for_the_first_look_at_every_server() -> None:
    """Not ready until every server was tried once, whatever came of it."""
    site = Site()
    site.health.expect(["HQ", "Branch"])
    site.health.tried("HQ")
    answer = await site.ask("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "waiting", "untried": ["Branch"], "sick": {"servers": [], "channels": []}}
    site.health.tried("Branch")
    answer = await site.ask("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "untried": [], "sick": {"servers": [], "channels": []}}


async def test_readyz_carries_what_is_sick_though_it_is_ready() -> None:
    """A server that fails, and a channel with dead or long pending rows, stand in the body of a 200."""
    view = status(
        server("HQ", reachable=False, last_error="connection refused"),
        server("Fine"),
        server("New", reachable=None),
        channels=[channel("mail", dead=2), channel("ops", pending=3, oldest_seconds=400.0), channel("fine")],
    )
    answer = await Site(ScriptedReader(view)).ask("/readyz")
    assert answer.status_code == 200
    assert answer.json()["sick"] == {
        "servers": [{"name": "HQ", "last_error": "connection refused"}],
        "channels": [
            {"name": "mail", "pending": 0, "dead": 2, "reason": "2 dead"},
            {"name": "ops", "pending": 3, "dead": 0, "reason": "3 pending, the oldest for 400 s"},
        ],
    }


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (channel(pending=3, oldest_seconds=299.0), None),
        (channel(pending=3, oldest_seconds=300.0), "3 pending, the oldest for 300 s"),
        (channel(pending=0), None),
        (channel(gone=True), None),
        (channel(gone=True, pending=1), "1 pending, but the channel is not in the settings any more"),
        (channel(gone=True, dead=1), "1 dead"),
        (
            channel(dead=1, pending=2, sick_since=NOW, sick_reason="answered 500"),
            "failing since 2026-03-02T06:00:00Z: answered 500; 2 pending",
        ),
    ],
)
async def test_a_channel_is_sick_once_it_fails_to_deliver(one: ChannelView, reason: str | None) -> None:
    """What waits for less than five minutes is on its way; a channel that is gone and owes nothing is at rest."""
    answer = await Site(ScriptedReader(status(channels=[one]))).ask("/readyz")
    assert [sick["reason"] for sick in answer.json()["sick"]["channels"]] == ([reason] if reason else [])


async def test_metrics_are_prometheus_text() -> None:
    """The metrics say their format, can be parsed, and hold both what was counted and what the store says."""
    site = Site()
    site.metrics.look("HQ", "success", 0.3)
    answer = await site.ask("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    names = {family.name for family in text_string_to_metric_families(answer.text)}
    assert {"watcher_polls", "watcher_open_sessions"} <= names


async def test_api_status_is_the_view() -> None:
    """The status is the document that the command line prints, too."""
    view = status(server(), channels=[channel(pending=1)], pending=1, oldest=2.0)
    answer = await Site(ScriptedReader(view)).ask("/api/status")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == document(view)
    assert answer.json()["servers"][0]["last_poll"] == "2026-03-02T05:59:56Z"


async def test_api_lists_are_the_views() -> None:
    """Sessions and deliveries are lists, empty ones too."""
    rows, owed = [session(), session("s2")], [delivery()]
    site = Site(ScriptedReader(rows=rows, owed=owed))
    assert (await site.ask("/api/sessions")).json() == document(rows)
    assert (await site.ask("/api/deliveries")).json() == document(owed)
    assert (await Site().ask("/api/sessions")).json() == []


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/api/sessions", ("sessions", 1000)),
        ("/api/sessions?limit=1", ("sessions", 1)),
        ("/api/sessions?limit=10000", ("sessions", 10_000)),
        ("/api/sessions?limit=", ("sessions", 1000)),
        ("/api/deliveries", ("deliveries", None, 1000)),
        ("/api/deliveries?state=&limit=", ("deliveries", None, 1000)),
        ("/api/deliveries?state=dead&limit=7", ("deliveries", State.DEAD, 7)),
        ("/api/deliveries?state=pending", ("deliveries", State.PENDING, 1000)),
        ("/api/deliveries?state=delivered", ("deliveries", State.DELIVERED, 1000)),
    ],
)
async def test_limit_and_state_reach_the_reader(path: str, asked: tuple[object, ...]) -> None:
    """What the address asks for is what is read; an empty value is as good as none."""
    site = Site()
    assert (await site.ask(path)).status_code == 200
    assert site.reader.asked == [asked]


@pytest.mark.parametrize("limit", ["0", "-1", "10001", "1e3", "1_000", "ten", "%20", "١٢", "9" * 5000, "1.5", "0x10"])
async def test_a_bad_limit_is_one_sentence(limit: str) -> None:
    """A limit that is none is refused before the database is asked."""
    for path in ("/api/sessions", "/api/deliveries"):
        site = Site()
        answer = await site.ask(f"{path}?limit={limit}")
        assert answer.status_code == 400
        assert answer.json() == {"error": "limit must be a whole number from 1 to 10000"}
        assert site.reader.asked == []


@pytest.mark.parametrize("state", ["Dead", "gone", "pending,dead", "<script>"])
async def test_a_bad_state_is_one_sentence(state: str) -> None:
    """A state that is none is refused with the ones there are."""
    answer = await Site().ask(f"/api/deliveries?state={state}")
    assert answer.status_code == 400
    assert answer.json() == {"error": "state must be one of pending, delivered, dead"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/api/status"])
async def test_a_sentence_of_the_store_is_passed_on(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """While the database is out, every reading route is 503 with the store's own sentence, and a line in the log."""
    sentence = "database watcher.db: it is locked by another process"
    answer = await Site(ScriptedReader(LockedError(sentence))).ask(path)
    assert answer.status_code == 503
    assert answer.json() == {"status": "unavailable", "error": sentence}
    assert [record.getMessage() for record in caplog.records if record.name == "watcher.web.reading"] == [
        f"the database could not be read: LockedError: {sentence}"
    ]
    assert all(record.exc_info is None for record in caplog.records)


async def test_a_page_without_database_is_still_a_page() -> None:
    """A person gets the sentence as a page, with the same status."""
    answer = await Site(ScriptedReader(LockedError("database <w.db>: it is locked"))).ask("/")
    assert answer.status_code == 503
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "database &lt;w.db&gt;: it is locked" in answer.text


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/metrics", "/api/status"])
async def test_an_error_of_others_is_not_quoted(path: str) -> None:
    """The text of an error that is not the store's may hold anything, so only its kind is told."""
    answer = await Site(ScriptedReader(RuntimeError("postgresql://u:hunter2@db/x\nTraceback"))).ask(path)
    assert answer.status_code == 503
    assert "the database could not be read (RuntimeError); the log says more" in answer.text
    assert "hunter2" not in answer.text


async def test_a_database_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A read that does not come back is 503 after a while, not a request that hangs."""
    monkeypatch.setattr(reading_module, "READ_WITHIN", 0.05)

    class Hanging(ScriptedReader):
        async def sessions(self, limit: int) -> list[SessionView]:
            await anyio.sleep_forever()
            raise AssertionError

    answer = await Site(Hanging()).ask("/api/sessions")
    assert answer.status_code == 503
    assert answer.json()["error"] == "the database did not answer within 0.05 s"


async def test_no_traceback_and_no_secret_in_any_answer() -> None:
    """Odd text in an error column is shown as text, everywhere."""
    odd = '<b onload="x">&amp;\x1b[31m'
    view = status(server(reachable=False, last_error=odd))
    site = Site(ScriptedReader(view, owed=[delivery(last_error=odd)]))
    for path in READING:
        answer = await site.ask(path)
        assert "Traceback" not in answer.text
        assert "\x1b" not in answer.text
        if answer.headers["content-type"] == "application/json":
            json.loads(answer.text)
        else:
            assert "<b onload" not in answer.text


async def test_the_clock_is_the_one_given() -> None:
    """The page shows the time it was given, not the machine's."""
    assert f"{NOW:%H:%M:%S} +00:00" in (await Site().ask("/")).text
