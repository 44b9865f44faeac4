"""One row of each listing, in the shape of every version."""

import json
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.model import Job, JobType, Session, Statistics
from watcher.vb365.decode import UnreadableError, listing
from watcher.vb365.job_row import JobRow, OrganizationRow, read_copy_job, read_job, read_organization
from watcher.vb365.session_row import BadRow, read_session

ID = "11111111-aaaa-4aaa-8aaa-000000000001"
MAIN = "11111111-aaaa-4aaa-8aaa-000000000000"
JOB = "22222222-bbbb-4bbb-8bbb-000000000001"
ZERO = "00000000-0000-0000-0000-000000000000"
COUNTERS = {
    "processingRateBytesPS": 1_683_256,
    "processingRateItemsPS": 20,
    "readRateBytesPS": 5_383_429,
    "writeRateBytesPS": 26_015_396,
    "transferredDataBytes": 98_142_970,
    "processedObjects": 1193,
    "bottleneck": "Source",
}
WIRE = {
    "id": ID,
    "creationTime": "2026-03-01T22:00:00.8529769Z",
    "endTime": "2026-03-01T22:04:21.3024288Z",
    "progress": 41,
    "status": "Failed",
    "statistics": COUNTERS,
}
READ = Session(
    ID,
    "Failed",
    JOB,
    created=datetime(2026, 3, 1, 22, 0, 0, 852_976, tzinfo=UTC),
    ended=datetime(2026, 3, 1, 22, 4, 21, 302_428, tzinfo=UTC),
    progress=41,
    statistics=Statistics(1_683_256, 20, 5_383_429, 26_015_396, 98_142_970, 1193, "Source"),
)


def links(version: str, kind: str = "jobs") -> dict[str, Any]:
    """Return the links of a session: absolute up to v5, without a host from v6 on."""
    host = "https://vbo.example.local:4443" if version < "v6" else ""
    mine, job = f"{host}/{version}/jobsessions/{ID}", f"{host}/{version}/{kind}/{JOB}"
    return {"_links": {"self": {"href": mine}, "log": {"href": f"{mine}/log"}, "job": {"href": job}}}


