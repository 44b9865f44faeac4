"""How often a server is listened to."""

import pytest

from watcher.daemon.beside import NO_FEED_FOR, _pause_after
from watcher.listen import Outcome


@pytest.mark.parametrize(
    ("outcome", "hasty", "pause"),
    [
        (Outcome.NEWS, 0, 0.0),
        (Outcome.IDLE, 0, 0.0),
        (Outcome.QUIET, 0, 0.1),
        (Outcome.STIR, 0, 0.1),
        (Outcome.IDLE, 1, 1.0),
        (Outcome.IDLE, 3, 4.0),
        (Outcome.IDLE, 6, 30.0),
        (Outcome.IDLE, 5000, 30.0),
        (Outcome.NO_FEED, 0, NO_FEED_FOR),
    ],
)
def test_a_server_that_does_not_hold_its_answers_is_not_hammered(outcome: Outcome, hasty: int, pause: float) -> None:
    """Nobody documents that it does; one that does is listened to at once."""
    assert _pause_after(outcome, hasty) == pause
