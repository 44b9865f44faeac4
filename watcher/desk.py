"""What it takes to send for one channel: its parts, how patient it is, and how one delivery went."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from watcher.core.backoff import Patience
from watcher.core.delivery import Delivery, Parcel, Settlement, Verdict
from watcher.core.pace import Rate
from watcher.core.parcels import Binder
from watcher.core.policy import Policy
from watcher.core.sickness import Condition, Notice, Place

NO_LIMIT = Rate(0, timedelta(seconds=1))
_T = TypeVar("_T")


class Channel(Protocol):
    """Where messages go. `send` never raises for what the world did."""

    @property
    def name(self) -> str: ...
    @property
    def concurrency(self) -> int: ...
    async def send(self, parcel: Parcel) -> Verdict: ...


class Outbox(Protocol):
    """What is owed; each method is one transaction."""

    def claim(
        self, channel: str, *, now: datetime, owner: str, lease: timedelta, limit: int, binder: Binder
    ) -> list[Delivery]: ...
    def renew(self, ids: Sequence[int], *, owner: str, until: datetime) -> None: ...
    def release(self, ids: Sequence[int], *, owner: str) -> None: ...
    def settle(
        self,
        results: Mapping[int, Settlement],
        *,
        owner: str,
        now: datetime,
        note: Callable[[Mapping[Place, Condition]], Notice],
    ) -> object: ...


class RunDb(Protocol):
    """How a call to the store is made: in a thread by the daemon, directly in simulations."""

    async def __call__(self, work: Callable[[], _T]) -> _T: ...


@dataclass(frozen=True, slots=True)
class Desk:
    """One channel's sending: its parts, who claims, and how patient it is.

    `batch` is the greatest number of events in one message for programs, None for people, whose messages are joined.
    `clean` keeps secrets out of reasons; `policy` says who hears that the channel is sick. `tray`: what was claimed for
    this desk by the transaction that made it; what is never taken from it comes back when its lease is over.
    """

    channel: Channel
    outbox: Outbox
    run_db: RunDb
    owner: str
    clean: Callable[[str], str]
    patience: Patience = field(default_factory=Patience)
    batch: int | None = None
    rate: Rate = NO_LIMIT
    policy: Policy = field(default_factory=lambda: Policy((), {}))
    tray: deque[Delivery] = field(default_factory=deque)


@dataclass(frozen=True, slots=True)
class Handled:
    """One delivery and how it went."""

    delivery: Delivery
    verdict: Verdict
    settlement: Settlement


class Hours(Protocol):
    """When a desk works: whether it may take something new, what to do when nothing is due, who hears of the work."""

    def is_open(self) -> bool: ...
    async def rest(self) -> bool: ...
    def handled(self, handled: Sequence[Handled]) -> None: ...
