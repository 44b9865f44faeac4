"""What a command is given: its settings, a log that fits them, and what is wrong with it in plain words.

A word that does not hold, and a name that nothing has, end with 2: nothing was tried. A number or a beginning of an id
that the database does not have ends with 1, as does whatever else was tried and failed.
"""

import argparse
import os
from collections.abc import Iterable
from datetime import datetime, time, tzinfo
from difflib import get_close_matches

from watcher import logs
from watcher.cli.ending import Ending
from watcher.settings import ChannelSettings, Settings, SettingsError, load

_YEARS = range(1970, 2200)


def settings_of(args: argparse.Namespace, *, need_secrets: bool = True) -> Settings:
    """Load the settings that a command line asks for. Ending with code 2 and one line for each mistake."""
    given = {"env_file": args.env_file, "config": args.config}
    options = {key: value for key, value in given.items() if value is not None}
    try:
        return load(options=options, environ=os.environ, need_secrets=need_secrets)
    except SettingsError as error:
        raise Ending(*error.problems, code=2) from None


def quiet_log(settings: Settings) -> None:
    """Set up the log of a command that says everything itself: errors, or all of it at debug."""
    level = settings.log_level if settings.log_level == "debug" else "error"
    logs.configure(settings.log_format, level, settings.secret_values())


def moment(text: str, zone: tzinfo, at: datetime) -> datetime:
    """Read a time as `23:30` (of the day of `at`) or `2026-03-01T23:30`, in `zone` where it names none. ValueError."""
    local = at.astimezone(zone)
    try:
        if len(text) <= len("23:30:00"):
            padded = f"0{text}" if text[1:2] == ":" else text  # `9:30`, as people write it
            return datetime.combine(local.date(), time.fromisoformat(padded), zone)
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"`{text}` is no time: write `23:30` or `2026-03-01T23:30`") from None
    if found.year not in _YEARS:  # hours are counted on from it, and calendars have ends
        raise ValueError(f"`{text}` is too far away: write a time from {_YEARS.start} to {_YEARS.stop - 1}")
    return found if found.tzinfo else found.replace(tzinfo=zone)


def misused(command: str, *mistakes: str) -> Ending:
    """Return the ending, with 2, for words that do not hold; `command` is the one whose help says more."""
    return Ending(*(f"{mistake} (see `watcher {command} --help`)" for mistake in mistakes), code=2)


def of_channel(channel: ChannelSettings, error: Exception) -> str:
    """Return what is wrong with a channel without its name, which stands before it already."""
    return str(error).removeprefix(f"channel {channel.name}: ")


def unknown_name(what: str, name: str, known: Iterable[str]) -> str:
    """Say that no server or channel has this name, and which one is near, or which there are."""
    names = list(known)
    near = get_close_matches(name, names, n=1)
    mend = f"did you mean `{near[0]}`?" if near else f"the {what}s are {', '.join(names)}" if names else "there is none"
    return f"no {what} is called `{name}`: {mend}"
