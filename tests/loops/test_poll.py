"""One pass of the poll loop, on the real store in memory and a server that answers by script."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import anyio
import pytest

from watcher.core.delivery import State
from watcher.core.model import Failure, Greeting, Job, LogLine, Look, LookFailed, Memory, Session
from watcher.core.page import Rules
from watcher.core.policy import plain
from watcher.core.wanted import EVENTS
from watcher.poll import poll_once
from watcher.store import Store, open_store
from watcher.watch import Report, Watch, Watched

T = TypeVar("T")
T0 = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
HELLO = Greeting("v8", "0f0f0f0f-0000-4000-8000-000000000001", "8.4.0.1457", timedelta(0))
JOB = Job("j1", "Contoso - Mail", organization="Contoso")


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


@dataclass
class Script:
    """A server that says what the test tells it to say next, and remembers what it was asked."""

    sessions: tuple[Session, ...] = ()
    gone: frozenset[str] = frozenset()
    failure: LookFailed | None = None
    greeting: Greeting = HELLO
    jobs: dict[str, Job] = field(default_factory=lambda: {"j1": JOB})
    lines: tuple[LogLine, ...] = (LogLine("error", "Unauthorized."),)
    login: str = "one"
    slow_log: float = 0.0
    asked: list[Memory] = field(default_factory=list)
    greeted: int = 0
    confirmed: int = 0

    async def greet(self) -> Greeting:
        self.greeted += 1
        if self.failure:
            raise self.failure
        return self.greeting

    async def look(self, memory: Memory) -> Look:
        self.asked.append(memory)
        if self.failure:
            raise self.failure
        return Look(self.greeting, self.sessions, self.gone, jobs=self.jobs)

    def confirm(self) -> None:
        self.confirmed += 1

    async def log_lines(self, session_id: str) -> tuple[LogLine, ...]:
        await anyio.sleep(self.slow_log)
        return self.lines

    def login_hash(self, salt: str) -> str:
        return f"{salt}:{self.login}"


async def direct(work: Callable[[], T]) -> T:
    return work()


@pytest.fixture
def store() -> Iterator[Store]:
    store = open_store("sqlite://")
    yield store
    store.close()


def watching(store: Store, script: Script, *, lookback: timedelta = timedelta(0)) -> Watch:
    async def rules() -> Rules:
        return Rules(plain(EVENTS, {"chat": ("chat",)}), timedelta(seconds=30))

    watched = Watched("HQ", "https://vbo.example:4443", lookback, timedelta(days=400))
    return Watch(watched, script, store, direct, rules)


def running(session_id: str = "s1") -> Session:
    return Session(session_id, "Running", "j1", created=at(1))


def failed(session_id: str = "s1", minutes: float = 5) -> Session:
    return Session(session_id, "Failed", "j1", created=at(1), ended=at(minutes))


def types(report: Report) -> list[str]:
    return [event.type for event in report.events]


async def test_a_session_from_start_to_end(store: Store) -> None:
    """First contact says nothing; then each change is told once, with its log, and the row is owed."""
    script = Script()
    watch = watching(store, script)

    first = await poll_once(watch, now=at(0))
    script.sessions = (running(),)
    second = await poll_once(watch, now=at(2))
    script.sessions = (failed(),)
    third = await poll_once(watch, now=at(6))
    fourth = await poll_once(watch, now=at(7))

    assert [types(report) for report in (first, second, third, fourth)] == [
        [],
        ["session.started"],
        ["session.failed"],
        [],
    ]
    assert third.events[0].log == script.lines
    assert [row.event for row in store.deliveries(state=State.PENDING, limit=9)] == [
        "session.failed",
        "session.started",
    ]
    assert script.confirmed == 4


async def test_what_is_open_is_asked_for_and_the_watermark_moves(store: Store) -> None:
    """The next look knows which sessions are open and up to which end everything was seen."""
    script = Script(sessions=(running("open"), failed("over", 5)))
    watch = watching(store, script)

    await poll_once(watch, now=at(6))
    await poll_once(watch, now=at(7))

    assert script.asked[1].open == {"open": at(1)}
    assert script.asked[1].watermark == at(5)


async def test_an_end_in_the_future_does_not_move_the_watermark_past_now(store: Store) -> None:
    """A server whose clock jumped once must not hide what comes after."""
    script = Script(sessions=(failed("over", 5000),))
    watch = watching(store, script)

    await poll_once(watch, now=at(6))
    await poll_once(watch, now=at(7))

    assert script.asked[1].watermark == at(6)


async def test_first_contact_is_stored_before_any_session_is_read(store: Store) -> None:
    """A first look that fails after the greeting has to be begun again, and what ended meanwhile is news."""
    script = Script()
    watch = watching(store, script)
    await script.greet()
    watch_failing = replace(watch, source=_FailsToLook(script))

    report = await poll_once(watch_failing, now=at(0))
    script.sessions = (failed(minutes=3),)
    again = await poll_once(watching(store, script), now=at(60))

    assert report.failure == Failure.SERVER_ERROR
    assert types(again) == ["session.failed"]
    assert again.events[0].late is True


@dataclass
class _FailsToLook(Script):
    """Greets well, and fails to list."""

    def __init__(self, script: Script) -> None:
        super().__init__(greeting=script.greeting)

    async def look(self, memory: Memory) -> Look:
        raise LookFailed(Failure.SERVER_ERROR, "GET https://vbo.example:4443/v8/JobSessions: answered 503")


async def test_first_contact_is_on_the_servers_clock(store: Store) -> None:
    """A server an hour behind: what ended before first contact by its clock is history, what ended after is news."""
    behind = replace(HELLO, skew=timedelta(hours=-1))
    script = Script(greeting=behind)
    watch = watching(store, script)
    await poll_once(watch, now=at(0))

    script.sessions = (failed("old", -61), failed("new", -59))
    report = await poll_once(watch, now=at(2))

    assert [event.session.id for event in report.events if event.session] == ["new"]
    assert report.events[0].late is False


async def test_lookback_tells_of_the_recent_past(store: Store) -> None:
    """With a lookback, first contact tells of what ended within it, as late."""
    script = Script(sessions=(failed("old", -90), failed("recent", -30)))

    report = await poll_once(watching(store, script, lookback=timedelta(hours=1)), now=at(0))

    assert [(event.session.id, event.late) for event in report.events if event.session] == [("recent", True)]


async def test_a_failed_look_changes_nothing_but_the_servers_state(store: Store) -> None:
    """What a failed look would have shown is told by the next one."""
    script = Script()
    watch = watching(store, script)
    await poll_once(watch, now=at(0))

    script.failure = LookFailed(Failure.BAD_ANSWER, "GET https://vbo.example:4443/v8/JobSessions: HTML")
    report = await poll_once(watch, now=at(6))
    script.failure, script.sessions = None, (failed(),)
    after = await poll_once(watch, now=at(7))

    assert (report.failure, report.text) == (Failure.BAD_ANSWER, str(LookFailed(Failure.BAD_ANSWER, report.text)))
    assert types(after) == ["session.failed"]
    assert script.confirmed == 2


async def test_a_restart_makes_no_news(store: Store) -> None:
    """A new process over the same database tells nothing again."""
    script = Script(sessions=(failed(), running("s2")))
    await poll_once(watching(store, script), now=at(0))
    script.sessions = (failed(), failed("s2", 9))
    await poll_once(watching(store, script), now=at(10))

    again = await poll_once(watching(store, script), now=at(11))

    assert types(again) == []


async def test_a_missing_log_never_holds_a_message(store: Store) -> None:
    """A log that takes too long is left out after a few seconds."""
    script = Script(slow_log=3600)
    watch = watching(store, script)
    await poll_once(watch, now=at(0))
    script.sessions = (failed(),)

    report = await poll_once(watch, now=at(6))

    assert types(report) == ["session.failed"]
    assert report.events[0].log == ()


async def test_vanished_after_two_looks(store: Store) -> None:
    """A tracked session that answers 404 itself, twice, is told as vanished and asked for no more."""
    script = Script()
    watch = watching(store, script)
    await poll_once(watch, now=at(0))
    script.sessions = (running(),)
    await poll_once(watch, now=at(2))
    script.sessions, script.gone = (), frozenset({"s1"})

    reports = [await poll_once(watch, now=at(minutes)) for minutes in (3, 4, 5)]

    assert [types(report) for report in reports] == [[], ["session.vanished"], []]
    assert script.asked[-1].open == {}


async def test_a_refused_login_rests_over_restarts_until_it_changes(store: Store) -> None:
    """Accounts get locked by trying again: for five minutes the server is not asked, unless the login changes."""
    refused = LookFailed(Failure.LOGIN_REFUSED, "POST https://vbo.example:4443/v8/token: the login was refused")
    script = Script(failure=refused)
    await poll_once(watching(store, script), now=at(0))
    greeted = script.greeted

    resting = await poll_once(watching(store, script), now=at(4))
    changed = Script(login="another")
    with_new_login = await poll_once(watching(store, changed), now=at(4))

    assert (script.greeted, resting.failure) == (greeted, Failure.LOGIN_REFUSED)
    assert resting.wait == pytest.approx(60)
    assert with_new_login.failure is None


async def test_a_refused_login_is_tried_again_after_five_minutes(store: Store) -> None:
    """After the rest, the same login is tried once more, by the same process too."""
    script = Script(failure=LookFailed(Failure.LOGIN_REFUSED, "refused"))
    watch = watching(store, script)
    await poll_once(watch, now=at(0))
    await poll_once(watch, now=at(3))
    asked = script.greeted
    script.failure = None

    report = await poll_once(watch, now=at(5.1))

    assert asked == 1
    assert report.failure is None
    assert store.refusal("HQ") is None


async def test_a_job_that_stood_at_failed_recovers(store: Store) -> None:
    """How a job stood at first contact is known by `lastStatus`, where no end was shown."""
    script = Script(jobs={"j1": replace(JOB, last_status="Failed")})
    watch = watching(store, script)
    await poll_once(watch, now=at(0))
    script.sessions = (replace(failed(), status="Success"),)

    report = await poll_once(watch, now=at(6))

    assert types(report) == ["job.recovered"]


async def test_thousands_of_ends_in_one_look_are_told_in_order(store: Store) -> None:
    """Many pages of one look are written oldest first, so that failures are counted as they came."""
    script = Script(lines=())
    watch = watching(store, script)
    await poll_once(watch, now=at(0))
    script.sessions = tuple(failed(f"s{number}", 5 + number / 100) for number in range(1200, 0, -1))

    report = await poll_once(watch, now=at(30))

    assert len(report.events) == 1200
    assert [event.story.failures for event in report.events] == list(range(1, 1201))


async def test_an_end_that_waits_for_its_retry_is_stored(store: Store) -> None:
    """A new process knows of it, and a look that fails does not judge how long it has waited."""
    script = Script()
    await poll_once(watching(store, script), now=at(0))
    first = replace(failed(), will_be_retried=True, retry_count=0)
    script.sessions = (first,)
    held = await poll_once(watching(store, script), now=at(6))
    script.failure = LookFailed(Failure.UNREACHABLE, "no route")
    watch = watching(store, script)
    down = await poll_once(watch, now=at(200))
    script.failure = None
    told = await poll_once(watch, now=at(201))
    again = await poll_once(watch, now=at(202))

    assert [types(report) for report in (held, down, told, again)] == [[], [], ["session.failed"], []]
    assert told.events[0].log == script.lines
    assert told.owed == 1
    assert [[chain.attempts for chain in report.waiting] for report in (held, told)] == [[("s1",)], []]


async def test_a_run_speaks_once_over_a_restart(store: Store) -> None:
    """The last attempt is told by another process than the one that saw the first."""
    script = Script()
    await poll_once(watching(store, script), now=at(0))
    script.sessions = (replace(failed(), will_be_retried=True, retry_count=0),)
    await poll_once(watching(store, script), now=at(6))
    good = Session("s2", "Success", "j1", created=at(8), ended=at(9), retry_count=1, main_session_id="s1")
    script.sessions = (good,)
    report = await poll_once(watching(store, script), now=at(10))

    assert types(report) == ["session.success"]
    assert report.events[0].attempts == ("s1", "s2")


async def test_a_first_end_and_its_retry_in_one_look(store: Store) -> None:
    """After three hours of downtime nothing is told of the failure that the retry has mended."""
    script = Script()
    await poll_once(watching(store, script), now=at(0))
    good = Session("s2", "Success", "j1", created=at(8), ended=at(9), retry_count=1, main_session_id="s1")
    script.sessions = (good, replace(failed(), will_be_retried=True, retry_count=0))
    report = await poll_once(watching(store, script), now=at(190))

    assert types(report) == ["session.success"]


OTHER = replace(HELLO, installation_id="0f0f0f0f-0000-4000-8000-000000000002")


async def test_another_installation_is_believed_at_the_second_look(store: Store) -> None:
    """It is a new first contact: one event says so, and what it has in its history is no news."""
    script = Script(sessions=(running("old"),))
    watch = watching(store, script)
    await poll_once(watch, now=at(2))
    script.greeting, script.sessions = OTHER, (failed("theirs", 9),)
    reports = [await poll_once(watch, now=at(minutes)) for minutes in (10, 11, 12, 13)]
    script.sessions = (failed("theirs", 9), failed("new", 14))
    news = await poll_once(watch, now=at(15))

    assert [report.failure for report in reports] == [Failure.REPLACED, None, None, None]
    assert [types(report) for report in reports] == [[], ["server.replaced"], [], []]
    assert types(news) == ["session.failed"]
    assert news.events[0].server.installation_id == OTHER.installation_id
    assert script.asked[-1].open == {}
    assert [row.event for row in store.deliveries(state=State.PENDING, limit=9)] == [
        "session.failed",
        "server.replaced",
    ]


async def test_a_doubt_survives_a_restart(store: Store) -> None:
    """`run --once` from a timer has one look in each process."""
    script = Script()
    await poll_once(watching(store, script), now=at(0))
    script.greeting = OTHER
    first = await poll_once(watching(store, script), now=at(1))
    second = await poll_once(watching(store, script), now=at(2))

    assert first.failure == Failure.REPLACED
    assert types(second) == ["server.replaced"]


async def test_a_single_odd_answer_is_no_replacement(store: Store) -> None:
    """Between two answers of the known one, whoever answered is forgotten."""
    script = Script()
    watch = watching(store, script)
    for minute, greeting in enumerate((HELLO, OTHER, HELLO, OTHER, HELLO)):
        script.greeting = greeting
        report = await poll_once(watch, now=at(minute))
        assert types(report) == []
    script.sessions = (failed(),)
    assert types(await poll_once(watch, now=at(7))) == ["session.failed"]


async def test_the_first_installation_may_come_back(store: Store) -> None:
    """That is a replacement as well, and nothing that ended in between is told."""
    script = Script()
    watch = watching(store, script)
    told = []
    for minute, greeting in enumerate((HELLO, OTHER, OTHER, OTHER, HELLO, HELLO, HELLO)):
        script.greeting = greeting
        script.sessions = (failed("between", 3),) if minute >= 4 else ()
        told += types(await poll_once(watch, now=at(minute)))
    assert told == ["server.replaced", "server.replaced"]
