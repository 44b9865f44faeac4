"""The public JSON's form."""

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.web.web_samples import NOW, ago, alarm, channel, delivery, server, session, status
from watcher.core.delivery import State
from watcher.core.jsonview import document, dump, timestamp


@dataclass(frozen=True, slots=True)
class Inner:
    when: datetime | None


@dataclass(frozen=True, slots=True)
class Outer:
    state: State
    inner: tuple[Inner, ...]


def test_document_turns_nested_dataclasses_into_plain_values() -> None:
    """Dataclasses become dicts, tuples lists, enums their words, times text."""
    outer = Outer(State.DEAD, (Inner(NOW), Inner(None)))
    plain: Any = document(outer)
    assert plain == {"state": "dead", "inner": [{"when": "2026-03-02T06:00:00Z"}, {"when": None}]}
    assert type(plain["state"]) is str


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 3, 2, 6, 0, tzinfo=UTC), "2026-03-02T06:00:00Z"),
        (datetime(2026, 3, 2, 6, 0, 0, 120_000, tzinfo=UTC), "2026-03-02T06:00:00.120000Z"),
        (datetime(2026, 3, 2, 8, 0, tzinfo=timezone(timedelta(hours=2))), "2026-03-02T06:00:00Z"),
    ],
)
def test_times_are_written_in_utc_with_z(moment: datetime, text: str) -> None:
    """Whatever zone a time comes in, it leaves in UTC."""
    assert timestamp(moment) == text


def test_a_time_without_zone_is_refused() -> None:
    """A naive time names no moment, so it is no JSON either."""
    with pytest.raises(ValueError, match="has no zone"):
        document({"at": datetime(2026, 3, 2)})


@pytest.mark.parametrize("value", [b"bytes", {1: "a key that is no text"}, object(), {"a", "set"}, Inner])
def test_what_has_no_form_is_refused(value: object) -> None:
    """What the public JSON has no form for is an error, never a guess."""
    with pytest.raises(TypeError):
        document(value)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_dump_refuses_numbers_that_json_does_not_have(value: float) -> None:
    """NaN would make the whole answer unreadable to others."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        dump([value])


@example("\x7f\x9b\x1b[31m\u202e\ud800")
@given(st.text() | st.text(st.characters(categories=["Cs", "Cc", "Cf"])))
def test_dump_is_harmless_ascii_for_any_name(name: str) -> None:
    """Any text survives, and none of it can reach a terminal as a control code."""
    text = dump({"job": name})
    assert text.isascii()
    assert text.isprintable()
    whole_pairs = name.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    assert json.loads(text) == {"job": whole_pairs}


def test_dump_is_one_line_unless_asked() -> None:
    """A program gets one line, a person may ask for more."""
    assert dump({"a": [1, 2]}) == '{"a":[1,2]}'
    assert dump({"a": 1}, indent=2) == '{\n  "a": 1\n}'


def test_status_has_the_contract_keys() -> None:
    """The status is written with the keys of the contract's section 3."""
    written: Any = document(status(server(), channels=[channel()], alarms=[alarm()], pending=3, dead=1, oldest=2.5))
    assert list(written) == ["servers", "outbox", "channels", "alarms"]
    assert list(written["alarms"][0]) == ["server", "event", "subject", "name", "since", "reason"]
    row = written["servers"][0]
    assert list(row)[:8] == [
        "name",
        "url",
        "api_version",
        "reachable",
        "last_poll",
        "last_success",
        "open_sessions",
        "last_error",
    ]
    assert row["last_poll"] == "2026-03-02T05:59:56Z"
    assert written["outbox"] == {"pending": 3, "dead": 1, "oldest_seconds": 2.5}


def test_sessions_and_deliveries_have_the_contract_keys() -> None:
    """Sessions and deliveries are written with exactly the keys and kinds of the contract's section 3."""
    assert document([session(end_time=None)]) == [
        {
            "server": "HQ",
            "id": "s1",
            "job": "Exchange daily",
            "status": "Failed",
            "creation_time": "2026-03-02T05:00:00Z",
            "end_time": None,
        }
    ]
    assert document([delivery(7, created=ago(60))]) == [
        {
            "id": 7,
            "event_id": "e" * 32,
            "event": "session.failed",
            "channel": "ops",
            "destination": "d",
            "message_id": "m1",
            "state": "pending",
            "attempts": 1,
            "next_attempt": "2026-03-02T06:00:05Z",
            "last_error": "HTTP 503",
            "created": "2026-03-02T05:59:00Z",
            "held": None,
        }
    ]
