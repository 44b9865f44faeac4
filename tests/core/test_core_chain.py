"""Runs with retries: what waits, what is told, and that a run speaks once however it is looked at."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.factories import EVENT_WORDS, T0, at, ended, rules, scene, session
from watcher.core.diff import Sight
from watcher.core.model import Job, JobType, Session
from watcher.core.page import Rules, turn
from watcher.core.record import Chain, Known, Ledger, Outcome

if TYPE_CHECKING:
    from watcher.core.event import Event

ENDS = rules(EVENT_WORDS - {"session.started"})
EACH = rules(EVENT_WORDS - {"session.started"}, is_final=False)


class Book:
    """A store of a few lines, which judges one sight after another."""

    def __init__(self, rules: Rules = ENDS, jobs: dict[str, Job] | None = None) -> None:
        self.rules = rules
        self.jobs = jobs or {"j1": Job("j1", "Mail")}
        self.sessions: dict[str, Known] = {}
        self.outcomes: dict[str, Outcome] = {}
        self.chains: dict[str, Chain] = {}
        self.told: list[Event] = []

    def see(self, minutes: float, *sessions: Session, is_last: bool = True) -> list[tuple[str, str, tuple[str, ...]]]:
        """Take a look and return what it tells: type, session, attempts."""
        where = scene(minutes, rules=self.rules, jobs=self.jobs)
        page = turn(Ledger(self.sessions, self.outcomes, self.chains), Sight(sessions, is_last=is_last), where)
        self.sessions |= {known.session.id: known for known in page.sessions}
        self.outcomes |= page.outcomes
        self.chains |= {chain.id: chain for chain in page.chains}
        fresh = [event for event in page.events if event.type != "session.started"]
        self.told += fresh
        return [(event.type, event.session.id, event.attempts) for event in fresh if event.session]


def first(minutes: float = 10, status: str = "Failed", **fields: object) -> Session:
    fields.setdefault("will_be_retried", True)
    return ended("a", status, minutes, retry_count=0, **fields)


def retry(name: str, minutes: float, status: str, number: int = 1, **fields: object) -> Session:
    fields.setdefault("will_be_retried", False)
    fields.setdefault("main_session_id", "a")
    return ended(name, status, minutes, created=at(minutes - 2), retry_count=number, **fields)


def test_success_after_retries_is_one_good_end() -> None:
    """Nobody hears of the failure, which the next attempt has mended; and it is no recovery: the job was never bad."""
    book = Book()
    assert book.see(11, first()) == []
    assert book.see(21, retry("b", 20, "Failed", will_be_retried=True)) == []
    assert book.see(31, retry("c", 30, "Success", 2)) == [("session.success", "c", ("a", "b", "c"))]
    assert book.see(500) == []


@pytest.mark.parametrize("status", ["Failed", "Warning", "Stopped"])
def test_a_run_that_ends_badly_tells_of_its_last_attempt(status: str) -> None:
    """With all attempts in it; a retry that somebody stopped ends the run, too."""
    book = Book()
    book.see(11, first())
    assert book.see(21, retry("b", 20, status)) == [(f"session.{status.lower()}", "b", ("a", "b"))]


def test_the_job_was_bad_before_the_run() -> None:
    """Then a good last attempt is a recovery, as without retries."""
    book = Book()
    book.see(6, ended("old", "Failed", 5))
    book.see(11, first(10, created=at(8)))
    assert book.see(21, retry("b", 20, "Success")) == [("job.recovered", "b", ("a", "b"))]


def test_what_waits_too_long_is_told_and_the_end_then_too() -> None:
    """Counted from the first end that nobody was told of, by a look that has come to its end."""
    book = Book()
    book.see(11, first())
    assert book.see(129) == []
    assert book.see(131, is_last=False) == []
    assert book.see(131) == [("session.failed", "a", ("a",))]
    assert book.told[-1].session is not None
    assert book.told[-1].session.will_be_retried is True
    assert book.see(500) == []
    assert book.see(511, retry("b", 510, "Success")) == [("job.recovered", "b", ("a", "b"))]


def test_a_run_that_was_told_is_one_failure() -> None:
    """The second message about it does not count it again."""
    book = Book()
    book.see(11, first())
    book.see(131)
    book.see(141, retry("b", 140, "Failed"))
    assert [event.story.failures for event in book.told] == [1, 1]


def test_the_hold_is_a_setting() -> None:
    """Ten minutes here."""
    book = Book(replace(ENDS, hold=timedelta(minutes=10)))
    book.see(11, first())
    assert book.see(19) == []
    assert book.see(21) == [("session.failed", "a", ("a",))]


def test_each_attempt_speaks_where_that_is_wanted() -> None:
    """Then the failure is a failure, and the retry's success its end."""
    book = Book(EACH)
    assert book.see(11, first()) == [("session.failed", "a", ())]
    assert book.see(21, retry("b", 20, "Success")) == [("job.recovered", "b", ())]


