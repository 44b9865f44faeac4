"""What people see on terminals of any width, and what becomes of output that cannot be written."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.cli_world import Shell
from watcher.cli import main, streams
from watcher.cli.screen import Cell, Signs, table

HEADINGS = ("id", "last runs", "started", "why")
ROWS: tuple[tuple[Cell, ...], ...] = (
    ("59f3b83b-77dc-511f", Signs((("x", "red"),) * 29 + ((".", "green"),)), "2026-03-04 05:06:07+01:00", "it is late"),
    ("1", Signs((("!", "yellow"),)), "-", ""),
)


def terminal(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make standard output a terminal of this width."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


def shown(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the lines on standard output, without what makes them bold or red."""
    return re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out).splitlines()


def test_a_wide_terminal_shows_each_row_on_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a pipe gets it, which has no width."""
    terminal(120, monkeypatch)
    table(HEADINGS, ROWS, nothing="")
    wide = shown(capsys)
    assert wide[1].split("  ")[0:2] == ["59f3b83b-77dc-511f", "x" * 29 + "."]
    monkeypatch.undo()
    table(HEADINGS, ROWS, nothing="")
    assert [line.rstrip() for line in wide] == shown(capsys)


def test_a_narrower_one_breaks_between_words_and_leaves_the_oldest_runs_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What happened last is what one looks for; an id stays whole, so that it can be copied."""
    terminal(60, monkeypatch)
    table(HEADINGS, ROWS, nothing="")
    assert [line.rstrip() for line in shown(capsys)] == [
        "id                  last runs   started         why",
        "59f3b83b-77dc-511f  xxxxxxxxx.  2026-03-04      it is late",
        "                                05:06:07+01:00",
        "1                   !           -",
    ]


def test_where_no_table_fits_each_row_becomes_lines(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is cut off; what says nothing is left out."""
    terminal(30, monkeypatch)
    table(HEADINGS, ROWS, nothing="")
    assert [line.rstrip() for line in shown(capsys)] == [
        "id         59f3b83b-77dc-511f",
        "last runs  xxxxxxxxx.",
        "started    2026-03-04",
        "           05:06:07+01:00",
        "why        it is late",
        "",
        "id         1",
        "last runs  !",
    ]


@pytest.mark.parametrize("columns", [40, 80])
def test_the_help_fits_the_terminal(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its paragraphs are broken between words; an example is left as it is to be typed."""
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if len(line) > columns and "example:" not in line] == []
    assert any("exit codes" in line for line in lines)


def run(shell: Shell, words: str, redirected: str) -> subprocess.CompletedProcess[str]:
    """Run a command with its streams as a shell hands them over."""
    line = f'"{sys.executable}" -m watcher {words} {redirected}'
    return subprocess.run(
        ["/bin/sh", "-c", line],
        env=shell.environ({}),
        cwd=shell.folder,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("words", ["deliveries", "status --json", "sessions"])
def test_a_closed_stream_is_no_mistake(shell: Shell, words: str) -> None:
    """Cron and services start programs so; there is nobody to read."""
    shell.fill()
    for redirected in (">&-", "2>&-", "<&-", ">&- 2>&-"):
        ended = run(shell, words, redirected)
        assert (ended.returncode, ended.stderr) == (0, ""), redirected


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
@pytest.mark.parametrize("words", ["deliveries", "status --json"])
def test_output_that_cannot_be_written_is_one_line(shell: Shell, words: str) -> None:
    """A full disk, say."""
    shell.fill()
    ended = run(shell, words, "> /dev/full")
    assert ended.returncode == 1
    assert ended.stderr == "watcher: standard output cannot be written: No space left on device\n"


def test_a_terminal_without_our_signs_gets_plain_ones(shell: Shell) -> None:
    """And what comes from servers is escaped, so that nothing is lost."""
    shell.fill("Büro …")
    environ = shell.environ({}) | {"PYTHONIOENCODING": "ascii"}
    words = [sys.executable, "-m", "watcher", "sessions"]
    ended = subprocess.run(words, env=environ, capture_output=True, check=False)
    assert b"B\\xfcro ..." in ended.stdout


def test_a_closed_descriptor_is_not_given_to_the_next_file(tmp_path: Path) -> None:
    """What is written to standard error would end up in a database else."""
    script = (
        "import os, sys; from watcher.cli import streams; streams.prepare();"
        f"print(open({str(tmp_path / 'x')!r}, 'w').fileno(), file=open({str(tmp_path / 'said')!r}, 'w'))"
    )
    subprocess.run(["/bin/sh", "-c", f'"{sys.executable}" -c "{script}" 2>&- >&-'], check=True)
    assert int((tmp_path / "said").read_text()) > 2
    assert streams.put.__doc__
    assert os.fstat(2)
