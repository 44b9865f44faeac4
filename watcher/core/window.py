"""Times that come again: every night, on weekends, on Sunday mornings. Right across daylight saving."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

EVERY_DAY = frozenset(range(7))
_MOST_IN_A_ROW = 64
_RESOLUTION = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """A span of the day, by the clocks of a zone, on some days of the week (0 is Monday).

    It belongs to the day on which it begins. `ends` at or before `begins` is on the next day; equal, it is a whole day.
    """

    begins: time
    ends: time
    zone: tzinfo
    days: frozenset[int] = EVERY_DAY

    def until(self, moment: datetime) -> datetime | None:
        """Return when the window ends in which a moment lies; None if it lies in none. In UTC, the end not counted."""
        today = moment.astimezone(self.zone).date()
        spans = (self._span(today + timedelta(days=days)) for days in (-1, 0, 1))
        ends = [end for begin, end in filter(None, spans) if begin <= moment < end]
        return max(ends, default=None)

    def _span(self, day: date) -> tuple[datetime, datetime] | None:
        """Return the window that begins on a day: from the first time the clock shows its begin to the last its end."""
        if day.weekday() not in self.days:
            return None
        last = day if self.ends > self.begins else day + timedelta(days=1)
        return first_time(day, self.begins, self.zone), _last_time(last, self.ends, self.zone)


def until(windows: Iterable[Window], moment: datetime) -> datetime | None:
    """Return when a moment's windows are over, those that follow without a break counted; None if it is in none."""
    windows = tuple(windows)
    end: datetime | None = None
    for _ in range(_MOST_IN_A_ROW):
        at = end or moment
        later = max((found for window in windows if (found := window.until(at))), default=None)
        if later is None:
            return end
        end = later
    return end


def never_ends(windows: Iterable[Window]) -> bool:
    """Whether windows follow each other for ever, so that nothing that waits for their end ever comes."""
    windows = tuple(windows)
    monday = datetime(2026, 6, 1, tzinfo=UTC)  # a week in which no clock is put forward or back
    end = until(windows, monday) if windows else None
    return end is not None and end - monday > timedelta(days=15)


def first_time(day: date, wall: time, zone: tzinfo) -> datetime:
    """Return the first moment at which a zone's clocks show a time, in UTC; for one that is skipped, the skip's end."""
    return _moment(datetime.combine(day, wall.replace(fold=0), zone))


def _last_time(day: date, wall: time, zone: tzinfo) -> datetime:
    return _moment(datetime.combine(day, wall.replace(fold=1), zone))


def _moment(local: datetime) -> datetime:
    found = local.astimezone(UTC)
    if found.astimezone(local.tzinfo).replace(tzinfo=None, fold=0) == local.replace(tzinfo=None, fold=0):
        return found
    return _end_of_gap(local)


def _end_of_gap(local: datetime) -> datetime:
    """Return when the clocks were put forward over a time that they never showed."""
    low, high = sorted(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    before = low.astimezone(local.tzinfo).utcoffset()
    while high - low > _RESOLUTION:
        middle = low + (high - low) / 2
        low, high = (middle, high) if middle.astimezone(local.tzinfo).utcoffset() == before else (low, middle)
    return high.replace(microsecond=0)
