"""The promises over many simulated lives, each from one seed."""

import pytest

from tests.simulation.household import Household
from tests.simulation.planted import BUGS
from tests.simulation.promises import broken

QUICK, SOAK, SHARE, PLANTED = 40, 1000, 100, range(120, 320)


def live(seed: int, bug: str | None = None) -> list[str]:
    """Run one seed and return which promises it broke."""
    house = Household(seed, BUGS[bug]) if bug else Household(seed)
    try:
        house.run()
        return broken(house)
    finally:
        house.store.close()


def failures(seeds: range) -> list[str]:
    """Return a line for each seed that broke a promise, with how to replay it."""
    return [
        f"python -m tests.simulation {seed}  # {problems[0]} (and {len(problems) - 1} more)"
        for seed in seeds
        if (problems := live(seed))
    ]


def test_the_promises_hold_over_some_lives() -> None:
    """No end is lost, none repeated that need not be, and the messages of a job come in order."""
    assert failures(range(QUICK)) == []


@pytest.mark.soak
@pytest.mark.parametrize("first", range(0, SOAK, SHARE))
def test_the_promises_hold_over_a_thousand_lives(first: int) -> None:
    """The same over more seeds, in shares."""
    assert failures(range(first, first + SHARE)) == []


@pytest.mark.parametrize("bug", BUGS)
def test_planted_bugs_are_found(bug: str) -> None:
    """A simulation that finds nothing in a broken watcher would prove nothing."""
    found = (seed for seed in PLANTED if any("never heard" in problem for problem in live(seed, bug)))
    assert next(found, None) is not None
