"""Secrets that stand in two places with two values: one was changed, the other one forgotten, and only one counts."""

from collections.abc import Iterable
from pathlib import Path

from watcher.settings.disk import content
from watcher.settings.layer import Written
from watcher.settings.reader import Reader
from watcher.settings.setting import Setting


def warn_of_twins(reader: Reader, settings: Iterable[Setting[object]]) -> None:
    """Say of each secret that the reader's layers hold with two values which one counts; shows neither.

    A file that cannot be read is no other value: where it counts, that is a mistake of its own.
    """
    for setting in settings:
        if setting.secret:
            _warn(reader, setting, [layer[setting.key] for layer in reader.layers if setting.key in layer])


def _warn(reader: Reader, setting: Setting[object], places: list[Written]) -> None:
    values = [(place, _value(setting, place)) for place in places]
    for place, value in values[1:]:
        first, counts = values[0]
        if counts is not None and value not in {None, counts}:
            reader.notes.warn(first.where, f"counts; the other value in {place.where} does not: keep one of the two")


def _value(setting: Setting[object], place: Written) -> object | None:
    """Return what is set there, as its text where that does not hold; None if it cannot be read."""
    try:
        text = content(Path(place.text)) if place.in_file else place.text
    except (OSError, ValueError):
        return None
    try:
        return setting.parse(text)
    except ValueError:
        return text
