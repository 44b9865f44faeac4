"""What it takes to watch one server: its settings, its parts, and what is remembered between two looks."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import anyio

from watcher.core.delivery import Delivery
from watcher.core.event import Event
from watcher.core.model import (
    JOB_KINDS,
    OPEN,
    Failure,
    Greeting,
    Heard,
    Job,
    JobType,
    LogLine,
    Look,
    Memory,
    Session,
)
from watcher.core.page import Rules
from watcher.core.record import Chain, Ledger, Page, Refusal, ServerRecord

HEARD = 2000
HINTS_A_LOOK = 100
_T = TypeVar("_T")


class Source(Protocol):
    """One watched server. All but `log_lines` may raise LookFailed."""

    async def greet(self) -> Greeting: ...
    async def look(self, memory: Memory) -> Look: ...
    def confirm(self) -> None: ...
    async def log_lines(self, session_id: str) -> tuple[LogLine, ...]: ...
    def login_hash(self, salt: str) -> str: ...


class Journal(Protocol):
    """Where looks are written down; each method is one transaction."""

    def refusal(self, name: str) -> Refusal | None: ...
    def meet(
        self,
        name: str,
        url: str,
        greeting: Greeting,
        *,
        first_contact: datetime,
        news_from: datetime,
        kinds: Collection[JobType],
    ) -> ServerRecord: ...
    def keep_kinds(
        self,
        server_id: int,
        mine: Mapping[JobType, datetime],
        marks: Mapping[JobType, datetime],
        *,
        since: datetime,
    ) -> frozenset[JobType]: ...
    def memory(self, server_id: int, *, horizon: datetime) -> Memory: ...
    def record(
        self,
        server_id: int,
        session_ids: Iterable[str],
        job_ids: Iterable[str],
        write: Callable[[Ledger], Page],
        *,
        now: datetime,
    ) -> Page: ...
    def finish_look(
        self,
        server_id: int,
        *,
        now: datetime,
        greeting: Greeting,
        watermark: datetime | None,
        jobs: Mapping[str, Job],
        feed_token: str | None = None,
        marks: Mapping[JobType, datetime] | None = None,
    ) -> None: ...
    def fail_look(
        self,
        name: str,
        *,
        now: datetime,
        error: str,
        kind: str,
        refusal: Refusal | None = None,
        doubted: str | None = None,
    ) -> None: ...
    def replace(
        self,
        old: ServerRecord,
        url: str,
        greeting: Greeting,
        write: Callable[[ServerRecord], Page],
        *,
        first_contact: datetime,
        now: datetime,
    ) -> ServerRecord: ...


class RunDb(Protocol):
    """How a call to the store is made: in a thread by the daemon, directly in simulations."""

    async def __call__(self, work: Callable[[], _T]) -> _T: ...


@dataclass(frozen=True, slots=True)
class Watched:
    """What the settings say of one server, as far as a look needs it. `kinds`: the work that is watched."""

    name: str
    url: str
    lookback: timedelta
    keep: timedelta
    kinds: frozenset[JobType] = JOB_KINDS


@dataclass(slots=True)
class Ear:
    """What a server's event feed has said, and no look has dealt with yet.

    `token`: up to where it was heard; None before the first word and after a break. `hints`: the sessions that it spoke
    of since the last look, each with the status it gave. `heard`: those of the last while. `unheard`: ends that the
    last look found and that it has not spoken of. `looks`: how many have succeeded since it was heard first.
    """

    token: str | None = None
    hints: dict[str, str] = field(default_factory=dict)
    heard: dict[str, None] = field(default_factory=dict)
    unheard: frozenset[str] = frozenset()
    failures: int = 0
    looks: int = 0

    def take(self, heard: Heard, hints: Mapping[str, str]) -> None:
        """Take what was heard, and what of it is worth a look."""
        self.token, self.failures = heard.token, 0
        self.hints |= hints
        self.heard |= dict.fromkeys(heard.statuses)
        for session_id in list(self.heard)[: max(0, len(self.heard) - HEARD)]:
            del self.heard[session_id]

    def take_hints(self) -> dict[str, str]:
        """Give as many hints as one look can follow, each by a request; the others stay for the next."""
        taken = dict(list(self.hints.items())[:HINTS_A_LOOK])
        for session_id in taken:
            del self.hints[session_id]
        return taken

    def give_back(self, hints: Mapping[str, str]) -> None:
        """Take hints back that no look has followed; what was heard since counts for more."""
        self.hints = {**hints, **self.hints}

    def lose(self) -> None:
        """Begin anew with what comes next; a look finds what was said until then."""
        self.token, self.looks, self.unheard = None, 0, frozenset()

    def compare(self, ended: Iterable[str]) -> bool:
        """Take the ends that a look has found; return whether the feed is mute.

        It is, if it has still not spoken of an end that an earlier look has found while it was heard.
        """
        if self.token is None or self.failures:
            return False
        is_mute = bool(self.unheard - self.heard.keys())
        self.looks += 1
        self.unheard = frozenset(ended) - self.heard.keys() if self.looks > 1 else frozenset()
        if is_mute:
            self.lose()
        return is_mute


@dataclass(slots=True)
class Watch:
    """One server being watched: its parts, and what is remembered between looks to spare work, never to decide.

    `seen`: settled sessions, and `jobs`, as they were last written down; what still looks the same needs no second
    thought. `open`: the status of those whose end is awaited. `wake` is set when there is news before its time.
    `since`: when this process met the server. `was_away`: how long the last look lay back then. `has_looked`: a look of
    this process has succeeded. `memory`: what the store said before the last look, if that has changed nothing.
    `shown`: what that look has shown. `marks`: up to where it has read other kinds of work; `kept`: when those that are
    watched here were last sure to be in the store. `hand`: gives what a page has claimed to those who send it.
    """

    watched: Watched
    source: Source
    journal: Journal
    run_db: RunDb
    rules: Callable[[], Awaitable[Rules]]
    record: ServerRecord | None = None
    refused_until: datetime | None = None
    seen: dict[str, Session] = field(default_factory=dict)
    jobs: Mapping[str, Job] = field(default_factory=dict)
    open: dict[str, str] = field(default_factory=dict)
    ear: Ear = field(default_factory=Ear)
    wake: anyio.Event = field(default_factory=anyio.Event)
    since: datetime | None = None
    was_away: timedelta | None = None
    has_looked: bool = False
    memory: Memory | None = None
    shown: tuple[Session, ...] | None = None
    marks: Mapping[JobType, datetime] = field(default_factory=dict)
    kept: datetime | None = None
    hand: Callable[[Sequence[Delivery]], None] = lambda _claimed: None

    def knows(self, session_id: str, status: str) -> bool:
        """Whether the last look has shown a session so."""
        settled = self.seen.get(session_id)
        return status == (settled.status if settled else self.open.get(session_id))

    def has_settled(self, session_id: str, status: str) -> bool:
        """Whether the last look has shown a session so, or at its end, if it is said to be open."""
        return self.knows(session_id, status) or (status in OPEN and session_id in self.seen)

    def swept(self, now: datetime) -> None:
        """Take note of a sweep."""
        self.was_away = None
        if self.record is not None:
            self.record = replace(self.record, swept=now)


@dataclass(frozen=True, slots=True)
class Report:
    """How one look went. `failure` is None when it succeeded; `wait` is how long the server asked us to stay away.

    `mute`: its event feed says nothing of what the look has found. `waiting`: runs whose end waits for a retry now.
    `silenced`: events that a silence keeps back. `forgotten`: kinds of work that another watcher of the same database
    does not watch; they were put back.
    """

    server: str
    failure: Failure | None = None
    text: str = ""
    wait: float | None = None
    events: tuple[Event, ...] = ()
    owed: int = 0
    unreadable: int = 0
    mute: bool = False
    waiting: tuple[Chain, ...] = ()
    silenced: int = 0
    forgotten: frozenset[JobType] = frozenset()
