"""The metrics of the contract's section 6, in the Prometheus text format 0.0.4.

What happens is counted as it happens; what stands in the store is read from it at scrape time, so that a restart,
another process or a server that is gone never leaves a stale figure. Nothing is global.
"""

from bisect import bisect_left
from collections import Counter as Counts
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING

from watcher import __version__
from watcher.core.board import Tally
from watcher.core.delivery import Sent
from watcher.core.event import ALARMS
from watcher.core.model import Failure
from watcher.core.standing import Standing
from watcher.core.views import StatusView
from watcher.web.exposition import family, head, lines, number

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SUCCESS = "success"
DEAD = "dead"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_LOOK_OUTCOMES = (SUCCESS, *Failure)
_DELIVERY_OUTCOMES = (*Sent, DEAD)
_LOOK_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_BOUNDS = tuple(number(bound) for bound in (*_LOOK_SECONDS, float("inf")))


@dataclass(slots=True)
class _Spans:
    """How long the looks at one server took: how many up to each bound and over the one before, and seconds in all."""

    counts: list[int] = field(default_factory=lambda: [0] * len(_BOUNDS))
    total: float = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(_LOOK_SECONDS, seconds)] += 1
        self.total += seconds


class Metrics:
    """Counts what the loops do, and writes it out together with what the store says.

    Every outcome that a server or channel can have is there as 0 from its first one on: `increase()` does not see
    the first step of a series that appears together with it.
    """

    def __init__(self) -> None:
        """Begin at zero."""
        self._polls: dict[str, dict[str, int]] = {}
        self._poll_seconds: dict[str, _Spans] = {}
        self._transitions: Counts[tuple[str, str]] = Counts()
        self._deliveries: dict[str, dict[str, int]] = {}
        self._bad_rows: Counts[str] = Counts()
        self._silenced: Counts[str] = Counts()
        self._process: CollectorRegistry | None = None

    def look(self, server: str, outcome: str, seconds: float) -> None:
        """Count a look: `outcome` is `success` or one of the words of `Failure`."""
        _count(self._polls, server, outcome, _LOOK_OUTCOMES)
        self._poll_seconds.setdefault(server, _Spans()).add(seconds)
        self._bad_rows.setdefault(server, 0)

    def transition(self, server: str, event: str) -> None:
        """Count an event, `session.failed`."""
        self._transitions[event, server] += 1

    def delivery(self, channel: str, outcome: str) -> None:
        """Count an attempt: `outcome` is one of the words of `Sent`, or `dead` where a row is given up."""
        _count(self._deliveries, channel, outcome, _DELIVERY_OUTCOMES)

    def bad_rows(self, server: str, count: int) -> None:
        """Count rows of an answer that could not be understood."""
        self._bad_rows[server] += count

    def silenced(self, server: str, count: int) -> None:
        """Count events that a silence keeps back."""
        self._silenced[server] += count

    def render(self, status: StatusView, jobs: Mapping[str, Tally] = MappingProxyType({})) -> bytes:
        """Write all metrics as text, with the gauges as the store has them; `jobs` by the name of their server."""
        counted = "".join(self._counted()).encode()
        return counted + self._of_process() + "".join(_stored(status, jobs)).encode()

    def _counted(self) -> Iterator[str]:
        polls = (((word, server), n) for server, words in self._polls.items() for word, n in words.items())
        yield family("counter", "watcher_polls", "Looks at a server, by how they went.", ("outcome", "server"), polls)
        yield head("histogram", "watcher_poll_seconds", "How long looks took, good or bad.")
        for server, spans in self._poll_seconds.items():
            yield _histogram("watcher_poll_seconds", server, spans)
        about = "Events that looks at a server brought."
        yield family("counter", "watcher_transitions", about, ("event", "server"), self._transitions.items())
        sent = (((channel, word), n) for channel, words in self._deliveries.items() for word, n in words.items())
        about = "Attempts to deliver, by how they went; dead: given up for good."
        yield family("counter", "watcher_deliveries", about, ("channel", "outcome"), sent)
        about = "Sessions in answers that could not be understood."
        yield family("counter", "watcher_bad_rows", about, ("server",), _alone(self._bad_rows))
        about = "Events that a silence keeps back."
        yield family("counter", "watcher_silenced", about, ("server",), _alone(self._silenced))

    def _of_process(self) -> bytes:
        """Write what the system says of this process."""
        from prometheus_client import (  # noqa: PLC0415 - it brings in an HTTP server, which only a scrape is worth
            CollectorRegistry,
            ProcessCollector,
            generate_latest,
        )

        if self._process is None:
            self._process = CollectorRegistry()
            ProcessCollector(registry=self._process)
        return generate_latest(self._process)


