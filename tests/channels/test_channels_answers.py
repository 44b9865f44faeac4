"""What an HTTP answer means for a delivery."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.channels.answers import seconds_to_wait, verdict_of
from watcher.core.delivery import Sent

NOW = datetime(2026, 3, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("statuses", "sent"),
    [
        ((200, 201, 202, 204, 299), Sent.DELIVERED),
        ((300, 301, 302, 307, 308, 399), Sent.TRY_AGAIN),
        ((400, 401, 402, 403, 404, 405, 406, 407, 410, 413, 422, 451, 499), Sent.REFUSED),
        ((408, 409, 425, 429), Sent.TRY_AGAIN),
        ((500, 501, 502, 503, 504, 599, 600, 999, 100), Sent.TRY_AGAIN),
    ],
)
def test_the_table_of_the_contract(statuses: tuple[int, ...], sent: Sent) -> None:
    """Each status without `Retry-After` means what the contract says, and the reason names it."""
    for status in statuses:
        verdict = verdict_of(status, None, now=NOW)
        assert verdict.sent == sent, status
        assert sent == Sent.DELIVERED or str(status) in verdict.reason
        assert verdict.wait is None


@pytest.mark.parametrize("status", [429, 503])
def test_a_receiver_may_say_when(status: int) -> None:
    """429 and 503 with `Retry-After` wait that long."""
    verdict = verdict_of(status, "17", now=NOW)
    assert (verdict.sent, verdict.wait) == (Sent.WAIT_UNTIL, 17.0)


@pytest.mark.parametrize(("status", "sent"), [(200, Sent.DELIVERED), (404, Sent.REFUSED), (500, Sent.TRY_AGAIN)])
def test_others_may_not(status: int, sent: Sent) -> None:
    """With any other status the header changes nothing."""
    assert verdict_of(status, "17", now=NOW).sent == sent


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("0", 0.0),
        (" 17 ", 17.0),
        ("3600", 3600.0),
        ("3601", 3600.0),
        ("9" * 400, 3600.0),
        (format_datetime(NOW + timedelta(minutes=2), usegmt=True), 120.0),
        (format_datetime(NOW + timedelta(days=2), usegmt=True), 3600.0),
        (format_datetime(NOW - timedelta(minutes=2), usegmt=True), 0.0),
        ("Tue, 03 Mar 2026 01:12:00 -0000", 120.0),
        (None, None),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("\u0663", None),
        ("Tue, 33 Mar 2026 01:12:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(header: str | None, wait: float | None) -> None:
    """Both forms of the header are read, an hour at most; what is neither says nothing."""
    assert seconds_to_wait(header, now=NOW) == wait


@given(st.integers(100, 999), st.none() | st.text())
def test_no_header_breaks_it(status: int, header: str | None) -> None:
    """Whatever a receiver writes there, a verdict comes out, and waits are between nothing and an hour."""
    wait = verdict_of(status, header, now=NOW).wait
    assert wait is None or 0 <= wait <= 3600
