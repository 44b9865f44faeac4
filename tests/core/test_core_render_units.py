"""Numbers and times as a person reads them."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.core.render.units import brief, duration, moment, number, offset, ordinal, rate, size, times

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (1_234, "1.2 kB"),
        (99_949, "99.9 kB"),
        (99_950, "100 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (1_234_567_890, "1.2 GB"),
        (120_000_000_000, "120 GB"),
        (2**63, "9.2 EB"),
        (10**22, "10000 EB"),
    ],
)
def test_sizes_are_decimal(count: int, text: str) -> None:
    """Sizes count in thousands and change the unit where rounding would reach the next."""
    assert size(count) == text
    assert rate(count) == f"{text}/s"


@given(st.integers(0, 10**20))
def test_a_size_is_near_its_number(count: int) -> None:
    """What is read back from a size differs from the number by rounding only."""
    value, unit = size(count).split(" ")
    back = float(value) * 1000 ** ["B", "kB", "MB", "GB", "TB", "PB", "EB"].index(unit)
    assert abs(back - count) <= 0.051 * max(count, 1)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0 s"),
        (0, "0 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (303, "5 min 3 s"),
        (3600, "1 h"),
        (4320, "1 h 12 min"),
        (3605, "1 h"),
        (183_600, "2 d 3 h"),
        (86_400 * 400, "400 d"),
    ],
)
def test_durations_show_two_units(seconds: float, text: str) -> None:
    """A duration shows its greatest unit and, where it is not zero, the next."""
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("when", "text"),
    [
        (datetime(2026, 3, 3, 1, 10, tzinfo=UTC), "Tue 3 Mar 02:10 +01:00"),
        (datetime(2026, 7, 3, 1, 10, tzinfo=UTC), "Fri 3 Jul 03:10 +02:00"),
        (datetime(2025, 12, 31, 23, 30, tzinfo=UTC), "Thu 1 Jan 00:30 +01:00"),
        (datetime(2025, 12, 31, 22, 30, tzinfo=UTC), "Wed 31 Dec 2025 23:30 +01:00"),
    ],
)
def test_moments_carry_their_offset(when: datetime, text: str) -> None:
    """A moment is said in the zone of the reader, with its offset, and with its year where it is another one."""
    assert moment(when, BERLIN, beside=datetime(2026, 6, 1, tzinfo=UTC)) == text


def test_an_offset_west_of_greenwich_with_minutes() -> None:
    """Offsets of half an hour and those behind UTC are written out."""
    zone = timezone(-timedelta(hours=3, minutes=30))
    when = datetime(2026, 3, 3, 1, 10, tzinfo=UTC)
    assert moment(when, zone, beside=when) == "Mon 2 Mar 21:40 -03:30"


@pytest.mark.parametrize("when", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
@pytest.mark.parametrize("hours", [-12, 14])
def test_the_ends_of_time_are_no_crash(when: datetime, hours: int) -> None:
    """A moment that has no place in a zone is said in UTC."""
    assert str(when.year) in moment(when, timezone(timedelta(hours=hours)), beside=datetime(2026, 6, 1, tzinfo=UTC))


def test_counts_in_words() -> None:
    """Small counts are words, greater ones numbers with the right ending."""
    assert [ordinal(n) for n in (1, 3, 10, 11, 12, 13, 21, 22, 103, 111)] == [
        "first", "third", "tenth", "11th", "12th", "13th", "21st", "22nd", "103rd", "111th",
    ]  # fmt: skip
    assert [times(n) for n in (1, 2, 3)] == ["once", "twice", "3 times"]
    assert number(1234567) == "1,234,567"


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2026-03-03T01:10:00", "today 02:10"),
        ("2026-03-02T23:30:00", "today 00:30"),
        ("2026-03-02T22:30:00", "Mon 23:30"),
        ("2026-02-25T12:00:00", "Wed 13:00"),
        ("2026-02-24T12:00:00", "24 Feb 13:00"),
        ("2025-12-31T23:30:00", "1 Jan 00:30"),
        ("2025-12-31T22:30:00", "31 Dec 2025 23:30"),
        ("2026-03-03T23:30:00", "tomorrow 00:30"),
        ("2026-03-05T12:00:00", "5 Mar 13:00"),
    ],
)
def test_a_moment_is_as_short_as_it_is_clear(when: str, said: str) -> None:
    """By the days of its zone: today, a day of the last week, a date."""
    moment = datetime.fromisoformat(when).replace(tzinfo=UTC)
    now = datetime(2026, 3, 3, 7, 0, tzinfo=UTC)
    assert brief(moment, ZoneInfo("Europe/Zurich"), beside=now) == said
    assert offset(moment, ZoneInfo("Europe/Zurich")) == "+01:00"
