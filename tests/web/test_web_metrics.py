"""The metrics, read back by the parser of Prometheus' own client library."""

from collections.abc import Mapping

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.web.web_samples import NOW, alarm, channel, row, server, status
from watcher import __version__
from watcher.core.board import tallies
from watcher.core.delivery import Sent
from watcher.core.event import ALARMS
from watcher.core.model import Failure
from watcher.core.views import StatusView
from watcher.web.metrics import Metrics

Series = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def scrape(metrics: Metrics, view: StatusView | None = None) -> Series:
    """Return every sample by its name and labels; a series that appears twice is an error, as it is for Prometheus."""
    series: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for family in text_string_to_metric_families(metrics.render(view or status()).decode()):
        for sample in family.samples:
            key = (sample.name, frozenset(sample.labels.items()))
            assert key not in series, f"{key} appears twice"
            series[key] = sample.value
    return series


def value(series: Series, name: str, **labels: str) -> float | None:
    return series.get((name, frozenset(labels.items())))


def test_looks_are_counted_by_outcome_and_timed() -> None:
    """Each look counts once under its outcome and once in the histogram of its server."""
    metrics = Metrics()
    metrics.look("HQ", "success", 0.2)
    metrics.look("HQ", "success", 3.0)
    metrics.look("HQ", Failure.TIMEOUT, 30.0)
    metrics.look("Branch", "success", 0.05)
    series = scrape(metrics)
    assert value(series, "watcher_polls_total", server="HQ", outcome="success") == 2
    assert value(series, "watcher_polls_total", server="HQ", outcome="timeout") == 1
    assert value(series, "watcher_polls_total", server="Branch", outcome="success") == 1
    assert value(series, "watcher_poll_seconds_count", server="HQ") == 3
    assert value(series, "watcher_poll_seconds_sum", server="HQ") == pytest.approx(33.2)
    assert value(series, "watcher_poll_seconds_bucket", server="HQ", le="0.25") == 1
    assert value(series, "watcher_poll_seconds_bucket", server="HQ", le="+Inf") == 3


def test_every_outcome_of_a_server_is_there_from_its_first_look_on() -> None:
    """A failure's first step is from 0 to 1, so that increase() sees it."""
    metrics = Metrics()
    metrics.look("HQ", "success", 0.2)
    series = scrape(metrics)
    assert {value(series, "watcher_polls_total", server="HQ", outcome=word) for word in Failure} == {0}
    assert value(series, "watcher_bad_rows_total", server="HQ") == 0


def test_deliveries_are_counted_by_outcome() -> None:
    """Each attempt counts under the word of its verdict, or as dead."""
    metrics = Metrics()
    metrics.delivery("ops", Sent.TRY_AGAIN)
    metrics.delivery("ops", Sent.DELIVERED)
    metrics.delivery("ops", Sent.DELIVERED)
    metrics.delivery("ops", "dead")
    series = scrape(metrics)
    counts = {word: value(series, "watcher_deliveries_total", channel="ops", outcome=word) for word in (*Sent, "dead")}
    assert counts == {"delivered": 2, "refused": 0, "try_again": 1, "wait_until": 0, "unknown": 0, "dead": 1}


def test_alarms_are_counted_by_server_and_kind() -> None:
    """Each kind of a server that has none is 0."""
    told = [alarm(), alarm(subject="p2"), alarm("server.unhealthy", "Branch", server="Branch")]
    series = scrape(Metrics(), status(server(), server("Branch"), alarms=told))
    counts = {key[1]: number for key, number in series.items() if key[0] == "watcher_alarms"}
    assert len(counts) == 2 * len(ALARMS)
    assert {(dict(labels)["server"], dict(labels)["event"]): n for labels, n in counts.items() if n} == {
        ("HQ", "proxy.offline"): 2,
        ("Branch", "server.unhealthy"): 1,
    }


def test_transitions_and_bad_rows_are_counted() -> None:
    """Events count by server and type, rows that could not be read by server."""
    metrics = Metrics()
    metrics.transition("HQ", "session.failed")
    metrics.transition("HQ", "session.failed")
    metrics.bad_rows("HQ", 3)
    series = scrape(metrics)
    assert value(series, "watcher_transitions_total", server="HQ", event="session.failed") == 2
    assert value(series, "watcher_bad_rows_total", server="HQ") == 3


