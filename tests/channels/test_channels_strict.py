"""Receivers that are strict about length: one message each, never too long, however much there is to say."""

import json
from dataclasses import replace
from datetime import UTC

import pytest

from tests.channels.receivers import receiving
from watcher.channels import open_channel
from watcher.core.delivery import Parcel, Sent
from watcher.core.event import Event, JobRef
from watcher.core.model import LogLine

LIMITS = {
    "mmost://127.0.0.1:{}/3ccdd113474722377935511fc85d3dd4": ("text", 4000),
    "ntfy://127.0.0.1:{}/t": ("message", 2000),
}
STORM = 500


@pytest.mark.parametrize("url", list(LIMITS))
@pytest.mark.parametrize("joined", [False, True])
async def test_a_strict_receiver_takes_it(url: str, joined: bool, event: Event) -> None:
    """A log without end, and a storm of 500 jobs: in one piece, the reason first, the rest counted."""
    field, limit = LIMITS[url]
    log = tuple(LogLine("error", f"line {n} " + "é*_word " * 60) for n in range(200))
    events = tuple(replace(event, id=f"e{n}", job=JobRef(str(n), f"Tenant {n}"), log=log) for n in range(STORM))
    with receiving() as receiver:
        channel = open_channel("ops", url.format(receiver.port), zone=UTC)
        verdict = await channel.send(Parcel("m", channel.destinations[0], events if joined else events[:1]))
        await channel.aclose()
    assert verdict.sent == Sent.DELIVERED
    (got,) = receiver.requests
    said = json.loads(got.body)[field]
    assert limit // 2 < len(said) <= limit
    assert len(said.encode()) <= 2 * limit
    assert said.splitlines()[-1].lstrip("- ").startswith("and ")
    assert "line 0" in said
