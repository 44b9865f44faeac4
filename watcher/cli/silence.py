"""`watcher silence`: tells nobody of some events for a while, with author and reason."""

import argparse
import getpass
from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo

from watcher.cli.database import opened, store_errors
from watcher.cli.given import misused, moment, quiet_log, settings_of
from watcher.cli.screen import say, show_json, table
from watcher.cli.streams import complain
from watcher.clock import now
from watcher.core.jsonview import dump
from watcher.core.match import Match
from watcher.core.silence import Silence
from watcher.settings import Settings, parse
from watcher.settings.notes import Notes
from watcher.settings.routes import match_of
from watcher.settings.tabled import Tabled
from watcher.store import Store

_TERMS = ("server", "organization", "job", "event", "severity")
_LONGEST = timedelta(days=366)
_ADD = "silence add"


def execute(args: argparse.Namespace) -> int:
    """Begin, show or end silences; 1 if one that should end is not there."""
    settings = settings_of(args, need_secrets=False)
    quiet_log(settings)
    wanted = _wanted(args, settings.timezone) if args.action == "add" else None
    with store_errors(), opened(settings, read_only=args.action == "list") as store:
        if wanted is not None:
            return _add(store, wanted, settings.timezone)
        if args.action == "remove":
            return _remove(store, args.ids)
        return _show(store, args, settings)


def _wanted(args: argparse.Namespace, zone: tzinfo) -> Silence:
    begins = now()
    if (args.span is None) == (args.until is None):
        raise misused(_ADD, "say how long: `--for 4h`, or `--until 2026-03-01T06:00`, one of the two")
    option, said = ("--until", args.until) if args.span is None else ("--for", args.span)
    try:
        ends = moment(said, zone, begins) if args.span is None else begins + parse.duration(said)
    except ValueError as error:
        raise misused(_ADD, f"{option}: {error}") from None
    if not begins < ends <= begins + _LONGEST:
        raise misused(_ADD, f"{option}: `{said}` is no end: a silence ends later than now, and within a year")
    return Silence(_match(vars(args)), begins, ends, args.by or _user(), args.reason)


def _match(given: Mapping[str, object]) -> Match:
    """Read what is to be silenced; nothing named is everything, which has to be said with `*`."""
    notes = Notes()
    terms = {term: given[term] for term in _TERMS if given.get(term)}
    if not terms:
        raise misused(_ADD, "say of what: `--job`, `--server`, `--organization`, `--event`, `--severity`; `*` is all")
    match = match_of(Tabled(terms, "silence", notes))
    if notes.problems:
        raise misused(_ADD, *(f"--{problem.removeprefix('silence: ')}" for problem in notes.problems))
    return match


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user that the machine does not know by name
        return "somebody"


def _add(store: Store, silence: Silence, zone: tzinfo) -> int:
    number = store.silence(silence)
    ends = silence.ends.astimezone(zone).isoformat(sep=" ", timespec="minutes") if silence.ends else ""
    say(f"silence {number} until {ends}: {silence.match}")
    if not any(_may_mean(silence.match, job.server, job.job.name, job.job.organization) for job in store.known_jobs()):
        complain("no job that is known by now is meant by it")
    return 0


def _may_mean(match: Match, server: str, job: str, organization: str | None) -> bool:
    known = {"server": server, "job": job, "organization": organization}
    terms = tuple((term, pattern) for term, pattern in match.terms if term in known)
    return Match(terms).why_not(known) is None


def _remove(store: Store, ids: list[int]) -> int:
    missing = [number for number in ids if not store.end_silence(number, now=now())]
    for number in ids:
        if number not in missing:
            say(f"silence {number} is over")
    for number in missing:
        complain(f"{number} is no silence, or it is over")
    return 1 if missing else 0


def _show(store: Store, args: argparse.Namespace, settings: Settings) -> int:
    silences = [*settings.silences, *store.silences(limit=args.limit)]
    if args.json:
        show_json(dump([_as_json(one, now()) for one in silences], indent=2))
        return 0
    table(
        ("id", "of", "until", "by", "why", "kept back"),
        (_row(one, now(), settings.timezone) for one in silences),
        nothing="there is no silence",
    )
    return 0


def _as_json(silence: Silence, at: datetime) -> dict[str, object]:
    return {
        "id": silence.id or None,
        "match": str(silence.match),
        "begins": silence.begins,
        "ends": silence.ends if silence.id else silence.over(at),
        "active": silence.over(at) is not None,
        "author": silence.author,
        "reason": silence.reason,
        "muted": silence.muted,
    }


def _row(silence: Silence, at: datetime, zone: tzinfo) -> tuple[str, ...]:
    over = silence.over(at)
    until = over.astimezone(zone).isoformat(sep=" ", timespec="minutes") if over else "over" if silence.id else "later"
    number = str(silence.id) if silence.id else "weekly"
    return number, str(silence.match), until, silence.author or "-", silence.reason or "-", str(silence.muted)
