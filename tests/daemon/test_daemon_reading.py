"""How a long first reading is shown: on a terminal by a bar, elsewhere by a sentence."""

import pytest

from watcher.core.model import Reading
from watcher.core.views import ServerView
from watcher.daemon.reading import Bars, sentence


def test_the_sentence() -> None:
    """For the log, for `status` and the page."""
    assert sentence(Reading(2, 20, 120_000)) == "reading its history: job 3 of 20, 120,000 sessions so far"


def test_a_bar_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """With the server's name and what was read; nothing of it stays."""
    bars = Bars(is_terminal=lambda: True)
    bars.show("HQ", Reading(2, 20, 120_000))
    bars.show("Berlin", Reading(0, 3, 10))
    bars.show("HQ", Reading(3, 20, 130_000))
    bars.done("HQ")
    bars.done("Berlin")
    bars.done("nobody")
    shown = capsys.readouterr()
    assert "HQ: 120,000 sessions" in shown.err
    assert not shown.out


def test_no_bar_elsewhere(capsys: pytest.CaptureFixture[str]) -> None:
    """A log file is no place for one."""
    bars = Bars(is_terminal=lambda: False)
    bars.show("HQ", Reading(2, 20, 120_000))
    bars.done("HQ")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("skew", "reading", "remark"),
    [
        (None, None, ""),
        (60.0, None, ""),
        (90.4, None, "its clock is 90 s ahead of ours"),
        (-3600.0, None, "its clock is 3600 s behind ours"),
        (None, "reading its history", "reading its history"),
    ],
)
def test_what_is_said_of_a_server_besides(skew: float | None, reading: str | None, remark: str) -> None:
    """`status` and the page show it beside the state."""
    view = ServerView("HQ", "", "v8", True, None, None, 0, None, skew_seconds=skew, reading=reading)
    assert view.remark == remark
