"""A shell for each test."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.cli_world import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Return a shell in an empty folder."""
    return Shell(tmp_path)


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    """Leave logging as it was: some commands run in this process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(capture=False)
