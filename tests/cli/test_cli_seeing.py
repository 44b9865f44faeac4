"""Jobs with their strips in `watcher status`, and `watcher sessions --follow`."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.cli.cli_world import NOW, Shell
from watcher.cli.board import strip
from watcher.core.event import JobRef, Thing
from watcher.core.model import Session
from watcher.core.policy import Case, Policy
from watcher.core.record import Known, Page
from watcher.core.watchdog.alarm import Desk, Says, Verdict, review
from watcher.store import open_store


def test_status_says_what_is_wrong_and_shows_each_job(shell: Shell) -> None:
    """The sentence of the page first; then, on a pipe, plain signs without a colour."""
    shell.fill(job="Mail [red]Bern[/red]\x1b[2J")
    ended = shell.watcher("status")
    assert (ended.code, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert "\x1b" not in ended.out
    heading = next(line for line in lines if line.startswith("job "))
    row = lines[lines.index(heading) + 1]
    assert heading.split() == ["job", "server", "last", "runs", "state", "last", "good", "next"]
    assert row.startswith("Mail [red]Bern[/red] [2J  HQ")
    assert "✗" in row or "  x  " in row
    assert lines[0]


def test_status_shows_what_the_watchdogs_have_told(shell: Shell) -> None:
    """In the sentence, in a table of its own and at the job; without any there is no table."""
    shell.fill(job="Mail")
    assert "alarm" not in shell.watcher("status").out
    since = NOW - timedelta(days=3)
    tell(
        shell,
        Verdict("job.stale", "j-1", Says.YES, "it has not ended well", since=since, job=JobRef("j-1", "Mail")),
        Verdict("proxy.offline", "p-1", Says.YES, "it is\x1b[2J offline", since=NOW, thing=Thing("p-1", "proxy [red]")),
    )
    lines = shell.watcher("status").out.splitlines()
    assert lines[0].startswith("1 job is failing: Mail since 4 Mar 06:06 · 1 proxy is offline: proxy [red] since 4 Mar")
    heading = next(place for place, line in enumerate(lines) if line.startswith("alarm "))
    assert lines[heading].split() == ["alarm", "of", "server", "since", "why"]
    assert lines[heading + 1].split("  ")[0] == "no good end"
    assert lines[heading + 1].endswith("1 Mar 06:06  it has not ended well")
    assert lines[heading + 2].startswith("Proxy offline  proxy [red]  HQ")
    assert "it is [2J offline" in lines[heading + 2]
    job = next(line for line in lines if line.startswith("Mail "))
    assert "FAILING since 4 Mar 06:06, no good end" in job
    told = json.loads(shell.watcher("status", "--json").out)["alarms"]
    assert told[0] == {
        "server": "HQ",
        "event": "job.stale",
        "subject": "j-1",
        "name": "Mail",
        "since": "2026-03-01T05:06:07Z",
        "reason": "it has not ended well",
    }
    assert [one["name"] for one in told] == ["Mail", "proxy [red]"]


def tell(shell: Shell, *verdicts: Verdict) -> None:
    """Let the watchdogs say so, as a daemon beside would."""
    store = open_store(f"sqlite:///{shell.database}")
    case = Case(Policy((), {}), NOW)
    store.guard(1, [], lambda ledger: review(ledger.alarms, verdicts, Desk(ledger.server, NOW, case)), now=NOW)
    store.close()


@pytest.mark.parametrize(("is_plain", "signs"), [(False, "▮▲✗▫▶?"), (True, ".!x->?")], ids=["unicode", "ascii"])
def test_each_status_has_its_own_sign(is_plain: bool, signs: str) -> None:
    """Shape and colour both; a terminal that knows no Unicode gets letters."""
    words = ("Success", "Warning", "Failed", "Stopped", "Running", "Odd")
    made = strip(tuple(Session("s", word) for word in words), is_plain=is_plain)
    assert "".join(sign for sign, _ in made.signs) == signs
    assert len({colour for _, colour in made.signs}) == len(words)


@contextmanager
def following(shell: Shell, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Follow in a process of its own."""
    with subprocess.Popen(
        [sys.executable, "-m", "watcher", "sessions", "--follow", *words],
        env=shell.environ({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_deaf,  # noqa: PLW1509 - as a shell starts what goes on in its background; no thread is about
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _deaf() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def change(shell: Shell, session: Session) -> None:
    """Write a session down, as a daemon beside would."""
    store = open_store(f"sqlite:///{shell.database}")
    store.record(1, [session.id], [], lambda _: Page((Known(session),)), now=NOW)
    store.close()


@pytest.mark.parametrize("as_json", [False, True])
def test_new_and_changed_sessions_come_as_lines(shell: Shell, as_json: bool) -> None:
    """What is there first, then what begins and what ends; Ctrl-C ends it in peace."""
    shell.fill(job="Mail")
    with following(shell, *(["--json"] if as_json else [])) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        lines = [process.stdout.readline()]
        begun = Session("s-2", "Running", "j-1", created=NOW)
        change(shell, begun)
        lines.append(process.stdout.readline())
        change(shell, replace(begun, status="Warning", ended=NOW.replace(minute=16)))
        lines.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert (process.wait(10), process.stderr.read()) == (0, "")
    if as_json:
        assert [json.loads(line)["status"] for line in lines] == ["Failed", "Running", "Warning"]
    else:
        assert lines == [
            "2026-03-04 06:06:07+01:00  Failed after 1 h: Mail on HQ\n",
            "2026-03-04 06:06:07+01:00  Running: Mail on HQ\n",
            "2026-03-04 06:16:07+01:00  Warning after 10 min: Mail on HQ\n",
        ]
