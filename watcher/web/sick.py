"""Which servers and channels are sick: the same judgement for `/readyz` and for the page."""

from dataclasses import dataclass

from watcher.core.jsonview import timestamp
from watcher.core.views import ChannelView, StatusView

LONG_SECONDS = 300.0
"""From this age on, an owed delivery says that its channel is sick rather than busy."""


@dataclass(frozen=True, slots=True)
class SickServer:
    """A server at which the last look failed, and why."""

    name: str
    last_error: str | None

    @property
    def reason(self) -> str:
        """Return the sentence for people."""
        return f"the last look failed: {self.last_error}" if self.last_error else "the last look failed"


@dataclass(frozen=True, slots=True)
class SickChannel:
    """A channel that does not do what it is there for, and why."""

    name: str
    pending: int
    dead: int
    reason: str


@dataclass(frozen=True, slots=True)
class Sick:
    """All that is sick; it makes nobody unready, since every other server and channel goes on."""

    servers: tuple[SickServer, ...]
    channels: tuple[SickChannel, ...]

    def sentences(self) -> list[str]:
        """Return one sentence for each, with its name in front."""
        servers = [f"{server.name}: {server.reason}" for server in self.servers]
        return servers + [f"{channel.name}: {channel.reason}" for channel in self.channels]


def sick(status: StatusView) -> Sick:
    """Judge what the store says. A server that was not tried yet is not sick."""
    servers = (SickServer(one.name, one.last_error) for one in status.servers if one.reachable is False)
    judged = ((one, _channel_reason(one)) for one in status.channels)
    channels = (SickChannel(one.name, one.pending, one.dead, reason) for one, reason in judged if reason)
    return Sick(tuple(servers), tuple(channels))


def _channel_reason(channel: ChannelView) -> str | None:
    if channel.gone and channel.pending:
        return f"{channel.pending} pending, but the channel is not in the settings any more"
    if channel.sick_since is not None:
        return f"failing since {timestamp(channel.sick_since)}: {channel.sick_reason}; {channel.pending} pending"
    if channel.dead:
        return f"{channel.dead} dead"
    if channel.pending and channel.oldest_seconds >= LONG_SECONDS:
        return f"{channel.pending} pending, the oldest for {channel.oldest_seconds:.0f} s"
    return None
