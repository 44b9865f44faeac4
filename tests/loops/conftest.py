"""The loops are tested in virtual time: trio's clock jumps over every wait."""

from typing import Any

import pytest
from trio.testing import MockClock


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run each test on trio, on a clock of its own that jumps."""
    return "trio", {"clock": MockClock(autojump_threshold=0)}
