"""`watcher explain`: why was I told, and why not?"""

import json

import pytest

from tests.cli.cli_world import Shell
from watcher.cli import main

ROUTES = """
[[servers]]
name = "HQ"
url = "https://127.0.0.1:9"
username = "u"
password = "p"
labels = { site = "Bern" }

[[channels]]
name = "ops"
url = "json://127.0.0.1:9"

[[channels]]
name = "pager"
url = "webhook+http://127.0.0.1:9"

[[routes]]
name = "board"
match = { job = "Board*", severity = "failure" }
channels = "pager"
stop = true

[[routes]]
name = "night"
match = { labels = { site = "Bern" } }
channels = "ops"
quiet = "22:00-07:00"
"""


@pytest.fixture
def routed(shell: Shell) -> Shell:
    (shell.folder / "watcher.toml").write_text(ROUTES)
    return shell


def explain(shell: Shell, *words: str) -> str:
    ended = shell.watcher("explain", "--config", str(shell.folder / "watcher.toml"), *words)
    assert (ended.code, ended.err) == (0, "")
    return ended.out


def test_each_route_says_what_it_makes_of_an_event(routed: Shell) -> None:
    """Why a channel is told, when, and why another is not; no database is needed for that."""
    assert explain(routed, "--job", "Mail", "--event", "failed", "--at", "2026-03-03T23:30") == (
        "session.failed of Mail on HQ, 2026-03-03 23:30:00+01:00\n"
        "  route board: no, job is `Mail`, not `Board*`\n"
        "  route night: yes, notify_on names session.failed\n"
        "  channel ops: told at 2026-03-04 07:00:00+01:00, after the quiet hours of route night\n"
        "\n"
        "A bad end that the server will retry waits for its run's last attempt first, at most 2 h.\n"
    )
    assert explain(routed, "--job", "Board mail", "--at", "2026-03-03T23:30").splitlines()[1:5] == [
        "  route board: yes, notify_on names session.failed",
        "  channel pager: told at once, by route board: notify_on names session.failed",
        "  route night: not asked, since the one before stops",
        "",
    ]
    assert "so nobody is told" in explain(routed, "--server", "HQ", "--job", "x", "--event", "success")


def test_a_silence_is_part_of_the_answer(routed: Shell) -> None:
    """With its author and reason."""
    routed.fill("Mail")
    routed.watcher("silence", "add", "--job", "Mail", "--for", "1h", "--by", "ann", "--reason", "patches")
    assert "channel ops: kept back, by route night: silence 1 by ann (patches)" in explain(routed, "--job", "Mail")


def test_a_recovery_is_explained_as_if_the_failure_had_been_told(routed: Shell) -> None:
    """The pager that was woken hears that it is over."""
    said = explain(routed, "--job", "Board mail", "--event", "recovered", "--at", "12:00")
    assert "channel pager: told at once, by route board: was told of the failure" in said


def test_channels_that_are_secret_are_known_from_the_database(shell: Shell) -> None:
    """An administrator asks without the service's credentials: "nobody is told" would be a lie."""
    shell.fill("Mail")
    ended = shell.watcher("explain", "--job", "Mail", "--event", "failed", "--at", "12:00")
    assert (ended.code, ended.err) == (0, "")
    assert "\n  channel ops: " in ended.out
    assert "so nobody is told" not in ended.out


def test_what_became_of_a_session(routed: Shell) -> None:
    """Its deliveries, or why there are none."""
    routed.fill("Mail")
    said = explain(routed, "s-1")
    assert said.startswith("session s-1 of Mail on HQ: Failed, ended 2026-03-04 06:06:07+01:00\n")
    assert "channel ops (json://host): pending, next at 2026-03-04 06:06:07+01:00" in said
    (found,) = json.loads(explain(routed, "s-", "--json"))
    assert [row["channel"] for row in found["events"][0]["deliveries"]] == ["ops", "old"]


def test_a_name_that_no_job_has_is_said(routed: Shell) -> None:
    """The answer is for what was typed, which may not be what was meant."""
    routed.fill("Mail")
    ended = routed.watcher("explain", "--config", str(routed.folder / "watcher.toml"), "--job", "Mial")
    assert (ended.code, ended.mistakes) == (
        0,
        ["watcher: no job that is known by now is called `Mial`: did you mean `Mail`?"],
    )


@pytest.mark.parametrize(
    ("words", "mistake", "code"),
    [
        ((), "name a session, or describe an event: `--job NAME --event failed`", 2),
        (("s-1", "--job", "x"), "name a session, or describe an event", 2),
        (("--event", "fialed"), "--event: `fialed` is no event: did you mean `failed`?", 2),
        (("--job", "x", "--at", "soon"), "--at: `soon` is no time", 2),
        (
            ("--job", "x", "--at", "9999-12-31T23:59"),
            "--at: `9999-12-31T23:59` is too far away: write a time from 1970",
            2,
        ),
        (("--server", "QH"), "no server is called `QH`: the servers are HQ", 2),
        (("nothing",), "nothing is no session, nor the beginning of one (see `watcher sessions`)", 1),
    ],
)
def test_what_cannot_be_explained_is_one_line(
    routed: Shell, words: tuple[str, ...], mistake: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the mend."""
    routed.fill("Mail")
    config = routed.folder / "watcher.toml"
    config.write_text(f"database_url = 'sqlite:///{routed.database}'\n{ROUTES}")
    assert main(["explain", "--config", str(config), *words]) == code
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"watcher: {mistake}")


def test_a_kind_of_work_can_be_asked_for(routed: Shell) -> None:
    """A restore has no job that is known; a misspelt kind is named."""
    with (routed.folder / "watcher.toml").open("a") as file:
        file.write('[[routes]]\nname = "audit"\nmatch = { job_type = "restore" }\nchannels = "pager"\n')
    said = explain(routed, "--job-type", "restore", "--event", "failed", "--at", "2026-03-03T12:00")
    assert "route audit: yes" in said
    assert "route audit: no, job_type is `backup`, not `restore`" in explain(routed, "--job", "Mail")
    ended = routed.watcher("explain", "--config", str(routed.folder / "watcher.toml"), "--job-type", "restores")
    assert ended.code == 2
    assert "`restores` is none of backup, copy, restore, retrieval, synchronize" in ended.err


@pytest.mark.parametrize("at", ["9:30", "09:30", "2026-03-03T09:30"])
def test_an_hour_needs_no_zero_before_it(routed: Shell, at: str) -> None:
    """People write it either way."""
    assert " 09:30:00+0" in explain(routed, "--job", "Mail", "--at", at).splitlines()[0]


def test_a_database_that_cannot_be_read_is_said(routed: Shell) -> None:
    """The answer rests on the settings alone then, and a silence may be missing in it."""
    routed.database.write_text("no database at all, but long enough to be looked at\n" * 20)
    ended = routed.watcher("explain", "--config", str(routed.folder / "watcher.toml"), "--job", "Mail")
    assert ended.code == 0
    (line,) = ended.mistakes
    assert line.endswith("; jobs and silences in it are left out")
    assert "route night: yes" in ended.out
