"""How far a server's clock is from ours, read from the `Date` header of its answers."""

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

HALF_A_TICK = timedelta(seconds=0.5)
WITHIN_THE_HEADER = timedelta(seconds=2)


class SkewGauge:
    """The skew by the quickest answer since the last reset: the shorter the way, the nearer the estimate."""

    def __init__(self) -> None:
        """Begin without a measurement."""
        self._best: tuple[timedelta, timedelta] | None = None

    def reset(self) -> None:
        """Forget what was measured."""
        self._best = None

    def measure(self, date: str | None, sent: datetime, came: datetime) -> None:
        """Take an answer's `Date` header, and when by our clock the request left and its answer came."""
        server = _read(date)
        if server is None:
            return
        took = max(came - sent, timedelta(0))
        # the header is cut to whole seconds: on average half a second has passed since
        skew = server + HALF_A_TICK - (sent + took / 2)
        if self._best is None or took < self._best[0]:
            self._best = (took, skew)

    @property
    def value(self) -> timedelta | None:
        """The server's clock less ours: None without a `Date` header, zero within what the header can show."""
        if self._best is None:
            return None
        skew = self._best[1]
        return timedelta(0) if abs(skew) < WITHIN_THE_HEADER else skew


def _read(date: str | None) -> datetime | None:
    try:
        when = parsedate_to_datetime(date or "")
        return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
