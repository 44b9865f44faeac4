"""Hours and days as people write them: `22:00-07:00`, `mon-fri`, `sun 02:00-06:00`."""

import re
from collections.abc import Iterator
from datetime import time, tzinfo

from watcher.core.window import EVERY_DAY, Window

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})")


def hours(text: str) -> tuple[time, time]:
    """Read a span of the day; `24:00` is its end."""
    begin, dash, end = (part.strip() for part in text.partition("-"))
    if not dash:
        raise ValueError(f"`{text}` is no span of hours: write `22:00-07:00`")
    return clock(begin), clock(end)


def clock(text: str) -> time:
    """Read a time of day, 00:00 to 24:00, which is the midnight that ends it."""
    match = _TIME.fullmatch(text.strip())
    hour, minute = (int(match[1]), int(match[2])) if match else (99, 0)
    if hour == 24 and minute == 0:
        return time(0)
    if hour > 23 or minute > 59:
        raise ValueError(f"`{text}` is no time of day: write `07:00`")
    return time(hour, minute)


def days(text: str) -> frozenset[int]:
    """Read days of the week, and spans of them: `mon wed`, `mon-fri`, `sat-mon`."""
    found = frozenset(day for word in text.replace(",", " ").split() for day in _span(word))
    if not found:
        raise ValueError("names no day: write `mon-fri`, or leave it out for every day")
    return found


def weekly(text: str, zone: tzinfo) -> Window:
    """Read a window that comes every week: `sun 02:00-06:00`; without days it comes every day."""
    named, _, span = text.strip().rpartition(" ")
    begins, ends = hours(span)
    return Window(begins, ends, zone, days(named) if named.strip() else EVERY_DAY)


def day(text: str) -> int:
    """Read one day of the week, 0 is Monday."""
    word = text.strip().lower()[:3]
    if word not in DAYS:
        raise ValueError(f"`{text.strip()}` is no day: write one of {', '.join(DAYS)}")
    return DAYS.index(word)


def _span(word: str) -> Iterator[int]:
    first, dash, last = word.partition("-")
    number = day(first)
    yield number
    while dash and number != day(last):
        number = (number + 1) % 7
        yield number
