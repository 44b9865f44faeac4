"""Whole days, told in virtual time: who read what, and when."""

from pathlib import Path

import pytest

from tests.messages import chapters, manual
from tests.messages.life import FAILED, PLAIN, SKIPPED, USUAL, Life
from watcher.core.match import Match
from watcher.core.policy import Route
from watcher.core.silence import Silence

MANUAL = Path(__file__).parents[2] / "docs" / "messages.md"


async def test_a_night_is_one_message_in_the_morning() -> None:
    """Nobody is woken but the pager; in the morning the chat says what is left of the night."""
    life = await chapters.a_night()
    assert life.read("pager") == [
        "Tue 23:40  Failed: Mail of the board on HQ",
        "Wed 03:40  Recovered: Mail of the board on HQ",
    ]
    assert life.read() == [
        "Wed 07:00  After the quiet hours, 4 jobs of HQ: 1 failed, 1 with warnings, 2 failed and already good again"
    ]


async def test_a_storm_is_one_message() -> None:
    """Five hundred messages are none."""
    life = await chapters.a_storm()
    ((_, message),) = life.whole()
    assert message.title == "500 jobs of HQ ended badly: 400 failed, 100 with warnings"
    assert len(message.body) <= PLAIN.body_limit
    assert message.body.splitlines()[-1].startswith("and ")
    shown = len(message.body.splitlines()) - 1
    assert message.body.splitlines()[-1] == f"and {500 - shown} more"


async def test_a_week_of_reminders() -> None:
    """Each day while it lasts and nothing else is said of it, three times at the most; then its end."""
    life = await chapters.a_week()
    archive = [line for line in life.read() if "HR" not in line]
    assert archive == [
        "Mon 01:15  Failed: Archive on HQ",
        "Tue 01:15  Still failing: Archive on HQ",
        "Wed 01:15  Still failing: Archive on HQ",
        "Thu 01:15  Still failing: Archive on HQ",
        "Mon 01:15  Recovered: Archive on HQ",
    ]


async def test_a_patch_day() -> None:
    """What is still true when the silence ends is told then, in one message."""
    life = await chapters.a_patch_day()
    assert life.read() == [
        "Sat 08:35  Failed: HR - Mail on HQ",
        "Sat 14:00  After the silence, 3 jobs of HQ: 2 failed, 1 recovered",
    ]
    assert life.store.silences(limit=1)[0].muted == 7


async def test_an_outage_is_one_message_and_not_forty() -> None:
    """The server explains the silence of its jobs; what they did meanwhile comes with the good news."""
    life = await chapters.an_outage()
    assert life.read() == [
        "Tue 02:06  Server does not answer: HQ",
        "Tue 03:00  3 messages of HQ: 2 failed, 1 answering again",
    ]


async def test_a_silence_that_is_ended_early_speaks_at_once() -> None:
    """Who removes it wants to know."""
    life = Life("2026-03-07 08:00")
    number = life.silence(Silence(Match(), ends=life.local("2026-03-08 08:00"), author="ann"))
    await life.ends("2026-03-07 09:00", "Sites", "Failed", FAILED)
    await life.until("2026-03-07 10:00")
    assert life.read() == []
    life.store.end_silence(number, now=life.now)
    await life.pass_by()
    assert life.read() == ["Sat 10:00  Failed: Sites on HQ"]


async def test_each_attempt_speaks_on_the_route_that_wants_it() -> None:
    """The others hear of the run once, by its last attempt."""
    each = Route("each", USUAL, channels=("noisy",), is_final=False)
    life = Life("2026-03-03 00:00", each, Route("final", USUAL, channels=("ops",)), rooms=("noisy", "ops"))
    await life.ends("2026-03-03 01:00", "Mail", "Failed", FAILED, retried=True)
    first = life.server.sessions["00000001-session"]
    assert life.read("noisy") == ["Tue 01:00  Failed, will be retried: Mail on HQ"]
    assert life.read() == []
    await life.until("2026-03-03 01:30")
    life.end("Mail", "Warning", SKIPPED)
    life.follow(first.id)
    await life.until("2026-03-03 02:00")
    assert life.read("noisy")[1:] == ["Tue 01:30  Warning: Mail on HQ"]
    assert life.read() == ["Tue 01:30  Warning: Mail on HQ"]


@pytest.mark.parametrize("again", [False, True])
async def test_a_restart_neither_repeats_nor_forgets(again: bool) -> None:
    """What waits for the morning stands in the database."""
    life = Life("2026-03-03 20:00", Route("chat", USUAL, quiet=chapters.QUIET))
    await life.ends("2026-03-03 23:00", "Mail", "Failed", FAILED)
    if again:
        life.restart()
    await life.until("2026-03-04 08:00")
    assert life.read() == ["Wed 07:00  Failed: Mail on HQ"]


def test_the_manual_shows_what_the_program_says() -> None:
    """`python -m tests.messages.manual > docs/messages.md` writes it anew."""
    assert MANUAL.read_text(encoding="utf-8") == manual.pages()
