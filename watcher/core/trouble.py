"""How people are told what is wrong with jobs, and with servers and what belongs to them: in counts and in words."""

from collections.abc import Mapping, Sequence

from watcher.core import event as events
from watcher.core.board import Tally
from watcher.core.render.alarms import WORDINGS
from watcher.core.render.style import Severity
from watcher.core.render.units import number
from watcher.core.standing import OF_ALARM, Standing
from watcher.core.views import AlarmView

WORDS: Mapping[Standing, str] = {
    Standing.FAILING: "failing",
    Standing.OVERDUE: "overdue",
    Standing.STALE: "no good end",
    Standing.STALLED: "stalled",
    Standing.DISCONNECTED: "disconnected",
    Standing.SLOW: "slow",
    Standing.SHORT: "did next to nothing",
    Standing.DISABLED: "still disabled",
}
"""What is wrong with a job; "since" can follow."""

_STANDS: Mapping[Standing, tuple[str, str]] = {
    Standing.FAILING: ("is failing", "are failing"),
    Standing.OVERDUE: ("is overdue", "are overdue"),
    Standing.STALE: ("has not ended well for too long", "have not ended well for too long"),
    Standing.STALLED: ("is stalled", "are stalled"),
    Standing.DISCONNECTED: ("is disconnected", "are disconnected"),
    Standing.SLOW: ("is slow", "are slow"),
    Standing.SHORT: ("did next to nothing", "did next to nothing"),
    Standing.DISABLED: ("is still disabled", "are still disabled"),
}
_OF_SERVERS: Mapping[str, tuple[str, str]] = {
    events.SERVER_UNHEALTHY: ("server is not healthy", "servers are not healthy"),
    events.PROXY_OFFLINE: ("proxy is offline", "proxies are offline"),
    events.REPOSITORY_INVALID: ("repository is invalid", "repositories are invalid"),
    events.REPOSITORY_LOW: ("repository is almost full", "repositories are almost full"),
    events.LICENSE_EXPIRING: ("license needs attention", "licenses need attention"),
}


def is_bad(kind: str) -> bool:
    """Whether what an alarm tells costs backups now; else it may soon."""
    return kind in WORDINGS and WORDINGS[kind][2] is Severity.FAILURE


def word(kind: str) -> str:
    """Return what an alarm is called in a few words; "since" can follow."""
    return WORDS[OF_ALARM[kind]] if kind in OF_ALARM else WORDINGS[kind][0] if kind in WORDINGS else kind


def breaking(alarms: Sequence[AlarmView]) -> list[AlarmView]:
    """Return the alarms about servers and what belongs to them, the worst first."""
    ranks = {kind: rank for rank, kind in enumerate(_OF_SERVERS)}
    return sorted((one for one in alarms if one.event in ranks), key=lambda one: (ranks[one.event], one.since))


def about_jobs(tally: Tally, kinds: Sequence[Standing]) -> str:
    """Say how many jobs are in each of some kinds of trouble."""
    said: list[str] = []
    for standing in kinds:
        count = tally.of(standing)
        noun = "" if said else "job " if count == 1 else "jobs "
        said.append(f"{number(count)} {noun}{_STANDS[standing][count != 1]}")
    return ", ".join(said)


def about_servers(kind: str, count: int) -> str:
    """Say how many servers, proxies, repositories or licenses have an alarm of one kind."""
    return f"{number(count)} {_OF_SERVERS[kind][count != 1]}"
