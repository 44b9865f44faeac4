"""From settings to the policy that the core decides by."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from watcher.channels.rates import is_for_programs
from watcher.core.backoff import OnUnknown
from watcher.core.policy import Policy
from watcher.settings import Settings


class Reachable(Protocol):
    """A channel, as far as deciding needs it."""

    @property
    def name(self) -> str: ...
    @property
    def destinations(self) -> tuple[str, ...]: ...


def policy_of(
    settings: Settings, channels: Iterable[Reachable], *, is_hasty: bool = False, claimant: str = ""
) -> Policy:
    """Return the policy of some settings with the channels that are open; `claimant` is the process that sends."""
    policy = _policy(settings, {channel.name: channel.destinations for channel in channels}, is_hasty=is_hasty)
    return replace(policy, claimant=claimant, eager=frozenset(_eager(settings)))


def planned_policy(settings: Settings, known: Mapping[str, str]) -> Policy:
    """Return the policy of some settings without opening a channel, to explain what it would decide.

    `known`: address by name of the channels in the database. They stand in where the settings show none, since
    channels are secrets, which whoever asks may not be able to read.
    """
    channels = {one.name: one.url.reveal() for one in settings.channels} or known
    policy = _policy(settings, {name: (name,) for name in channels}, is_hasty=False)
    return replace(policy, programs=frozenset(name for name, url in channels.items() if is_for_programs(url)))


def _eager(settings: Settings) -> Iterable[str]:
    """Name the channels whose first attempt may count at once: a program takes a repeat for what it is, and is sent
    each event by itself.
    """
    for one in settings.channels:
        is_alone = is_for_programs(one.url.reveal()) and one.batch == 1 and one.rate is None
        if is_alone and one.on_unknown is not OnUnknown.DROP:
            yield one.name


def _policy(settings: Settings, destinations: Mapping[str, tuple[str, ...]], *, is_hasty: bool) -> Policy:
    return Policy(
        routes=settings.routes,
        channels=destinations,
        programs=frozenset(one.name for one in settings.channels if is_for_programs(one.url.reveal())),
        labels={server.name: dict(server.labels) for server in settings.servers},
        silences=settings.silences,
        is_hasty=is_hasty,
    )
