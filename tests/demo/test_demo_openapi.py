"""Every GET that the watcher uses answers as Veeam's own OpenAPI files of v6, v7 and v8 say."""

import json
import os
from copy import deepcopy
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from tests.demo.standin_visitor import Estate, Visitor
from watcher.core.model import Errand, JobType
from watcher.demo.faults import Faults
from watcher.demo.quirks import MainSession, OpenEnd

OPENAPI = Path(__file__).resolve().parents[2].parent / "shared" / "vb365" / "openapi"

BEGUN = datetime.fromisoformat("2026-03-02T04:10:00.5Z")
ERRAND = Errand(
    "Mailbox of Ann", "Vex", "contoso.example", "Ann", "VBO-01\\operator", "10.0.0.7", "She deleted a folder"
)

LISTINGS = {
    "JobSessions": "JobSession",
    "Jobs": "Job",
    "CopyJobs": "CopyJob",
    "Organizations": "RestOrganizationComposed",
    "Proxies": "Proxy",
    "BackupRepositories": "BackupRepository",
    "RestoreSessions": "RESTRestoreSession",
    "DataRetrievalSessions": "RESTDataRetrievalSession",
    "RepositorySynchronizeSessions": "RESTRepositorySynchronizeSession",
}
SINGLE = {
    "ServiceInstance": "RESTServiceInstance",
    "RestorePortalSettings": "RESTRestorePortalSettings",
    "License": "RESTLicense",
    "VboEmailSettings": "RESTNotificationEmailSettingsResponse",
    "HistorySettings": "RESTHistorySettings",
}


def _spec(version: str) -> dict[str, Any]:
    file = OPENAPI / f"{version}.json"
    if not file.is_file():
        reason = f"the OpenAPI file {version}.json is not beside the repository (shared/vb365/openapi)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return loaded


def _strict(schema: Any) -> Any:
    """Return an OpenAPI 3.0 schema as JSON schema: `nullable` said in types, unknown properties refused."""
    if isinstance(schema, list):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    strict = {key: _strict(value) for key, value in schema.items() if key != "nullable"}
    if schema.get("nullable") is True and isinstance(strict.get("type"), str):
        strict["type"] = [strict["type"], "null"]
        if "enum" in strict:
            strict["enum"] = [*strict["enum"], None]
    if isinstance(strict.get("properties"), dict) and "type" in strict:
        strict.setdefault("additionalProperties", False)
    return strict


def _formats() -> FormatChecker:
    formats = FormatChecker(["uuid"])
    formats.checks("date-time", raises=ValueError)(lambda text: not isinstance(text, str) or _is_time(text))
    formats.checks("int32")(lambda number: not isinstance(number, int) or abs(number) < 2**31)
    return formats


def _is_time(text: str) -> bool:
    return datetime.fromisoformat(text).tzinfo is not None


class Judge:
    """Checks bodies against the schemas of one version."""

    def __init__(self, version: str) -> None:
        spec = _spec(version)
        self.paths = spec["paths"]
        self.schemas = _strict(deepcopy(spec["components"]["schemas"]))

    def check(self, body: Any, schema: dict[str, Any]) -> None:
        """Fail where a body is not as the schema says."""
        root = {**_strict(schema), "components": {"schemas": self.schemas}}
        Draft202012Validator(root, format_checker=_formats()).validate(body)

    def check_get(self, body: Any, path: str) -> None:
        """Fail where a body is not the documented 200 of a path."""
        answer = self.paths[path]["get"]["responses"]["200"]
        self.check(body, answer["content"]["application/json"]["schema"])


@pytest.fixture(params=["v6", "v7", "v8"])
def version(request: pytest.FixtureRequest) -> str:
    """The versions that have an OpenAPI file."""
    return str(request.param)


@pytest.fixture
def judge(version: str) -> Judge:
    """The schemas of the version."""
    return Judge(version)


