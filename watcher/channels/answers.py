"""What an HTTP answer means for a delivery."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from watcher.core.delivery import Sent, Verdict

LONGEST_WAIT = 3600.0
_DELIVERED = Verdict(Sent.DELIVERED)
_PASSING = frozenset({408, 409, 425, 429})  # 4xx that speak of the moment, not of the request
_MAY_SAY_WHEN = frozenset({429, 503})


def verdict_of(status: int, retry_after: str | None, *, now: datetime) -> Verdict:
    """Return what a status says (contract, section 5). `retry_after` is the header's value: seconds or an HTTP date."""
    if 200 <= status < 300:
        return _DELIVERED
    said = f"answered {status}{_phrase(status)}"
    if 300 <= status < 400:
        return Verdict(Sent.TRY_AGAIN, f"{said}; redirects are not followed")
    if status in _MAY_SAY_WHEN and (wait := seconds_to_wait(retry_after, now=now)) is not None:
        return Verdict(Sent.WAIT_UNTIL, f"{said} and asks to wait {wait:.0f} s", wait)
    if 400 <= status < 500 and status not in _PASSING:
        return Verdict(Sent.REFUSED, said)
    return Verdict(Sent.TRY_AGAIN, said)


def seconds_to_wait(retry_after: str | None, *, now: datetime) -> float | None:
    """Return how long a `Retry-After` asks to wait, an hour at most; None if it says nothing that can be understood."""
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_WAIT)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), LONGEST_WAIT)


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""
