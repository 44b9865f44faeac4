"""`watcher status`, `sessions` and `deliveries`."""

import json
import subprocess
import sys

import pytest

from tests.cli.cli_world import Shell

SERVER_KEYS = {"name", "url", "api_version", "reachable", "last_poll", "last_success", "open_sessions", "last_error"}
SESSION_KEYS = {"server", "id", "job", "status", "creation_time", "end_time"}
DELIVERY_KEYS = {
    "id",
    "event_id",
    "event",
    "channel",
    "destination",
    "message_id",
    "state",
    "attempts",
    "next_attempt",
    "last_error",
    "created",
}


def test_status_as_json_has_the_keys_of_the_public_face(shell: Shell) -> None:
    """No key goes; more may come."""
    shell.fill()
    ended = shell.watcher("status", "--json")
    assert (ended.code, ended.err) == (0, "")
    status = json.loads(ended.out)
    assert set(status) >= {"servers", "outbox"}
    assert set(status["servers"][0]) >= SERVER_KEYS
    assert status["servers"][0]["last_poll"] == "2026-03-04T05:06:07Z"
    assert status["servers"][0]["reachable"] is True
    assert {key: status["outbox"][key] for key in ("pending", "dead")} == {"pending": 2, "dead": 0}
    assert status["outbox"]["oldest_seconds"] >= 0


def test_sessions_and_deliveries_as_json(shell: Shell) -> None:
    """Lists of flat objects, times in UTC."""
    shell.fill()
    (session,) = json.loads(shell.watcher("sessions", "--json").out)
    assert set(session) >= SESSION_KEYS
    assert session["job"] == "Mail [red]Bern[/red]\x1b[2J"
    assert session["end_time"] == "2026-03-04T05:06:07Z"
    deliveries = json.loads(shell.watcher("deliveries", "--state", "pending", "--json").out)
    assert {row["channel"] for row in deliveries} == {"ops", "old"}
    assert all(set(row) >= DELIVERY_KEYS for row in deliveries)
    assert json.loads(shell.watcher("deliveries", "--state", "dead", "--json").out) == []
    assert len(json.loads(shell.watcher("deliveries", "--limit", "1", "--json").out)) == 1


def test_tables_on_a_pipe_are_whole_and_plain(shell: Shell) -> None:
    """No colours, no cutting, and nothing that a name could do to a terminal."""
    name = "A job with a name that is a good deal longer than any terminal is wide " * 3 + "\x1b[2J[red]end[/red]"
    shell.fill(job=name)
    ended = shell.watcher("sessions")
    assert (ended.code, ended.err) == (0, "")
    heading, row = ended.out.splitlines()
    assert heading.split() == ["server", "job", "status", "started", "ended", "id"]
    assert name.replace("\x1b", " ") in row
    assert "2026-03-04 06:06:07+01:00" in row
    assert "\x1b" not in ended.out


def test_the_status_table_tells_of_channels_that_are_gone(shell: Shell) -> None:
    """What is owed to them is said, not hidden."""
    shell.fill()
    out = shell.watcher("status").out
    assert "HQ" in out
    assert "reachable" in out
    gone = next(line for line in out.splitlines() if line.startswith("old"))
    assert "in no settings any more" in gone
    assert "2 pending, the oldest for " in out


@pytest.mark.parametrize("command", ["status", "sessions", "deliveries"])
def test_without_a_database_one_line_says_so(shell: Shell, command: str) -> None:
    """And none is made."""
    ended = shell.watcher(command)
    assert (ended.code, ended.out) == (1, "")
    assert len(ended.mistakes) == 1
    assert "watcher run" in ended.err
    assert not shell.database.exists()


def test_nothing_known_yet_is_said(shell: Shell) -> None:
    """An empty table would look like a mistake."""
    shell.fill()
    assert shell.watcher("deliveries", "--state", "dead").out == "no delivery is known yet\n"


def test_a_reader_that_has_seen_enough_ends_the_command_in_peace(shell: Shell) -> None:
    """`watcher sessions | head`."""
    shell.fill()
    process = subprocess.Popen(
        [sys.executable, "-m", "watcher", "sessions"],
        env=shell.environ({}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    process.stdout.close()  # before the first line is written
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(30), err) == (0, "")


def test_a_file_that_is_no_database_is_one_line(shell: Shell) -> None:
    """With its path."""
    shell.database.write_text("no database, just text\n" * 100)
    ended = shell.watcher("status")
    assert ended.code == 1
    assert len(ended.mistakes) == 1
    assert str(shell.database) in ended.err
