"""The property of any history, for longer."""

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.core.factories import T0, at
from tests.core.test_core_history import Book, Run, histories, look


@pytest.mark.soak
@settings(max_examples=4000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    runs=histories(),
    looks=st.lists(st.tuples(st.integers(0, 600), st.booleans()), min_size=1, max_size=30),
    rng=st.randoms(use_true_random=False),
)
def test_each_end_is_told_once_for_thousands_of_histories(
    runs: list[Run], looks: list[tuple[int, bool]], rng: Random
) -> None:
    """Thousands of histories, cut in any way: every end after first contact makes one event."""
    book = Book()
    for minutes, broken in sorted(looks):
        look(book, runs, at(minutes), rng, broken=broken)
    look(book, runs, at(601), rng, broken=False)

    ends = sorted(session_id for event, session_id in book.events if event != "session.started")
    assert ends == sorted(run.id for run in runs if run.ended and T0 <= run.ended <= at(601))
