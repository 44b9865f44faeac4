"""How the watcher itself is: what systemd is shown of it, and what people are told on a schedule as a sign of life."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from watcher.core.digest import ServerDigest


@dataclass(frozen=True, slots=True)
class Standing:
    """What the store knows of everything at one moment.

    `running`: sessions whose end is awaited. `failing`: jobs that stand failed, as name of the server and id; some may
    be gone from it. `pending` and `dead`: deliveries. `sick`: channels that fail. `alarms`: what the watchdogs told
    and what is not over.
    """

    servers: tuple[ServerDigest, ...] = ()
    running: int = 0
    failing: tuple[tuple[str, str], ...] = ()
    pending: int = 0
    dead: int = 0
    sick: tuple[str, ...] = ()
    alarms: int = 0

    def failing_of(self, jobs: Mapping[str, Collection[str]]) -> int:
        """Count the jobs that stand failed and are still there; `jobs` are the ids that each server has."""
        return sum(server not in jobs or job in jobs[server] for server, job in self.failing)


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A sign of life: how the watcher is `at` a moment. `jobs`: how many its servers have; None before they were read.

    `stuck`: a clause for each loop that makes no progress.
    """

    at: datetime
    servers: tuple[ServerDigest, ...] = ()
    jobs: int | None = None
    running: int = 0
    failing: int = 0
    pending: int = 0
    dead: int = 0
    sick: tuple[str, ...] = ()
    stuck: tuple[str, ...] = ()
    alarms: int = 0

    @property
    def away(self) -> tuple[ServerDigest, ...]:
        """The servers that do not answer."""
        return tuple(server for server in self.servers if server.reachable is False)

    @property
    def is_well(self) -> bool:
        """Whether all servers answer, no job stands failed, no alarm stands, and what is owed can leave."""
        return not (self.stuck or self.away or self.failing or self.alarms or self.dead or self.sick)


def heartbeat(
    standing: Standing, at: datetime, jobs: Mapping[str, Collection[str]], stuck: Collection[str] = ()
) -> Heartbeat:
    """Sum up how the watcher is. `jobs`: the ids that each server has, as far as they were read."""
    is_read = bool(standing.servers) and all(server.name in jobs for server in standing.servers)
    return Heartbeat(
        at,
        standing.servers,
        sum(len(jobs[server.name]) for server in standing.servers) if is_read else None,
        standing.running,
        standing.failing_of(jobs),
        standing.pending,
        standing.dead,
        standing.sick,
        tuple(stuck),
        standing.alarms,
    )
