"""Which rows of the outbox leave together in one message.

For people, the messages of one job leave in order: what has been overtaken joins the later one. For programs each
event is by itself, or a batch, and a batch that failed is sent again unchanged.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain
from typing import Protocol, TypeAlias, TypeVar

from watcher.core.delivery import Delivery

_T = TypeVar("_T")

MANY_LATE = 20
"""More late ends of one server than this are one summary."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending row as it lies in the outbox. `due`: it may be tried now; `busy`: somebody is sending it now.

    `group`: what it shares with those that it may leave with; "" for none.
    """

    delivery: Delivery
    subject: str
    due: bool = True
    busy: bool = False
    group: str = ""


Bundle: TypeAlias = tuple[Waiting, ...]


class Binder(Protocol):
    """How a channel's rows are put together. `rows` is how many due ones it wants to see for so many messages.

    `joins`: it needs to see the rows that are not due, too, of the subjects that are. `wants_all`: from what it has
    seen, all that is due (a thousand rows at the most) belongs into one message.
    """

    @property
    def joins(self) -> bool: ...
    def rows(self, messages: int) -> int: ...
    def old(self, now: datetime) -> datetime | None: ...
    def wants_all(self, rows: Iterable[Delivery], now: datetime) -> bool: ...
    def bind(self, rows: Sequence[Waiting], now: datetime) -> list[Bundle]: ...


@dataclass(frozen=True, slots=True)
class Batches:
    """For programs: up to `size` events in a message. Rows that left as one message before leave as that one again."""

    size: int = 1
    joins = False

    def rows(self, messages: int) -> int:
        """Return how many rows fill so many messages."""
        return self.size * messages

    def old(self, now: datetime) -> datetime | None:
        """Nothing is ever joined because of its age."""
        return None

    def wants_all(self, rows: Iterable[Delivery], now: datetime) -> bool:
        """Each batch is by itself."""
        return False

    def bind(self, rows: Sequence[Waiting], now: datetime) -> list[Bundle]:
        """Return the batches, in the order of the rows; in each they are in that of their numbers, every time."""
        free = [row for row in rows if row.due and not row.busy]
        again: dict[str, list[Waiting]] = {}
        fresh: dict[str, list[Waiting]] = {}
        for row in free:
            if row.delivery.message_id:
                again.setdefault(row.delivery.message_id, []).append(row)
            else:
                fresh.setdefault(row.delivery.destination, []).append(row)
        cut = (owed[start : start + self.size] for owed in fresh.values() for start in range(0, len(owed), self.size))
        return [tuple(sorted(bundle, key=lambda row: row.delivery.id)) for bundle in (*again.values(), *cut)]


@dataclass(frozen=True, slots=True)
class Joined:
    """For people: what is owed of one job is one message; so is what waits in one group, what has waited beyond
    `expires_after`, and many late ends of one server.

    `held`: destinations that asked to be left alone, and until when.
    """

    expires_after: timedelta
    held: Mapping[str, datetime] = field(default_factory=dict)
    joins = True

    def rows(self, messages: int) -> int:
        """Return as many as messages, but enough to see whether there are many late ends."""
        return max(messages, 3 * MANY_LATE)

    def old(self, now: datetime) -> datetime | None:
        """Return the time from which on back everything is old news."""
        return now - self.expires_after

    def wants_all(self, rows: Iterable[Delivery], now: datetime) -> bool:
        """Return whether there are so many late ends that they become summaries, or a destination is held."""
        return bool(self.held) or sum(row.event.late for row in rows) > MANY_LATE

    def bind(self, rows: Sequence[Waiting], now: datetime) -> list[Bundle]:
        """Return the messages, the longest due first; in each, the events in the order in which they happened."""
        bundles: list[Bundle] = []
        for destination, owed in _grouped(rows, lambda row: row.delivery.destination).items():
            if self.held.get(destination, now) <= now:
                bundles.extend(self._of_destination(owed, now))
        return sorted(bundles, key=lambda bundle: min(row.delivery.id for row in bundle))

    def _of_destination(self, rows: Iterable[Waiting], now: datetime) -> list[Bundle]:
        jobs = _grouped(rows, lambda row: row.subject)
        free = {job: owed for job, owed in jobs.items() if not any(row.busy for row in owed)}
        old = [job for job, owed in free.items() if any(self._is_old(row, now) for row in owed)]
        messages = [old, *_summaries({job: owed for job, owed in free.items() if job not in set(old)})]
        joined = set(chain.from_iterable(messages))
        messages += _groups({job: owed for job, owed in free.items() if job not in joined})
        bundles = [[row for job in message for row in free[job]] for message in messages]
        return [self._in_order(bundle, now) for bundle in bundles if any(row.due for row in bundle)]

    def _is_old(self, row: Waiting, now: datetime) -> bool:
        return now - row.delivery.first_due >= self.expires_after

    def _in_order(self, rows: Iterable[Waiting], now: datetime) -> Bundle:
        marked = (_late(row) if self._is_old(row, now) else row for row in rows)
        return tuple(sorted(marked, key=lambda row: (row.delivery.event.happened, row.delivery.id)))


def _summaries(jobs: Mapping[str, Sequence[Waiting]]) -> list[list[str]]:
    """Return, for each server with many late ends, the jobs that one summary speaks of."""
    late = [(job, row) for job, owed in jobs.items() for row in owed if row.delivery.event.late]
    servers = _grouped(late, lambda pair: pair[1].delivery.event.server.identity)
    return [list(dict.fromkeys(job for job, _ in pairs)) for pairs in servers.values() if len(pairs) > MANY_LATE]


def _groups(jobs: Mapping[str, Sequence[Waiting]]) -> list[list[str]]:
    """Return the jobs of which each message speaks: those of one group, as soon as one of them is due."""
    due = {row.group for owed in jobs.values() for row in owed if row.due and row.group}
    return list(_grouped(jobs, lambda job: _group_of(job, jobs[job], due)).values())


def _group_of(job: str, rows: Sequence[Waiting], due: AbstractSet[str]) -> str:
    """Return the group that a job leaves with; one that is in none is by itself."""
    first_due = sorted(rows, key=lambda row: not row.due)
    return next((row.group for row in first_due if row.group in due), f"{job}\x1f")


def _late(row: Waiting) -> Waiting:
    delivery = row.delivery
    return replace(row, delivery=replace(delivery, event=replace(delivery.event, late=True)))


def _grouped(rows: Iterable[_T], key: Callable[[_T], str]) -> dict[str, list[_T]]:
    groups: dict[str, list[_T]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return groups
