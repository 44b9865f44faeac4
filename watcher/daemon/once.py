"""`run --once`: one look at every server, then what is due is sent, and the end."""

from collections.abc import Collection
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random

import anyio

from watcher.core.delivery import Sent, State
from watcher.core.model import LookFailed
from watcher.daemon.digesting import digest_once
from watcher.daemon.following import follow_up_once
from watcher.daemon.heartbeating import Pulse, heartbeat_once
from watcher.daemon.parts import Bench, OpenChannel, build_server, close_server
from watcher.daemon.pinging import Ping
from watcher.daemon.telling import Telling
from watcher.deliver import deliver_once
from watcher.desk import Handled
from watcher.guard import guard_once
from watcher.poll import poll_once
from watcher.settings import ServerSettings
from watcher.sweep import is_due, sweep_once
from watcher.vb365.server import Server
from watcher.watch import Report, Watch


@dataclass(slots=True)
class Round:
    """One round of everything. UnusableChannels and StoreError may be raised."""

    bench: Bench
    telling: Telling
    rng: Random
    reports: list[Report] = field(default_factory=list)
    still_open: int = 0
    jobs: dict[str, Collection[str]] = field(default_factory=dict)

    async def run(self) -> bool:
        """Return whether every look succeeded and nothing that was due is still open."""
        channels = await self.bench.channels.open()
        async with AsyncExitStack() as stack, anyio.create_task_group() as looks:
            for server in self.bench.settings.servers:
                if server.enabled:
                    source = build_server(server, self.bench.clock, self.bench.settings.watch)
                    stack.push_async_callback(close_server, source)
                    looks.start_soon(self._look, self.bench.watch(server, source), source, server)
        await self.bench.announce()
        policy = await self.bench.policy()
        self.telling.followed_up(await follow_up_once(self.bench, policy))
        await digest_once(self.bench, policy, self.bench.run_db)
        await heartbeat_once(self.bench, policy, self.bench.run_db, self.jobs)
        async with anyio.create_task_group() as sends:
            for channel in channels:
                sends.start_soon(self._send, channel)
        await self.bench.channels.aclose()
        is_good = not self.still_open and not any(report.failure for report in self.reports)
        if is_good and (url := self.bench.settings.heartbeat_url) is not None:
            await Pulse(Ping(url.reveal()), self.bench.clock, lambda: True).beat()
        return is_good

    async def _look(self, watch: Watch, source: Server, server: ServerSettings) -> None:
        report = await self._look_once(watch)
        if report.failure is None and is_due(watch, self.bench.clock.now()):
            report = await self._sweep(watch, source) or report
        if report.failure is None:
            guard = self.bench.guard(watch, source, server, may_doze=False)
            said = await guard_once(guard, await self.bench.policy(), now=self.bench.clock.now())
            self.telling.guarded(server.name, said)
        self.reports.append(report)

    async def _look_once(self, watch: Watch) -> Report:
        began = self.bench.clock.now()
        report = await poll_once(watch, now=began)
        if watch.has_looked:
            self.jobs[watch.watched.name] = watch.jobs.keys()
        self.telling.look(report, (self.bench.clock.now() - began).total_seconds(), None)
        return report

    async def _sweep(self, watch: Watch, source: Server) -> Report | None:
        """Look again for what a sweep has found, if it has; a sweep that fails comes again with the next round."""
        name = watch.watched.name
        try:
            missed = await sweep_once(watch, source, self.bench.store, now=self.bench.clock.now())
        except LookFailed as failure:
            self.telling.sweep_failed(name, failure)
            return None
        self.telling.swept(name, missed)
        report = None
        while watch.ear.hints and (report is None or report.failure is None):
            report = await self._look_once(watch)
        return report

    async def _send(self, channel: OpenChannel) -> None:
        """Send what is due until nothing is; a row that has to be tried again has had its turn."""
        desk = await self.bench.desk(channel)
        while handled := await deliver_once(desk, clock=self.bench.clock.now, rng=self.rng):
            self.telling.deliveries(handled)
            self.still_open += sum(_is_open(one) for one in handled)


def _is_open(handled: Handled) -> bool:
    """Whether it was due and is still owed; a receiver that named a time to come back has made it not due."""
    return handled.settlement.state == State.PENDING and handled.verdict.sent != Sent.WAIT_UNTIL
