"""Silences, groups and quiet hours, with real processes from end to end."""

import time

from tests.processes.household import Household, Inbox, eventually, server_settings
from watcher.clock import now
from watcher.core.model import Status
from watcher.demo.estate import Schedule
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.web.serve import serving

ROUTES = """
[[routes]]
name = "asleep"
match = {{ job = "Asleep*" }}
channels = "chat"
quiet = "{quiet}"
stop = true

[[routes]]
name = "rest"
channels = "chat"
group_wait = "2s"

[[templates]]
channel = "chat"
event = "group"
title = "{{{{ events | length }}}} at once"
"""


def test_people_are_told_as_the_routes_say(household: Household, inbox: Inbox) -> None:
    """Two failures join, one waits for the morning, one is kept back by a silence and told when that is removed."""
    world = World("v8")
    jobs = {name: world.add_job(name, "Contoso", schedule=Schedule()) for name in ("One", "Two", "Asleep", "Muted")}
    config = household.folder / "watcher.toml"
    config.write_text(ROUTES.format(quiet=_around_now()))
    with serving(create_app(world, now=now, versions=["v8"]), date_header=False) as url:
        household.environ |= server_settings(url, world) | {
            "WATCHER_CHANNELS": f"chat={inbox.url.replace('http://', 'json://')}/",
            "WATCHER_CONFIG": str(config),
            "WATCHER_TIMEZONE": "UTC",
        }
        household.start()
        eventually(lambda: '"reachable":true' in household.command("status", "--json").stdout.replace(" ", ""))
        added = household.command(
            "silence", "add", "--job", "Muted", "--for", "1h", "--by", "ann", "--reason", "patches"
        )
        assert added.returncode == 0, added.stderr
        for name in jobs.values():
            world.end(world.start(name, now()), Status.FAILED, now())
        eventually(lambda: len(inbox.got) == 1, what=household.log)
        assert inbox.got[0]["title"] == "2 at once"
        held = household.command("deliveries", "--state", "pending", "--json").stdout
        assert '"held": "quiet hours"' in held
        explained = household.command("explain", "--job", "Muted").stdout
        assert "silence 1 by ann (patches)" in explained
        assert household.command("silence", "remove", "1").returncode == 0
        eventually(lambda: len(inbox.got) == 2, within=6, what=household.log)
        assert "Muted" in inbox.got[1]["title"]
        assert household.end() == 0
        assert len(inbox.got) == 2
    assert "Traceback" not in household.log()


def _around_now() -> str:
    """Return hours in which now lies, and the next hours too."""
    hour = time.gmtime().tm_hour
    return f"{(hour - 1) % 24:02}:00-{(hour + 3) % 24:02}:00"
