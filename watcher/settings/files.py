"""The two files of settings: which ones are read, and what stands in them."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from watcher.settings.disk import is_open_to_others, why
from watcher.settings.envfile import lines
from watcher.settings.layer import Layer, of_env_file
from watcher.settings.notes import Notes
from watcher.settings.setting import Place
from watcher.settings.table import CHANNEL_PLACES, PLACES, SERVER_PLACES

_BACKSLASH = "write a text with a `\\` in it in single quotes, as 'DOMAIN\\user'"
_TWICE = "it stands there twice, so keep one of the two, or write `[[…]]` for each of several tables"
_MENDS = (
    ("Unescaped '\\'", _BACKSLASH),
    ("Invalid hex value", _BACKSLASH),
    ("Escaped character", _BACKSLASH),
    ("Illegal character '\\n'", "end the text with its quote on the same line"),
    ("Unterminated string", "end the text with its quote"),
    ("Invalid value", "a text stands in quotes"),
    ("Cannot overwrite", _TWICE),
    ("Cannot declare", _TWICE),
    ("Cannot mutate", _TWICE),
    ("Duplicate inline table key", _TWICE),
    ("Expected '='", "write `key = value`"),
    ("Invalid statement", "write `key = value`, or a table as `[[servers]]`"),
    ("Invalid initial character for a key", "write `key = value`, or a table as `[[servers]]`"),
    ("Expected newline", "write one `key = value` a line"),
    ("Expected ']", "end the name of a table with as many `]` as it has `[`"),
    ("Unclosed array", "end the list with `]`"),
)
"""Beginnings of what tomllib says, and what to do about it."""


@dataclass(frozen=True, slots=True)
class EnvFile:
    """An env file that was read, as a layer."""

    path: Path
    layer: Layer


@dataclass(frozen=True, slots=True)
class Toml:
    """A watcher.toml that was read, not yet checked."""

    path: Path
    content: Mapping[str, object]


def read_env_file(asked: str | None, usual: Path, notes: Notes, *, need_secrets: bool) -> EnvFile | None:
    """Read the env file that was asked for, else the usual one if it is there."""
    if asked == "":  # as in --env-file "$UNSET": whoever writes that does not mean the usual file
        notes.unreadable("--env-file", "is empty: name a file, or leave the option out")
        return None
    path = Path(asked) if asked else usual
    text = _text(path, "--env-file" if asked else None, notes, need=need_secrets)
    if text is None:
        return None
    layer = of_env_file(path, list(lines(text, str(path), notes)), notes)
    if any(_is_secret(key, PLACES) and not written.in_file for key, written in layer.items()):
        _warn_if_open(path, notes)
    return EnvFile(path, layer)


def read_toml(asked: Path | None, where: str, usual: Path, notes: Notes, *, need_secrets: bool) -> Toml | None:
    """Read the watcher.toml that was asked for (`where`), else the usual one if it is there."""
    path = asked or usual
    text = _text(path, where if asked else None, notes, need=need_secrets)
    if text is None:
        return None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        notes.unreadable(str(path), f"is no TOML: {error}{_mend(str(error))}")
        return None
    if _holds_secrets(content):
        _warn_if_open(path, notes)
    return Toml(path, content)


def is_table(value: object) -> bool:
    """Whether a value of a TOML document is a table, or a list with tables in it."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(item, dict) for item in value))


def tables_of(content: Mapping[str, object], name: str) -> list[Mapping[str, object]]:
    """Return the tables of one name, `[[name]]`; anything else of that name is left out."""
    value = content.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(path: Path, asked_by: str | None, notes: Notes, *, need: bool) -> str | None:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        if asked_by:
            notes.unreadable(asked_by, f"{path} cannot be read: {why(error)}")
        elif isinstance(error, FileNotFoundError | NotADirectoryError):
            pass
        elif need:
            notes.unreadable(str(path), f"cannot be read: {why(error)}")
        else:
            notes.warn(str(path), f"cannot be read, so it is left out: {why(error)}")
        return None


def _mend(error: str) -> str:
    """Say how to mend a mistake in the TOML itself, for those that people make."""
    return next((f": {mend}" for beginning, mend in _MENDS if error.startswith(beginning)), "")


def _warn_if_open(path: Path, notes: Notes) -> None:
    if is_open_to_others(path):
        notes.warn(str(path), "holds secrets and can be read by others than its owner: `chmod 600` it")


def _holds_secrets(content: Mapping[str, object]) -> bool:
    """Whether a secret stands in a TOML document itself, and not only the path of one."""
    top = {key: value for key, value in content.items() if not is_table(value)}
    return (
        any(_is_secret(key, PLACES) for key in top)
        or any(_is_secret(key, SERVER_PLACES) for table in tables_of(content, "servers") for key in table)
        or any(_is_secret(key, CHANNEL_PLACES) for table in tables_of(content, "channels") for key in table)
    )


def _is_secret(key: str, places: Mapping[str, Place]) -> bool:
    place = places.get(key)
    return place is not None and place.setting.secret and not place.in_file
