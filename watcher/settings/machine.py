"""What this machine says where no setting does: its time zone, and the folder in which the database is."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path

from watcher.settings.reader import Reader
from watcher.settings.secret import Secret
from watcher.settings.table import DATABASE_URL, TIMEZONE
from watcher.settings.zone import machine_zone


@dataclass(frozen=True, slots=True)
class Usual:
    """Where settings and the database are when nothing says otherwise."""

    settings: Path = Path("/etc/vb365-watcher")
    state: Path = Path("/var/lib/vb365-watcher")


def timezone(reader: Reader, environ: Mapping[str, str]) -> tzinfo:
    """Return the zone of the times in messages, with a warning where it cannot be found out."""
    named = reader.optional(TIMEZONE)
    if named is not None or reader.find(TIMEZONE):
        return named or UTC
    own = machine_zone(environ)
    if own is None:
        reader.notes.warn(TIMEZONE.variable, "this machine's zone cannot be found out, so UTC is used: set it")
    return own or UTC


def database(reader: Reader, environ: Mapping[str, str], usual: Usual) -> tuple[Secret, Path | None]:
    """Return where the database is, and its folder if that is the default one."""
    url = reader.optional(DATABASE_URL)
    if url is not None or reader.find(DATABASE_URL):
        return url or Secret(""), None
    folder = _state_folder(environ, usual)
    return Secret(f"sqlite:///{folder / 'watcher.db'}"), folder


def _state_folder(environ: Mapping[str, str], usual: Usual) -> Path:
    given = environ.get("STATE_DIRECTORY", "").split(":")[0]  # systemd lists several with colons
    if given:
        return Path(given)
    if os.path.lexists(usual.state):  # also where only the service may enter: then its error says so
        return usual.state
    home = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or "~", ".local", "state").expanduser()
    return Path(home, "vb365-watcher")
