"""A small estate with a history written by hand, and a visitor of its stand-in server."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta

import pytest

from tests.demo.standin_visitor import COUNTERS, NOW, Estate, Visitor, visiting
from watcher.core.model import JobType, LogLine, Statistics, Status
from watcher.demo.estate import Schedule
from watcher.demo.faults import Faults
from watcher.demo.server import create_app
from watcher.demo.world import World


@pytest.fixture
def anyio_backend() -> str:
    """Run on asyncio, which uvicorn needs."""
    return "asyncio"


@pytest.fixture
def estate() -> Estate:
    """Three jobs; a failed run with a good retry, a stopped one, a copy and one still running."""
    world = World()
    daily = Schedule(daily=time(22), retries=3)
    mail = world.add_job("Contoso - Mail", "contoso.example", schedule=daily)
    hourly = world.add_job("Fabrikam - Teams", "fabrikam.example", schedule=Schedule(every=timedelta(hours=1)))
    copied_job = world.add_job("Contoso - Mail to bucket", "contoso.example", copy_of=mail)
    made = Estate(world, mail, hourly, copied_job)
    at = datetime(2026, 3, 1, 22, 0, 0, 441002, tzinfo=UTC)
    made.main = world.start(mail, at)
    lines = [LogLine("warning", "Mailbox was skipped"), LogLine("error", "Access is denied")]
    end = at + timedelta(minutes=4)
    world.end(made.main, Status.FAILED, end, log=lines, statistics=COUNTERS, will_be_retried=True)
    made.retry = world.start(mail, at + timedelta(minutes=14), retry_of=made.main)
    world.end(made.retry, Status.SUCCESS, at + timedelta(minutes=40), statistics=COUNTERS)
    made.stopped = world.start(hourly, at + timedelta(hours=1))
    world.end(made.stopped, Status.STOPPED, at + timedelta(hours=1, minutes=9))
    made.copied = world.start(copied_job, at + timedelta(hours=2))
    world.end(made.copied, Status.WARNING, at + timedelta(hours=3))
    made.running = world.start(hourly, NOW - timedelta(minutes=5))
    world.progress(made.running, 3, Statistics(processed_objects=3))
    assert world.sessions[made.copied].job_type is JobType.COPY
    return made


@pytest.fixture
def faults() -> Faults:
    """The switches of the server under test."""
    return Faults()


@pytest.fixture
async def visitor(estate: Estate, faults: Faults) -> AsyncIterator[Visitor]:
    """A client of the estate's stand-in server, in this process."""
    async with visiting(create_app(estate.world, now=lambda: NOW, faults=faults), estate.world) as one:
        yield one
