"""`[watchdogs]` of watcher.toml: from when on something is worth a word, and where that differs."""

from collections.abc import Callable, Mapping
from typing import Any

from watcher.core.watchdog.limits import Limits, Override, Rulebook
from watcher.settings import parse
from watcher.settings.notes import Notes
from watcher.settings.routes import match_of
from watcher.settings.tabled import Tabled, of_text, text, texts

AUTO = "auto"
OVERRIDE_TERMS = ("server", "labels", "organization", "job", "job_type")
"""What an override can be meant for: there is no event yet."""

_LARGEST = 100_000


def table_watchdogs(table: Mapping[str, object], where: str, notes: Notes) -> Rulebook:
    """Return what the `[watchdogs]` table says."""
    tabled = Tabled(table, where, notes)
    tabled.known((*KEYS, "overrides"))
    limits = Limits(**dict(_changes(tabled)))
    written = table.get("overrides", [])
    if not isinstance(written, list) or not all(isinstance(one, dict) for one in written):
        notes.problem(f"{where}: overrides", "is no list of tables: write `[[watchdogs.overrides]]`")
        return Rulebook(limits)
    overrides = (
        _override(Tabled(one, f"{where[:-1]}.overrides] {place}", notes)) for place, one in enumerate(written, start=1)
    )
    return Rulebook(limits, tuple(overrides))


def _override(tabled: Tabled) -> Override:
    tabled.known(("match", *KEYS))
    if "match" not in tabled.table:
        tabled.notes.problem(
            f"{tabled.where}: match", 'missing: say what it is meant for, as `match = { job = "HR*" }`'
        )
    match = tabled.inner("match")
    for term in match.table.keys() & {"event", "severity"}:
        tabled.notes.problem(f"{match.where}: {term}", f"is not known here: it can be {', '.join(OVERRIDE_TERMS)}")
    return Override(match_of(match), tuple(_changes(tabled)))


def _changes(tabled: Tabled) -> list[tuple[str, Any]]:
    """Return the fields of Limits that a table sets."""
    found: list[tuple[str, Any]] = []
    for key in KEYS:
        changes = tabled.get(key, _READERS[key], None) if key in tabled.table else None
        found += changes or ()
    return found


_Reader = Callable[[object], tuple[tuple[str, Any], ...]]


def _span(name: str) -> _Reader:
    """Make a reader of a duration that `false` switches off."""

    def read(value: object) -> tuple[tuple[str, Any], ...]:
        return ((name, None if value is False else _duration(value)),)

    return read


def _span_or_auto(name: str, switch: str) -> _Reader:
    """Make a reader of a duration, `auto`, or `false`."""

    def read(value: object) -> tuple[tuple[str, Any], ...]:
        if value is False or (isinstance(value, str) and value.strip().lower() == AUTO):
            return (name, None), (switch, value is not False)
        return (name, _duration(value)), (switch, False)

    return read


def _falling(name: str, unit: str, most: int) -> _Reader:
    """Make a reader of whole numbers, the largest first; `false` is none of them."""

    def read(value: object) -> tuple[tuple[str, Any], ...]:
        if value is False:
            return ((name, ()),)
        numbers = [_number(one, unit, most) for one in texts(value)]
        return ((name, tuple(sorted(set(numbers), reverse=True))),)

    return read


def _percent(value: object) -> tuple[tuple[str, Any], ...]:
    return (("short_below", None if value is False else _number(text(value), "percent", 100)),)


def _number(word: str, unit: str, most: int) -> int:
    word = word.strip().removesuffix("%").strip()
    if word.isascii() and word.isdigit() and 1 <= int(word) <= most:
        return int(word)
    raise ValueError(f"`{word}` is no number of {unit}: write 1 to {most}, or false")


def _duration(value: object) -> object:
    if value is True:
        raise ValueError("is no duration: write `30m`, `2h`, `1d`, or false")
    return of_text(parse.duration)(value)


_READERS: Mapping[str, _Reader] = {
    "overdue_grace": _span("overdue_grace"),
    "rpo": _span_or_auto("rpo", "is_rpo_usual"),
    "disabled_after": _span("disabled_after"),
    "slow_after": _span_or_auto("slow_after", "is_slow_usual"),
    "stalled_after": _span("stalled_after"),
    "queued_after": _span("queued_after"),
    "disconnected_after": _span("disconnected_after"),
    "short_below": _percent,
    "unhealthy_after": _span("unhealthy_after"),
    "proxy_offline_after": _span("proxy_offline_after"),
    "repository_low": _falling("repository_low", "percent", 100),
    "repository_invalid_after": _span("repository_invalid_after"),
    "license_days": _falling("license_days", "days", _LARGEST),
}

KEYS = tuple(_READERS)
"""Every key of `[watchdogs]` and of its overrides."""
