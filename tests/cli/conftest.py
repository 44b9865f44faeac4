"""A shell for each test."""

from pathlib import Path

import pytest

from tests.cli.cli_world import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Return a shell in an empty folder."""
    return Shell(tmp_path)
