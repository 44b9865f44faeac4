"""Where settings are written: the environment, an env file, a table of watcher.toml, the credentials directory.

Each becomes a layer: what is written for each key there, and the words for that place.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias

from watcher.settings.envfile import Line
from watcher.settings.notes import Notes
from watcher.settings.setting import PREFIX, Place
from watcher.settings.table import LISTEN, PLACES, TABLE


@dataclass(frozen=True, slots=True)
class Written:
    """A value as it stands somewhere, and where. `in_file`: the value is in the file that `text` names.

    `guarded`: that file is one of systemd's credentials, whose mode is not ours to judge.
    """

    text: str
    where: str
    in_file: bool = False
    guarded: bool = False


Layer: TypeAlias = Mapping[str, Written]


def of_options(options: Mapping[str, str]) -> Layer:
    """Make a layer of command line options, named by key."""
    return {key: Written(text, f"--{key.replace('_', '-')}") for key, text in options.items()}


def of_environment(environ: Mapping[str, str], notes: Notes) -> Layer:
    """Make a layer of the variables that begin with our prefix; all others are somebody else's."""
    ours = [(name, Written(text, name)) for name, text in environ.items() if name.startswith(PREFIX)]
    for name, written in ours:
        if not _is_unicode(written.text):
            notes.problem(name, "is not UTF-8 text: set it in a terminal or file that writes UTF-8")
    return _of_variables(ours, notes)


def of_env_file(path: Path, lines: Iterable[Line], notes: Notes) -> Layer:
    """Make a layer of the lines of an env file; of two lines with one name the later one counts."""
    ours: dict[str, Written] = {}
    for line in lines:
        where = f"{path}:{line.number}"
        if line.name.upper().startswith(PREFIX):  # `watcher_url` is misspelt, and not somebody else's
            if line.name in ours:
                notes.warn(where, f"sets {line.name} again: this line counts")
            ours[line.name] = Written(line.value, f"{where}: {line.name}")
        else:
            notes.warn(where, f"sets none of our settings and has no effect{_nearest_variable(line.name)}")
    return _of_variables(ours.items(), notes)


def of_table(
    table: Mapping[str, object], where: str, places: Mapping[str, Place], notes: Notes, also: Iterable[str] = ()
) -> Layer:
    """Make a layer of a table of watcher.toml in which the keys of `places` are known; `also`: read elsewhere."""
    found: dict[str, Written] = {}
    for key, value in table.items():
        spot = f"{where}: {key}"
        if key not in places:
            notes.problem(spot, unknown_key(key, (*places, *also)))
        elif value == []:
            notes.problem(spot, "is an empty list: name something, or leave the key out")
        elif (text := _as_text(value)) is None:
            notes.problem(spot, "is of a wrong kind: write a text, a number, true or false, or a list of texts")
        else:
            _put(found, places[key], Written(text, spot), notes)
    return found


def of_credentials(directory: str | None, names: Mapping[str, tuple[str, ...]]) -> Layer:
    """Make a layer of files in `$CREDENTIALS_DIRECTORY`; for each key the first of its file names that is there."""
    if not directory:
        return {}
    found: dict[str, Written] = {}
    for key, files in names.items():
        for file in files:
            path = Path(directory, file)
            # not Path.is_file, which raises for a name that is too long
            if "/" not in file and os.path.isfile(path):
                found.setdefault(key, Written(str(path), f"credential {file}", in_file=True, guarded=True))
    return found


def credential_names() -> Mapping[str, tuple[str, ...]]:
    """Return the credential files of each secret: `webhook_secret`, and `webhook-secret` as systemd's own look."""
    return {
        setting.key: tuple(dict.fromkeys((setting.key, setting.key.replace("_", "-"))))
        for setting in TABLE
        if setting.secret
    }


def unknown_key(key: str, known: Iterable[str]) -> str:
    """Say that a key is not known, and which one is near; all of them, if they are few."""
    known = list(known)
    near = get_close_matches(key.lower().removeprefix(PREFIX.lower()), known, n=1)
    if near:
        return f"not known to this version: did you mean `{near[0]}`?"
    return "not known to this version" + (f": known are {', '.join(known)}" if len(known) <= _FEW else _SHOWN)


def _is_unicode(text: str) -> bool:
    """Whether a variable was UTF-8: what was not has come in as half characters, which no request can carry."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _of_variables(ours: Iterable[tuple[str, Written]], notes: Notes) -> Layer:
    found: dict[str, Written] = {}
    for name, written in ours:
        key = name.removeprefix(PREFIX).lower()
        if key in PLACES and name == name.upper():
            _put(found, PLACES[key], written, notes)
        else:
            notes.problem(written.where, f"unknown setting{_nearest_variable(name) or _READ}")
    return found


_READ = ": settings.example.env shows every one"
_SHOWN = ": docs/watcher.toml shows every one"
_FEW = 12


def _nearest_variable(name: str) -> str:
    known = [PREFIX + key.upper() for key in PLACES]
    near = [PREFIX + name.upper()] if PREFIX + name.upper() in known else _close(name.upper(), known)
    return f": did you mean {near[0]}?" if near else ""


def _close(name: str, known: list[str]) -> list[str]:
    return get_close_matches(name, known, n=1, cutoff=0.7)


def _put(found: dict[str, Written], place: Place, written: Written, notes: Notes) -> None:
    """File a value under its setting; a value and its `_FILE` twin in one place contradict each other.

    An empty value is as good as none, but for `listen`, which it switches off.
    """
    key = place.setting.key
    if not written.text and place.setting is not LISTEN:
        return
    if key in found:
        notes.problem(written.where, f"is set beside {found[key].where}: keep one of the two")
    found[key] = Written(written.text, written.where, place.in_file)


def _as_text(value: object) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        texts = [_as_text(item) for item in value if not isinstance(item, list)]
        return "\n".join(text for text in texts if text is not None) if len(texts) == len(value) else None
    return None
