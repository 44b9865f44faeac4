"""The sign of life: what counts as well, and how it is said."""

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from tests.core.stories import END, SERVERS
from watcher.core.heartbeat import Heartbeat, Standing, heartbeat
from watcher.core.render.heartbeat import line, sentences

WELL = Heartbeat(END, SERVERS[:1], 43)


def said(beat: Heartbeat) -> str:
    return " ".join(sentences(beat, UTC))


def test_all_is_well() -> None:
    """In one sentence."""
    two = replace(WELL, servers=(SERVERS[0], replace(SERVERS[0], name="Branch")), pending=2, running=1)
    assert said(WELL) == "All is well: 1 server is watched, 43 jobs, last look 12 s ago, nothing waits to be sent."
    assert said(two) == (
        "All is well: 2 servers are watched, 43 jobs, 1 running, last look 12 s ago, 2 messages wait to be sent."
    )


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"stuck": ("poll HQ made no progress for 700 s (limit 600 s)",)}, "Loop poll HQ made no progress"),
        ({"servers": SERVERS}, "Branch does not answer since Mon 2 Mar 23:10 +00:00."),
        ({"failing": 1}, "1 job stands failed."),
        ({"failing": 3}, "3 jobs stand failed."),
        ({"alarms": 1}, "1 alarm stands (`watcher status`)."),
        ({"sick": ("mail",)}, "Channel mail cannot be reached."),
        ({"dead": 1}, "1 delivery could not be made (`watcher deliveries --state dead`)."),
    ],
)
def test_what_is_wrong_comes_first(wrong: dict[str, object], words: str) -> None:
    """Each by itself makes it not well."""
    beat = replace(WELL, **wrong)  # type: ignore[arg-type]  # a table of its fields
    assert WELL.is_well
    assert not beat.is_well
    assert said(beat).startswith(words)
    assert " Else: " in said(beat)


def test_many_servers_that_are_away_are_counted() -> None:
    """Nobody reads two hundred names."""
    away = tuple(replace(SERVERS[1], name=f"S{number}", last_success=None) for number in range(200))
    assert said(replace(WELL, servers=away)).count("does not answer") == 5
    assert "195 more servers do not answer." in said(replace(WELL, servers=away))


def test_jobs_are_those_that_are_there() -> None:
    """A job that failed and was deleted fails for nobody; where nothing was read yet, nothing is said of jobs."""
    standing = Standing(SERVERS[:1], failing=(("HQ", "j1"), ("HQ", "gone")))
    read = heartbeat(standing, END, {"HQ": {"j1", "j2"}})
    unread = heartbeat(standing, END, {})
    assert (read.jobs, read.failing) == (2, 1)
    assert (unread.jobs, unread.failing) == (None, 2)
    assert "jobs," not in said(replace(unread, failing=0))


def test_the_line_for_systemd() -> None:
    """What is wrong stands at its end."""
    standing = Standing(SERVERS, running=3, failing=(("HQ", "j1"),), pending=1234, dead=2)
    assert line(replace(standing, servers=SERVERS[:1], dead=0), {}) == "1 server, 3 running, 1 failing, 1,234 pending"
    assert line(standing, {}) == "2 servers, 3 running, 1 failing, 1,234 pending, 2 dead, 1 server away"
    assert line(replace(standing, dead=0, alarms=2), {}).endswith("1,234 pending, 2 alarms, 1 server away")


def test_a_clock_that_was_set_back_makes_no_look_of_the_future() -> None:
    """It was just now, then."""
    beat = replace(WELL, at=END - timedelta(hours=1))
    assert "last look 0 s ago" in said(beat)
