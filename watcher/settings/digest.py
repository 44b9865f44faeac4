"""`[digest]` and `[heartbeat]` of watcher.toml: when one is due, and for whom."""

from collections.abc import Iterable, Mapping
from datetime import time, tzinfo

from watcher.core.digest import Schedule
from watcher.settings import hours, parse
from watcher.settings.model import DigestSettings
from watcher.settings.notes import Notes
from watcher.settings.routes import known_channels
from watcher.settings.tabled import Tabled, of_text
from watcher.settings.zone import zone as read_zone

KEYS = ("every", "at", "day", "zone", "channels")
_MORNING = time(8)


def table_digest(
    table: Mapping[str, object], where: str, zone: tzinfo, channels: Iterable[str], notes: Notes
) -> DigestSettings:
    """Return what the table says."""
    tabled = Tabled(table, where, notes)
    tabled.known(KEYS)
    every = tabled.get("every", of_text(parse.choice("daily", "weekly")), "daily")
    if "day" in table and every == "daily":
        notes.problem(f"{where}: day", 'needs `every = "weekly"`')
    schedule = Schedule(
        tabled.get("at", of_text(hours.clock), _MORNING),
        tabled.get("zone", of_text(read_zone), zone),
        tabled.get("day", of_text(hours.day), 0) if every == "weekly" else None,
    )
    return DigestSettings(schedule, tabled.get("channels", known_channels(channels), None))
