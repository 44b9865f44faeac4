"""`watcher silence`: set, shown and ended from outside."""

import getpass
import json
from pathlib import Path

import pytest

from tests.cli.cli_world import Shell
from watcher.cli import main


def test_a_silence_is_set_shown_and_ended(shell: Shell) -> None:
    """Each step says what it did; ending it twice ends with 1."""
    shell.fill("Mail")
    added = shell.watcher(
        "silence", "add", "--job", "Mai*", "--job", "!Mail 2", "--for", "4h", "--author", "ann", "--reason", "patch day"
    )
    assert (added.code, added.err) == (0, "")
    assert added.out.startswith("silence 1 until 20")
    assert added.out.endswith(": job `Mai*` or `!Mail 2`\n")
    (shown,) = json.loads(shell.watcher("silence", "list", "--json").out)
    assert (shown["id"], shown["active"], shown["author"], shown["reason"]) == (1, True, "ann", "patch day")
    assert "patch day" in shell.watcher("silence", "list").out
    ended = shell.watcher("silence", "remove", "1")
    assert (ended.code, ended.out) == (0, "silence 1 is over\n")
    again = shell.watcher("silence", "remove", "1", "7")
    assert (again.code, again.mistakes) == (
        1,
        ["watcher: 1 is no silence, or it is over", "watcher: 7 is no silence, or it is over"],
    )
    assert json.loads(shell.watcher("silence", "list", "--json").out)[0]["active"] is False


def test_who_set_it_is_known_also_where_nobody_said(shell: Shell) -> None:
    """It is the user of the login."""
    shell.fill("Mail")
    assert shell.watcher("silence", "add", "--server", "HQ", "--until", "2099-01-01T06:00").code == 2
    assert shell.watcher("silence", "add", "--server", "HQ", "--for", "30m").code == 0
    assert json.loads(shell.watcher("silence", "list", "--json").out)[0]["author"] == getpass.getuser()


def test_a_name_that_no_job_has_is_said(shell: Shell) -> None:
    """A misspelt silence silences nothing, and somebody should know before the night."""
    shell.fill("Mail")
    added = shell.watcher("silence", "add", "--job", "Mial", "--for", "1h")
    assert (added.code, added.mistakes) == (0, ["watcher: no job that is known by now is meant by it"])


@pytest.mark.parametrize(
    ("words", "mistake"),
    [
        (
            ("--for", "1h"),
            "say of what: `--job`, `--server`, `--organization`, `--event`, `--severity`; `*` is all",
        ),
        (("--job", "x"), "say how long: `--for 4h`, or `--until 2026-03-01T06:00`"),
        (("--job", "x", "--for", "1h", "--until", "23:00"), "say how long: "),
        (("--job", "x", "--for", "soon"), "--for: `soon` is no duration: "),
        (("--job", "x", "--for", "0"), "--for: `0` is no end: a silence ends later than now, and within a year"),
        (("--job", "x", "--until", "2001-01-01T00:00"), "--until: `2001-01-01T00:00` is no end: "),
        (("--job", "x", "--for", ""), "--for: `` is no duration: "),
        (("--job", "x", "--until", ""), "--until: `` is no time: "),
        (("--job", "x", "--until", "soon"), "--until: `soon` is no time: write `23:30` or `2026-03-01T23:30`"),
        (("--event", "fialed", "--for", "1h"), "--event: `fialed` is no event: did you mean `failed`?"),
        (
            ("--severity", "bad", "--for", "1h"),
            "--severity: `bad` is no severity: they are info, success, warning, failure",
        ),
    ],
)
def test_what_does_not_hold_is_one_line_and_2(
    words: tuple[str, ...], mistake: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the mend, and before any database is looked for."""
    config = tmp_path / "watcher.toml"
    config.write_text("timezone = 'UTC'\n")
    assert main(["silence", "add", "--config", str(config), *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"watcher: {mistake}")


def test_without_a_database_there_is_nothing_to_silence(shell: Shell) -> None:
    """And none is made by asking."""
    assert shell.watcher("silence", "add", "--job", "x", "--for", "1h").code == 1
    assert shell.watcher("silence", "list").code == 1
    assert not shell.database.exists()


def test_weekly_ones_of_the_settings_are_shown_as_well(shell: Shell) -> None:
    """Who asks why it is quiet should find the reason in one place."""
    shell.fill("Mail")
    config = shell.folder / "watcher.toml"
    config.write_text("[[silences]]\nmatch = { job = 'Mail' }\nweekly = ['sun 02:00-06:00']\nreason = 'maintenance'\n")
    shown = shell.watcher("silence", "list", "--config", str(config))
    assert "weekly" in shown.out
    assert "maintenance" in shown.out
