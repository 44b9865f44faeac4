"""Time zones: the one that is named, and the machine's own."""

from collections.abc import Mapping
from datetime import UTC, tzinfo
from difflib import get_close_matches
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

_LOCALTIME = Path("/etc/localtime")


def zone(text: str) -> tzinfo:
    """Read an IANA name, as `Europe/Zurich`."""
    name = text.strip()
    found = _find(name)
    if found is not None:
        return found
    known = available_timezones()
    if not known:
        raise ValueError("cannot be looked up: this machine has no time zone data, install the package `tzdata`")
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean `{near[0]}`?" if near else "write an IANA name, as `Europe/Zurich`"
    raise ValueError(f"`{name}` is no time zone: {hint}")


def machine_zone(environ: Mapping[str, str], localtime: Path = _LOCALTIME) -> tzinfo | None:
    """Return this machine's zone, which knows of summer time; None where it cannot be found out.

    `datetime.astimezone()` would give today's offset, and a daemon runs on into the next summer.
    """
    named = environ.get("TZ", "").removeprefix(":")
    if named:
        return _find(named)
    try:
        with localtime.open("rb") as file:
            return ZoneInfo.from_file(file, key=_name_of(localtime))
    except FileNotFoundError:
        return UTC  # what the C library takes without a zone file
    except (OSError, ValueError):
        return None


def _find(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # a folder ("Europe"), a path out of the data, a name that is unknown
        return None


def _name_of(localtime: Path) -> str:
    _, _, name = str(localtime.resolve()).partition("zoneinfo/")
    return name or "localtime"
