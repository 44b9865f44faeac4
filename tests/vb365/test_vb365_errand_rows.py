"""Rows of restores, retrievals and synchronizations, as servers send them and as they should not."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.model import JobType, Session
from watcher.vb365.errand_row import read_restore, read_retrieval, read_synchronization
from watcher.vb365.session_row import BadRow

READERS = (read_restore, read_retrieval, read_synchronization)
RESTORE = {
    "id": "r1",
    "name": "Mailbox of Ann",
    "organization": "contoso.example",
    "type": "Veod",
    "creationTime": "2026-03-02T05:00:00.1234567Z",
    "endTime": "2026-03-02T05:10:00Z",
    "state": "Stopped",
    "result": "Warning",
    "initiatedBy": "VBO\\op",
    "details": "One item was skipped",
    "scopeName": "Ann",
    "clientHost": "10.0.0.7",
    "reason": "",
}


def read(reader: Callable[[bytes], Session | BadRow], row: Any) -> Session:
    found = reader(json.dumps(row).encode())
    assert isinstance(found, Session), found
    return found


def test_a_restore_with_all_its_fields() -> None:
    """An empty reason is none."""
    session = read(read_restore, RESTORE)
    assert (session.status, session.job_type, session.job_id) == ("Warning", JobType.RESTORE, None)
    assert session.ended == datetime(2026, 3, 2, 5, 10, tzinfo=UTC)
    assert session.errand is not None
    assert (session.errand.kind, session.errand.name, session.errand.reason) == (
        "OneDrive restore",
        "Mailbox of Ann",
        None,
    )
    assert (session.errand.scope, session.errand.host, session.details) == ("Ann", "10.0.0.7", "One item was skipped")


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"state": "Working", "result": "Failed", "endTime": None}, "Running"),
        ({"state": "working", "result": "Success", "endTime": "9999-12-31T23:59:59.9999999Z"}, "Running"),
        ({"result": "success"}, "Success"),
        ({"result": None}, "Stopped"),
        ({"state": "Pondering"}, "Pondering"),
    ],
)
def test_the_result_counts_once_it_has_stopped(changes: dict[str, Any], status: str) -> None:
    """A result stands in the row from its first moment on."""
    session = read(read_restore, RESTORE | changes)
    assert session.status == status
    assert (session.ended is None) == ("endTime" in changes)


def test_a_restore_may_have_no_name() -> None:
    """So it was seen on 6.0; the schema says nothing else."""
    bare = {"Id": "r1", "State": "Working", "Type": "Other"}
    session = read(read_restore, bare)
    assert session.errand is not None
    assert (session.id, session.errand.name, session.errand.kind, session.created) == ("r1", None, "Other", None)


@pytest.mark.parametrize(
    ("row", "status", "kind"),
    [
        ({"status": "Running", "type": "Retrieve"}, "Running", "Retrieval"),
        ({"status": "Succeeded", "type": "RetrievalRemoving"}, "Success", "Removal of retrieved data"),
        (
            {"status": "NotConfigured", "type": "RetrievalChangeAvailabilityPeriodDays,"},
            "NotConfigured",
            "Change of how long retrieved data is kept",
        ),
        ({"status": "stopped"}, "Stopped", None),
    ],
)
def test_retrievals(row: dict[str, Any], status: str, kind: str | None) -> None:
    """Also the word of PowerShell, and the comma of v6."""
    session = read(read_retrieval, {"id": "d1", "processedObjects": 4711} | row)
    assert session.errand is not None
    assert (session.status, session.errand.kind, session.statistics.processed_objects) == (status, kind, 4711)


@pytest.mark.parametrize(
    ("state", "status"),
    [("None", "Success"), ("Synchronizing", "Running"), ("FAILED", "Failed"), ("Pondering", "Pondering")],
)
def test_synchronizations(state: str, status: str) -> None:
    """They have no times."""
    session = read(read_synchronization, {"id": "y1", "repositoryId": "p1", "state": state, "error": "It is locked"})
    assert session.errand is not None
    assert (session.status, session.details, session.errand.repository_id) == (status, "It is locked", "p1")
    assert (session.created, session.ended) == (None, None)


@pytest.mark.parametrize(
    ("reader", "row", "why"),
    [
        (read_restore, {"state": "Working"}, "it has no id"),
        (read_restore, {"id": "r1"}, "it has no state"),
        (read_restore, {"id": "r1", "state": 7}, "it has no state"),
        (read_restore, RESTORE | {"creationTime": "yesterday"}, "a time that cannot be read"),
        (read_retrieval, {"id": "d1", "status": None}, "it has no status"),
        (read_synchronization, {"id": "y1", "state": None}, "it has no state"),
        (read_restore, [], "it is not an object"),
    ],
)
def test_what_cannot_be_understood_says_why(reader: Callable[[bytes], Any], row: Any, why: str) -> None:
    """With its id, if it has one."""
    found = reader(json.dumps(row).encode())
    assert found == BadRow(row.get("id") if isinstance(row, dict) else None, why)


NAMES = sorted({*RESTORE, "status", "error", "repositoryId", "retrievalId", "processedObjects", "progress", "eTag"})
ANY = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.lists(st.integers(), max_size=1)
)


@given(st.dictionaries(st.sampled_from(NAMES), ANY) | ANY)
def test_nothing_that_a_server_sends_breaks_a_reader(row: Any) -> None:
    """It is a session or a bad row, whatever stands where."""
    for reader in READERS:
        assert isinstance(reader(json.dumps(row).encode()), Session | BadRow)
