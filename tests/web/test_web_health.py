"""The bookkeeping behind /healthz and /readyz."""

from datetime import timedelta

from tests.web.web_samples import NOW
from watcher.web.health import Health

LIMIT = timedelta(seconds=90)


def after(seconds: float) -> timedelta:
    return timedelta(seconds=seconds)


def test_a_loop_that_beats_is_not_stuck() -> None:
    """Up to its limit since the last beat a loop counts as alive; the limit itself is still fine."""
    health = Health(started=NOW)
    health.watch("poll HQ", LIMIT)
    health.beat("poll HQ", NOW + after(60))
    assert health.stuck(NOW + after(150)) == []
    assert health.stuck(NOW + after(151)) == ["poll HQ made no progress for 91 s (limit 90 s)"]


def test_a_loop_that_never_beat_is_stuck_from_the_start_on() -> None:
    """The start of the daemon counts as the first beat."""
    health = Health(started=NOW)
    health.watch("poll HQ", LIMIT)
    assert health.stuck(NOW + after(90)) == []
    assert health.stuck(NOW + after(95)) == ["poll HQ made no progress for 95 s (limit 90 s)"]


def test_every_stuck_loop_is_named_and_no_other() -> None:
    """Each loop has its own limit, and only those over theirs are named, in the order of watching."""
    health = Health(started=NOW)
    for loop, seconds in [("poll B", 0.5), ("poll A", 90), ("deliver ops", 2)]:
        health.watch(loop, after(seconds))
    assert health.stuck(NOW + after(3)) == [
        "poll B made no progress for 3 s (limit 0.5 s)",
        "deliver ops made no progress for 3 s (limit 2 s)",
    ]


def test_a_loop_added_later_has_its_whole_limit() -> None:
    """A server that comes with new settings is measured from then on, not from the start of the daemon."""
    health = Health(started=NOW)
    health.watch("poll New", LIMIT, NOW + after(1000))
    assert health.stuck(NOW + after(1090)) == []
    assert len(health.stuck(NOW + after(1091))) == 1


def test_watching_again_changes_the_limit_only() -> None:
    """New settings do not make a stuck loop look alive."""
    health = Health(started=NOW)
    health.watch("poll HQ", LIMIT)
    health.watch("poll HQ", after(10), NOW + after(60))
    assert health.stuck(NOW + after(60)) == ["poll HQ made no progress for 60 s (limit 10 s)"]


def test_a_forgotten_loop_is_never_stuck() -> None:
    """A server that left the settings is nobody's trouble, and its last beat brings nothing back."""
    health = Health(started=NOW)
    health.watch("poll Old", LIMIT)
    health.forget("poll Old")
    health.forget("poll Old")
    health.beat("poll Old", NOW)
    assert health.stuck(NOW + after(1000)) == []


def test_a_clock_set_back_makes_nothing_stuck() -> None:
    """A beat in the future is no reason to sound the alarm."""
    health = Health(started=NOW)
    health.watch("poll HQ", LIMIT)
    health.beat("poll HQ", NOW)
    assert health.stuck(NOW - after(3600)) == []


def test_untried_are_those_that_no_look_ended_at() -> None:
    """Ready is when every expected server was tried once."""
    health = Health(started=NOW)
    health.expect(["B", "A"])
    assert health.untried() == ["B", "A"]
    health.tried("A")
    health.tried("unexpected")
    assert health.untried() == ["B"]
    health.tried("B")
    assert health.untried() == []


def test_new_settings_ask_only_for_new_servers() -> None:
    """Servers that were tried stay tried; one that left and came back has to be tried anew."""
    health = Health(started=NOW)
    health.expect(["A", "B"])
    health.tried("A")
    health.tried("B")
    health.expect(["A", "C"])
    assert health.untried() == ["C"]
    health.expect(["A", "B", "C"])
    assert health.untried() == ["B", "C"]
