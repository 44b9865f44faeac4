"""Reading values, rows and listings of any version, and of servers that keep to none."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from watcher.vb365.decode import (
    UnreadableError,
    job_in,
    last_segment,
    listing,
    moment,
    text,
    truth,
    whole,
)
from watcher.vb365.session_row import read_session

ID = "11111111-aaaa-4aaa-8aaa-000000000001"
JOB = "22222222-bbbb-4bbb-8bbb-000000000001"


def utc(*parts: int) -> datetime:
    """Return a moment in UTC."""
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc,arg-type] # the parts are year to microsecond


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-03-01T22:00:00Z", utc(2026, 3, 1, 22)),
        ("2026-03-01T22:00:00.5Z", utc(2026, 3, 1, 22, 0, 0, 500_000)),
        ("2026-03-01T22:00:24.008771Z", utc(2026, 3, 1, 22, 0, 24, 8_771)),
        ("2026-03-01T22:00:00.8529769Z", utc(2026, 3, 1, 22, 0, 0, 852_976)),
        ("2026-03-01T22:00:00.1z", utc(2026, 3, 1, 22, 0, 0, 100_000)),
        ("2026-03-01T14:00:00.0387317-08:00", utc(2026, 3, 1, 22, 0, 0, 38_731)),
        ("2026-03-01T22:00:00", utc(2026, 3, 1, 22)),
        ("2026-03-01T22:00:00.123", utc(2026, 3, 1, 22, 0, 0, 123_000)),
        (None, None),
        ("", None),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("1601-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59.9999999Z", None),
        ("9999-12-31T23:59:59.9999999-12:00", None),
    ],
)
def test_times_are_read_in_every_form_a_version_prints(written: str | None, meant: datetime | None) -> None:
    """0 to 7 digits, Z, an offset or none are one moment in UTC; the .NET extremes mean "not ended"."""
    assert moment(written) == meant


def test_a_time_without_a_zone_is_utc_wherever_we_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine's zone has no say."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/New_York")
        time.tzset()
        assert moment("2026-03-01T22:00:00") == utc(2026, 3, 1, 22)
    time.tzset()


@pytest.mark.parametrize("written", ["yesterday", "31.12.9999 23:59:59", "2026-13-01T00:00:00Z", 1_767_312_000, True])
def test_a_time_that_cannot_be_read_is_said(written: object) -> None:
    """A time that is there but makes no sense is never read as "not ended"."""
    with pytest.raises(UnreadableError):
        moment(written)


@pytest.mark.parametrize(
    ("value", "number"),
    [(7, 7), ("7", 7), (7.0, 7), (None, None), ("7 MB", None), (True, None), ([], None), (2**70, None), (1e400, None)],
)
def test_whole_numbers_may_be_texts(value: object, number: int | None) -> None:
    """What is no number of 64 bits is nothing."""
    assert whole(value) == number


@pytest.mark.parametrize(
    ("value", "meant"), [(True, True), ("false", False), ("True", True), (None, None), (1, None), ("", None)]
)
def test_booleans_may_be_texts(value: object, meant: bool | None) -> None:
    """v1 prints booleans as texts."""
    assert truth(value) is meant


@pytest.mark.parametrize(
    ("value", "words"),
    [("a", "a"), ("", None), (5, "5"), (None, None), ([], None), ("a\0b", "a\ufffdb"), ("\ud800", "?"), ("ü", "ü")],
)
def test_texts_fit_every_database(value: object, words: str | None) -> None:
    """No NUL and no half of a surrogate pair gets in."""
    assert text(value) == words


@pytest.mark.parametrize(
    ("links", "found"),
    [
        ({"job": {"href": f"https://vbo.example.local:4443/v3/jobs/{JOB}"}}, ("jobs", JOB)),
        ({"job": {"href": f"/v6/jobs/{JOB}"}}, ("jobs", JOB)),
        ({"job": {"href": f"/v7/CopyJobs/{JOB}?x=1"}}, ("copyjobs", JOB)),
        ({"Job": {"Href": f"/v2/Jobs/{JOB}"}}, ("jobs", JOB)),
        ({"self": {"href": f"/v6/jobsessions/{ID}"}, "copyJob": {"href": f"/v6/copyjobs/{JOB}/"}}, ("copyjobs", JOB)),
        ({"job": {"href": f"/somewhere/else/{JOB}"}}, ("jobs", JOB)),
        ({"self": {"href": f"/v6/jobsessions/{ID}"}}, None),
        ({"job": {"href": None}}, None),
        ({"job": "broken"}, None),
        ({}, None),
    ],
)
def test_the_job_is_found_in_any_link(links: dict[str, Any], found: tuple[str, str] | None) -> None:
    """Absolute or relative, under any relation and in any case; a session's own link is none."""
    lower = {key.lower(): value for key, value in links.items()}
    assert job_in(lower) == found


def test_last_segment_leaves_query_and_slash_out() -> None:
    """An id is what ends the path."""
    assert last_segment("https://h:1/v5/organizations/abc%20d/?x=/y") == "abc d"
    assert last_segment(None) is None
    assert last_segment("/") is None


@pytest.mark.parametrize(
    ("body", "rows", "limit", "has_next"),
    [
        ([{"id": "a"}], 1, None, False),
        ({"offset": 0, "limit": 30, "results": [{"id": "a"}, {}]}, 2, 30, False),
        ({"results": []}, 0, None, False),
        ({"limit": "30", "results": [1]}, 1, None, False),
        ({"limit": True, "results": [1]}, 1, None, False),
        ({"Results": [{}], "Limit": 30, "_Links": {"Next": {"Href": "/v6/x"}}}, 1, 30, True),
        ({"results": [{}], "_links": {"next": {"href": "https://other:4443/v5/JobSessions?offset=30"}}}, 1, None, True),
        ({"results": [{}], "_links": {"next": None}}, 1, None, False),
        ({"results": [{}], "_links": []}, 1, None, False),
    ],
)
def test_a_listing_is_an_array_or_a_page(body: Any, rows: int, limit: int | None, has_next: bool) -> None:
    """Either shape is read on every path, with what it says of paging as far as that is of the right type."""
    found = listing(json.dumps(body).encode())
    assert (len(found.rows), found.limit, found.has_next) == (rows, limit, has_next)


@pytest.mark.parametrize(
    "body", [b"", b"null", b"42", b'"ok"', b"{}", b'{"results": null}', b'{"results": {}}', b"[{", b"<!DOCTYPE html>"]
)
def test_what_is_no_listing_is_said(body: bytes) -> None:
    """HTML, nothing, half an answer and other JSON are never read as an empty listing."""
    with pytest.raises(UnreadableError):
        listing(body)


def test_a_listing_survives_bytes_that_are_no_utf8() -> None:
    """One spoiled text costs no other row."""
    found = listing(b'[{"id":"a","status":"Failed","details":"\xff \\ud800"},{"id":"b","status":"Success"}]')
    assert [read_session(raw).id for raw in found.rows] == ["a", "b"]
