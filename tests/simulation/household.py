"""The whole watcher over one seed: both loops, the real core, real SQL, and a crash at any call to it and any send."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from types import SimpleNamespace
from typing import Any, TypeVar

import anyio
import anyio.lowlevel
import trio
from trio.testing import MockClock

from tests.simulation.world import T0, JumpingClock, Receiver, Server, history, true_time
from watcher.core.page import Rules
from watcher.core.policy import Policy, Route
from watcher.core.wanted import events_named
from watcher.daemon import loops as loops_module
from watcher.daemon.loops import Loops
from watcher.daemon.telling import Telling
from watcher.desk import Desk
from watcher.store import Store, open_store
from watcher.watch import Watch, Watched
from watcher.web.health import Health
from watcher.web.metrics import Metrics

T = TypeVar("T")
WORDS = events_named(["failed", "warning", "stopped", "success", "channel"])
INTERVAL = 60.0
QUIET_WITHIN = 6 * 3600.0


class Crash(BaseException):
    """The end of a process: nothing of it runs after this, as after `kill -9`."""


@dataclass
class Life:
    """How long the process of one generation lives: so many steps, each a call to the store or a send."""

    left: float
    number: int
    dead: bool = False

    def step(self) -> None:
        """Count a step; raise Crash at the last one, and at every later one of a process that is dead."""
        self.left -= 1
        if self.dead or self.left < 0:
            self.dead = True
            raise Crash


@dataclass
class Household:
    """One seed's world, its database, and the processes that follow each other on it.

    `bug` may put something else in the place of the store, for bugs that are planted.
    """

    seed: int
    bug: Callable[[Store, Callable[[], None]], Any] = lambda store, _crash: store
    story: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        rng = Random(self.seed)
        self.rng = rng
        self.span = rng.choice((900.0, 2400.0))
        self.store = open_store("sqlite://")
        self.calm_since = T0
        self.clock = JumpingClock(
            tuple((rng.uniform(0, self.span), rng.choice((-200.0, -5.0, 5.0, 200.0))) for _ in range(rng.randint(0, 3)))
        )
        self.servers = [
            Server(f"server{n}", Random(rng.random()), history(rng, n, self.span), self.clock)
            for n in range(rng.randint(1, 2))
        ]
        self.life = Life(float("inf"), 0)
        self.receivers = [
            Receiver(
                f"channel{n}",
                rng.choice((1, 4)),
                tuple(f"place{n}{place}" for place in range(rng.randint(1, 2))),
                Random(rng.random()),
                lambda: self.life.number,
                self.step,
            )
            for n in range(rng.randint(1, 3))
        ]

    def step(self) -> None:
        """Take one step of the process that lives now."""
        self.life.step()

    def run(self) -> None:
        """Live through it, from the first look to the last delivery."""
        trio.run(self._live, clock=MockClock(autojump_threshold=0))

    async def _live(self) -> None:
        for number in range(self.rng.randint(1, 15)):
            self.life = Life(self.rng.choice((8, 20, 60, 200)) * self.rng.uniform(0.5, 2), number)
            try:
                async with anyio.create_task_group() as tasks:
                    self._start(tasks)
                    await anyio.sleep(max(1.0, self.span - anyio.current_time()))
                    tasks.cancel_scope.cancel()
                self.story.append(f"{anyio.current_time():8.0f} process {number} was ended")
            except BaseExceptionGroup as group:
                if group.split(Crash)[1] is not None:
                    raise
                self.story.append(f"{anyio.current_time():8.0f} process {number} crashed")
            self.life.dead = True
            await anyio.sleep(self.rng.choice((0, 3, 60)))
        await anyio.sleep(max(0.0, self.span - anyio.current_time()))
        await self._calm()

    async def _calm(self) -> None:
        """Let the last process run in a world without trouble until nothing is owed any more."""
        for server in self.servers:
            server.calm = True
        for receiver in self.receivers:
            receiver.calm = True
        self.life = Life(float("inf"), 99)
        began, self.calm_since = anyio.current_time(), true_time()
        async with anyio.create_task_group() as tasks:
            self._start(tasks)
            await anyio.sleep(600)
            while self.store.status(now=self.clock.now()).outbox.pending:
                await anyio.sleep(60)
                if anyio.current_time() - began > QUIET_WITHIN:
                    break
            tasks.cancel_scope.cancel()
        self.story.append(f"{anyio.current_time():8.0f} quiet")

    def _start(self, tasks: Any) -> None:
        """Start the loops of one process, with a memory of nothing but the store."""
        life, owner = self.life, f"process{self.life.number}"
        store = self.bug(self.store, life.step)

        async def run_db(work: Callable[[], T]) -> T:
            life.step()
            await anyio.lowlevel.checkpoint()
            result = work()
            life.step()
            return result

        self.store.take_over(owner)
        bench: Any = SimpleNamespace(clock=self.clock, store=store, run_db=run_db)
        loops = Loops(bench, Health(started=self.clock.now()), Telling(Metrics()), Random(self.rng.random()))
        places = {one.name: one.destinations for one in self.receivers}

        programs = frozenset(one.name for one in self.receivers if one.concurrency > 1)
        routes = (Route("all", WORDS, group_wait=timedelta(seconds=10)),)
        eager = frozenset(one.name for one in self.receivers if one.batch == 1)
        policy = Policy(routes, places, programs, claimant=owner, eager=eager)

        async def rules() -> Rules:
            return Rules(policy, timedelta(seconds=INTERVAL))

        for server in self.servers:
            watched = Watched(server.name, "https://it", timedelta(0), timedelta(days=400))
            tasks.start_soon(loops.poll, Watch(watched, server, store, run_db, rules), INTERVAL)
        for receiver in self.receivers:
            desk = Desk(receiver, store, run_db, owner, str, batch=receiver.batch, policy=policy)
            tasks.start_soon(loops.deliver, desk)


loops_module.LOOK_AT_OUTBOX_EVERY = 20.0  # a simulated hour has to cost little; the bell still rings at once
