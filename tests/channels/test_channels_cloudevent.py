"""CloudEvents as the contract names their parts."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import jsonschema
import pytest

from tests.core.stories import STORIES, an_event
from watcher.channels.cloudevent import BATCH_TYPE, ONE_TYPE, encode
from watcher.core.event import Event, JobRef, ServerRef
from watcher.core.examples import examples
from watcher.core.model import JobType, LogLine, Session, Statistics
from watcher.core.render import Details

TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}
TEXT = {"type": "string", "minLength": 1}
COUNT = {"type": "integer", "minimum": 0}


def strict(required: str = "", **properties: Any) -> dict[str, Any]:
    """Return the schema of an object that has these parts and no others."""
    return {"type": "object", "properties": properties, "required": required.split(), "additionalProperties": False}


STATISTICS = strict(
    processing_rate_bytes=COUNT,
    processing_rate_items=COUNT,
    read_rate_bytes=COUNT,
    write_rate_bytes=COUNT,
    transferred=COUNT,
    processed_objects=COUNT,
    bottleneck=TEXT,
)
SESSION = strict(
    "id status",
    id=TEXT,
    status=TEXT,
    creation_time=TIME,
    end_time=TIME,
    retry_count=COUNT,
    details={"type": "string"},
    statistics=STATISTICS,
    name=TEXT,
    type=TEXT,
    scope_name=TEXT,
    initiated_by=TEXT,
    client_host=TEXT,
    reason=TEXT,
    retrieval_id=TEXT,
    repository_id=TEXT,
)
DATA = strict(
    "late",
    server=strict("name", name=TEXT, installation_id=TEXT),
    job=strict("name", id=TEXT, name=TEXT, type={"enum": list(JobType)}, organization=TEXT),
    session=SESSION,
    transition=strict("", **{"from": TEXT, "to": TEXT}),
    late={"type": "boolean"},
    attempts={"type": "array", "items": strict("id", id=TEXT), "minItems": 1},
    log={"type": "array", "items": TEXT, "minItems": 1},
    reason=TEXT,
)
ENVELOPE = strict(
    "specversion id source type time datacontenttype data",
    specversion={"const": "1.0"},
    id={"type": "string", "pattern": "^[0-9a-f]{32}$"},
    source={"type": "string", "pattern": "^(/watcher|/servers/[A-Za-z0-9%._~-]+)$"},
    type={"type": "string", "pattern": r"^watcher\.[a-z]+\.[a-z]+$"},
    subject=TEXT,
    time=TIME,
    datacontenttype={"const": "application/json"},
    data=DATA,
)


def sent_as(event: Event) -> dict[str, Any]:
    """Return what a receiver reads of an event."""
    told: dict[str, Any] = json.loads(encode((event,))[1])
    return told


def test_every_field_of_a_full_event(event: Event) -> None:
    """All that an event knows is there, under its name in the contract."""
    sent = json.loads(encode((event,))[1])
    jsonschema.validate(sent, ENVELOPE)
    assert sent == {
        "specversion": "1.0",
        "id": event.id,
        "source": "/servers/HQ%20%2F%20Berlin",
        "type": "watcher.session.failed",
        "subject": "Contoso - Mail",
        "time": "2026-03-03T01:10:00Z",
        "datacontenttype": "application/json",
        "data": {
            "server": {"name": "HQ / Berlin", "installation_id": "0f0f0f0f-0000-4000-8000-000000000001"},
            "job": {
                "id": "3d4c",
                "name": "Contoso - Mail",
                "type": "backup",
                "organization": "contoso.onmicrosoft.com",
            },
            "session": {
                "id": "8f3a1c52-7b1e-4d2a-9a53-0c1f6f6d1b11",
                "status": "Failed",
                "creation_time": "2026-03-02T23:58:00.000500Z",
                "end_time": "2026-03-03T01:10:00Z",
                "retry_count": 0,
                "details": "Cannot connect.",
                "statistics": {
                    "processing_rate_bytes": 5_700_000,
                    "processing_rate_items": 52,
                    "read_rate_bytes": 6_100_000,
                    "write_rate_bytes": 3_100_000,
                    "transferred": 24_600_000_000,
                    "processed_objects": 12_345,
                    "bottleneck": "Source",
                },
            },
            "transition": {"from": "Running", "to": "Failed"},
            "late": False,
            "attempts": [{"id": "a1"}, {"id": "a2"}],
            "log": ["[Error] Failed to process site", "Job ended"],
            "reason": "ended",
        },
    }


def test_a_restore_says_who_restored_what() -> None:
    """There is no job behind it, so it has no id of one; what the session is about stands in the session."""
    sent = json.loads(encode((STORIES["restore-failed"],))[1])
    jsonschema.validate(sent, ENVELOPE)
    assert sent["subject"] == "Mailbox of Ann Lee"
    assert sent["data"]["job"] == {
        "name": "Mailbox of Ann Lee",
        "type": "restore",
        "organization": "contoso.onmicrosoft.com",
    }
    assert sent["data"]["session"] == {
        "id": "8f3a1c52-7b1e-4d2a-9a53-0c1f6f6d1b11",
        "status": "Failed",
        "creation_time": "2026-03-02T23:58:00Z",
        "end_time": "2026-03-03T01:10:00Z",
        "details": "Some items could not be restored",
        "name": "Mailbox of Ann Lee",
        "type": "Exchange restore",
        "scope_name": "ann@contoso.com",
        "initiated_by": "HQ\\operator",
        "client_host": "10.0.0.7",
        "reason": "Ticket 4711: she deleted a folder",
    }


@pytest.mark.parametrize("details", [Details.SHORT, Details.NONE])
def test_a_restore_names_nobody_where_no_details_are_wanted(details: Details) -> None:
    """What a program gets may be read by anybody, too."""
    body = encode((STORIES["restore-failed"],), details)[1].decode()
    jsonschema.validate(json.loads(body), ENVELOPE)
    assert json.loads(body)["subject"] == "Exchange restore"
    assert not [word for word in ("Ann", "ann@", "operator", "10.0.0.7", "4711", "Some items") if word in body]


def test_what_an_event_does_not_have_is_absent(bare: Event) -> None:
    """A test message of the watcher has no server, no job and no nulls."""
    sent = sent_as(bare)
    jsonschema.validate(sent, ENVELOPE)
    assert sent["source"] == "/watcher"
    assert sent["data"] == {"late": False}
    assert "subject" not in sent


def test_empty_parts_are_absent_too(event: Event) -> None:
    """A session without numbers has no statistics, and a job without a name gives no subject."""
    assert event.job is not None
    poor = replace(
        event,
        session=Session("s", "Failed", statistics=Statistics()),
        job=replace(event.job, name="", organization=None, type=None),
        came_from=None,
        went_to=None,
    )
    sent = sent_as(poor)
    assert sent["data"]["session"] == {"id": "s", "status": "Failed"}
    assert "transition" not in sent["data"]
    assert "subject" not in sent


def test_times_are_utc_wherever_they_come_from(event: Event) -> None:
    """A time of another zone is told as the same moment in UTC."""
    there = event.happened.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert sent_as(replace(event, happened=there))["time"] == "2026-03-03T01:10:00Z"


@pytest.mark.parametrize(("name", "path"), [("HQ", "HQ"), ("a/b?c#d", "a%2Fb%3Fc%23d"), ("Zürich", "Z%C3%BCrich")])
def test_a_source_is_one_path_segment(event: Event, name: str, path: str) -> None:
    """A server's name cannot reach out of its place in the source."""
    assert sent_as(replace(event, server=ServerRef(name)))["source"] == f"/servers/{path}"


