"""A refused delivery, seen from outside: the others are told, the dead box has it, and `retry` puts it back."""

import json
import time
from contextlib import ExitStack
from urllib.request import urlopen

from tests.processes.household import Household, Inbox, eventually, server_settings
from tests.processes.household import inbox as open_inbox
from tests.processes.test_stress import free_port
from watcher.clock import now
from watcher.core.model import Status
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.web.serve import serving


def test_refused_told_and_put_back(household: Household, inbox: Inbox) -> None:
    """What another process puts back is taken up within two seconds, and the other channel hears both times."""
    world = World("v8")
    job = world.add_job("Mail", "Contoso")
    with ExitStack() as stack:
        url = stack.enter_context(serving(create_app(world, now=now, versions=["v8"]), date_header=False))
        other = stack.enter_context(open_inbox())
        household.environ |= server_settings(url, world) | {
            "WATCHER_CHANNELS": f"hook=webhook+{inbox.url}/ other=webhook+{other.url}/",
            "WATCHER_LISTEN": f"127.0.0.1:{free_port()}",
        }
        inbox.status = 404
        household.start()
        eventually(lambda: '"reachable": true' in household.command("status", "--json").stdout, what=household.log)
        world.end(world.start(job, now()), Status.FAILED, now())
        eventually(lambda: len(other.of("channel.failing")) == 1, what=household.log)
        (dead,) = json.loads(household.command("deliveries", "--state", "dead", "--json").stdout)
        with urlopen(f"http://{household.environ['WATCHER_LISTEN']}/readyz", timeout=5) as answer:
            (sick,) = json.load(answer)["sick"]["channels"]
        shown = household.command("status").stdout

        inbox.status = 204
        done = household.command("retry", str(dead["id"]))
        put_back = time.monotonic()
        eventually(lambda: len(inbox.of("session.failed")) == 1, what=household.log)
        took = time.monotonic() - put_back
        eventually(lambda: len(other.of("channel.recovered")) == 1, what=household.log)
        assert household.end() == 0

    assert (done.returncode, done.stdout) == (0, "1 delivery put back\n")
    assert took < 2, "the promise of the contract, not a matter of speed"
    assert (dead["channel"], dead["attempts"], dead["last_error"]) == ("hook", 1, "answered 404 Not Found")
    assert sick["name"] == "hook"
    assert "answered 404 Not Found" in sick["reason"]
    assert "FAILING since" in shown
    assert other.of("channel.failing")[0]["source"] == "/watcher"
    assert inbox.of("channel.failing") == []
    assert "Traceback" not in household.log()
