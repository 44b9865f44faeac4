"""The one place that reads the clock."""

from datetime import UTC, datetime


def now() -> datetime:
    """Return this machine's time, aware and in UTC."""
    return datetime.now(UTC)  # noqa: TID251 - this is the place the rule speaks of
