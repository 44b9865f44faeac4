"""`[watchdogs]`: limits, switches, and where they differ."""

from datetime import timedelta

import pytest

from tests.settings.settings_world import World
from watcher.core.model import Job
from watcher.core.watchdog.limits import Limits, Rulebook

HOUR = timedelta(hours=1)


def rulebook(world: World, text: str) -> Rulebook:
    world.write("watcher.toml", text)
    return world.load().watchdogs


def test_without_a_table_the_defaults_count(world: World) -> None:
    """They need no typing."""
    assert rulebook(world, "") == Rulebook(Limits())


def test_each_rule_has_a_limit_or_is_switched_off(world: World) -> None:
    """`false` is the switch; `auto` is a rule's own judgement."""
    text = """
[watchdogs]
overdue_grace = "2h"
rpo = "1d"
slow_after = false
stalled_after = false
short_below = "30 %"
repository_low = [5, 20]
license_days = false
"""
    limits = rulebook(world, text).limits
    assert (limits.overdue_grace, limits.rpo, limits.is_rpo_usual) == (2 * HOUR, 24 * HOUR, False)
    assert (limits.slow_after, limits.is_slow_usual, limits.stalled_after) == (None, False, None)
    assert (limits.short_below, limits.repository_low, limits.license_days) == (30, (20, 5), ())
    assert limits.disabled_after == 12 * HOUR


def test_overrides_count_for_what_they_mean(world: World) -> None:
    """The later of two wins; what they do not name stays."""
    text = """
[watchdogs]
rpo = "2d"
[[watchdogs.overrides]]
match = { job = "Archive*" }
rpo = "auto"
overdue_grace = false
[[watchdogs.overrides]]
match = { server = "HQ", organization = "contoso" }
overdue_grace = "3h"
"""
    book = rulebook(world, text)
    archive = book.of_job("HQ", Job("1", "Archive 2020", organization="Contoso"))
    assert (archive.rpo, archive.is_rpo_usual, archive.overdue_grace) == (None, True, 3 * HOUR)
    assert book.of_job("Branch", Job("1", "Archive 2020")).overdue_grace is None
    assert book.of_job("HQ", Job("2", "Mail")).rpo == 48 * HOUR
    assert book.of_server("HQ") == book.limits


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("overdue_grce = 1", "[watchdogs]: overdue_grce: not known to this version: did you mean `overdue_grace`?"),
        ("overdue_grace = true", "[watchdogs]: overdue_grace: is no duration: write `30m`, `2h`, `1d`, or false"),
        ("rpo = 'soon'", "[watchdogs]: rpo: `soon` is no duration"),
        ("short_below = 101", "[watchdogs]: short_below: `101` is no number of percent: write 1 to 100, or false"),
        ("license_days = [30, 0]", "[watchdogs]: license_days: `0` is no number of days"),
        ("overrides = 1", "[watchdogs]: overrides: is no list of tables: write `[[watchdogs.overrides]]`"),
        ("[[watchdogs.overrides]]\nrpo = '1d'", "[watchdogs.overrides] 1: match: missing: say what it is meant for"),
        (
            "[[watchdogs.overrides]]\nmatch = { event = 'failed' }",
            "[watchdogs.overrides] 1: match: event: is not known here: it can be server, labels, organization",
        ),
    ],
)
def test_a_mistake_names_its_place_and_its_mend(world: World, text: str, problem: str) -> None:
    """One line each."""
    world.write("watcher.toml", f"[watchdogs]\n{text}\n")
    assert any(problem in line for line in world.problems()), world.problems()
