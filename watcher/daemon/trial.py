"""A test message through a channel, for the command and for the page."""

from collections.abc import AsyncIterator
from datetime import datetime
from uuid import uuid4

from watcher.core.delivery import Parcel, Sent, Verdict
from watcher.core.event import CHANNEL_TEST, OURSELVES, Event, event_id
from watcher.daemon.parts import OpenChannel


async def send_tests(channel: OpenChannel, now: datetime, by: str) -> AsyncIterator[tuple[str, Verdict]]:
    """Send a test message to each destination of a channel; yields how each went. `by`: who sends it, in words."""
    for destination in channel.destinations:
        yield destination, await channel.send(Parcel(uuid4().hex, destination, (_event(channel.name, now, by),)))


def is_delivered(verdict: Verdict) -> bool:
    """Whether a message has arrived."""
    return verdict.sent == Sent.DELIVERED


def _event(channel: str, now: datetime, by: str) -> Event:
    return Event(
        id=event_id(OURSELVES, channel, CHANNEL_TEST, None, now),
        type=CHANNEL_TEST,
        server=OURSELVES,
        happened=now,
        decided=now,
        reason=f"a test of the channel {channel}, sent by {by}",
    )
