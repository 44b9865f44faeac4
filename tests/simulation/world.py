"""What surrounds the watcher in a simulation: servers and receivers that behave as their seed says, in virtual time."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

import anyio

from watcher.core.delivery import Parcel, Sent, Verdict
from watcher.core.event import Event
from watcher.core.model import Failure, Greeting, Job, LogLine, Look, LookFailed, Memory, Session

T0 = datetime(2026, 3, 1, 22, 0, tzinfo=UTC)
BAD, ENDS = ("Failed", "Warning", "Stopped"), ("Failed", "Warning", "Stopped", "Success", "Success", "Success")


def true_time() -> datetime:
    """Return the time that nobody's clock has set wrong."""
    return T0 + timedelta(seconds=anyio.current_time())


@dataclass
class JumpingClock:
    """The watcher's own clock, which somebody sets now and then. `jumps`: when (seconds), and by how much."""

    jumps: tuple[tuple[float, float], ...]

    def now(self) -> datetime:
        """Return what it shows."""
        gone = anyio.current_time()
        return true_time() + timedelta(seconds=sum(by for when, by in self.jumps if when <= gone))

    def ticks(self) -> float:
        """Return seconds that nobody can set."""
        return anyio.current_time()

    async def wait(self, event: anyio.Event, seconds: float) -> bool:
        """Wait for an event, whatever the clock shows."""
        with anyio.move_on_after(max(0.0, seconds)):
            await event.wait()
        return event.is_set()

    async def sleep(self, seconds: float) -> None:
        """Sleep, whatever the clock shows."""
        await anyio.sleep(max(0.0, seconds))


def history(rng: Random, server: int, span: float) -> tuple[Session, ...]:
    """Make the sessions of a server's jobs over a time in seconds, some of them before it begins: runs with retries."""
    runs: list[Session] = []
    for job in range(rng.randint(1, 3)):
        moment = rng.uniform(-3000, 0)
        while moment < span:
            retries, main = rng.choice((0, 0, 0, 1, 2)), f"{server}-{job}-{len(runs)}"
            for number in range(retries + 1):
                end = moment + rng.choice((1, 20, 300)) * rng.uniform(0.5, 2)
                runs.append(_attempt(rng, main, number, retries, f"{server}-{job}", _at(moment), _at(end)))
                moment = end + rng.choice((5, 60)) * rng.uniform(0.5, 2)
            moment += rng.choice((0, 0, 900)) * rng.uniform(0.5, 2)
    return tuple(runs)


def _attempt(rng: Random, main: str, number: int, retries: int, job: str, begun: datetime, ended: datetime) -> Session:
    """Make one attempt of a run; all but the last end badly, and say that they will be retried."""
    is_last = number == retries
    return Session(
        f"{main}r{number}" if number else main,
        rng.choice(ENDS if is_last else BAD[:2]),
        job,
        created=begun,
        ended=ended,
        retry_count=number,
        main_session_id=main if number else None,
        will_be_retried=not is_last,
    )


def _at(second: float) -> datetime:
    return T0 + timedelta(seconds=round(second))


@dataclass
class Server:
    """A server with its history; it fails and hangs as it likes until it is told to be calm."""

    name: str
    rng: Random
    runs: tuple[Session, ...]
    clock: JumpingClock
    calm: bool = False

    async def greet(self) -> Greeting:
        """Answer with a version and the skew of the other's clock."""
        await self._moods()
        return self._greeting()

    async def look(self, memory: Memory) -> Look:
        """Show all sessions as they are now, in an order of no meaning."""
        await self._moods()
        seen = [_as_of(run, true_time()) for run in self.runs if run.created and run.created <= true_time()]
        self.rng.shuffle(seen)
        jobs = {run.job_id: Job(run.job_id, f"job {run.job_id}") for run in self.runs if run.job_id}
        return Look(self._greeting(), tuple(seen), jobs=jobs)

    def confirm(self) -> None:
        """Nothing is kept here between two looks."""

    async def log_lines(self, session_id: str) -> tuple[LogLine, ...]:
        """Give a line, sometimes late."""
        await anyio.sleep(0 if self.calm else self.rng.choice((0, 0, 1, 20)))
        return (LogLine("error", f"something about {session_id}"),)

    def login_hash(self, salt: str) -> str:
        """Give a hash that never changes."""
        return salt

    def _greeting(self) -> Greeting:
        return Greeting("v8", f"installation-{self.name}", skew=true_time() - self.clock.now())

    async def _moods(self) -> None:
        if self.calm:
            return
        mood = self.rng.random()
        await anyio.sleep(self.rng.choice((0, 0.1, 2)) if mood < 0.9 else 100)
        if mood > 0.8:
            kinds = (Failure.UNREACHABLE, Failure.SERVER_ERROR, Failure.BUSY, Failure.BAD_ANSWER)
            raise LookFailed(self.rng.choice(kinds), "not today", wait=self.rng.choice((None, 30)))


def _as_of(run: Session, moment: datetime) -> Session:
    if run.ended and run.ended <= moment:
        return run
    return replace(run, status="Running", ended=None, will_be_retried=None)


def spoken_of(event: Event) -> tuple[str, ...]:
    """Return the sessions that an event speaks of: its own, and all attempts of its run."""
    return (*event.attempts, event.session.id) if event.session else event.attempts


@dataclass(frozen=True)
class Receipt:
    """One message that a receiver has got."""

    destination: str
    message: str
    events: tuple[Event, ...]
    generation: int
    number: int
    answered: Sent


@dataclass
class Receiver:
    """A channel whose receiver refuses, hangs, answers late or not at all, until it is told to be calm."""

    name: str
    concurrency: int
    destinations: tuple[str, ...]
    rng: Random
    generation: Callable[[], int]
    crash: Callable[[], None]
    calm: bool = False
    got: list[Receipt] = field(default_factory=list)
    refused: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def batch(self) -> int | None:
        """A program takes one event at a time or three, by its name; people take what is joined."""
        return None if self.concurrency == 1 else 1 if self.name.endswith(("0", "2")) else 3

    async def send(self, parcel: Parcel) -> Verdict:
        """Take a message, or not, and answer."""
        self.crash()
        mood = 0.0 if self.calm else self.rng.random()
        await anyio.sleep(0.05 if mood < 0.5 else self.rng.choice((0.2, 3, 40)))
        if mood < 0.65:
            return self._take(parcel, Sent.DELIVERED)
        if mood < 0.72:
            return self._take(parcel, Sent.UNKNOWN)
        if mood < 0.75:
            return Verdict(Sent.UNKNOWN, "the connection broke")
        if mood < 0.83:
            return Verdict(Sent.WAIT_UNTIL, "answered 429", self.rng.choice((2.0, 60.0, 600.0)))
        if mood < 0.85:
            self.refused |= {event.id: spoken_of(event) for event in parcel.events}
            return Verdict(Sent.REFUSED, "answered 400")
        return Verdict(Sent.TRY_AGAIN, "answered 500")

    def _take(self, parcel: Parcel, answered: Sent) -> Verdict:
        receipt = Receipt(
            parcel.destination, parcel.message_id, parcel.events, self.generation(), len(self.got), answered
        )
        self.got.append(receipt)
        self.crash()
        return Verdict(answered, "" if answered == Sent.DELIVERED else "no answer")