def test_a_hold_ends_when_the_setting_changes_to_each() -> None:
    """What waits is told with the next look."""
    book = Book()
    book.see(11, first())
    book.rules = EACH
    assert book.see(12) == [("session.failed", "a", ())]


@pytest.mark.parametrize(
    "end",
    [
        first(status="Stopped"),
        first(job_type=JobType.COPY),
        first(will_be_retried=None),
        first(will_be_retried=False),
        first(status="Success"),
    ],
)
def test_what_is_never_held(end: Session) -> None:
    """Stopped ends, copy jobs, and what the server does not say will be retried."""
    assert [event for event, *_ in Book().see(11, end)] == [f"session.{end.status.lower()}"]


def test_a_copy_job_is_known_by_its_job_too() -> None:
    """v6 does not always say what a session is."""
    book = Book(jobs={"j1": Job("j1", "Copy", JobType.COPY)})
    assert [event for event, *_ in book.see(11, first())] == ["session.failed"]


def test_without_a_main_session_the_chain_is_found_by_job_and_time() -> None:
    """So it is on v6."""
    book = Book()
    book.see(11, first())
    assert book.see(21, retry("b", 20, "Success", main_session_id=None)) == [("session.success", "b", ("a", "b"))]


def test_a_main_session_id_may_name_the_attempt_before() -> None:
    """v7's manual only says "job session id"."""
    book = Book()
    book.see(11, first())
    book.see(21, retry("b", 20, "Failed", will_be_retried=True))
    assert book.see(31, retry("c", 30, "Success", 2, main_session_id="b")) == [
        ("session.success", "c", ("a", "b", "c"))
    ]


def test_the_next_run_ends_a_wait() -> None:
    """Its retry never came: that is told as soon as it is clear, and it is not called one that will be retried."""
    book = Book()
    book.see(11, first())
    next_run = session("d", created=at(60), retry_count=0)
    assert book.see(61, next_run) == [("session.failed", "a", ("a",))]
    assert book.told[-1].session is not None
    assert book.told[-1].session.will_be_retried is None
    assert book.see(71, ended("d", "Success", 70, created=at(60), retry_count=0)) == [("job.recovered", "d", ())]


def test_the_server_may_take_its_word_back() -> None:
    """Somebody disabled the job: no retry, no waiting."""
    book = Book()
    book.see(11, first())
    assert book.see(12, first(will_be_retried=False)) == [("session.failed", "a", ("a",))]
    assert book.see(500, first(will_be_retried=False)) == []


def test_an_attempt_that_shows_up_after_the_end_of_its_run_is_silent() -> None:
    """A page that shifted hid it; the run has been told."""
    book = Book()
    assert book.see(21, retry("b", 20, "Success")) == [("session.success", "b", ("a", "b"))]
    assert book.see(22, first()) == []
    assert book.see(500) == []


