"""Numbers and times as a person reads them. Units of data are decimal: 1 kB is 1000 bytes."""

from datetime import datetime, timedelta, tzinfo

_BYTES = ("B", "kB", "MB", "GB", "TB", "PB", "EB")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def size(count: int) -> str:
    """Return a number of bytes as "532 B", "5.7 MB" or "120 GB"."""
    value = float(count)
    if value < 1000:
        return f"{count} B"
    unit = 0
    while value >= 999.5 and unit < len(_BYTES) - 1:
        value, unit = value / 1000, unit + 1
    digits = 1 if value < 99.95 else 0
    return f"{value:.{digits}f} {_BYTES[unit]}"


def rate(count: int) -> str:
    """Return bytes a second as "5.7 MB/s"."""
    return f"{size(count)}/s"


def number(count: int) -> str:
    """Return a count with its thousands apart: "12,345"."""
    return f"{count:,}"


def duration(length: timedelta) -> str:
    """Return a length of time by its two greatest units: "42 s", "5 min 3 s", "1 h 12 min", "2 d 3 h"."""
    seconds = max(round(length.total_seconds()), 0)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    day, hour = divmod(hours, 24)
    parts = [(day, "d"), (hour, "h"), (minute, "min"), (second, "s")]
    while len(parts) > 1 and not parts[0][0]:
        del parts[0]
    first, *rest = parts[:2]
    return " ".join(f"{count} {unit}" for count, unit in (first, *(part for part in rest if part[0])))


def moment(when: datetime, zone: tzinfo, *, beside: datetime) -> str:
    """Return a moment as "Tue 3 Mar 02:10 +01:00"; the year is said where it is not that of the moment `beside`."""
    local = _local(when, zone)
    year = "" if local.year == _local(beside, zone).year else f" {local.year}"
    date = f"{_DAYS[local.weekday()]} {local.day} {_MONTHS[local.month - 1]}{year}"
    return f"{date} {local.hour:02}:{local.minute:02} {_offset(local)}"


def brief(when: datetime, zone: tzinfo, *, beside: datetime) -> str:
    """Return a moment as short as it is clear: "today 02:10", "Tue 02:10" within six days, "3 Mar 02:10" else.

    What lies a day and more ahead is always a date.
    """
    local, day = _local(when, zone), _local(beside, zone)
    clock = f"{local.hour:02}:{local.minute:02}"
    days = (day.date() - local.date()).days
    if days == 0:
        return f"today {clock}"
    if days == -1:
        return f"tomorrow {clock}"
    if 0 < days < 7:
        return f"{_DAYS[local.weekday()]} {clock}"
    year = "" if local.year == day.year else f" {local.year}"
    return f"{local.day} {_MONTHS[local.month - 1]}{year} {clock}"


def offset(when: datetime, zone: tzinfo) -> str:
    """Return how far a zone is from UTC at a moment: "+01:00"."""
    return _offset(_local(when, zone))


def ordinal(count: int) -> str:
    """Return "third" for 3 and "12th" for 12."""
    if 0 < count < len(_ORDINALS):
        return _ORDINALS[count]
    suffix = "th" if count % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(count % 10, "th")
    return f"{count}{suffix}"


def times(count: int) -> str:
    """Return "once", "twice", "3 times"."""
    return {1: "once", 2: "twice"}.get(count, f"{number(count)} times")


def _local(when: datetime, zone: tzinfo) -> datetime:
    try:
        return when.astimezone(zone)
    except OverflowError:  # the last hours of year 9999 and the first of year 1 have no place in every zone
        return when


def _offset(local: datetime) -> str:
    minutes = round((local.utcoffset() or timedelta()).total_seconds() / 60)
    hours, minute = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02}:{minute:02}"
