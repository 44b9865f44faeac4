"""The text of the metrics, held to what `prometheus_client` writes of the same figures, byte for byte."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.utils import floatToGoString

from watcher.core.model import Failure
from watcher.web.exposition import family, number
from watcher.web.metrics import Metrics

TEXTS = st.text(max_size=8) | st.sampled_from(['a"b', "a\\b", "a\nb", "{x}", "a,b=1"])
NUMBERS = st.floats() | st.integers(-(10**17), 10**17).map(float)
SECONDS = st.lists(st.floats(0, 1000) | st.sampled_from([0.1, 0.25, 1.0, 300.0]), max_size=20)


def theirs(registry: CollectorRegistry) -> str:
    """Return what the library writes, without the series that 0.0.4 has no meaning for."""
    text = generate_latest(registry).decode()
    return "".join(line for line in text.splitlines(keepends=True) if "_created" not in line)


@given(NUMBERS)
def test_numbers_are_written_as_go_does(value: float) -> None:
    """Whole ones, broken ones, large and small ones, and those that are none."""
    assert number(value) == floatToGoString(value)  # type: ignore[no-untyped-call]


@given(st.dictionaries(st.tuples(TEXTS, TEXTS), NUMBERS, max_size=5))
def test_gauges_are_written_as_the_library_does(values: dict[tuple[str, str], float]) -> None:
    """With two labels, whatever stands in them, in the order in which they came."""
    registry = CollectorRegistry()
    gauge = Gauge("some", "Said of it.", ["server", "event"], registry=registry)
    for (event, server), value in values.items():
        gauge.labels(server, event).set(value)
    assert family("gauge", "some", "Said of it.", ("event", "server"), values.items()) == theirs(registry)


def test_a_counter_ends_in_total_and_a_gauge_may_have_no_label() -> None:
    """Both as the library has it."""
    registry = CollectorRegistry()
    Counter("done", "What was done.", ["by"], registry=registry).labels("me").inc(3)
    Gauge("left", "What is left.", registry=registry).set(2.5)
    ours = family("counter", "done", "What was done.", ("by",), [(("me",), 3)])
    assert ours + family("gauge", "left", "What is left.", (), [((), 2.5)]) == theirs(registry)


@given(st.lists(st.tuples(st.sampled_from(["HQ", "Branch"]), SECONDS), max_size=4))
def test_looks_are_written_as_the_library_does(looks: Sequence[tuple[str, list[float]]]) -> None:
    """Counted by outcome, and in the buckets of their server."""
    registry = CollectorRegistry()
    polls = Counter("watcher_polls", "Looks at a server, by how they went.", ["server", "outcome"], registry=registry)
    bounds = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
    about = "How long looks took, good or bad."
    spans = Histogram("watcher_poll_seconds", about, ["server"], registry=registry, buckets=bounds)
    metrics = Metrics()
    for server, seconds in looks:
        for took in seconds:
            metrics.look(server, "success", took)
            for outcome in ("success", *Failure):
                polls.labels(server, outcome)
            polls.labels(server, "success").inc()
            spans.labels(server).observe(took)
    assert "".join(list(metrics._counted())).startswith(theirs(registry))