VERSIONS: dict[str, tuple[dict[str, Any], Session]] = {
    "v2": (
        WIRE
        | links("v2")
        | {
            "creationTime": "2026-03-01T14:00:00.8529769-08:00",
            "statistics": {"processingRate": "832.4 KB/s (52 items/s)", "readRate": "634 KB/s", "bottleneck": "N/A"},
        },
        replace(READ, statistics=Statistics()),
    ),
    "v3": (WIRE | links("v3"), READ),
    "v4": (WIRE | links("v4"), READ),
    "v5": (WIRE | links("v5"), READ),
    "v6": (
        WIRE | links("v6") | {"details": "Transferred: 0 B (0 items)", "retryCount": 0},
        replace(READ, details="Transferred: 0 B (0 items)", retry_count=0),
    ),
    "v6 copy": (WIRE | links("v6", "copyjobs"), replace(READ, job_type=JobType.COPY)),
    "v7": (
        WIRE
        | links("v7")
        | {"jobType": "Backup", "retryCount": 1, "mainSessionId": MAIN, "jobWillBeRetried": True, "details": None},
        replace(READ, job_type=JobType.BACKUP, retry_count=1, main_session_id=MAIN, will_be_retried=True),
    ),
    "v8": (
        WIRE | {"jobId": JOB, "jobType": "Copy", "eTag": 48_211, "jobSessionConfigType": "Full", "proxyPoolId": None},
        replace(READ, job_type=JobType.COPY, etag=48_211),
    ),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_of_every_version_is_read(version: str) -> None:
    """What a version shows is read into the same value, and what it does not show is None."""
    wire, session = VERSIONS[version]
    assert read_session(json.dumps(wire).encode()) == session


@pytest.mark.parametrize(
    "end", [{}, {"endTime": None}, {"endTime": "0001-01-01T00:00:00Z"}, {"endTime": "9999-12-31T23:59:59.9999999Z"}]
)
def test_a_running_session_has_no_end_in_any_spelling(end: dict[str, Any]) -> None:
    """Missing, null, year 1 and year 9999 are one and the same."""
    wire = {key: value for key, value in WIRE.items() if key != "endTime"} | links("v5") | {"status": "Running"} | end
    assert read_session(json.dumps(wire).encode()) == replace(READ, status="Running", ended=None)


@pytest.mark.parametrize("main", [{}, {"mainSessionId": None}, {"mainSessionId": ZERO}, {"mainSessionId": ID.upper()}])
def test_a_first_run_has_no_main_session(main: dict[str, Any]) -> None:
    """Absent, null, the zero GUID and its own id say that this is no retry."""
    found = read_session(json.dumps(WIRE | main).encode())
    assert isinstance(found, Session)
    assert found.main_session_id is None


@pytest.mark.parametrize(
    "change",
    [
        {"status": "failed"},
        {"progress": "41"},
        {"statistics": COUNTERS | {"processedObjects": "1193"}},
        {"unheard": {"of": [1, {"deep": None}]}},
        {"eTag": [], "details": {}, "retryCount": "many", "jobWillBeRetried": "perhaps", "mainSessionId": ""},
    ],
)
def test_a_neighbouring_type_or_an_unknown_field_costs_nothing(change: dict[str, Any]) -> None:
    """Numbers as texts are numbers; an odd field is None and spoils no other."""
    assert read_session(json.dumps(WIRE | links("v5") | change).encode()) == READ


def test_keys_with_capitals_are_read_too() -> None:
    """The old manuals write "Id" and "EndTime"."""

    def capitals(value: Any) -> Any:
        if isinstance(value, dict):
            return {key[:1].upper() + key[1:]: capitals(item) for key, item in value.items()}
        return value

    wire = json.dumps(capitals(WIRE | links("v2"))).encode()
    assert read_session(wire) == READ


def test_an_undocumented_status_is_kept_as_it_is() -> None:
    """The diff tells of it; here nothing is dropped."""
    found = read_session(json.dumps(WIRE | {"status": "Hibernating"}).encode())
    assert isinstance(found, Session)
    assert found.status == "Hibernating"


@pytest.mark.parametrize(
    ("change", "row_id"),
    [
        ({"id": None}, None),
        ({"id": ""}, None),
        ({"id": {}}, None),
        ({"status": None}, ID),
        ({"status": " "}, ID),
        ({"status": 3}, ID),
        ({"endTime": "soon"}, ID),
        ({"creationTime": 12}, ID),
    ],
)
def test_a_row_that_lacks_what_matters_is_a_bad_row(change: dict[str, Any], row_id: str | None) -> None:
    """Without id, status or a readable time a session is not guessed at; its id is kept if it has one."""
    found = read_session(json.dumps(WIRE | change).encode())
    assert isinstance(found, BadRow)
    assert found.id == row_id


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just("2026-03-01T22:00:00Z"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from([*WIRE, *COUNTERS, "_links", "job", "href", "results", "limit", "next", "jobId"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_any_json_is_a_session_or_a_bad_row(value: Any) -> None:
    """Random but valid answers raise nothing, wherever a row is read."""
    raw = msgspec.Raw(json.dumps(value).encode())
    assert isinstance(read_session(raw), Session | BadRow)
    assert isinstance(read_job(raw), JobRow)
    assert isinstance(read_organization(raw), OrganizationRow)


@given(JSON | st.binary(max_size=40))
def test_any_answer_is_a_listing_or_said_to_be_none(value: Any) -> None:
    """The only error of a listing is the one that says so."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    with suppress(UnreadableError):
        assert isinstance(listing(body).rows, list)


JOB_WIRE = {
    "id": JOB,
    "name": "Contoso - Mail",
    "lastRun": "2026-03-01T22:00:00.8529769Z",
    "nextRun": "2026-03-02T22:00:00Z",
    "isEnabled": "true",
    "lastStatus": "failed",
    "schedulePolicy": {"retryEnabled": True, "retryNumber": 3},
    "_links": {"organization": {"href": "https://vbo.example.local:4443/v5/organizations/org-1"}},
}
JOB_READ = Job(
    JOB,
    "Contoso - Mail",
    enabled=True,
    last_run=READ.created,
    next_run=datetime(2026, 3, 2, 22, tzinfo=UTC),
    last_status="Failed",
    retry_number=3,
)


@pytest.mark.parametrize(
    ("change", "job"),
    [
        ({}, JOB_READ),
        ({"nextRun": None, "lastStatus": None}, replace(JOB_READ, next_run=None, last_status=None)),
        ({"nextRun": "someday"}, replace(JOB_READ, next_run=None)),
        ({"name": None}, replace(JOB_READ, name=JOB)),
        ({"schedulePolicy": {"retryEnabled": False, "retryNumber": 3}}, replace(JOB_READ, retry_number=None)),
        ({"schedulePolicy": None}, replace(JOB_READ, retry_number=None)),
    ],
)
def test_a_job_is_read_as_far_as_it_goes(change: dict[str, Any], job: Job) -> None:
    """No field of a job but its id is needed; the organization is found by its link."""
    found = read_job(msgspec.Raw(json.dumps(JOB_WIRE | change).encode()))
    assert found == JobRow(JOB, job, organization_id="org-1")


def test_a_copy_job_names_what_it_copies() -> None:
    """Its organization is found by way of the backup job (v6, v7) or named (v8)."""
    wire = {"id": "c-1", "name": "Copy", "backupJobId": JOB, "organizationId": "org-2", "lastStatus": "Success"}
    found = read_copy_job(msgspec.Raw(json.dumps(wire).encode()))
    assert found.job.type is JobType.COPY
    assert (found.organization_id, found.backup_job_id) == ("org-2", JOB)


def test_an_organization_has_a_name_or_an_office_name() -> None:
    """The second stands in for the first."""
    assert read_organization(msgspec.Raw(b'{"id":"o","officeName":"contoso.example"}')).name == "contoso.example"
