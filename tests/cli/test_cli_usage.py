"""What people type: help, versions, and everything that is wrong."""

import subprocess
import sys
from collections.abc import Callable

import pytest

import watcher
from tests.cli.cli_world import HUSH, Shell
from watcher.cli import main
from watcher.cli.ending import Ending
from watcher.cli.parser import parse

COMMANDS = ("demo", "run", "check", "test-channel", "status", "sessions", "deliveries", "retry", "silence", "explain")
LIGHT = 220  # modules; bare Python has about 60, argparse and logging bring it near 130


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_sentence_and_an_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A stranger finds out what to type."""
    assert main([command, "--help"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert f"example: watcher {command}" in out
    assert "--env-file FILE" in out
    assert "--config FILE" in out


def test_the_help_names_every_command_and_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    """What a later version brings is not promised."""
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    listed = [line.split()[0] for line in out.splitlines() if line.startswith("    ") and line[4] != " "]
    assert listed == list(COMMANDS)


def test_the_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    """One number, in one place."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"watcher {watcher.__version__}\n"


def test_help_imports_nothing_heavy() -> None:
    """It has to answer at once, so that none of the big libraries may come in with the parser."""
    script = (
        "import sys; from watcher.cli import main; main(['--help']); "
        "heavy = {name.partition('.')[0] for name in sys.modules} "
        "& {'anyio', 'httpx', 'aiohttp', 'sqlalchemy', 'alembic', 'apprise', 'rich', 'starlette', 'uvicorn', "
        "'msgspec', 'tenacity', 'asyncio', 'zoneinfo', 'tomllib'}; "
        "ours = {name for name in sys.modules if name.startswith('watcher.')}; "
        "print(sorted(heavy), len(sys.modules), sorted(ours), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    heavy, _, rest = done.stderr.partition("] ")
    count, _, ours = rest.partition(" ")
    assert heavy == "["
    assert int(count) < LIGHT
    assert ours.strip() == "['watcher.cli', 'watcher.cli.ending', 'watcher.cli.parser', 'watcher.cli.streams']"


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["cheque"], "invalid choice: 'cheque'"),
        (["silence"], "the following arguments are required: ACTION"),
        (["silence", "lift"], "invalid choice: 'lift'"),
        (["silence", "remove"], "the following arguments are required: ID"),
        (["silence", "remove", "one"], "`one` is not the number of a silence"),
        (["retry"], "name the ids of deliveries, or --dead"),
        (["retry", "1", "--dead"], "name the ids of deliveries, or --dead"),
        (["retry", "one"], "`one` is not the id of a delivery"),
        (["run", "--onc"], "unrecognized arguments: --onc"),
        (["status", "extra"], "unrecognized arguments: extra"),
        (["sessions", "--limit", "0"], "--limit: `0` is not a number from 1 to 1000000000"),
        (["sessions", "--limit", "²"], "--limit: `²` is not a number from 1 to"),
        (["sessions", "--limit", "2000000000"], "--limit: `2000000000` is not a number from 1 to"),
        (["deliveries", "--state", "lost"], "invalid choice: 'lost'"),
        (["demo", "--speed", "0"], "`0` is not a speed"),
        (["demo", "--speed", "nan"], "`nan` is not a speed"),
        (["demo", "--speed", "1e308"], "`1e308` is not a speed: write a number above 0, 100000 at most"),
        (["demo", "--seed", "1.5"], "--seed: `1.5` is not a whole number"),
        (["explain"], "name a session, or describe an event"),
        (["silence", "add", "--job", "x"], "say how long: "),
        (["demo", "--port", "70000"], "`70000` is not a port"),
        (["run", "--env-file"], "expected one argument"),
    ],
)
def test_wrong_usage_is_one_line_and_ends_with_2(
    words: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says what is wrong and where help is."""
    assert main(words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert len(err.splitlines()) == 1
    assert err.startswith("watcher: ")
    assert line in err
    assert "--help`" in err


@pytest.mark.parametrize(
    "words",
    [
        ["--env-file", "a", "--config", "b", "run"],
        ["run", "--env-file", "a", "--config", "b"],
        ["--env-file", "a", "run", "--config", "b"],
        ["--env-file", "x", "run", "--env-file", "a", "--config", "b"],
    ],
)
def test_the_files_may_be_named_before_and_after_the_command(words: list[str]) -> None:
    """The last one counts."""
    args = parse(words)
    assert (args.env_file, args.config) == ("a", "b")


def test_settings_that_do_not_hold_end_with_2_and_a_line_for_each_mistake(shell: Shell) -> None:
    """Every command but the demo reads them."""
    shell.folder.joinpath("my.env").write_text(f"WATCHER_KEEP=long\nWATCHER_PASWORD={HUSH}\n")
    for command in ("run", "check", "test-channel", "status"):
        ended = shell.watcher(command, "--env-file", "my.env", URL="https://x", USERNAME="u", PASSWORD=HUSH)
        assert ended.code == 2
        assert ended.out == ""
        assert [line.split(": ")[:2] for line in ended.mistakes] == [
            ["watcher", "my.env:2"],
            ["watcher", "my.env:1"],
        ]
        assert HUSH not in ended.err


def _fail_with(error: BaseException) -> Callable[..., object]:
    def fail(*_: object) -> object:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (Ending("first", "second", code=7), 7, "watcher: first\nwatcher: second\n"),
        (KeyboardInterrupt(), 130, ""),
        (ValueError(HUSH), 1, "watcher: internal error: ValueError at watcher/cli/__init__.py:"),
        (RecursionError(), 1, "watcher: internal error: RecursionError at watcher/cli/__init__.py:"),
    ],
)
def test_however_a_command_breaks_the_user_sees_sentences(
    error: BaseException,
    code: int,
    line: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The last net gives the place, and never the text of an unknown error."""
    monkeypatch.setattr("watcher.cli.import_module", _fail_with(error))
    assert main(["run"]) == code
    err = capsys.readouterr().err
    assert err.startswith(line)
    assert HUSH not in err
    assert "Traceback" not in err
