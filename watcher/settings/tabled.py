"""Reads a table of watcher.toml whose values are more than texts: each key by its own reader, each mistake noted."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from watcher.settings.layer import unknown_key
from watcher.settings.notes import Notes

_T = TypeVar("_T")
_D = TypeVar("_D")


@dataclass(frozen=True, slots=True)
class Tabled:
    """One table, where it stands, and the notes in which mistakes gather."""

    table: Mapping[str, object]
    where: str
    notes: Notes

    def known(self, keys: Iterable[str]) -> None:
        """Note each key that is not one of these."""
        known = tuple(keys)
        for key in self.table:
            if key not in known:
                self.notes.problem(f"{self.where}: {key}", unknown_key(key, known))

    def get(self, key: str, read: Callable[[object], _T], default: _D) -> _T | _D:
        """Read a key, or return the default where it is missing or does not hold (which is noted)."""
        if key not in self.table:
            return default
        try:
            return read(self.table[key])
        except ValueError as error:
            self.notes.problem(f"{self.where}: {key}", str(error))
            return default

    def inner(self, key: str) -> "Tabled":
        """Return a table within this one; anything else in its place is noted."""
        value = self.table.get(key, {})
        if not isinstance(value, dict):
            self.notes.problem(f"{self.where}: {key}", f'is no table: write `{key} = {{ job = "HR*" }}`')
            value = {}
        return Tabled(value, f"{self.where}: {key}", self.notes)


def text(value: object) -> str:
    """Take a text, or a number as it would be written."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise ValueError("is of a wrong kind: write a text or a number")


def texts(value: object) -> tuple[str, ...]:
    """Take a text, or a list of them."""
    if isinstance(value, list):
        return tuple(text(one).strip() for one in value)
    return (text(value).strip(),)


def yes(value: object) -> bool:
    """Take true or false."""
    if isinstance(value, bool):
        return value
    raise ValueError("is of a wrong kind: write true or false")


def of_text(read: Callable[[str], _T]) -> Callable[[object], _T]:
    """Make a reader of values from one of texts; a list is joined by spaces."""
    return lambda value: read(" ".join(texts(value)))
