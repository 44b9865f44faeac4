"""From settings to the policy that the core decides by."""

from collections.abc import Iterable, Mapping
from typing import Protocol

from watcher.channels.rates import is_for_programs
from watcher.core.policy import Policy
from watcher.settings import Settings


class Reachable(Protocol):
    """A channel, as far as deciding needs it."""

    @property
    def name(self) -> str: ...
    @property
    def destinations(self) -> tuple[str, ...]: ...


def policy_of(settings: Settings, channels: Iterable[Reachable], *, is_hasty: bool = False) -> Policy:
    """Return the policy of some settings with the channels that are open."""
    return _policy(settings, {channel.name: channel.destinations for channel in channels}, is_hasty=is_hasty)


def planned_policy(settings: Settings) -> Policy:
    """Return the policy of some settings without opening a channel, to explain what it would decide."""
    return _policy(settings, {channel.name: (channel.name,) for channel in settings.channels}, is_hasty=False)


def _policy(settings: Settings, destinations: Mapping[str, tuple[str, ...]], *, is_hasty: bool) -> Policy:
    return Policy(
        routes=settings.routes,
        channels=destinations,
        programs=frozenset(one.name for one in settings.channels if is_for_programs(one.url.reveal())),
        labels={server.name: dict(server.labels) for server in settings.servers},
        silences=settings.silences,
        is_hasty=is_hasty,
    )
