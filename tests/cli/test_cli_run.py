"""`watcher run`, as far as it is not the daemon's: settings, the folder of the database, settings read anew."""

import json
import logging
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.cli_world import HUSH, Shell
from watcher.cli import main
from watcher.settings import Settings, SettingsError

LINES = f"WATCHER_URL=http://127.0.0.1:9\nWATCHER_USERNAME=u\nWATCHER_PASSWORD={HUSH}\nWATCHER_VERIFY_TLS=false\n"


class Daemon:
    """Stands where the daemon would, and keeps what it is given."""

    def __init__(self) -> None:
        """Start with nothing given."""
        self.once: bool | None = None
        self.reload: Callable[[], Settings] | None = None
        self.settings: Settings | None = None

    def run(self, settings: Settings, *, once: bool, reload: Callable[[], Settings]) -> int:
        """Keep everything."""
        self.settings, self.once, self.reload = settings, once, reload
        return 3


@pytest.fixture
def daemon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Daemon]:
    """Put the stand-in in place, and leave logging as it was."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, threading.excepthook
    stand_in = Daemon()
    monkeypatch.setattr("watcher.cli.run.run", stand_in.run)
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path / "state" / "deep"))
    yield stand_in
    root.handlers[:] = handlers
    root.setLevel(level)
    threading.excepthook = hook
    logging.captureWarnings(capture=False)


def test_the_daemon_gets_the_settings_and_its_end_is_the_commands(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder of the default database is made, for its owner only, and warnings are logged."""
    env = tmp_path / "my.env"
    env.write_text(LINES)
    env.chmod(0o600)
    assert main(["run", "--once", "--env-file", str(env)]) == 3
    assert daemon.once is True
    assert daemon.settings is not None
    assert daemon.settings.servers[0].url == "http://127.0.0.1:9"
    assert (tmp_path / "state" / "deep").stat().st_mode & 0o777 == 0o700
    err = capsys.readouterr().err
    assert "WARNING cli.run: WATCHER_URL: verify_tls is false, so anybody in between can read the login" in err


def test_settings_are_read_anew_from_the_same_places(daemon: Daemon, tmp_path: Path) -> None:
    """What does not hold is said as mistakes of settings, and the secrets of the new ones are kept out of the log."""
    env = tmp_path / "my.env"
    env.write_text(LINES)
    main(["run", "--env-file", str(env)])
    assert daemon.once is False
    assert daemon.reload is not None
    env.write_text(LINES + "WATCHER_KEEP=2d\n")
    assert daemon.reload().keep.days == 2
    env.write_text(LINES + "WATCHER_KEEP=long\n")
    with pytest.raises(SettingsError) as error:
        daemon.reload()
    assert len(error.value.problems) == 1


def test_new_settings_bring_their_secrets_to_the_redactor(
    daemon: Daemon, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A password that was changed is as secret as the first."""
    env = tmp_path / "my.env"
    env.write_text(LINES)
    main(["run", "--env-file", str(env)])
    assert daemon.reload is not None
    env.write_text(LINES.replace(HUSH, "another-secret"))
    daemon.reload()
    logging.getLogger("any").error("with another-secret")
    assert "another-secret" not in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_one_line(
    daemon: Daemon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the setting that says another place."""
    env = tmp_path / "my.env"
    env.write_text(LINES.replace("WATCHER_VERIFY_TLS=false\n", "WATCHER_CHANNELS=json://h\n"))
    env.chmod(0o600)
    monkeypatch.setenv("STATE_DIRECTORY", f"{env}/state")
    assert main(["run", "--env-file", str(env)]) == 1
    assert daemon.settings is None
    assert capsys.readouterr().err.splitlines() == [
        f"watcher: {env}/state cannot be made: Not a directory; set WATCHER_DATABASE_URL to another place"
    ]


def test_a_service_that_hangs_does_not_keep_a_stopped_daemon(shell: Shell) -> None:
    """What is in flight gets its ten seconds; then the thread that waits is left behind, and the row is kept."""
    shell.fill()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        channel = f"ops=json://127.0.0.1:{silent.getsockname()[1]}"
        process = subprocess.Popen(
            [sys.executable, "-m", "watcher", "run"],
            env=shell.environ(shell.asleep() | {"CHANNELS": channel, "LISTEN": ""}),
            stderr=subprocess.PIPE,
        )
        try:
            with silent.accept()[0]:
                process.terminate()
                process.communicate(timeout=15)
        finally:
            process.kill()
    assert process.returncode == 0
    rows = json.loads(shell.watcher("deliveries", "--state", "pending", "--json").out)
    assert {row["channel"] for row in rows} == {"ops", "old"}
