"""Any history of sessions, cut into looks in any way: each end after first contact is told once, nothing else is."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.factories import T0, at, scene
from watcher.core.diff import Sight
from watcher.core.model import Session
from watcher.core.page import turn
from watcher.core.record import Known, Ledger, Outcome

STATUSES = ("Success", "Warning", "Failed", "Stopped")


@dataclass(frozen=True)
class Run:
    """A session as it really was: queued, running, and over (or never over within the test)."""

    id: str
    job: str
    created: datetime
    started: datetime
    ended: datetime | None
    status: str

    def at(self, moment: datetime) -> Session | None:
        """Return what the server shows of it at a moment."""
        if moment < self.created:
            return None
        if moment < self.started:
            return Session(self.id, "Queued", self.job, created=self.created)
        if self.ended is None or moment < self.ended:
            minutes = int((moment - self.started).total_seconds()) // 60
            return Session(self.id, "Running", self.job, created=self.created, progress=minutes)
        return Session(self.id, self.status, self.job, created=self.created, ended=self.ended)


@st.composite
def histories(draw: st.DrawFn) -> list[Run]:
    """Draw some sessions of a few jobs, before and after first contact."""
    runs = []
    for number in range(draw(st.integers(1, 12))):
        created = at(draw(st.integers(-300, 300)))
        started = created + timedelta(minutes=draw(st.integers(0, 20)))
        length = draw(st.none() | st.integers(0, 200))
        ended = None if length is None else started + timedelta(minutes=length)
        runs.append(Run(f"s{number}", f"j{number % 3}", created, started, ended, draw(st.sampled_from(STATUSES))))
    return runs


@dataclass
class Book:
    """A store of a few lines: it applies pages and forgets nothing."""

    sessions: dict[str, Known] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    events: list[tuple[str, str]] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    def write(self, sight: Sight, now: datetime) -> None:
        page = turn(Ledger(self.sessions, self.outcomes), sight, scene((now - T0).total_seconds() / 60))
        self.sessions |= {known.session.id: known for known in page.sessions}
        self.outcomes |= page.outcomes
        self.events += [(event.type, event.session.id) for event in page.events if event.session]
        self.ids += [event.id for event in page.events]


def look(book: Book, runs: list[Run], now: datetime, rng: Random, *, broken: bool) -> None:
    """Take a look as a server may answer it: any order, any page size, rows twice, and perhaps only half of it."""
    shown = [session for run in runs if (session := run.at(now))]
    shown += rng.sample(shown, rng.randint(0, len(shown)))
    rng.shuffle(shown)
    if broken:
        shown = shown[: len(shown) // 2]
    size = rng.randint(1, 5)
    for start in range(0, len(shown), size):
        book.write(Sight(tuple({s.id: s for s in shown[start : start + size]}.values())), now)


@settings(max_examples=300, deadline=None)
@given(
    runs=histories(),
    looks=st.lists(st.tuples(st.integers(0, 600), st.booleans()), min_size=1, max_size=12),
    rng=st.randoms(use_true_random=False),
)
def test_each_end_is_told_once(runs: list[Run], looks: list[tuple[int, bool]], rng: Random) -> None:
    """However a history is cut into looks and pages, with looks that break off, each end is told exactly once."""
    book = Book()
    for minutes, broken in sorted(looks):
        look(book, runs, at(minutes), rng, broken=broken)
    last = at(601)
    look(book, runs, last, rng, broken=False)
    look(book, runs, last, rng, broken=False)

    ends = sorted(session_id for event, session_id in book.events if event != "session.started")
    expected = sorted(run.id for run in runs if run.ended and T0 <= run.ended <= last)
    assert ends == expected
    assert len(set(book.ids)) == len(book.ids)


@settings(max_examples=200, deadline=None)
@given(
    runs=histories(),
    minutes=st.lists(st.integers(0, 600), min_size=1, max_size=8),
    rng=st.randoms(use_true_random=False),
)
def test_a_job_that_is_watched_closely_is_told_the_same_however_pages_are_cut(
    runs: list[Run], minutes: list[int], rng: Random
) -> None:
    """With whole looks, the kind of each event (recovered or not) does not depend on order or page size."""
    one, other = Book(), Book()
    for book in (one, other):
        for moment in (*sorted(minutes), 601):
            sight = Sight(tuple(session for run in runs if (session := run.at(at(moment)))))
            shuffled = list(sight.sessions)
            rng.shuffle(shuffled)
            book.write(Sight(tuple(shuffled)), at(moment))

    assert one.events == other.events
