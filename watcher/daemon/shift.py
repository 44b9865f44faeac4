"""One configuration in force: its loops from start to stop."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from random import Random

import anyio
from anyio.abc import TaskGroup

from watcher.daemon.beside import Listening, Nudge, Showing, Sweeping
from watcher.daemon.following import Following
from watcher.daemon.guarding import Guarding
from watcher.daemon.heartbeating import Pulse, is_well
from watcher.daemon.loops import Loops
from watcher.daemon.parts import Bench, Threaded, UnusableChannels, build_server, close_servers
from watcher.daemon.pinging import Ping
from watcher.daemon.site import ForThePage, Reading, serve_site
from watcher.daemon.telling import Telling
from watcher.daemon.turns import Turn, Turns
from watcher.settings import ServerSettings
from watcher.vb365.server import Server
from watcher.watch import Watch
from watcher.web.health import Health
from watcher.web.metrics import Metrics

GRACE = 9.0
"""Seconds that what is in flight has to finish: of the ten that an end may take, one is left for all the rest."""

CHANNELS_WITHIN = 1.5


@dataclass(slots=True)
class Shift:
    """The loops of one configuration. `stop` ends them; what is in flight then has some seconds to finish."""

    bench: Bench
    health: Health
    metrics: Metrics
    rng: Random
    stop: anyio.Event = field(default_factory=anyio.Event)
    problems: tuple[str, ...] = ()
    jobs: dict[str, Collection[str]] = field(default_factory=dict)

    async def run(self) -> None:
        """Run until `stop`; `problems` says afterwards which channels could not be used, if that ended it."""
        loops = Loops(self.bench, self.health, Telling(self.metrics), self.rng, jobs=self.jobs)
        showing = Showing(loops)
        watches = [self._watch(server) for server in self._servers()]
        self.health.expect([watch.watched.name for watch, _, _ in watches])
        async with anyio.create_task_group() as delivering:
            try:
                async with anyio.create_task_group() as looking:
                    for number, (watch, source, server) in enumerate(watches, start=1):
                        interval = server.poll_interval.total_seconds()
                        looking.start_soon(loops.poll, watch, interval, number / len(watches))
                        looking.start_soon(showing.show_reading, watch, source)
                    looking.start_soon(Turns(self.bench.clock).run, list(self._turns(loops, watches, looking)))
                    looking.start_soon(self._open_channels, loops, delivering)
                    looking.start_soon(self._site, loops)
                    looking.start_soon(loops.prune)
                    looking.start_soon(loops.bury)
                    looking.start_soon(Following(loops).run)
                    looking.start_soon(self._beat)
                    await self.stop.wait()
                    delivering.cancel_scope.deadline = anyio.current_time() + GRACE
                    loops.stop()
                    looking.cancel_scope.cancel()
            finally:
                await close_servers([source for _, source, _ in watches])
        await self.bench.channels.aclose()

    def _servers(self) -> list[ServerSettings]:
        return [server for server in self.bench.settings.servers if server.enabled]

    def _watch(self, server: ServerSettings) -> tuple[Watch, Server, ServerSettings]:
        source = build_server(server, self.bench.clock, self.bench.settings.watch)
        return self.bench.watch(server, source), source, server

    def _turns(
        self, loops: Loops, watches: Iterable[tuple[Watch, Server, ServerSettings]], looking: TaskGroup
    ) -> Iterator[Turn]:
        for watch, source, server in watches:
            yield Listening(loops, watch, source, Nudge(watch, looking))
            yield Sweeping(loops, watch, source)
            yield Guarding(loops, self.bench.guard(watch, source, server))

    async def _open_channels(self, loops: Loops, delivering: TaskGroup) -> None:
        """Open the channels once the first looks are under way, and start a deliver loop for each."""
        await loops.first_looks(CHANNELS_WITHIN)
        try:
            channels = await self.bench.channels.open()
        except UnusableChannels as error:
            self.problems = error.problems
            self.stop.set()
            return
        await loops.announce()
        for channel in channels:
            delivering.start_soon(loops.deliver, await self.bench.desk(channel))

    async def _beat(self) -> None:
        """Call whoever misses us otherwise."""
        url = self.bench.settings.heartbeat_url
        if url is not None:
            ping, clock = Ping(url.reveal()), self.bench.clock
            await Pulse(ping, clock, is_well(self.health, clock)).run()

    async def _site(self, loops: Loops) -> None:
        listen = self.bench.settings.listen
        if listen is None:
            return
        await loops.first_looks(CHANNELS_WITHIN)
        bench = self.bench
        reading = Reading(
            bench.store, Threaded(only_reads=True), bench.clock, bench.settings.silences, bench.rulebook()
        )
        await serve_site(listen, reading, self.health, self.metrics, ForThePage(bench, loops.bell.ring))