@pytest.mark.parametrize("resource", [*LISTINGS, *SINGLE])
async def test_collection_is_as_documented(
    visitor: Visitor, estate: Estate, judge: Judge, version: str, resource: str
) -> None:
    """A collection or a single resource has the documented shape, and the collection holds rows."""
    _furnish(estate)
    body = await visitor.json(f"/{version}/{resource}")
    judge.check_get(body, f"/{version}/{resource}")
    if resource in LISTINGS:
        rows = body["results"] if isinstance(body, dict) else body
        assert rows


@pytest.mark.parametrize(
    ("path", "documented"),
    [
        ("JobSessions/{main}", "JobSessions/{{jobSessionsId}}"),
        ("JobSessions/{running}", "JobSessions/{{jobSessionsId}}"),
        ("JobSessions/{copied}", "JobSessions/{{jobSessionsId}}"),
        ("JobSessions/{main}/LogItems", "JobSessions/{{sessionId}}/LogItems"),
        ("Jobs/{mail}", "Jobs/{{jobId}}"),
        ("Jobs/{hourly}", "Jobs/{{jobId}}"),
        ("CopyJobs/{copy}", "CopyJobs/{{id}}"),
    ],
)
async def test_item_is_as_documented(
    visitor: Visitor, estate: Estate, judge: Judge, version: str, path: str, documented: str
) -> None:
    """One session, log, job or copy job has the documented shape."""
    body = await visitor.json(f"/{version}/{path.format(**vars(estate))}")
    judge.check_get(body, f"/{version}/{documented.format()}")


@pytest.mark.parametrize(
    ("resource", "name", "log"),
    [
        ("RestoreSessions", "restoreSessionId", "Events"),
        ("DataRetrievalSessions", "dataRetrievalSessionId", "LogItems"),
        ("RepositorySynchronizeSessions", "sessionId", None),
    ],
)
async def test_an_errand_is_as_documented(
    visitor: Visitor, estate: Estate, judge: Judge, version: str, resource: str, name: str, log: str | None
) -> None:
    """A restore, retrieval or synchronization read by its id is the row of its listing; an unknown id is a 404."""
    _furnish(estate)
    found = 0
    body = await visitor.json(f"/{version}/{resource}")
    for row in body["results"] if isinstance(body, dict) else body:
        single = await visitor.json(f"/{version}/{resource}/{row['id']}")
        judge.check_get(single, f"/{version}/{resource}/{{{name}}}")
        assert single == row
        if log is not None:
            items = await visitor.json(f"/{version}/{resource}/{row['id']}/{log}")
            judge.check_get(items, f"/{version}/{resource}/{{{name if log == 'Events' else 'sessionId'}}}/{log}")
            found += len(items["results"])
    assert found == (0 if log is None else 1)
    assert (await visitor.get(f"/{version}/{resource}/{estate.main}")).status_code == 404


async def test_sessions_of_a_job_on_v6(visitor: Visitor, estate: Estate) -> None:
    """v6 still lists the sessions of one job by the job's path."""
    body = await visitor.json(f"/v6/Jobs/{estate.mail}/JobSessions")
    Judge("v6").check_get(body, "/v6/Jobs/{jobId}/JobSessions")
    assert [row["id"] for row in body["results"]] == [estate.retry, estate.main]


@pytest.mark.parametrize("open_end", [None, *OpenEnd])
async def test_open_end_of_v7_and_v8_may_be_null(
    visitor: Visitor, estate: Estate, faults: Faults, open_end: OpenEnd | None
) -> None:
    """However the end of a running session is shown, it is a documented shape on v8."""
    faults.quirks.open_end = open_end
    body = await visitor.json(f"/v8/JobSessions/{estate.running}")
    Judge("v8").check_get(body, "/v8/JobSessions/{jobSessionsId}")


