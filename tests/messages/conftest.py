"""These lives are told in virtual time."""

from typing import Any

import pytest
from trio.testing import MockClock


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run each test on trio, on a clock of its own that jumps."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}
