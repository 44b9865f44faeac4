"""What a stranger has to know in ten seconds: one sentence on what is wrong and since when, or that all is well."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from enum import StrEnum

from watcher.core.board import JobRow, Overview, Standing, Tally
from watcher.core.render.markup import shorten
from watcher.core.render.units import brief, number
from watcher.core.views import ChannelView, ServerView

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
    """Say the worst first: the watcher itself, jobs that fail, servers that do not answer, channels that fail."""
    wrong = list(_wrong(overview, stuck, zone))
    aside = tuple(_aside(overview.choice.tally))
    if wrong:
        (said, named), *others = wrong
        return Headline(Tone.BAD, said, named, (*(f"{one}: {its}" if its else one for one, its in others), *aside))
    return _well(overview, aside)


def _wrong(overview: Overview, stuck: Sequence[str], zone: tzinfo) -> Iterator[tuple[str, str]]:
    """Yield what is wrong, each as what it is and what it befell."""
    now, failing = overview.now, overview.choice.tally.of(Standing.FAILING)
    if stuck:
        yield "The watcher itself is stuck", "; ".join(stuck)
    if failing:
        said = "1 job is failing" if failing == 1 else f"{number(failing)} jobs are failing"
        yield said, _listed([_since(row, zone, now) for row in overview.choice.worst], failing)
    away = [server for server in overview.status.servers if server.reachable is False]
    if away:
        said = "1 server does not answer" if len(away) == 1 else f"{number(len(away))} servers do not answer"
        yield said, _listed([_away(server, zone, now) for server in away], len(away))
    sick = [channel for channel in overview.status.channels if channel.sick_since is not None]
    if sick:
        said = "1 channel fails" if len(sick) == 1 else f"{number(len(sick))} channels fail"
        yield said, _listed([_sick(channel, zone, now) for channel in sick], len(sick))
    if overview.status.outbox.dead:
        dead = overview.status.outbox.dead
        yield ("1 message was given up" if dead == 1 else f"{number(dead)} messages were given up"), ""


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


def _since(row: JobRow, zone: tzinfo, now: datetime) -> str:
    name = shorten(row.job.name or row.job.id, _NAME_LENGTH)
    return f"{name} since {brief(row.since, zone, beside=now)}" if row.since else name


def _away(server: ServerView, zone: tzinfo, now: datetime) -> str:
    return (
        f"{server.name} since {brief(server.failing_since, zone, beside=now)}" if server.failing_since else server.name
    )


def _sick(channel: ChannelView, zone: tzinfo, now: datetime) -> str:
    return f"{channel.name} since {brief(channel.sick_since, zone, beside=now)}" if channel.sick_since else channel.name