def test_several_events_are_a_batch(event: Event, bare: Event) -> None:
    """One event is an object, several are an array, each with its own content type."""
    assert encode((event,))[0] == ONE_TYPE
    kind, body = encode((event, bare))
    assert kind == BATCH_TYPE
    assert [one["id"] for one in json.loads(body)] == [event.id, bare.id]


def test_a_discreet_webhook_says_nothing_that_names_people(event: Event) -> None:
    """`details`: all of the log, the line that says why, or nothing of log and details."""
    lines = (LogLine("warning", "Mailbox ann@contoso.com"), LogLine("error", "why"))
    told = replace(event, log=lines)
    full, short, none = (json.loads(encode((told,), details)[1])["data"] for details in Details)
    assert len(full["log"]) == 2
    assert "details" in full["session"]
    assert short["log"] == ["[Error] why"]
    assert "log" not in none
    assert not {"details"} & (short["session"].keys() | none["session"].keys())


def test_a_digest_is_data() -> None:
    """A program gets the numbers, and not the words."""
    (one,) = (example for example in examples(datetime(2026, 3, 4, 7, tzinfo=UTC)) if example.digest)
    digest = sent_as(one)["data"]["digest"]
    assert (digest["begins"], digest["all_well"]) == ("2026-03-03T07:00:00Z", False)
    assert digest["jobs"][0] == {
        "server": "HQ",
        "job": "Contoso - Mail",
        "organization": "contoso.onmicrosoft.com",
        "runs": 3,
        "failures": 3,
        "warnings": 0,
        "stopped": 0,
        "status": "Failed",
        "moved": 0,
        "moved_before": 24_000_000_000,
        "last_good": "2026-03-01T07:00:00Z",
    }


def test_a_link_leads_to_the_page_of_the_job() -> None:
    """Where there is a public address; the id stays the same with it and without."""
    event = an_event(job=JobRef("id 1", "Mail"), server=ServerRef("HQ/2"))
    page = "https://watch.example"
    linked = json.loads(encode((event, event), page=page)[1])[0]
    assert linked["data"]["link"] == "https://watch.example/jobs/HQ%2F2/id%201"
    assert "link" not in json.loads(encode((event,))[1])["data"]
    assert linked["id"] == sent_as(event)["id"]
