"""The metrics of the contract's section 6, in the Prometheus text format 0.0.4.

What happens is counted as it happens; what stands in the store is read from it at scrape time, so that a restart,
another process or a server that is gone never leaves a stale figure. The registry is our own: nothing is global.
"""

from collections import Counter as Counts
from collections.abc import Iterator, Mapping
from types import MappingProxyType

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from watcher import __version__
from watcher.core.board import Tally
from watcher.core.delivery import Sent
from watcher.core.event import ALARMS
from watcher.core.model import Failure
from watcher.core.standing import Standing
from watcher.core.views import StatusView

SUCCESS = "success"
DEAD = "dead"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_LOOK_OUTCOMES = (SUCCESS, *Failure)
_DELIVERY_OUTCOMES = (*Sent, DEAD)
_LOOK_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class Metrics:
    """Counts what the loops do, and writes it out together with what the store says.

    Every outcome that a server or channel can have is there as 0 from its first one on: `increase()` does not see
    the first step of a series that appears together with it.
    """

    def __init__(self) -> None:
        """Begin at zero."""
        self._counted = counted = CollectorRegistry(auto_describe=True)
        self._polls = Counter(
            "watcher_polls", "Looks at a server, by how they went.", ["server", "outcome"], registry=counted
        )
        self._poll_seconds = Histogram(
            "watcher_poll_seconds",
            "How long looks took, good or bad.",
            ["server"],
            registry=counted,
            buckets=_LOOK_SECONDS,
        )
        self._transitions = Counter(
            "watcher_transitions", "Events that looks at a server brought.", ["server", "event"], registry=counted
        )
        self._deliveries = Counter(
            "watcher_deliveries",
            "Attempts to deliver, by how they went; dead: given up for good.",
            ["channel", "outcome"],
            registry=counted,
        )
        self._bad_rows = Counter(
            "watcher_bad_rows", "Sessions in answers that could not be understood.", ["server"], registry=counted
        )
        self._silenced = Counter("watcher_silenced", "Events that a silence keeps back.", ["server"], registry=counted)
        ProcessCollector(registry=counted)

    def look(self, server: str, outcome: str, seconds: float) -> None:
        """Count a look: `outcome` is `success` or one of the words of `Failure`."""
        for word in _LOOK_OUTCOMES:
            self._polls.labels(server, word)
        self._polls.labels(server, outcome).inc()
        self._poll_seconds.labels(server).observe(seconds)
        self._bad_rows.labels(server)

    def transition(self, server: str, event: str) -> None:
        """Count an event, `session.failed`."""
        self._transitions.labels(server, event).inc()

    def delivery(self, channel: str, outcome: str) -> None:
        """Count an attempt: `outcome` is one of the words of `Sent`, or `dead` where a row is given up."""
        for word in _DELIVERY_OUTCOMES:
            self._deliveries.labels(channel, word)
        self._deliveries.labels(channel, outcome).inc()

    def bad_rows(self, server: str, count: int) -> None:
        """Count rows of an answer that could not be understood."""
        self._bad_rows.labels(server).inc(count)

    def silenced(self, server: str, count: int) -> None:
        """Count events that a silence keeps back."""
        self._silenced.labels(server).inc(count)

    def render(self, status: StatusView, jobs: Mapping[str, Tally] = MappingProxyType({})) -> bytes:
        """Write all metrics as text, with the gauges as the store has them; `jobs` by the name of their server."""
        return generate_latest(_WithoutCreated(self._counted)) + generate_latest(_stored(status, jobs))


def _stored(status: StatusView, jobs: Mapping[str, Tally]) -> CollectorRegistry:
    registry = CollectorRegistry()
    _server_gauges(status, registry)
    _alarm_gauges(status, registry)
    _job_gauges(jobs, registry)
    _outbox_gauges(status, registry)
    build = Gauge("watcher_build_info", "Always 1; the label says which version runs.", ["version"], registry=registry)
    build.labels(__version__).set(1)
    return registry


def _server_gauges(status: StatusView, registry: CollectorRegistry) -> None:
    success = Gauge(
        "watcher_last_poll_success_timestamp_seconds",
        "When a look last succeeded, in Unix time; 0 if none did yet.",
        ["server"],
        registry=registry,
    )
    sessions = Gauge("watcher_open_sessions", "Sessions whose end is awaited.", ["server"], registry=registry)
    for server in status.servers:
        success.labels(server.name).set(server.last_success.timestamp() if server.last_success else 0)
        sessions.labels(server.name).set(server.open_sessions)


def _alarm_gauges(status: StatusView, registry: CollectorRegistry) -> None:
    """Count what the watchdogs have told and is not over; a kind of which there is nothing is 0, and not missing."""
    raised = Gauge(
        "watcher_alarms", "What the watchdogs have told and is not over.", ["server", "event"], registry=registry
    )
    counted = Counts((one.server, one.event) for one in status.alarms)
    for server in status.servers:
        for kind in sorted(ALARMS):
            raised.labels(server.name, kind).set(counted[server.name, kind])


def _job_gauges(jobs: Mapping[str, Tally], registry: CollectorRegistry) -> None:
    """Count jobs by how they stand; a series for each job would be too many where there are ten thousand."""
    stands = Gauge("watcher_jobs", "Jobs by how they stand.", ["server", "standing"], registry=registry)
    for server, tally in jobs.items():
        for one in Standing:
            stands.labels(server, one.name.lower()).set(tally.of(one))


def _outbox_gauges(status: StatusView, registry: CollectorRegistry) -> None:
    pending = Gauge("watcher_outbox_pending", "Deliveries that are owed.", ["channel"], registry=registry)
    dead = Gauge("watcher_outbox_dead", "Deliveries that were given up.", ["channel"], registry=registry)
    for channel in status.channels:
        pending.labels(channel.name).set(channel.pending)
        dead.labels(channel.name).set(channel.dead)
    oldest = Gauge(
        "watcher_outbox_oldest_seconds", "Age of the oldest delivery that is owed; 0 without one.", registry=registry
    )
    oldest.set(status.outbox.oldest_seconds)


class _WithoutCreated(Collector):
    """Leaves out the `_created` series, which 0.0.4 has no meaning for; the library's own switch for it is global."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        for metric in self._registry.collect():
            metric.samples = [sample for sample in metric.samples if sample.name != f"{metric.name}_created"]
            yield metric
