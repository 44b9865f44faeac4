"""Real processes, ended with the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.household import Household, Inbox
from tests.processes.household import inbox as open_inbox
from tests.store.conftest import postgres

__all__ = ["household", "inbox", "postgres"]


@pytest.fixture
def household(tmp_path: Path) -> Iterator[Household]:
    """Give a household whose process is killed at the end, whatever happened."""
    house = Household(tmp_path)
    yield house
    if house.process is not None:
        house.process.kill()
        house.process.wait(10)
        if house.process.stdout:
            house.process.stdout.close()


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Give a receiver on a free port."""
    with open_inbox() as box:
        yield box
