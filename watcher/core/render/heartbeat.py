"""How the watcher is, in words: a line for systemd, and the sentences of a sign of life."""

from collections.abc import Collection, Iterator, Mapping
from datetime import tzinfo

from watcher.core.heartbeat import Heartbeat, Standing
from watcher.core.render.units import duration, moment, number

_NAMED = 5


def line(standing: Standing, jobs: Mapping[str, Collection[str]]) -> str:
    """Say how all stands: "2 servers, 3 running, 1 failing, 0 pending"; what is wrong besides comes after it.

    `jobs`: the ids of those that each server has, as far as they were read.
    """
    away = sum(server.reachable is False for server in standing.servers)
    parts = [
        count(len(standing.servers), "server"),
        f"{number(standing.running)} running",
        f"{number(standing.failing_of(jobs))} failing",
        f"{number(standing.pending)} pending",
        *([f"{number(standing.dead)} dead"] if standing.dead else []),
        *([count(standing.alarms, "alarm")] if standing.alarms else []),
        *([f"{count(away, 'server')} away"] if away else []),
    ]
    return ", ".join(parts)


def sentences(beat: Heartbeat, zone: tzinfo) -> Iterator[str]:
    """Say that all is well, or what is not and then what is."""
    yield from (f"{wrong}." for wrong in _wrong(beat, zone))
    many = len(beat.servers) != 1
    parts = [f"{count(len(beat.servers), 'server')} {'are' if many else 'is'} watched"]
    parts += [count(beat.jobs, "job")] if beat.jobs is not None else []
    parts += [f"{number(beat.running)} running"] if beat.running else []
    looks = [server.last_success for server in beat.servers if server.last_success is not None]
    parts += [f"last look {duration(max(beat.at - max(looks), beat.at - beat.at))} ago"] if looks else []
    parts += [_waiting(beat.pending)]
    said = ", ".join(parts)
    yield f"All is well: {said}." if beat.is_well else f"Else: {said}."


def _wrong(beat: Heartbeat, zone: tzinfo) -> Iterator[str]:
    yield from (f"Loop {stuck}" for stuck in beat.stuck)
    for server in beat.away[:_NAMED]:
        since = f" since {moment(server.last_success, zone, beside=beat.at)}" if server.last_success else ""
        yield f"{server.name} does not answer{since}"
    if len(beat.away) > _NAMED:
        yield f"{number(len(beat.away) - _NAMED)} more servers do not answer"
    if beat.failing:
        yield f"{count(beat.failing, 'job')} {'stands' if beat.failing == 1 else 'stand'} failed"
    if beat.alarms:
        yield f"{count(beat.alarms, 'alarm')} {'stands' if beat.alarms == 1 else 'stand'} (`watcher status`)"
    if beat.sick:
        yield f"{'Channel' if len(beat.sick) == 1 else 'Channels'} {', '.join(beat.sick[:_NAMED])} cannot be reached"
    if beat.dead:
        yield f"{count(beat.dead, 'delivery', 'deliveries')} could not be made (`watcher deliveries --state dead`)"


def _waiting(pending: int) -> str:
    if not pending:
        return "nothing waits to be sent"
    return f"{count(pending, 'message')} {'waits' if pending == 1 else 'wait'} to be sent"


def count(how_many: int, noun: str, nouns: str = "") -> str:
    """Return a number with its noun."""
    return f"{number(how_many)} {noun if how_many == 1 else nouns or f'{noun}s'}"
