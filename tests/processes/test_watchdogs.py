"""The watchdogs in the real process, against the stand-in server: what did not happen, and what is about to break."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import time, timedelta
from pathlib import Path

import httpx
import pytest

from tests.processes.household import Household, Inbox, eventually, inbox, server_settings
from watcher.clock import now
from watcher.demo.estate import Schedule
from watcher.demo.faults import Faults
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.web.serve import serving

HASTY = """
[watchdogs]
proxy_offline_after = "1s"
"""


@dataclass
class House:
    """A watcher of one server, and what its webhook gets."""

    household: Household
    world: World
    faults: Faults
    box: Inbox

    def start(self, text: str = HASTY) -> None:
        """Start it on these settings."""
        path = self.household.folder / "watcher.toml"
        path.write_text(text)
        self.household.environ["WATCHER_CONFIG"] = str(path)
        self.household.start()

    def hears(self, kind: str, count: int = 1) -> None:
        """Wait until an event was told so many times."""
        eventually(lambda: len(self.box.of(kind)) >= count, within=30, what=lambda: (kind, self.household.log()))
        assert len(self.box.of(kind)) == count

    def serves(self, path: str) -> str:
        """Return what the process serves at a path, once it serves at all."""
        eventually(lambda: "status page at" in self.household.log(), what=self.household.log)
        address = re.findall(r"status page at (http://\S+)/", self.household.log())[-1]
        return httpx.get(address + path).raise_for_status().text

    def kinds(self) -> list[str]:
        """Return the kinds of events so far."""
        return [event["type"].removeprefix("watcher.") for event in self.box.got]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Serve a world with a nightly job that was due five hours ago."""
    world, faults = World(), Faults()
    job = world.add_job("Mail", "contoso", schedule=Schedule(daily=time(1)))
    world.set_job(job, next_run=now() - timedelta(hours=5))
    app = create_app(world, now=now, versions=["v8"], faults=faults)
    household = Household(tmp_path)
    with inbox() as box, serving(app, date_header=False) as url:
        household.environ = server_settings(url, world) | {
            "WATCHER_CHANNELS": f"hook=webhook+{box.url}",
            "WATCHER_POLL_INTERVAL": "0.1",
            "WATCHER_LISTEN": "127.0.0.1:0",
        }
        yield House(household, world, faults, box)
        if household.process:
            household.end()


def test_from_first_contact_to_the_last_recovery(house: House) -> None:
    """A job that does not run, a proxy, a repository: each told once, over a restart, and cleared."""
    world = house.world
    (job,), (proxy,), ((name, disk),) = world.jobs, world.proxies, world.repositories.items()
    world.repositories[name] = replace(disk, free=disk.capacity // 25)
    house.start()
    house.hears("job.overdue")
    house.hears("repository.low")
    (overdue,), (low,) = house.box.of("job.overdue"), house.box.of("repository.low")
    assert (overdue["subject"], overdue["data"]["reason"]) == ("Mail", "its next run was due and has not begun")
    assert low["data"]["repository"] == {"id": name, "name": "Disk 01"}
    world.proxies[proxy] = replace(world.proxies[proxy], online=False)
    house.faults.fail(500, path="/License", times=None)  # one part that fails
    house.hears("proxy.offline")
    page = house.serves("/")
    assert re.search(r'<title id="title">1 job is overdue: Mail since \w+ \d\d:\d\d ·', page)
    assert "1 proxy is offline: " in page
    assert "What is about to break" in page
    told = json.loads(house.serves("/api/status"))["alarms"]
    assert {(one["event"], one["name"]) for one in told} == {
        ("job.overdue", "Mail"),
        ("repository.low", "Disk 01"),
        ("proxy.offline", house.box.of("proxy.offline")[0]["data"]["proxy"]["name"]),
    }
    house.household.end()
    world.start(job, now())
    world.proxies[proxy] = replace(world.proxies[proxy], online=True)
    world.repositories[name] = disk
    house.household.start()
    for kind in ("job.overdue", "proxy.offline", "repository.low"):
        house.hears(f"{kind}.recovered")
        assert house.kinds().count(kind) == 1
    assert json.loads(house.serves("/api/status"))["alarms"] == []
    assert "What is about to break" not in house.serves("/")
    assert "Traceback" not in house.household.log()