def _count(counts: dict[str, dict[str, int]], name: str, word: str, words: tuple[str, ...]) -> None:
    counted = counts.setdefault(name, dict.fromkeys(words, 0))
    counted[word] = counted.get(word, 0) + 1


def _histogram(name: str, server: str, spans: _Spans) -> str:
    """Write how long the looks at one server took; a bound counts all that is not over it."""
    sums = accumulate(spans.counts)
    buckets = lines(
        f"{name}_bucket", ("le", "server"), (((le, server), n) for le, n in zip(_BOUNDS, sums, strict=True))
    )
    ends = ((f"{name}_count", sum(spans.counts)), (f"{name}_sum", spans.total))
    return buckets + "".join(lines(of, ("server",), [((server,), value)]) for of, value in ends)


def _alone(counts: Mapping[str, float]) -> Iterator[tuple[tuple[str], float]]:
    return (((name,), count) for name, count in counts.items())


def _stored(status: StatusView, jobs: Mapping[str, Tally]) -> Iterator[str]:
    yield from _server_gauges(status)
    yield _alarm_gauge(status)
    yield _job_gauge(jobs)
    yield from _outbox_gauges(status)
    about = "Always 1; the label says which version runs."
    yield family("gauge", "watcher_build_info", about, ("version",), _alone({__version__: 1}))


def _server_gauges(status: StatusView) -> Iterator[str]:
    success = {one.name: one.last_success.timestamp() if one.last_success else 0 for one in status.servers}
    about = "When a look last succeeded, in Unix time; 0 if none did yet."
    yield family("gauge", "watcher_last_poll_success_timestamp_seconds", about, ("server",), _alone(success))
    waiting = {one.name: one.open_sessions for one in status.servers}
    yield family("gauge", "watcher_open_sessions", "Sessions whose end is awaited.", ("server",), _alone(waiting))


def _alarm_gauge(status: StatusView) -> str:
    """Count what the watchdogs have told and is not over; a kind of which there is nothing is 0, and not missing."""
    counted = Counts((one.event, one.server) for one in status.alarms)
    kinds, names = sorted(ALARMS), dict.fromkeys(one.name for one in status.servers)
    series = (((kind, name), counted[kind, name]) for name in names for kind in kinds)
    return family(
        "gauge", "watcher_alarms", "What the watchdogs have told and is not over.", ("event", "server"), series
    )


def _job_gauge(jobs: Mapping[str, Tally]) -> str:
    """Count jobs by how they stand; a series for each job would be too many where there are ten thousand."""
    words = [(one.name.lower(), one) for one in Standing]
    series = (((server, word), tally.of(one)) for server, tally in jobs.items() for word, one in words)
    return family("gauge", "watcher_jobs", "Jobs by how they stand.", ("server", "standing"), series)


def _outbox_gauges(status: StatusView) -> Iterator[str]:
    pending = {one.name: one.pending for one in status.channels}
    yield family("gauge", "watcher_outbox_pending", "Deliveries that are owed.", ("channel",), _alone(pending))
    dead = {one.name: one.dead for one in status.channels}
    yield family("gauge", "watcher_outbox_dead", "Deliveries that were given up.", ("channel",), _alone(dead))
    about = "Age of the oldest delivery that is owed; 0 without one."
    yield family("gauge", "watcher_outbox_oldest_seconds", about, (), [((), status.outbox.oldest_seconds)])
