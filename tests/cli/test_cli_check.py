"""`watcher check` and `watcher test-channel`."""

import json
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.cli_world import HUSH, Inbox, Shell, receiving
from watcher.cli import main
from watcher.cli.check import summary
from watcher.clock import now
from watcher.core.finding import Finding, Grade
from watcher.demo.server import create_app
from watcher.demo.world import World
from watcher.web.serve import serving

DEAF_NO_MORE = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler);"  # a shell makes its background deaf
    "from watcher.__main__ import start; sys.argv[1:] = ['test-channel']; start()"
)
DEAD = {"URL": "http://127.0.0.1:9", "USERNAME": "DOM\\svc", "PASSWORD": HUSH}


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Return a receiver of posts."""
    with receiving() as box:
        yield box


def test_check_of_a_good_world_is_all_well(shell: Shell, inbox: Inbox) -> None:
    """Server, login, version and channel are tried; nothing is sent and no database made."""
    world = World()
    login = {"USERNAME": world.account.username, "PASSWORD": world.account.password}
    with serving(create_app(world, now=now), date_header=False) as url:
        ended = shell.watcher("check", URL=url, CHANNELS=f"ops=webhook+http://{inbox.host}/{HUSH}", **login)
    assert (ended.code, ended.err) == (0, ""), ended.out
    lines = ended.out.splitlines()
    assert lines[0] == "settings"
    assert f"server default, {url}" in lines
    assert any(line.startswith("  ok       login: ") for line in lines)
    assert f"channel ops, webhook+http://{inbox.host}" in lines
    assert "  ok       file: not there yet; `watcher run` makes it" in lines
    assert lines[-1].startswith("all well")
    assert inbox.bodies == []
    assert not shell.database.exists()
    assert HUSH not in ended.out


def test_check_names_everything_that_failed_and_ends_with_1(shell: Shell) -> None:
    """A server that is not there, a channel that is unknown, and rows of a channel that is gone."""
    shell.fill()
    ended = shell.watcher("check", CHANNELS=f"ops=json://h bad=msteams://{HUSH}/x", **DEAD)
    assert (ended.code, ended.err) == (1, "")
    assert "channel bad\n  failed   " in ended.out
    assert "workflows://" in ended.out
    assert "server default, http://127.0.0.1:9\n  failed   " in ended.out
    assert "  warning  channel old: is in no settings, so what waits for it stays unsent (1 pending)" in ended.out
    assert ended.out.splitlines()[-1] == "2 failed, 1 warning"
    assert HUSH not in ended.out


def test_check_shows_the_warnings_and_the_files(shell: Shell) -> None:
    """What `run` would log is said here as well."""
    env = shell.folder / "my.env"
    env.write_text("WATCHER_WATCH=backup\nWATCHER_WATCH=copy\n")
    ended = shell.watcher("check", "--env-file", str(env), **shell.asleep())
    assert f"  ok       files read: {env}, {shell.folder}/asleep.toml" in ended.out
    assert f"  warning  setting: {env}:2: sets WATCHER_WATCH again: this line counts" in ended.out
    assert "  warning  setting: WATCHER_CHANNELS: no channel is set" in ended.out
    assert "server HQ, https://127.0.0.1:9\n  ok       enabled: no, so it is not looked at" in ended.out


def test_a_database_of_a_newer_version_is_named_and_left_alone(shell: Shell) -> None:
    """`check` says it, and the commands that show end with 2."""
    shell.fill()
    with sqlite3.connect(shell.database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = shell.database.read_bytes()
    checked, shown = shell.watcher("check", **shell.asleep()), shell.watcher("status")
    assert checked.code == 1
    assert "newer" in checked.out
    assert (shown.code, len(shown.mistakes)) == (2, 1)
    assert shell.database.read_bytes() == before


def test_a_test_message_goes_through_the_named_channels(shell: Shell, inbox: Inbox) -> None:
    """And through no other."""
    channels = f"a=webhook+http://{inbox.host}/a b=webhook+http://127.0.0.1:9/{HUSH}"
    ended = shell.watcher("test-channel", "a", CHANNELS=channels, **shell.asleep())
    assert (ended.code, ended.err) == (0, ""), ended.out
    assert ended.out.startswith("a (")
    assert ended.out.endswith("): delivered\n")
    (body,) = inbox.bodies
    assert json.loads(body)["type"] == "watcher.channel.test"


def test_without_names_all_channels_are_tried_and_one_failure_is_enough(shell: Shell, inbox: Inbox) -> None:
    """The others are tried all the same."""
    channels = f"b=webhook+http://127.0.0.1:9/{HUSH} c=msteams://{HUSH} a=webhook+http://{inbox.host}/a"
    ended = shell.watcher("test-channel", CHANNELS=channels, **shell.asleep())
    first, second, third = ended.out.splitlines()
    assert ended.code == 1
    assert first.startswith("b (")
    assert "failed: " in first
    assert second == "c: failed: there is no msteams://; use workflows:// instead"
    assert third.startswith("a (")
    assert third.endswith("delivered")
    assert HUSH not in ended.out + ended.err


def test_an_unknown_channel_names_the_nearest(shell: Shell, inbox: Inbox) -> None:
    """Nothing is sent then, through none of the channels."""
    channels = f"alerts=webhook+http://{inbox.host}/a"
    ended = shell.watcher("test-channel", "alerts", "alert", CHANNELS=channels, **shell.asleep())
    assert (ended.code, ended.out) == (2, "")
    assert ended.mistakes == ["watcher: no channel is called `alert`: did you mean `alerts`?"]
    assert inbox.bodies == []


def test_without_channels_there_is_nothing_to_test(shell: Shell) -> None:
    """It is a failure, since nothing was sent."""
    ended = shell.watcher("test-channel", **shell.asleep())
    assert (ended.code, ended.mistakes) == (
        1,
        ["watcher: no channel is set: name one in WATCHER_CHANNELS or watcher.toml"],
    )


@pytest.mark.parametrize(
    ("grades", "line"),
    [
        ([Grade.OK], "all well"),
        ([Grade.OK, Grade.WARNING], "all well, 1 warning"),
        ([Grade.FAILED], "1 failed, 0 warnings"),
        ([Grade.FAILED, Grade.WARNING, Grade.WARNING, Grade.FAILED], "2 failed, 2 warnings"),
    ],
)
def test_the_last_line_sums_up(grades: list[Grade], line: str) -> None:
    """One glance at it is enough."""
    assert summary([Finding("x", grade, "y") for grade in grades]) == line


def test_check_accepts_the_manuals_file(shell: Shell) -> None:
    """Every key of docs/watcher.toml holds, its channels open, its templates work; only its servers are made up."""
    text = (Path(__file__).parents[2] / "docs" / "watcher.toml").read_text(encoding="utf-8")
    config = shell.folder / "watcher.toml"
    config.write_text(
        text.replace('url = "https://hq', 'enabled = false\nurl = "https://hq').replace(
            "enabled = true", "enabled = false"
        )
    )
    config.chmod(0o600)
    ended = shell.watcher("check", "--config", str(config))
    assert (ended.code, ended.err) == (0, ""), ended.out
    assert "warning" not in ended.out


def test_check_names_each_event_that_a_template_fails_for(shell: Shell) -> None:
    """Before the night in which it would have been needed."""
    config = shell.folder / "watcher.toml"
    config.write_text(
        """
        [[servers]]
        name = "HQ"
        url = "https://127.0.0.1:9"
        enabled = false
        [[channels]]
        name = "ops"
        url = "json://127.0.0.1:9"
        [[templates]]
        event = "session.*"
        body = "{{ log[0] }}"
        """
    )
    config.chmod(0o600)
    ended = shell.watcher("check", "--config", str(config))
    assert ended.code == 1
    assert "template for session.stopped: " in ended.out
    assert "template for session.failed" not in ended.out


@pytest.mark.parametrize(
    ("place", "finding"),
    [
        ("", "  failed   file: {folder} is a folder: name a file in it"),
        ("/missing/w.db", "  failed   file: make the folder {folder}/missing first, or name another database"),
        ("/w.db", "  ok       file: not there yet; `watcher run` makes it"),
    ],
)
def test_check_says_what_stands_in_the_way_of_a_database(shell: Shell, place: str, finding: str) -> None:
    """Before `run` would fail for it."""
    ended = shell.watcher("check", DATABASE_URL=f"sqlite:///{shell.folder}{place}", **shell.asleep())
    assert finding.format(folder=shell.folder) in ended.out.splitlines()


@pytest.mark.parametrize(
    "command", [("status",), ("retry", "--dead"), ("explain", "--job", "x"), ("check",), ("run", "--once")]
)
def test_a_folder_that_this_user_may_not_enter_is_one_line(
    shell: Shell, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The state folder is the service's own; whoever asks as himself is told so."""
    shell.fill()
    denied = PermissionError(13, "Permission denied", "/var/lib/vb365-watcher/watcher.db")
    for module in ("watcher.cli.database", "watcher.daemon.process"):
        monkeypatch.setattr(f"{module}.open_store", _raising(denied))
    for name, value in shell.environ(shell.asleep()).items():
        if name.startswith("WATCHER_"):
            monkeypatch.setenv(name, value)
    code = main(list(command))
    out, err = capsys.readouterr()
    assert code == (0 if command[0] == "explain" else 1)
    assert "database /var/lib/vb365-watcher/watcher.db: this user may not enter its folder" in out + err
    assert "internal error" not in err


def _raising(error: Exception) -> Callable[..., object]:
    def fail(*_: object, **__: object) -> object:
        raise error

    return fail


def test_ctrl_c_ends_a_test_message_that_hangs(shell: Shell) -> None:
    """The service is asked in a thread, which nothing calls back; there is nothing to keep."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-c", DEAF_NO_MORE],
            env=shell.environ(shell.asleep() | {"CHANNELS": f"ops=json://{host}"}),
            stderr=subprocess.PIPE,
        )
        try:
            with silent.accept()[0]:
                process.send_signal(signal.SIGINT)
                _, err = process.communicate(timeout=5)
        finally:
            process.kill()
    assert (process.returncode, err) == (130, b"")
