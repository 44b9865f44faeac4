"""The world of one test."""

from pathlib import Path

import pytest

from tests.settings.settings_world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return an empty world."""
    return World(tmp_path)
