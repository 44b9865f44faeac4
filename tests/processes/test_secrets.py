"""Every secret, looked for in all that a process writes: log, database, pages and commands, at every level."""

import base64
import json
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import urlopen

import pytest

from tests.channels.receivers import nobody
from tests.processes.household import Household, Inbox, eventually
from tests.processes.household import inbox as open_inbox
from tests.processes.test_stress import free_port
from watcher.clock import now
from watcher.core.model import Status
from watcher.demo.estate import Account
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.web.serve import serving

PASSWORD = "Pa ss/w&rd+9ü"
SECRETS = (
    PASSWORD, "hookuser", "hook-pass-17", "path-token-23", "query-token-31", "json-pass-41", "admin-token-59",
    "dead-token-61", "mail-pass-67", "beat-token-71", "slackAtokenB", "Q2xpZW50U2VjcmV0S2V5Rm9yVGhlU3dlZXA",
)  # fmt: skip
COMMANDS = (
    ("status",), ("status", "--json"), ("sessions",), ("sessions", "--json"), ("deliveries",),
    ("deliveries", "--json"), ("deliveries", "--state", "dead", "--json"), ("check",), ("test-channel",),
    ("retry", "--dead"), ("retry", "4711"), ("retry", "--dead", "--to", "nowhere"), ("run", "--once"),
)  # fmt: skip
PAGES = ("/", "/healthz", "/readyz", "/metrics", "/api/status", "/api/sessions", "/api/deliveries", "/nothing")
GOSSIP = """
import json, logging, os, threading, time

def gossip():
    while not logging.getLogger().handlers:  # before the settings are read nobody has got hold of anything
        time.sleep(0.05)
    for secret in json.loads(os.environ["GOSSIP"]):
        for name in ("urllib3.connectionpool", "sqlalchemy.engine.Engine", "somebody"):
            for level in (10, 20, 30, 40, 50):
                logging.getLogger(name).log(level, "GOSSIP https://x/%s and %r in %s", secret, secret, {"k": secret})
        try:
            raise ValueError(secret)
        except ValueError:
            logging.getLogger("somebody").exception("it broke")
    raise RuntimeError(os.environ["GOSSIP"])

if "GOSSIP" in os.environ:
    timer = threading.Timer(3, gossip)
    timer.daemon = True
    timer.start()
"""
"""A library that has got hold of every secret and writes them at every level; Python loads it by itself."""


def forms(secret: str) -> set[str]:
    """Return how a secret may look when some library writes it."""
    plain = base64.b64encode(secret.encode()).decode().rstrip("=")[:-1]
    return {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1], repr(secret)[1:-1], plain}


def leaks(text: str) -> list[str]:
    """Return the secrets that a text shows, in whatever form."""
    return [secret for secret in SECRETS if any(form in text for form in forms(secret))]


def columns(file: Path) -> Iterator[tuple[str, str]]:
    """Yield the name of each column of a database, and all that stands in it."""
    with sqlite3.connect(file) as database:
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            answer = database.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the names are the database's own
            names = [column[0] for column in answer.description]
            for row in answer:
                yield from ((f"{table}.{name}", str(value)) for name, value in zip(names, row, strict=True))


def page(url: str) -> str:
    """Return what a page says, whatever its status."""
    try:
        with urlopen(url, timeout=10) as answer:  # noqa: S310 - loopback
            return f"{answer.headers}{answer.read().decode()}"
    except HTTPError as refused:
        return f"{refused.headers}{refused.read().decode()}"


