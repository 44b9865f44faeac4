"""One story, told by six servers that speak v3 to v8, watched by one real process that is killed in the middle."""

import json
import signal
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta

from tests.processes.household import Household, Inbox, eventually
from watcher.clock import now
from watcher.core.model import LogLine, Status
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.web.serve import serving

IN_FLIGHT = 16  # a webhook channel sends so many at once
VERSIONS = ("v3", "v4", "v5", "v6", "v7", "v8")


@dataclass
class Teller:
    """Tells the same story on one server."""

    version: str
    world: World = field(init=False)
    open: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.world = World(self.version)
        self.mail = self.world.add_job("Contoso - Mail", "Contoso")
        self.teams = self.world.add_job("Fabrikam - Teams", "Fabrikam")
        yesterday = now() - timedelta(days=1)
        for job, status in ((self.mail, Status.SUCCESS), (self.teams, Status.FAILED)):
            session = self.world.start(job, yesterday)
            self.world.end(session, status, yesterday + timedelta(minutes=9))

    def start(self, job: str) -> None:
        self.open[job] = self.world.start(job, now())

    def end(self, job: str, status: Status, *log: LogLine) -> None:
        self.world.end(self.open.pop(job), status, now(), log=log, details="Transferred: 1.2 MB")


def toml(urls: dict[str, str], tellers: list[Teller]) -> str:
    """Write a watcher.toml with one table for each server."""
    tables = []
    for teller in tellers:
        account = teller.world.account
        tables.append(
            f"[[servers]]\nname = '{teller.version}'\nurl = '{urls[teller.version]}'\n"
            f"username = '{account.username}'\npassword = '{account.password}'\n"
        )
    return "\n".join(tables)


def told(inbox: Inbox, version: str) -> list[tuple[str, str]]:
    """Return event types and job names that one server's events had, in the order of their time."""
    events = {event["id"]: event for event in inbox.got if event.get("source") == f"/servers/{version}"}
    ordered = sorted(events.values(), key=lambda event: (event["time"], event["type"]))
    return [(event["type"].removeprefix("watcher."), event["subject"]) for event in ordered]


def test_the_same_story_on_every_wire_version(household: Household, inbox: Inbox) -> None:
    """Six wire versions give the same notifications, each once, over a kill -9 and an end that nobody watched."""
    tellers = [Teller(version) for version in VERSIONS]
    with ExitStack() as stack:
        urls = {
            teller.version: stack.enter_context(
                serving(create_app(teller.world, now=now, versions=[teller.version]), date_header=False)
            )
            for teller in tellers
        }
        config = household.folder / "watcher.toml"
        config.write_text(toml(urls, tellers))
        config.chmod(0o600)
        household.environ |= {
            "WATCHER_CONFIG": str(config),
            "WATCHER_CHANNELS": f"hook=webhook+{inbox.url}/hook chat={inbox.url.replace('http', 'json')}/chat",
            "WATCHER_NOTIFY_ON": "all",
        }

        def webhooks() -> set[str]:
            return {event["id"] for event in inbox.got if "specversion" in event}

        def chats() -> int:
            return sum("specversion" not in event for event in inbox.got)

        household.start()
        first_looks = "watching 6 servers, telling 2 channels"
        eventually(lambda: first_looks in household.log(), what=household.log)
        eventually(lambda: all_seen(household, tellers), what=household.log)
        for teller in tellers:
            teller.start(teller.mail)
            teller.start(teller.teams)
        eventually(lambda: len(webhooks()) == 12, what=lambda: (household.log(), told(inbox, "v3")))
        for teller in tellers:
            teller.end(teller.mail, Status.FAILED, LogLine("error", "Failed to connect. Unauthorized."))
            teller.end(teller.teams, Status.SUCCESS)
        eventually(lambda: len(webhooks()) == 24, what=household.log)

        household.end(signal.SIGKILL)
        for teller in tellers:  # a short run that begins and ends while nobody watches
            teller.start(teller.mail)
            teller.end(teller.mail, Status.WARNING)
            teller.start(teller.teams)
        household.start()
        eventually(lambda: len(webhooks()) == 36, what=household.log)
        for teller in tellers:
            teller.end(teller.teams, Status.STOPPED)
            teller.start(teller.mail)
        eventually(lambda: len(webhooks()) == 48, what=household.log)
        for teller in tellers:
            teller.end(teller.mail, Status.SUCCESS)
        eventually(lambda: len(webhooks()) == 54, what=household.log)
        eventually(lambda: not open_deliveries(household), what=household.log)
        assert chats() > 27, "a message that is overtaken joins the next of its job, so there may be fewer than ends"
        assert household.end() == 0

    story = [
        ("session.started", "Contoso - Mail"),
        ("session.started", "Fabrikam - Teams"),
        ("session.failed", "Contoso - Mail"),
        ("job.recovered", "Fabrikam - Teams"),
        ("session.warning", "Contoso - Mail"),
        ("session.started", "Fabrikam - Teams"),
        ("session.stopped", "Fabrikam - Teams"),
        ("session.started", "Contoso - Mail"),
        ("session.success", "Contoso - Mail"),
    ]
    for version in VERSIONS:
        assert told(inbox, version) == story, version
    repeats = sum("specversion" in event for event in inbox.got) - 54
    assert repeats <= IN_FLIGHT, "only what was in flight when the process was killed may come twice"
    assert "Traceback" not in household.log()


def open_deliveries(household: Household) -> list[object]:
    """Return what is owed and not delivered, going by what `deliveries` shows."""
    rows: list[dict[str, object]] = json.loads(household.command("deliveries", "--json").stdout)
    return [row for row in rows if row["state"] != "delivered"]


def all_seen(household: Household, tellers: list[Teller]) -> bool:
    """Whether every server was looked at once, going by what `status` shows."""
    shown = household.command("status", "--json").stdout
    return shown.count('"reachable":true') + shown.count('"reachable": true') == len(tellers)
