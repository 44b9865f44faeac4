"""`watcher test-channel`: a test message through each named channel."""

import argparse
from collections.abc import Sequence

import anyio

from watcher.channels import BadChannel, open_channel
from watcher.cli.ending import Ending
from watcher.cli.given import of_channel, quiet_log, settings_of, unknown_name
from watcher.cli.screen import say
from watcher.cli.streams import flush
from watcher.clock import now
from watcher.daemon.parts import manner
from watcher.daemon.trial import is_delivered, send_tests
from watcher.settings import ChannelSettings, Settings


def execute(args: argparse.Namespace) -> int:
    """Send a test message through the named channels, or all; 1 if one of them could not deliver it."""
    settings = settings_of(args)
    quiet_log(settings)
    chosen = choose(settings.channels, args.names)
    if not chosen:
        raise Ending("no channel is set: name one in WATCHER_CHANNELS or watcher.toml", code=1)
    return 0 if anyio.run(_try_all, chosen, settings) else 1


def choose(channels: Sequence[ChannelSettings], names: Sequence[str]) -> list[ChannelSettings]:
    """Return the channels of these names, each once, or all if there are none. Ending 2 for an unknown name."""
    by_name = {channel.name: channel for channel in channels}
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise Ending(*(unknown_name("channel", name, by_name) for name in unknown), code=2)
    return [by_name[name] for name in dict.fromkeys(names)] if names else list(channels)


async def _try_all(channels: Sequence[ChannelSettings], settings: Settings) -> bool:
    return all([await _try(channel, settings) for channel in channels])


async def _try(settings: ChannelSettings, everything: Settings) -> bool:
    try:
        channel = open_channel(settings.name, settings.url.reveal(), **manner(settings, everything))
    except BadChannel as error:
        say(f"{settings.name}: failed: {of_channel(settings, error)}")
        flush()
        return False
    well = True
    try:
        async for destination, verdict in send_tests(channel, now(), "`watcher test-channel`"):
            well = well and is_delivered(verdict)
            result = "delivered" if is_delivered(verdict) else f"failed: {verdict.reason}"
            say(f"{settings.name} ({destination}): {result}")
            flush()
    finally:
        await channel.aclose()
    return well