@pytest.mark.soak  # CI runs these as well
@pytest.mark.parametrize(("level", "form"), [("debug", "text"), ("debug", "json"), ("error", "text")])
def test_no_secret_is_written_anywhere(household: Household, inbox: Inbox, level: str, form: str) -> None:
    """The server's password, all that is telling in channel URLs, the token and the signing secret stay out of it."""
    world = World("v8")
    world.account = Account("HQ\\backup", PASSWORD)
    job = world.add_job("Mail", "Contoso")
    inbox.status = 404
    with ExitStack() as stack:
        url = stack.enter_context(serving(create_app(world, now=now, versions=["v8"]), date_header=False))
        busy = stack.enter_context(open_inbox())
        busy.status = 500
        closed = stack.enter_context(nobody())
        (household.folder / "sitecustomize.py").write_text(GOSSIP)
        host, flaky = inbox.url.removeprefix("http://"), busy.url.removeprefix("http://")
        (household.folder / "watcher.toml").write_text(
            "\n".join(
                f'[[channels]]\nname = "{name}"\nurl = "{target}"\n{more}'
                for name, target, more in (
                    (
                        "hook",
                        f"webhook+http://hookuser:hook-pass-17@{host}/path-token-23?key=query-token-31",
                        f'secret = "whsec_{SECRETS[-1]}="\n',
                    ),
                    ("json", f"json://someone:json-pass-41@{flaky}/path-token-23", ""),
                    ("dead", f"webhook+http://127.0.0.1:{closed}/dead-token-61", ""),
                    (
                        "mail",
                        f"mailto://someone:mail-pass-67@127.0.0.1:{closed}/?from=w@example.com&to=a@b.cd",
                        "",
                    ),
                    ("form", f"form://{flaky}/slackAtokenB?-header=query-token-31", ""),
                )
            )
        )
        household.environ |= {
            "WATCHER_URL": url,
            "WATCHER_USERNAME": "HQ\\backup",
            "WATCHER_PASSWORD": PASSWORD,
            "WATCHER_CONFIG": str(household.folder / "watcher.toml"),
            "WATCHER_LISTEN": f"127.0.0.1:{free_port()}",
            "WATCHER_ADMIN_TOKEN": "admin-token-59",
            "WATCHER_HEARTBEAT_URL": f"http://{flaky}/beat-token-71",
            "WATCHER_LOG_LEVEL": level,
            "WATCHER_LOG_FORMAT": form,
            "PYTHONPATH": f"{household.folder}:{Path.cwd()}",
            "GOSSIP": json.dumps(SECRETS),
        }
        household.start()
        eventually(lambda: '"reachable": true' in household.command("status", "--json").stdout, what=household.log)
        world.end(world.start(job, now()), Status.FAILED, now())
        eventually(
            lambda: '"attempts": 2' in household.command("deliveries", "--json").stdout, within=40, what=household.log
        )
        paths = (*PAGES, f"/jobs/default/{job}", "/sign-in", "/api/jobs", "/api/silences")
        pages = {path: page(f"http://{household.environ['WATCHER_LISTEN']}{path}") for path in paths}
        said = {" ".join(words): household.command(*words) for words in COMMANDS}
        assert household.end() == 0
        world.account = Account("HQ\\backup", "another")
        said["refused"] = household.command("check")
        household.environ["WATCHER_PASSWORD"] = ""
        household.environ["WATCHER_CHANNELS"] = "bad=nosuch://path-token-23/query-token-31"
        said["wrong"] = household.command("check")

    log = household.log()
    stored = list(columns(household.folder / "watcher.db"))
    assert leaks(log) == []
    assert {name: leaks(text) for name, text in pages.items() if leaks(text)} == {}
    outputs = {words: f"{one.stdout}{one.stderr}" for words, one in said.items()}
    assert {words: leaks(text) for words, text in outputs.items() if leaks(text)} == {}
    assert {column: leaks(text) for column, text in stored if leaks(text)} == {}
    heard = {path for path, _ in inbox.posted} | {path for path, _ in busy.posted}
    assert any("path-token-23" in path for path in heard), "the secrets were at work"
    assert any(column == "deliveries.last_error" and "404" in text for column, text in stored)
    assert any(column == "deliveries.last_error" and "500" in text for column, text in stored)
    assert "answered 404" in log, "what is said at every level"
    assert "GOSSIP https://x/" in log
    assert "it broke: ValueError: ***" in log
    assert "Traceback" not in log


def test_a_short_password_does_not_turn_text_into_stars(household: Household, inbox: Inbox) -> None:
    """A password of one letter is masked where it stands by itself; the words around it keep theirs."""
    world = World("v8")
    world.account = Account("bob", "b")
    with serving(create_app(world, now=now, versions=["v8"]), date_header=False) as url:
        household.environ |= {
            "WATCHER_URL": url,
            "WATCHER_USERNAME": "bob",
            "WATCHER_PASSWORD": "b",
            "WATCHER_CHANNELS": f"backup=webhook+{inbox.url}/",
            "WATCHER_LOG_LEVEL": "debug",
        }
        done = household.command("run", "--once")
        shown = household.command("status")
    assert done.returncode == 0, done.stderr
    assert "backup" in shown.stdout
    said = f"{done.stdout}{done.stderr}{shown.stdout}{shown.stderr}"
    assert "***" not in said
    assert "password=b" not in said
    assert base64.b64encode(b"bob:b").decode() not in said
