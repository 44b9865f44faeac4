"""How news comes: by the feed at once, by the clock where there is none, and never twice when both bring it."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.processes.household import Household, Inbox, eventually, server_settings
from watcher.clock import now
from watcher.core.model import Status
from watcher.demo.estate import Schedule
from watcher.demo.faults import Faults
from watcher.demo.quirks import Quirks
from watcher.demo.server import Seen, create_app
from watcher.demo.world import World
from watcher.web.serve import serving


@dataclass
class Scenery:
    """One server of one version, and what is watched of it."""

    world: World
    faults: Faults
    job: str
    requests: deque[Seen]

    def run(self, status: Status = Status.FAILED, **fields: object) -> str:
        """Let the job run and end."""
        session = self.world.start(self.job, now(), **fields)  # type: ignore[arg-type]  # as free as its callers
        self.world.end(session, status, now())
        return session


@contextmanager
def watched(household: Household, inbox: Inbox, version: str, quirks: Quirks, interval: str) -> Iterator[Scenery]:
    """Run a real watcher of a stand-in while the block runs."""
    world, faults = World(version), Faults(quirks)
    job = world.add_job("Mail", "Contoso", schedule=Schedule(retries=2))
    app = create_app(world, now=now, versions=[version], faults=faults)
    scenery = Scenery(world, faults, job, app.state.requests)
    with serving(app, date_header=False) as url:
        household.environ |= server_settings(url, world) | {
            "WATCHER_CHANNELS": f"hook=webhook+{inbox.url}/hook",
            "WATCHER_NOTIFY_ON": "all",
            "WATCHER_POLL_INTERVAL": interval,
        }
        household.start()
        eventually(lambda: '"reachable":true' in status(household), what=household.log)
        yield scenery
        assert household.end() == 0
        assert "Traceback" not in household.log()


def test_a_server_that_answers_at_once_is_not_hammered(household: Household, inbox: Inbox) -> None:
    """Its feed holds nothing back: it is asked a few times and then seldom, and the clock brings the news."""
    with watched(household, inbox, "v8", Quirks(event_hold=0), "0.3") as scenery:
        time.sleep(3)
        asked = sum(seen.path == "/v8/events" for seen in list(scenery.requests))
        scenery.run()
        until(household, inbox, "session.failed", 1)
    assert 2 <= asked <= 6


def until(household: Household, inbox: Inbox, event_type: str, number: int) -> None:
    """Wait until so many events of a type have come."""
    eventually(lambda: len(inbox.of(event_type)) == number, what=household.log)


def status(household: Household) -> str:
    """Return what `watcher status --json` says, without its spaces."""
    return household.command("status", "--json").stdout.replace(" ", "")


def test_with_a_feed_news_does_not_wait_for_the_clock(household: Household, inbox: Inbox) -> None:
    """An hour lies between two looks, and each end is told within moments, once."""
    with watched(household, inbox, "v8", Quirks(), "1h") as scenery:
        eventually(lambda: "its events are heard" in household.log(), what=household.log)
        for number in range(1, 4):
            scenery.run()
            until(household, inbox, "session.failed", number)
    assert len({event["id"] for event in inbox.got}) == len(inbox.got)


SOAK = pytest.mark.soak  # CI runs these as well


@pytest.mark.parametrize(
    "fault", ["none", pytest.param("mute", marks=SOAK), "outdated", pytest.param("broken", marks=SOAK)]
)
def test_without_a_good_feed_the_clock_brings_it(household: Household, inbox: Inbox, fault: str) -> None:
    """No feed at all, one that is mute, one that refuses its tokens, one that answers nonsense."""
    with watched(household, inbox, "v8", Quirks(events=fault != "none"), "0.3") as scenery:
        if fault == "mute":
            scenery.faults.mute_feed = True
        if fault == "outdated":
            scenery.faults.tokens_from = 10**9
        if fault == "broken":
            scenery.faults.html(path="/events", times=None)
        for number in range(1, 4):
            scenery.run()
            until(household, inbox, "session.failed", number)
    assert len({event["id"] for event in inbox.got}) == len(inbox.got)


@pytest.mark.parametrize("version", ["v6", pytest.param("v7", marks=SOAK), "v8"])
def test_a_run_and_its_retries_speak_once(household: Household, inbox: Inbox, version: str) -> None:
    """Also over a restart in the middle; the one event has the last session and all attempts in it."""
    with watched(household, inbox, version, Quirks(verdict_late=True), "0.2") as scenery:
        world = scenery.world
        first = world.start(scenery.job, now())
        world.end(first, Status.FAILED, now(), will_be_retried=True)
        second = world.start(scenery.job, now(), retry_of=first)
        eventually(lambda: len(inbox.of("session.started")) == 1, what=household.log)
        household.end()
        household.start()
        world.end(second, Status.WARNING, now(), will_be_retried=True)
        third = world.start(scenery.job, now(), retry_of=second)
        world.end(third, Status.SUCCESS, now())
        eventually(lambda: bool(inbox.of("session.success")), what=household.log)
    told = [event for event in inbox.got if event["type"] != "watcher.session.started"]
    assert [event["type"] for event in told] == ["watcher.session.success"]
    assert f"session {first} ended as Failed and will be retried" in household.log()
    assert told[0]["data"]["session"]["id"] == third
    assert told[0]["data"]["attempts"] == [{"id": first}, {"id": second}, {"id": third}]


def test_a_hold_that_runs_out_is_told(household: Household, inbox: Inbox) -> None:
    """As failed and to be retried, and the end of the run then too."""
    household.environ["WATCHER_HOLD"] = "2s"
    with watched(household, inbox, "v7", Quirks(), "0.2") as scenery:
        world = scenery.world
        first = world.start(scenery.job, now())
        world.end(first, Status.FAILED, now(), will_be_retried=True)
        eventually(lambda: bool(inbox.of("session.failed")), what=household.log)
        second = world.start(scenery.job, now(), retry_of=first)
        world.end(second, Status.SUCCESS, now())
        eventually(lambda: bool(inbox.of("job.recovered")), what=household.log)
    assert inbox.of("session.failed")[0]["data"]["attempts"] == [{"id": first}]


def test_another_installation_is_told_once(household: Household, inbox: Inbox) -> None:
    """Its history is no news."""
    with watched(household, inbox, "v8", Quirks(), "0.2") as scenery:
        eventually(lambda: "its events are heard" in household.log(), what=household.log)
        scenery.run()
        eventually(lambda: len(inbox.of("session.failed")) == 1, what=household.log)
        scenery.world.installation_id = "99999999-0000-4000-8000-000000000009"
        scenery.faults.unauthorized = True  # another server does not know our token
        eventually(lambda: '"reachable":false' in status(household), what=household.log)
        scenery.faults.unauthorized = False
        eventually(lambda: bool(inbox.of("server.replaced")), what=household.log)
        scenery.run(Status.WARNING)
        eventually(lambda: bool(inbox.of("session.warning")), what=household.log)
    assert len(inbox.of("server.replaced")) == 1
    assert len(inbox.of("session.failed")) == 1
