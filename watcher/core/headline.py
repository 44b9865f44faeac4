"""What a stranger has to know in ten seconds: one sentence on what is wrong and since when, or that all is well."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum
from itertools import groupby

from watcher.core.board import Overview, Tally
from watcher.core.render.markup import shorten
from watcher.core.render.units import brief, number
from watcher.core.standing import JobRow, Standing
from watcher.core.trouble import WORDS, about_jobs, about_servers, breaking, is_bad
from watcher.core.views import AlarmView

_NAMED = 2
_NAME_LENGTH = 60


class Tone(StrEnum):
    """How a headline sounds."""

    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    IDLE = "idle"


@dataclass(frozen=True, slots=True)
class Headline:
    """The sentence: `said` first, and `named` what it speaks of, with since when; `rest` is what else there is."""

    tone: Tone
    said: str
    named: str = ""
    rest: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.said}: {self.named}" if self.named else self.said


def headline(overview: Overview, stuck: Sequence[str], zone: tzinfo) -> Headline:
    """Say the worst first: the watcher itself, jobs in trouble, servers and what belongs to them, channels that fail.

    What costs no backup yet, as a slow run or a repository that is almost full, comes after all that does.
    """
    wrong, uneasy = list(_wrong(overview, stuck, zone)), list(_uneasy(overview, zone))
    aside = tuple(_aside(overview.choice.tally))
    if wrong or uneasy:
        (said, named), *others = (*wrong, *uneasy)
        rest = (f"{one}: {its}" if its else one for one, its in others)
        return Headline(Tone.BAD if wrong else Tone.WARN, said, named, (*rest, *aside))
    return _well(overview, aside)


def _wrong(overview: Overview, stuck: Sequence[str], zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Yield what is wrong, each as what it is and what it befell."""
    now, status = overview.now, overview.status
    if stuck:
        yield "The watcher itself is stuck", "; ".join(stuck)
    yield from _of_jobs(overview, zone, lambda standing: standing.is_bad)
    away = [server for server in status.servers if server.reachable is False]
    if away:
        said = "1 server does not answer" if len(away) == 1 else f"{number(len(away))} servers do not answer"
        yield said, _listed([_since(one.name, one.failing_since, zone, now) for one in away], len(away))
    yield from _of_servers([one for one in status.alarms if is_bad(one.event)], zone, now)
    sick = [channel for channel in status.channels if channel.sick_since is not None]
    if sick:
        said = "1 channel fails" if len(sick) == 1 else f"{number(len(sick))} channels fail"
        yield said, _listed([_since(one.name, one.sick_since, zone, now) for one in sick], len(sick))
    if overview.status.outbox.dead:
        dead = overview.status.outbox.dead
        yield ("1 message was given up" if dead == 1 else f"{number(dead)} messages were given up"), ""


def _uneasy(overview: Overview, zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Yield what is not wrong yet, in the same way."""
    yield from _of_jobs(overview, zone, lambda standing: standing.is_trouble and not standing.is_bad)
    yield from _of_servers([one for one in overview.status.alarms if not is_bad(one.event)], zone, overview.now)


def _of_jobs(overview: Overview, zone: tzinfo, is_meant: Callable[[Standing], bool]) -> Iterator[tuple[str, str]]:
    """Count jobs in some kinds of trouble and name the worst; where there are several kinds, each with its own."""
    now, tally = overview.now, overview.choice.tally
    kinds = [standing for standing in Standing if is_meant(standing) and tally.of(standing)]
    if not kinds:
        return
    worst = [(standing, row) for row in overview.choice.worst if (standing := row.standing(now)) in kinds]
    words = WORDS if len(kinds) > 1 else {}
    named = [_since(_job(row, words.get(standing, "")), row.since, zone, now) for standing, row in worst]
    count = sum(tally.of(standing) for standing in kinds)
    yield about_jobs(tally, kinds), _listed(named, count) if named else ""


def _job(row: JobRow, word: str) -> str:
    return " ".join(part for part in (shorten(row.job.name or row.job.id, _NAME_LENGTH), word) if part)


def _of_servers(alarms: Sequence[AlarmView], zone: tzinfo, now: datetime) -> Iterator[tuple[str, str]]:
    for kind, found in groupby(breaking(alarms), key=lambda one: one.event):
        same = list(found)
        named = [_since(shorten(one.name, _NAME_LENGTH), one.since, zone, now) for one in same]
        yield about_servers(kind, len(same)), _listed(named, len(same))


def _aside(tally: Tally) -> Iterator[str]:
    """Yield what is not wrong, but worth a word."""
    words = (
        (tally.of(Standing.RETRYING), "waits for its retry", "wait for their retry"),
        (tally.of(Standing.WARNING), "ended with warnings", "ended with warnings"),
        (tally.running, "runs now", "run now"),
        (tally.of(Standing.NEW), "has not run yet", "have not run yet"),
        (tally.of(Standing.RESTING), "has not run for two weeks", "have not run for two weeks"),
    )
    for count, one, many in words:
        if count:
            yield f"{number(count)} {one if count == 1 else many}"


def _well(overview: Overview, aside: tuple[str, ...]) -> Headline:
    tally = overview.choice.tally
    if any(server.reachable is None for server in overview.status.servers) or not overview.status.servers:
        return Headline(Tone.IDLE, "Looking at the servers for the first time", rest=aside)
    if not tally.jobs:
        return Headline(Tone.IDLE, "No job is known yet")
    good = tally.of(Standing.GOOD) + tally.of(Standing.WARNING)
    counted = tally.jobs - tally.of(Standing.RESTING)
    if good == counted:
        said = f"All {number(good)} jobs are backed up" if good > 1 else "The job is backed up"
    else:
        said = f"{number(good)} of {number(counted)} jobs are backed up"
    uneasy = tally.of(Standing.WARNING) or tally.of(Standing.RETRYING)
    return Headline(Tone.WARN if uneasy else Tone.GOOD, said, rest=aside)


def _listed(named: Sequence[str], count: int) -> str:
    more = count - len(named[:_NAMED])
    return ", ".join((*named[:_NAMED], *((f"and {number(more)} more",) if more else ())))


def _since(name: str, since: datetime | None, zone: tzinfo, now: datetime) -> str:
    return f"{name} since {brief(since, zone, beside=now)}" if since else name
