"""Days of servers and channels in virtual time: the real loops' passes on the real store, read as a person would."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import TypeVar
from zoneinfo import ZoneInfo

from watcher.core.delivery import Parcel, Sent, Verdict
from watcher.core.followup import follow_up
from watcher.core.model import Failure, Greeting, Job, LogLine, Look, LookFailed, Memory, Session
from watcher.core.page import Rules
from watcher.core.policy import Policy, Route
from watcher.core.render import Format, Message, Style, render
from watcher.core.silence import Silence
from watcher.core.wanted import DEFAULT_NOTIFY_ON, events_named
from watcher.deliver import deliver_once
from watcher.desk import Desk
from watcher.poll import poll_once
from watcher.store import Store, open_store
from watcher.watch import Watch, Watched

T = TypeVar("T")
ZURICH = ZoneInfo("Europe/Zurich")
USUAL = events_named(DEFAULT_NOTIFY_ON)
PLAIN = Style(Format.TEXT, 30_000, 200)


@dataclass
class Estate:
    """A server that shows what its jobs do."""

    jobs: dict[str, Job] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    logs: dict[str, tuple[LogLine, ...]] = field(default_factory=dict)
    failure: LookFailed | None = None

    async def greet(self) -> Greeting:
        return Greeting("v8", "0f0f0f0f-0000-4000-8000-000000000001", "8.4.0.1457", timedelta(0))

    async def look(self, memory: Memory) -> Look:
        if self.failure:
            raise self.failure
        return Look(await self.greet(), tuple(self.sessions.values()), jobs=self.jobs)

    def confirm(self) -> None:
        """Nothing to confirm."""

    async def log_lines(self, session_id: str) -> tuple[LogLine, ...]:
        return self.logs.get(session_id, ())

    def login_hash(self, salt: str) -> str:
        return salt


@dataclass
class Room:
    """A channel that keeps what people read in it."""

    name: str
    clock: Callable[[], datetime]
    style: Style = PLAIN
    concurrency: int = 1
    read: list[tuple[datetime, Message]] = field(default_factory=list)

    async def send(self, parcel: Parcel) -> Verdict:
        self.read.append((self.clock(), render(parcel.events, self.style, ZURICH, held=parcel.held)))
        return Verdict(Sent.DELIVERED)


class Life:
    """One server named HQ, its rooms, and the time, which goes on by `until`."""

    def __init__(self, begins: str, *routes: Route, rooms: tuple[str, ...] = ("ops",)) -> None:
        self.now = self.local(begins)
        self.store: Store = open_store("sqlite://")
        self.rooms = {name: Room(name, lambda: self.now) for name in rooms}
        self.policy = Policy(
            routes or (Route("all", USUAL, group_wait=timedelta(seconds=10)),), {name: (name,) for name in rooms}
        )
        self.server = Estate()
        self.number = 0

        async def rules() -> Rules:
            return Rules(self.policy, timedelta(seconds=30))

        self.rules = rules
        self.restart()

    def restart(self) -> None:
        """Forget all that is not in the store."""
        watched = Watched("HQ", "https://hq:4443", timedelta(0), timedelta(days=400))
        self.watch = Watch(watched, self.server, self.store, direct, self.rules)

    def follow(self, main: str) -> None:
        """Make the latest run a retry of another."""
        name, session = next(reversed(self.server.sessions.items()))
        self.server.sessions[name] = replace(session, main_session_id=main, retry_count=1)

    def local(self, text: str) -> datetime:
        """Read a time of Zurich."""
        return datetime.fromisoformat(text).replace(tzinfo=ZURICH)

    async def ends(self, at: str, job: str, status: str, *lines: LogLine, retried: bool | None = None) -> None:
        """Live on until a job's run ends so, twenty minutes after it began, and look."""
        await self.until(at)
        self.end(job, status, *lines, retried=retried)
        await self.pass_by()

    def end(self, job: str, status: str, *lines: LogLine, retried: bool | None = None) -> None:
        """Let a run end now."""
        self.number += 1
        name = f"{self.number:08d}-session"
        self.server.jobs.setdefault(job, Job(job, job, organization="contoso.onmicrosoft.com"))
        self.server.logs[name] = lines
        began = self.now - timedelta(minutes=20)
        session = Session(name, status, job, created=began, ended=self.now, will_be_retried=retried)
        self.server.sessions[name] = session

    async def until(self, text: str, step: timedelta = timedelta(minutes=5)) -> None:
        """Live on until a time, looking and sending every so often."""
        end = self.local(text)
        while self.now < end:
            await self.pass_by()
            self.now = min(self.now + step, end)

    async def pass_by(self) -> None:
        """Do what the loops do at one moment."""
        now = self.now
        report = await poll_once(self.watch, now=now)
        assert report.failure is (self.server.failure.kind if self.server.failure else None), report.text
        self.store.follow_up(lambda diary: follow_up(diary, self.policy, now), now=now, with_failing=True)
        for room in self.rooms.values():
            desk = Desk(room, self.store, direct, "me", str, policy=self.policy)
            await deliver_once(desk, clock=lambda: self.now, rng=Random(1))

    def break_off(self) -> None:
        """Let the server answer no more."""
        text = "GET https://hq:4443/v8/JobSessions: the connection was refused"
        self.server.failure = LookFailed(Failure.UNREACHABLE, text)

    def silence(self, silence: Silence) -> int:
        """Set a silence from now on."""
        return self.store.silence(replace(silence, begins=self.now))

    def read(self, room: str = "ops") -> list[str]:
        """Return what was read in a room: when, and the message."""
        return [f"{when.astimezone(ZURICH):%a %H:%M}  {message.title}" for when, message in self.rooms[room].read]

    def whole(self, room: str = "ops") -> list[tuple[str, Message]]:
        """Return the messages of a room with the times at which they came."""
        return [(f"{when.astimezone(ZURICH):%a %d %b %H:%M}", message) for when, message in self.rooms[room].read]


async def direct(work: Callable[[], T]) -> T:
    return work()


FAILED = LogLine("error", "Failed to process site https://contoso.sharepoint.com/sites/hr: 404 Not Found")
SKIPPED = LogLine("warning", "Mailbox ann@contoso.com was skipped: no license")
LINES: Mapping[str, LogLine] = {"Failed": FAILED, "Warning": SKIPPED}
