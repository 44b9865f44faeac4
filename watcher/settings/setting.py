"""What a setting is: its key, how it is read, its default, whether it is a secret, and one sentence about it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

_T_co = TypeVar("_T_co", covariant=True)

PREFIX = "WATCHER_"


@dataclass(frozen=True, slots=True)
class Setting(Generic[_T_co]):
    """One setting. `key` is its name in watcher.toml; `default` is written as a user would write it.

    `parse` raises ValueError with the mend. `sample` stands in settings.example.env where there is no default.
    """

    key: str
    parse: Callable[[str], _T_co]
    about: str
    default: str | None = None
    sample: str = ""
    secret: bool = False

    @property
    def variable(self) -> str:
        """Its name in the environment and in an env file."""
        return PREFIX + self.key.upper()


@dataclass(frozen=True, slots=True)
class Place:
    """What a known key sets: a setting itself, or (`in_file`) the file that holds its value."""

    setting: Setting[object]
    in_file: bool = False


def places_of(settings: Iterable[Setting[object]]) -> Mapping[str, Place]:
    """Return every key that some settings are known by; a secret has a `_file` twin beside its own."""
    places: dict[str, Place] = {}
    for setting in settings:
        places[setting.key] = Place(setting)
        if setting.secret:
            places[f"{setting.key}_file"] = Place(setting, in_file=True)
    return places
