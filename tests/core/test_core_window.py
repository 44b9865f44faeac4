"""Hours that come again, in every zone, on the days when the clocks are changed."""

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.window import EVERY_DAY, Window, never_ends, until

ZURICH = ZoneInfo("Europe/Zurich")
ZONES = tuple(ZoneInfo(name) for name in sorted(available_timezones()) if not name.startswith(("Etc/", "posix/")))
MINUTE = timedelta(minutes=1)

times = st.builds(time, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 45, 59]))
days = st.frozensets(st.integers(0, 6), min_size=1)
windows = st.builds(Window, times, times, st.sampled_from(ZONES), days)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 1), timezones=st.just(UTC))


def changes(zone: ZoneInfo, year: int) -> list[datetime]:
    """Return the hours after which a zone's clocks are changed."""
    hours = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(hours=n) for n in range(24 * 365)]
    return [one for one, then in pairwise(hours) if _offset(one, zone) != _offset(then, zone)]


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    return moment.astimezone(zone).utcoffset()


def night(**fields: object) -> Window:
    return Window(**({"begins": time(22), "ends": time(7), "zone": ZURICH, "days": EVERY_DAY} | fields))  # type: ignore[arg-type]


def local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZURICH).astimezone(UTC)


@pytest.mark.parametrize(
    ("moment", "ends"),
    [
        ("2026-03-03 21:59", None),
        ("2026-03-03 22:00", "2026-03-04 07:00"),
        ("2026-03-04 06:59", "2026-03-04 07:00"),
        ("2026-03-04 07:00", None),
        ("2026-03-28 23:00", "2026-03-29 07:00"),  # the night in which an hour is missing
        ("2026-10-24 23:00", "2026-10-25 07:00"),  # the night that has one more
    ],
)
def test_a_night_ends_in_the_morning(moment: str, ends: str | None) -> None:
    """Nobody is woken an hour early because the clocks were changed."""
    assert night().until(local(moment)) == (local(ends) if ends else None)


def test_a_window_belongs_to_the_day_on_which_it_begins() -> None:
    """Friday night lasts into Saturday; Saturday night is another one."""
    week = night(days=frozenset(range(5)))
    assert week.until(local("2026-03-07 03:00")) == local("2026-03-07 07:00")
    assert week.until(local("2026-03-07 23:00")) is None
    assert week.until(local("2026-03-09 03:00")) is None


def test_an_hour_that_comes_twice_is_quiet_both_times() -> None:
    """A window that ends at 02:30 lasts until the second 02:30, without a break."""
    early = night(ends=time(2, 30))
    assert early.until(datetime(2026, 10, 25, 0, 45, tzinfo=UTC)) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_an_hour_that_is_skipped_ends_where_the_clock_goes_on() -> None:
    """A window from or to a time that the clocks never show begins or ends with the skip."""
    skip = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
    assert night(ends=time(2, 30)).until(skip - MINUTE) == skip
    assert night(begins=time(2, 30), ends=time(4)).until(skip - MINUTE) is None
    assert night(begins=time(2, 30), ends=time(4)).until(skip) == local("2026-03-29 04:00")


def test_windows_that_meet_are_one() -> None:
    """What comes in a weekend whose nights are quiet too waits until Monday."""
    weekend = (night(), Window(time(0), time(0), ZURICH, frozenset({5, 6})))
    assert until(weekend, local("2026-03-07 12:00")) == local("2026-03-09 07:00")
    assert until(weekend, local("2026-03-06 23:00")) == local("2026-03-09 07:00")
    assert until(weekend, local("2026-03-06 12:00")) is None


def test_windows_without_end_are_known() -> None:
    """What waits for their end would never be told."""
    assert never_ends([Window(time(0), time(0), UTC)])
    assert never_ends([Window(time(7), time(19), UTC), Window(time(19), time(7), UTC)])
    assert not never_ends([night(), Window(time(7), time(21, 59), ZURICH)])
    assert not never_ends([])


@given(windows, moments)
def test_the_end_is_ahead_and_outside(window: Window, moment: datetime) -> None:
    """Whoever waits for the end does get there, and is not in the same window again."""
    end = window.until(moment)
    if end is not None:
        assert moment < end <= moment + timedelta(hours=27)
        again = window.until(end)
        assert again is None or again - end > timedelta(0)


@given(st.sampled_from(ZONES), times, times, st.integers(1990, 2036), st.data())
def test_on_the_days_of_the_change_it_is_the_clock_on_the_wall_that_counts(
    zone: ZoneInfo, begins: time, ends: time, year: int, data: st.DataObject
) -> None:
    """In every zone: inside, the wall shows a time of the window, but for the hours that come twice or never."""
    around = changes(zone, year)
    if not around or begins == ends:
        return
    change = data.draw(st.sampled_from(around))
    window = Window(begins, ends, zone)
    for minutes in range(-48 * 60, 48 * 60, 37):
        moment = change + timedelta(minutes=minutes)
        wall = moment.astimezone(zone).time().replace(fold=0)
        inside = begins <= wall < ends if begins < ends else wall >= begins or wall < ends
        if abs(minutes) > 4 * 60:
            assert (window.until(moment) is not None) == inside, (zone, moment, wall)
