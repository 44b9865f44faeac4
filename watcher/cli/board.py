"""How jobs stand, as a table for terminals: the worst first, each with a strip of its last runs."""

import sys
from collections.abc import Mapping
from datetime import datetime, tzinfo

from watcher.cli.screen import Cell, Signs, say, table
from watcher.core.board import JobCard, Overview, objects, usual
from watcher.core.headline import headline
from watcher.core.model import Session, Status
from watcher.core.render.units import brief, duration, number
from watcher.core.standing import Standing
from watcher.core.trouble import WORDS, word

_SIGNS: Mapping[str, tuple[str, str, str]] = {
    Status.SUCCESS: ("▮", ".", "green"),
    Status.WARNING: ("▲", "!", "yellow"),
    Status.FAILED: ("✗", "x", "bold red"),
    Status.STOPPED: ("▫", "-", "bright_black"),
    Status.RUNNING: ("▶", ">", "blue"),
    Status.QUEUED: ("▶", ">", "blue"),
}
_ODD = ("?", "?", "magenta")
_WORDS: Mapping[Standing, str] = {
    **{standing: text.upper() if standing.is_bad else text for standing, text in WORDS.items()},
    Standing.RETRYING: "waits for its retry",
    Standing.WARNING: "with warnings",
    Standing.GOOD: "backed up",
    Standing.NEW: "no run yet",
    Standing.RESTING: "has not run lately",
}


def show_headline(overview: Overview, zone: tzinfo) -> None:
    """Say in a line what is wrong and since when, or that all is well."""
    said = headline(overview, (), zone)
    say(" · ".join((str(said), *said.rest)))


def show_jobs(overview: Overview, zone: tzinfo) -> None:
    """Show the worst jobs, as many as a page has; the others are counted."""
    is_plain = not (sys.stdout.encoding or "").lower().startswith("utf")
    table(
        ("job", "server", "last runs", "state", "last good", "next", ""),
        (_row(card, overview.now, zone, is_plain=is_plain) for card in overview.cards),
        nothing="no job is known yet",
    )
    more = overview.choice.found - len(overview.cards)
    if more:
        say(f"and {number(more)} more")


def show_alarms(overview: Overview, zone: tzinfo) -> None:
    """Show what the watchdogs have told and is not over, if there is anything, and a line of space before it."""
    alarms = overview.status.alarms
    if not alarms:
        return
    say("")
    table(
        ("alarm", "of", "server", "since", "why"),
        ((word(one.event), one.name, one.server, _time(one.since, overview.now, zone), one.reason) for one in alarms),
        nothing="",
    )


def strip(runs: tuple[Session, ...], *, is_plain: bool) -> Signs:
    """Return one sign for each of the last runs, in its colour where there are colours."""
    signs = (_SIGNS.get(run.status, _ODD) for run in runs)
    return Signs(tuple((plain if is_plain else sign, colour) for sign, plain, colour in signs))


def _row(card: JobCard, now: datetime, zone: tzinfo, *, is_plain: bool) -> tuple[Cell, ...]:
    row = card.row
    planned = row.job.next_run if row.job.next_run and row.job.next_run > now else None
    return (
        row.job.name or row.job.id,
        row.server.name,
        strip(card.runs, is_plain=is_plain),
        _state(card, now, zone),
        _time(row.last_good, now, zone),
        _time(planned, now, zone),
        _running(card, now),
    )


def _state(card: JobCard, now: datetime, zone: tzinfo) -> str:
    standing = card.row.standing(now)
    since = card.row.since if standing.is_trouble else None
    said = f"{_WORDS[standing]} since {brief(since, zone, beside=now)}" if since else _WORDS[standing]
    return ", ".join((said, *(word(one.kind) for one in card.row.besides(standing))))


def _running(card: JobCard, now: datetime) -> str:
    run = card.row.running
    if run is None or run.created is None:
        return "running" if run else ""
    its, done = usual(card.runs), objects(run)
    usually = f", usually {duration(its.length)}" if its.length else ""
    alarms = "".join(f", {word(one.kind)}" for one in card.row.of_run(run))
    return f"running for {duration(now - run.created)}{usually}{alarms}" + (f", {number(done)} objects" if done else "")


def _time(when: datetime | None, now: datetime, zone: tzinfo) -> str:
    return brief(when, zone, beside=now) if when else "-"