async def test_buckets_have_their_own_listing_before_v8(visitor: Visitor, estate: Estate) -> None:
    """v6 and v7 list object storage apart; v8 has no such path."""
    _furnish(estate)
    for version in ("v6", "v7"):
        body = await visitor.json(f"/{version}/objectstoragerepositories")
        Judge(version).check_get(body, f"/{version}/objectstoragerepositories")
        assert len(body) == 1
    assert (await visitor.get("/v8/objectstoragerepositories")).status_code == 404


@pytest.mark.parametrize("ill", [{}, {"nats": "connection refused"}])
async def test_health_needs_no_login(visitor: Visitor, estate: Estate, ill: dict[str, str]) -> None:
    """Health answers without a token on v8, well or ill, in the documented shape."""
    estate.world.unhealthy = ill
    answer = await visitor.http.get("/v8/Health")
    Judge("v8").check_get(answer.json(), "/v8/Health")
    assert answer.json()["status"] == ("Unhealthy" if ill else "Healthy")
    assert (await visitor.http.get("/v7/Health")).status_code == 404


async def test_token_answer_is_as_documented(visitor: Visitor, judge: Judge, version: str) -> None:
    """A login answers all that the version's token schema requires."""
    answer = await visitor.login(version)
    judge.check(answer.json(), {"$ref": "#/components/schemas/OAuthTokenResponse"})


async def test_refusals_are_as_documented(visitor: Visitor, judge: Judge, version: str) -> None:
    """A refused login and a missing session carry the version's error body."""
    refused = await visitor.login(version, password="wrong")
    missing = await visitor.get(f"/{version}/JobSessions/11111111-0000-4000-8000-000000000000")
    assert (refused.status_code, missing.status_code) == (400, 404)
    for answer in (refused, missing):
        judge.check(answer.json(), {"$ref": "#/components/schemas/RESTExceptionInfo"})


async def test_the_judge_refuses_what_is_not_documented(visitor: Visitor, estate: Estate) -> None:
    """The checks above can fail: a null where none may be, an unknown field and a bad time are refused."""
    judge = Judge("v8")
    body = await visitor.json(f"/v8/JobSessions/{estate.main}")
    for wrong in (
        {"mainSessionId": MainSession.NULL.value},
        {"total": 3},
        {"creationTime": "yesterday"},
        {"status": None},
    ):
        with pytest.raises(ValidationError):
            judge.check_get({**body, **wrong}, "/v8/JobSessions/{jobSessionsId}")


def _furnish(estate: Estate) -> None:
    """Add what is rare: a bucket, an invalid repository, a proxy in maintenance, a licence that expires."""
    world = estate.world
    proxy = world.add_proxy("proxy-02")
    world.proxies[proxy] = replace(world.proxies[proxy], online=False, maintenance=True)
    bucket = world.add_repository("Bucket 01", proxy, object_storage=True)
    world.repositories[bucket] = replace(world.repositories[bucket], invalid="Repository lock is missing")
    for errand in (ERRAND, replace(ERRAND, scope=None, reason=None)):
        restore = world.begin_errand(JobType.RESTORE, BEGUN, errand)
    world.log_errand(restore, "warning", "It was skipped", BEGUN, item="Inbox")
    world.end_errand(restore, "Warning", BEGUN + timedelta(minutes=4), details="1 item was skipped")
    for kind in ("Retrieve", "RetrievalChangeAvailabilityPeriodDays", "RetrievalRemoving"):
        errand = Errand("Old mail", kind, retrieval_id=bucket, repository_id=bucket)
        retrieval = world.begin_errand(JobType.RETRIEVAL, BEGUN, errand)
    world.log_errand(retrieval, "warning", "It was skipped", BEGUN)
    world.end_errand(retrieval, "Success", BEGUN + timedelta(minutes=4))
    for status, details in (("Running", None), ("Failed", "The bucket does not answer"), ("Success", None)):
        session = world.begin_errand(JobType.SYNCHRONIZE, None, Errand(repository_id=bucket))
        world.end_errand(session, status, None, details=details)
    world.license = replace(world.license, expires=datetime.fromisoformat("2026-12-01T00:00:00Z"))
