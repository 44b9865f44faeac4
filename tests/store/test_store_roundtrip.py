"""Whatever a server can say comes back from every database as it went in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.store.store_values import NOW, meet, write
from watcher.core.event import Event, JobRef, ServerRef, Story
from watcher.core.model import Greeting, Job, JobType, LogLine, Session, Statistics
from watcher.core.record import End, Known, Outcome, Owed, Page, Refusal
from watcher.store import Store

TIMES = st.datetimes(timezones=st.just(UTC))
MAYBE = st.none() | TIMES
WORDS = st.text(max_size=20)  # NUL and all of Unicode; a lone surrogate cannot come out of a decoded answer
COUNTS = st.none() | st.integers()
STATISTICS = st.builds(Statistics, *[COUNTS] * 6, bottleneck=st.none() | WORDS)
SESSIONS = st.builds(
    Session,
    id=WORDS,
    status=WORDS | st.sampled_from(["Running", "Success", "Failed"]),
    job_id=st.none() | WORDS,
    job_type=st.none() | st.sampled_from(JobType),
    created=MAYBE,
    ended=MAYBE,
    progress=COUNTS,
    retry_count=COUNTS,
    main_session_id=st.none() | WORDS,
    will_be_retried=st.none() | st.booleans(),
    details=st.none() | WORDS,
    etag=COUNTS,
    statistics=STATISTICS,
)
KNOWN = st.builds(
    Known,
    session=SESSIONS,
    settled=st.lists(st.builds(End, WORDS, MAYBE), max_size=3).map(tuple),
    doubts=st.integers(0, 9),
    closed=st.booleans(),
    strange=st.lists(WORDS, max_size=2).map(tuple),
)
EVENTS = st.builds(
    Event,
    id=st.just(""),
    type=WORDS,
    server=st.builds(ServerRef, WORDS, st.none() | WORDS),
    happened=TIMES,
    decided=TIMES,
    late=st.booleans(),
    job=st.none() | st.builds(JobRef, WORDS, WORDS, st.none() | st.sampled_from(JobType), st.none() | WORDS),
    session=st.none() | SESSIONS,
    came_from=st.none() | WORDS,
    went_to=st.none() | WORDS,
    attempts=st.lists(WORDS, max_size=3).map(tuple),
    log=st.lists(st.builds(LogLine, WORDS, WORDS), max_size=3).map(tuple),
    reason=st.none() | WORDS,
    story=st.builds(Story, st.integers(0, 99), MAYBE, MAYBE),
)
OUTCOMES = st.builds(Outcome, WORDS.filter(lambda word: "\x00" not in word), MAYBE, st.integers(0, 999), MAYBE, MAYBE)

# The database is one for all examples of a test: each example overwrites or adds, which is part of the proof.
on_one_database = settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@on_one_database
@given(known=KNOWN, outcome=OUTCOMES)
def test_what_is_known_comes_back_as_it_was(store: Store, known: Known, outcome: Outcome) -> None:
    """A session of any content, and its job's outcome, are in the next ledger word for word."""
    server = meet(store)
    page = Page((known,), {"job-1": outcome})
    write(store, server.id, page)
    ledger = write(store, server.id, page)
    assert ledger.sessions == {known.session.id: known}
    assert ledger.outcomes == {"job-1": outcome}
    memory = store.memory(server.id, horizon=NOW)
    awaited = memory.open if known.session.is_of_job else memory.errands
    assert (known.session.id.replace("\x00", "\ufffd") in awaited) == known.is_open


@on_one_database
@given(event=EVENTS)
def test_an_event_comes_back_as_it_was(store: Store, event: Event) -> None:
    """What is claimed for sending is the event that was decided, word for word."""
    event = replace(event, id=uuid4().hex)
    write(store, meet(store).id, Page(events=(event,), owed=(Owed(event.id, "ops", "a\x00b"),)))
    (row,) = store.claim("ops", now=NOW, owner="me", lease=timedelta(days=1), limit=9)
    assert row.event == event


@on_one_database
@given(at=TIMES, skew=st.none() | st.timedeltas(timedelta(days=-900), timedelta(days=900)), words=WORDS)
@example(at=datetime.min.replace(tzinfo=UTC), skew=None, words="the first moment of the calendar")
@example(at=datetime.max.replace(tzinfo=UTC), skew=None, words="the last one")
def test_a_server_comes_back_as_it_was(store: Store, at: datetime, skew: timedelta | None, words: str) -> None:
    """Times keep their microseconds and come back in UTC, and the skew is the one that was seen."""
    server = meet(store)
    store.fail_look("HQ", now=at, error=words, refusal=Refusal(at, "salt", "hash"))
    assert store.refusal("HQ") == Refusal(at, "salt", "hash")
    store.finish_look(
        server.id, now=at, greeting=Greeting("v8", skew=skew), watermark=at, jobs={"j": Job("j", words, last_run=at)}
    )
    record = store.server("HQ")
    assert record is not None
    assert (record.last_poll, record.last_success, record.skew) == (at, at, skew)
    assert record.last_poll is not None
    assert record.last_poll.tzinfo is UTC
