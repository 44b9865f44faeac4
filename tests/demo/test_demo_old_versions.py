"""v3, v4 and v5, which have no OpenAPI file: their shapes as the manuals' pages and samples print them."""

import re
from typing import Any

import pytest

from tests.demo.standin_visitor import NOW, Estate, Visitor, visiting
from watcher.demo.faults import Faults
from watcher.demo.quirks import LogShape
from watcher.demo.server import create_app

SESSION = {"id", "creationTime", "endTime", "progress", "status", "statistics", "_links"}
STATISTICS = {
    "processingRateBytesPS": int,
    "processingRateItemsPS": int,
    "readRateBytesPS": int,
    "writeRateBytesPS": int,
    "transferredDataBytes": int,
    "processedObjects": int,
    "bottleneck": str,
}
JOB = {
    "id",
    "name",
    "description",
    "lastRun",
    "nextRun",
    "isEnabled",
    "backupType",
    "lastStatus",
    "schedulePolicy",
    "_links",
}
POLICY = {"backupWindowEnabled", "type", "dailyType", "dailyTime", "retryEnabled", "retryNumber", "retryWaitInterval"}
SEVEN_DIGITS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")
LOG_LINK = {"v3": "log", "v4": "logitems", "v5": "logitems"}


def _rows(body: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = body["results"] if isinstance(body, dict) else body
    return rows


@pytest.mark.parametrize("version", ["v3", "v4", "v5"])
async def test_session_has_the_fields_of_the_manual(visitor: Visitor, estate: Estate, version: str) -> None:
    """A session has the manual's seven fields and no later one; numbers are numbers, times have seven digits."""
    rows = {row["id"]: row for row in _rows(await visitor.json(f"/{version}/Jobs/{estate.mail}/JobSessions"))}
    row = rows[estate.main]
    assert set(row) == SESSION
    assert {name: type(value) for name, value in row["statistics"].items()} == STATISTICS
    assert SEVEN_DIGITS.fullmatch(row["creationTime"])
    assert row["creationTime"] == "2026-03-01T22:00:00.4410020Z"
    assert (row["status"], row["statistics"]["transferredDataBytes"]) == ("Failed", 1_288_490_188)


@pytest.mark.parametrize("version", ["v3", "v4", "v5"])
async def test_links_are_absolute_and_lower_case(visitor: Visitor, estate: Estate, version: str) -> None:
    """Links up to v5 name the server's own host, in lower case; the log's link is `/log` on v3 only."""
    links = (await visitor.json(f"/{version}/JobSessions/{estate.main}"))["_links"]
    base = f"https://vbo-01.alderwood.example:4443/{version}"
    assert {name: link["href"] for name, link in links.items()} == {
        "self": f"{base}/jobsessions/{estate.main}",
        "log": f"{base}/jobsessions/{estate.main}/{LOG_LINK[version]}",
        "job": f"{base}/jobs/{estate.mail}",
    }


GROWTH = [
    ("JobSessions/{main}", "v6", {"details", "retryCount"}),
    ("JobSessions/{main}", "v7", {"repositoryId", "jobWillBeRetried", "jobType"}),
    ("JobSessions/{main}", "v8", {"jobId", "jobSessionConfigType", "eTag", "proxyId", "proxyPoolId"}),
    ("Jobs/{mail}", "v6", {"repositoryId", "selectedItems", "excludedItems"}),
    ("Jobs/{mail}", "v7", {"lastBackup"}),
    ("Jobs/{mail}", "v8", {"organizationId", "eTag"}),
    ("CopyJobs/{copy}", "v7", {"lastBackup"}),
    ("CopyJobs/{copy}", "v8", {"organizationId", "eTag"}),
]


@pytest.mark.parametrize(("path", "version", "added"), GROWTH)
async def test_each_version_adds_its_fields(
    visitor: Visitor, estate: Estate, path: str, version: str, added: set[str]
) -> None:
    """What a version added to sessions and jobs is there, and was not there a version before."""
    before = f"v{int(version[1:]) - 1}"
    old, new = [set(await visitor.json(f"/{one}/{path.format(**vars(estate))}")) for one in (before, version)]
    assert new - old == added


@pytest.mark.parametrize("version", ["v3", "v4"])
@pytest.mark.parametrize("path", ["JobSessions", "Jobs/{mail}/JobSessions"])
async def test_v3_and_v4_list_the_whole_history_as_an_array(
    visitor: Visitor, estate: Estate, version: str, path: str
) -> None:
    """Up to v4 there are no pages: the limit is not known and all sessions come, newest first."""
    rows = await visitor.json(f"/{version}/{path.format(**vars(estate))}", limit=1)
    everything = [estate.running, estate.stopped, estate.retry, estate.main]
    assert [row["id"] for row in rows] == (everything if path == "JobSessions" else everything[2:])


async def test_v5_lists_pages_with_absolute_links(visitor: Visitor, estate: Estate) -> None:
    """v5 pages; its page links are absolute too."""
    body = await visitor.json("/v5/JobSessions", limit=2)
    assert (body["offset"], body["limit"], len(body["results"])) == (0, 2, 2)
    assert body["_links"]["next"]["href"].startswith("https://vbo-01.alderwood.example:4443/v5/JobSessions?")
    assert set(body) == {"offset", "limit", "results", "_links"}


@pytest.mark.parametrize("version", ["v3", "v4", "v5"])
async def test_jobs_are_arrays_linked_to_their_organization(visitor: Visitor, estate: Estate, version: str) -> None:
    """A job up to v5 has the manual's fields and names its organization by a link only."""
    (mail, hourly) = await visitor.json(f"/{version}/Jobs")
    assert (set(mail), set(mail["schedulePolicy"])) == (JOB, POLICY)
    assert (mail["lastStatus"], hourly["lastStatus"]) == ("Success", "Running")
    organization = mail["_links"]["organization"]["href"].rsplit("/", 1)[1]
    organizations = {row["id"]: row["name"] for row in await visitor.json(f"/{version}/Organizations")}
    assert organizations[organization] == "contoso.example"


@pytest.mark.parametrize("version", ["v3", "v4", "v5"])
@pytest.mark.parametrize("shape", list(LogShape))
async def test_log_items_are_titles_in_a_page_or_an_array(
    visitor: Visitor, estate: Estate, faults: Faults, version: str, shape: LogShape
) -> None:
    """Up to v5 a log comes as a page (as clients see) or an array (as the manual says); titles carry the severity."""
    faults.quirks.log_shape = shape
    body = await visitor.json(f"/{version}/JobSessions/{estate.main}/LogItems")
    assert isinstance(body, list) == (shape is LogShape.ARRAY)
    assert [row["title"] for row in _rows(body)] == ["[Warning] Mailbox was skipped", "[Error] Access is denied"]
    assert set(_rows(body)[0]) == {"id", "usn", "title", "creationTime", "endTime", "_links"}


@pytest.mark.parametrize("version", ["v3", "v4", "v5"])
async def test_what_came_later_is_not_there(visitor: Visitor, estate: Estate, version: str) -> None:
    """Copy jobs, their sessions, mail settings and the server's identity are unknown before v6."""
    for path in ("CopyJobs", "VboEmailSettings", "ServiceInstance", f"JobSessions/{estate.copied}"):
        assert (await visitor.get(f"/{version}/{path}")).status_code == 404
    ids = [row["id"] for row in _rows(await visitor.json(f"/{version}/JobSessions"))]
    assert estate.copied not in ids


@pytest.mark.parametrize("version", ["v7", "v8"])
async def test_the_path_of_a_jobs_sessions_is_gone_from_v7(visitor: Visitor, estate: Estate, version: str) -> None:
    """v7 and v8 answer 404 where v3 to v6 list a job's sessions, though v7 still links there."""
    assert (await visitor.get(f"/{version}/Jobs/{estate.mail}/JobSessions")).status_code == 404
    links = (await visitor.json(f"/v7/Jobs/{estate.mail}"))["_links"]
    assert links["jobsessions"]["href"] == f"/v7/jobs/{estate.mail}/jobsessions"


async def test_only_the_versions_asked_for_are_served(estate: Estate) -> None:
    """A version that is not served answers 404, login included."""
    app = create_app(estate.world, now=lambda: NOW, versions=("v5", "v6"))
    async with visiting(app, estate.world) as visitor:
        assert [(await visitor.login(version)).status_code for version in ("v4", "v5", "v6", "v7")] == [
            404,
            200,
            200,
            404,
        ]
        visitor.tokens = (await visitor.login("v6")).json()
        assert (await visitor.get("/v7/JobSessions")).status_code == 404
        assert (await visitor.get("/V6/jobSESSIONS")).status_code == 200
