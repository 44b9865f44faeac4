"""Who watches the watcher, and what it watches besides jobs: real processes, over real sockets."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.processes.household import Household, Inbox, eventually, server_settings
from tests.processes.test_stress import free_port, health
from watcher.clock import now
from watcher.core.model import Errand, JobType
from watcher.demo.faults import Faults
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.web.serve import serving

SECRET = "0f6c1d52-7b1e-4d2a-9a53-0c1f6f6d1b11"
SPEED = 600.0
FAST = f"""
import os
from datetime import timedelta
from watcher import logs
from watcher.clock import now, sped_up
from watcher.daemon import loops
from watcher.daemon.process import run
from watcher.settings import load

settings = load(options={{}}, environ=os.environ)
loops.POLL_WITHIN = timedelta(seconds=3)
logs.configure("text", "debug", settings.secret_values())
raise SystemExit(run(settings, once=False, reload=lambda: settings, clock=sped_up({SPEED}, start=now())))
"""
"""The daemon as it is, on a clock of which ten minutes pass in a second; a look is stuck after three real ones."""


@dataclass
class Scene:
    """The server that is watched, and what goes wrong with it."""

    world: World
    faults: Faults


@pytest.fixture
def scene(household: Household, inbox: Inbox) -> Iterator[Scene]:
    with _scene(household, inbox) as scene:
        yield scene


@contextmanager
def _scene(household: Household, inbox: Inbox) -> Iterator[Scene]:
    world, faults = World(), Faults()
    with serving(create_app(world, now=now, faults=faults), date_header=False) as url:
        household.environ |= server_settings(url, world) | {
            "WATCHER_CHANNELS": f"hook=webhook+{inbox.url}/",
            "WATCHER_HEARTBEAT_URL": f"{inbox.url}/{SECRET}",
            "WATCHER_NOTIFY_ON": "all",
        }
        yield Scene(world, faults)


def test_a_stuck_loop_stops_the_calls_and_healthz_says_which(household: Household, inbox: Inbox, scene: Scene) -> None:
    """While the watched server keeps an answer back, nobody is told that all is well; afterwards they are again."""
    # No channel: where there is nothing to send, a deliver loop rests for a real second, which is ten minutes here.
    household.environ |= {"WATCHER_CHANNELS": "", "WATCHER_LISTEN": f"127.0.0.1:{free_port()}"}
    household.environ |= {"WATCHER_POLL_INTERVAL": "2m"}
    household.start(program=("-c", FAST))
    eventually(lambda: len(inbox.called) >= 3, what=household.log)
    assert health(household)[0] == 200
    assert set(inbox.called) == {f"/{SECRET}"}

    scene.faults.hang(7.0, path="/jobsessions")
    eventually(lambda: health(household)[0] == 503, what=household.log)
    calls = len(inbox.called)
    assert "poll default made no progress" in health(household)[1]
    counted = [calls]
    while health(household)[0] == 503:
        counted.append(len(inbox.called))
    assert set(counted[:-1]) == {calls}  # the last one may have been counted when it was over
    assert len(counted) > 10

    eventually(lambda: len(inbox.called) > calls, what=household.log)
    inbox.status = 500
    eventually(lambda: "heartbeat: http://127.0.0.1 answered 500" in household.log(), what=household.log)
    calls = len(inbox.called)
    eventually(lambda: len(inbox.called) > calls + 2, what=household.log)
    scene.faults.clear()
    assert household.end() == 0
    assert household.log().count("heartbeat:") == 1
    assert SECRET not in household.log()


def test_once_calls_after_a_good_round_only(household: Household, inbox: Inbox, scene: Scene) -> None:
    """A timer that runs `run --once` is watched as well."""
    assert household.command("run", "--once").returncode == 0
    assert inbox.called == [f"/{SECRET}"]
    scene.faults.fail(404, times=None)
    assert household.command("run", "--once").returncode == 1
    assert inbox.called == [f"/{SECRET}"]


def test_systemd_is_told_how_all_stands(household: Household, scene: Scene, tmp_path: Path) -> None:
    """Ready, the watchdog, a line in plain words, and the end."""
    job = scene.world.add_job("Mail", "contoso.example")
    scene.world.start(job, now())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(15)
        household.environ |= {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        household.start()
        heard = [manager.recv(4096).decode()]
        while not heard[-1].startswith("STATUS=1 server"):
            heard.append(manager.recv(4096).decode())
        assert heard[-1] == "STATUS=1 server, 1 running, 0 failing, 0 pending"
        assert heard.count("READY=1") == 1
        assert heard.count("WATCHDOG=1") >= 2
        assert household.end() == 0
        manager.settimeout(1)
        while heard[-1] != "STOPPING=1":
            heard.append(manager.recv(4096).decode())


def test_restores_are_told_to_who_wants_to_know(household: Household, inbox: Inbox, scene: Scene) -> None:
    """What WATCHER_WATCH names is told, and nothing else."""
    household.environ |= {"WATCHER_WATCH": "copy restore"}
    job = scene.world.add_job("Mail", "contoso.example")
    household.start()
    eventually(lambda: bool(inbox.called), what=household.log)
    errand = Errand("Mailbox of Ann", "Vex", "contoso.example", initiated_by="VBO-01\\operator")
    restore = scene.world.begin_errand(JobType.RESTORE, now(), errand)
    session = scene.world.start(job, now())
    eventually(lambda: len(inbox.of("session.started")) == 1, what=household.log)
    scene.world.end(session, "Failed", now())
    scene.world.end_errand(restore, "Failed", now(), details="The mailbox is gone")
    eventually(lambda: len(inbox.of("session.failed")) == 1, what=household.log)
    (data,) = [event["data"] for event in inbox.of("session.failed")]
    assert data["job"] == {"name": "Mailbox of Ann", "type": "restore", "organization": "contoso.example"}
    assert (data["session"]["id"], data["session"]["initiated_by"]) == (restore, "VBO-01\\operator")
    assert len(inbox.got) == 2
    assert household.end() == 0
    assert "Traceback" not in household.log()