def test_gauges_show_the_store_as_it_is_at_the_scrape() -> None:
    """What the store says is in the text, by server and by channel."""
    view = status(
        server("HQ", open_sessions=4),
        server("New", last_success=None, open_sessions=0),
        channels=[channel("ops", pending=3), channel("mail", dead=2)],
        oldest=61.5,
    )
    series = scrape(Metrics(), view)
    assert value(series, "watcher_open_sessions", server="HQ") == 4
    assert value(series, "watcher_last_poll_success_timestamp_seconds", server="HQ") == NOW.timestamp() - 4
    assert value(series, "watcher_last_poll_success_timestamp_seconds", server="New") == 0
    assert value(series, "watcher_outbox_pending", channel="ops") == 3
    assert value(series, "watcher_outbox_pending", channel="mail") == 0
    assert value(series, "watcher_outbox_dead", channel="mail") == 2
    assert value(series, "watcher_outbox_oldest_seconds") == 61.5
    assert value(series, "watcher_build_info", version=__version__) == 1


def test_a_server_that_is_gone_leaves_no_gauge() -> None:
    """Gauges are of this scrape only."""
    metrics = Metrics()
    scrape(metrics, status(server("Old")))
    assert value(scrape(metrics, status(server("HQ"))), "watcher_open_sessions", server="Old") is None


def test_two_rows_of_one_name_do_not_spoil_the_scrape() -> None:
    """Prometheus throws a whole scrape away for one series that appears twice, so none may."""
    view = status(server("HQ"), server("HQ"), channels=[channel("ops"), channel("ops")])
    assert value(scrape(Metrics(), view), "watcher_open_sessions", server="HQ") == 2


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb", "Ümläut", "{x}", "a,b=1"])
def test_odd_names_stay_names(name: str) -> None:
    """Quotes, backslashes and line breaks in a name cannot end its label."""
    metrics = Metrics()
    metrics.look(name, "success", 1)
    series = scrape(metrics, status(server(name)))
    assert value(series, "watcher_polls_total", server=name, outcome="success") == 1
    assert value(series, "watcher_open_sessions", server=name) == 2


def test_the_text_is_what_a_linter_wants() -> None:
    """Every family of ours has its help and type in front, ends as its type asks, and has no `_created` beside it."""
    metrics = Metrics()
    metrics.look("HQ", "success", 1)
    metrics.delivery("ops", Sent.DELIVERED)
    metrics.transition("HQ", "session.failed")
    families = list(
        text_string_to_metric_families(
            metrics.render(status(channels=[channel()]), tallies([(row(), 1)], NOW)).decode()
        )
    )
    ours = {family.name: family for family in families if family.name.startswith("watcher_")}
    assert {name: family.type for name, family in ours.items()} == {
        "watcher_polls": "counter",
        "watcher_poll_seconds": "histogram",
        "watcher_transitions": "counter",
        "watcher_deliveries": "counter",
        "watcher_bad_rows": "counter",
        "watcher_silenced": "counter",
        "watcher_last_poll_success_timestamp_seconds": "gauge",
        "watcher_open_sessions": "gauge",
        "watcher_jobs": "gauge",
        "watcher_alarms": "gauge",
        "watcher_outbox_pending": "gauge",
        "watcher_outbox_dead": "gauge",
        "watcher_outbox_oldest_seconds": "gauge",
        "watcher_build_info": "gauge",
    }
    assert all(family.documentation.endswith(".") or ";" in family.documentation for family in ours.values())
    assert not [sample.name for family in families for sample in family.samples if sample.name.endswith("_created")]


def test_nothing_is_global() -> None:
    """Two sets of metrics know nothing of each other, and the library's own registry nothing of them."""
    first, second = Metrics(), Metrics()
    first.look("HQ", "success", 1)
    assert value(scrape(second), "watcher_polls_total", server="HQ", outcome="success") is None
    assert b"watcher_" not in prometheus_client.generate_latest()


def test_memory_of_the_process_is_told() -> None:
    """Resident memory stands beside the rest, under the name that dashboards look for."""
    assert value(scrape(Metrics()), "process_resident_memory_bytes")