def test_an_attempt_after_the_supposed_end_is_told() -> None:
    """A server that said too early that there would be no more."""
    book = Book()
    book.see(11, first())
    book.see(21, retry("b", 20, "Failed"))
    assert book.see(31, retry("c", 30, "Success", 2)) == [("job.recovered", "c", ("a", "b", "c"))]


def test_an_end_that_later_ones_have_overtaken_does_not_wait() -> None:
    """A failure that is found after a later end of its job is told by its own status, late."""
    book = Book()
    book.see(41, ended("d", "Success", 40, created=at(30)))
    assert [event for event, *_ in book.see(42, first())] == ["session.failed"]


def test_a_failure_from_before_our_time_that_is_being_retried_is_no_failure_yet() -> None:
    """Its last attempt decides, so its success is no recovery."""
    book = Book()
    assert book.see(1, first(-5, created=at(-9))) == []
    assert book.see(11, retry("b", 10, "Success")) == [("session.success", "b", ("a", "b"))]


@dataclass(frozen=True)
class Try:
    """One attempt of a run as it really was."""

    id: str
    job: str
    created: datetime
    ended: datetime
    status: str
    main: str | None
    number: int
    more: bool

    def at(self, moment: datetime) -> Session | None:
        if moment < self.created:
            return None
        if moment < self.ended:
            return Session(self.id, "Running", self.job, created=self.created, retry_count=self.number)
        return Session(
            self.id,
            self.status,
            self.job,
            created=self.created,
            ended=self.ended,
            retry_count=self.number,
            main_session_id=self.main,
            will_be_retried=self.more,
        )


@st.composite
def runs(draw: st.DrawFn) -> list[Try]:
    """Draw the runs of three jobs, each with up to three retries, never two hours apart."""
    tries: list[Try] = []
    for job in range(3):
        minute = draw(st.integers(1, 60))
        for run in range(draw(st.integers(0, 4))):
            retries = draw(st.integers(0, 3))
            names_main = draw(st.booleans())
            for number in range(retries + 1):
                over = minute + draw(st.integers(1, 9))
                more = number < retries
                bad = ("Failed", "Warning") if more else ("Failed", "Warning", "Success", "Stopped")
                main = f"{job}-{run}-0" if number and names_main else None
                status = draw(st.sampled_from(bad))
                tries.append(Try(f"{job}-{run}-{number}", f"j{job}", at(minute), at(over), status, main, number, more))
                minute = over + draw(st.integers(1, 5))
            minute += draw(st.integers(1, 90))
    return tries


@settings(max_examples=300, deadline=None)
@given(
    tries=runs(),
    looks=st.lists(st.integers(0, 700), max_size=12),
    rng=st.randoms(use_true_random=False),
)
def test_each_run_speaks_once_by_its_last_attempt(tries: list[Try], looks: list[int], rng: Random) -> None:
    """However it is cut into looks and pages, as long as its hold does not run out between two of them."""
    book = Book(replace(ENDS, hold=timedelta(days=9)), jobs={})
    for moment in (*sorted(looks), 1500, 1501):
        shown = [one for attempt in tries if (one := attempt.at(at(moment)))]
        shown.sort(key=lambda one: (one.ended or one.created or T0, one.id))
        size = rng.randint(1, 5)
        for start in range(0, len(shown), size):
            page = shown[start : start + size]
            rng.shuffle(page)
            book.see(moment, *page, is_last=start + size >= len(shown))

    told = [event.session.id for event in book.told if event.session]
    assert sorted(told) == sorted(attempt.id for attempt in tries if not attempt.more)
    for event in book.told:
        assert event.session is not None
        run = event.session.id.rpartition("-")[0]
        attempts = tuple(attempt.id for attempt in tries if attempt.id.rpartition("-")[0] == run)
        assert event.attempts == (attempts if len(attempts) > 1 else ())
