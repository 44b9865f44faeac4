"""The unit file: what systemd says of it, and that it fits the program."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from watcher.cli.parser import parse
from watcher.settings.table import TABLE

UNIT = Path(__file__).parents[2] / "systemd" / "watcher.service"
MOST_EXPOSED = 20  # tenths: "2.0 or better"


@pytest.fixture
def analyze() -> str:
    """Return systemd-analyze; without it the test is left out, but not where all tests have to run."""
    found = shutil.which("systemd-analyze")
    if found is None:
        reason = "systemd-analyze is missing: install the package systemd"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def assigned(key: str) -> list[str]:
    """Return all values that the unit gives a key."""
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{key}=")]


def runnable(folder: Path) -> Path:
    """Return a copy of the unit that starts a program which is on this machine."""
    copy = folder / UNIT.name
    text = UNIT.read_text(encoding="utf-8").replace("/opt/vb365-watcher/bin/watcher", sys.executable)
    copy.write_text(text, encoding="utf-8")
    return copy


def verified(analyze: str, unit: Path) -> str:
    """Return all that systemd remarks; it ends with 0 on a misspelt key, so that only silence is good."""
    done = subprocess.run([analyze, "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_systemd_has_nothing_to_remark(analyze: str, tmp_path: Path) -> None:
    """No unknown key, no value that it does not understand."""
    assert verified(analyze, runnable(tmp_path)) == ""


def test_a_misspelt_key_would_be_remarked(analyze: str, tmp_path: Path) -> None:
    """The test before this one can fail."""
    unit = runnable(tmp_path)
    unit.write_text(unit.read_text(encoding="utf-8").replace("ProtectHome=", "ProtctHome="), encoding="utf-8")
    assert "ProtctHome" in verified(analyze, unit)


def test_it_is_hardened_until_the_exposure_is_two_or_better(analyze: str) -> None:
    """As systemd itself rates it, without a running systemd."""
    words = [analyze, "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSED}", str(UNIT)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


def test_it_starts_a_command_that_there_is() -> None:
    """The parser takes what stands in ExecStart."""
    (command,) = assigned("ExecStart")
    program, *words = command.split()
    assert program == "/opt/vb365-watcher/bin/watcher"
    args = parse(words)
    assert (args.command, args.env_file) == ("run", "/etc/vb365-watcher/settings.env")
    assert assigned("Type") == ["notify"]
    assert assigned("StateDirectory") == ["vb365-watcher"]
    assert assigned("WatchdogSec")
    assert assigned("EnvironmentFile") == []


def test_every_secret_has_a_credential_that_may_be_missing() -> None:
    """Under the name that the settings look for, from a path that is not absolute: such a one may not be there."""
    credentials = dict(value.split(":") for value in assigned("LoadCredential"))
    assert credentials == {setting.key: f"vb365-watcher.{setting.key}" for setting in TABLE if setting.secret}
