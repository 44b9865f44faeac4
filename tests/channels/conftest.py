"""What the tests of the channels share: asyncio with real sockets, an event, and no proxy from outside."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from watcher.core.delivery import Parcel
from watcher.core.event import Event, JobRef, ServerRef
from watcher.core.model import JobType, LogLine, Session, Statistics

END = datetime(2026, 3, 3, 1, 10, tzinfo=UTC)


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, as the daemon does."""
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def event() -> Event:
    """Return a failed session with everything that an event can have."""
    return Event(
        id="5f1d7e0c9a7b4c33a1b2c3d4e5f60718",
        type="session.failed",
        server=ServerRef("HQ / Berlin", "0f0f0f0f-0000-4000-8000-000000000001"),
        happened=END,
        decided=END + timedelta(seconds=20),
        job=JobRef("3d4c", "Contoso - Mail", JobType.BACKUP, "contoso.onmicrosoft.com"),
        session=Session(
            "8f3a1c52-7b1e-4d2a-9a53-0c1f6f6d1b11",
            "Failed",
            job_id="3d4c",
            created=END - timedelta(minutes=72, microseconds=-500),
            ended=END,
            retry_count=0,
            details="Cannot connect.",
            statistics=Statistics(5_700_000, 52, 6_100_000, 3_100_000, 24_600_000_000, 12_345, "Source"),
        ),
        came_from="Running",
        went_to="Failed",
        attempts=("a1", "a2"),
        log=(LogLine("error", "Failed to process site"), LogLine("", "Job ended")),
        reason="ended",
    )


@pytest.fixture
def bare() -> Event:
    """Return an event with as little as an event can have."""
    return Event("0" * 32, "channel.test", ServerRef("watcher"), END, END)


@pytest.fixture
def parcel(event: Event) -> Parcel:
    """Return the event on its way to the only destination of a channel."""
    return Parcel(event.id, "", (event,))


@pytest.fixture
def parcels(event: Event) -> list[Parcel]:
    """Return twenty parcels with an event each."""
    events = [replace(event, id=f"{n:032x}") for n in range(20)]
    return [Parcel(one.id, "", (one,)) for one in events]
