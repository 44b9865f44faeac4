"""`watcher run`: the store, the signals and the exit code around the loops."""

import gc
import logging
import os
import signal
import socket
from collections.abc import Callable
from random import Random, SystemRandom

import anyio
from anyio.abc import TaskStatus

from watcher.clock import Clock
from watcher.core.render.heartbeat import line as status_line
from watcher.daemon import lookups
from watcher.daemon.loops import leaf
from watcher.daemon.once import Round
from watcher.daemon.parts import Bench, Channels, Threaded, UnusableChannels, open_channels
from watcher.daemon.shift import Shift
from watcher.daemon.telling import Telling
from watcher.sdnotify import Notifier
from watcher.settings import Settings, SettingsError
from watcher.store import NewerDatabase, Store, StoreError, open_store
from watcher.web.health import Health
from watcher.web.metrics import Metrics

log = logging.getLogger("watcher")

OK, FAILED, WRONG_SETTINGS = 0, 1, 2
STATUS_SOON, STATUS_EVERY = 2.0, 15.0


def run(settings: Settings, *, once: bool, reload: Callable[[], Settings], clock: Clock | None = None) -> int:
    """Run the daemon, or one round of it; return the exit code. `reload` reads the settings anew, or SettingsError."""
    try:
        store = open_store(settings.database_url.reveal())
    except StoreError as error:
        log.error("%s", error)
        return WRONG_SETTINGS if isinstance(error, NewerDatabase) else FAILED
    try:
        return _run(settings, store, once=once, reload=reload, clock=clock or Clock())
    except UnusableChannels as error:
        return _unusable(error.problems)
    except StoreError as error:
        log.error("%s", error)
        return FAILED
    finally:
        store.close()


def spare_the_collector() -> None:
    """Let Python look for cycles less often: there are hardly any, and each search walks through all that is claimed.

    It is a quarter of the work with a full outbox.
    """
    gc.set_threshold(50_000, 20, 50)


def _run(settings: Settings, store: Store, *, once: bool, reload: Callable[[], Settings], clock: Clock) -> int:
    spare_the_collector()
    owner = f"{socket.gethostname()}:{os.getpid()}"
    store.hold()
    store.take_over(owner)
    if once:
        return OK if anyio.run(_round, settings, store, owner, clock) else FAILED
    return anyio.run(Daemon(settings, store, owner, reload, clock, Notifier(os.environ)).run)


async def _round(settings: Settings, store: Store, owner: str, clock: Clock) -> bool:
    lookups.install()
    bench = Bench(settings, store, Threaded(), clock, Channels(settings), owner, is_hasty=True)
    try:
        return await Round(bench, Telling(Metrics()), SystemRandom()).run()
    except* StoreError as errors:
        raise leaf(errors) from None
    except* UnusableChannels as errors:
        raise leaf(errors) from None


def _unusable(problems: tuple[str, ...]) -> int:
    for problem in problems:
        log.error("%s", problem)
    return WRONG_SETTINGS


class Daemon:
    """One shift after the other: a new one for each set of settings that SIGHUP brings and that holds."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        owner: str,
        reload: Callable[[], Settings],
        clock: Clock,
        notifier: Notifier,
    ) -> None:
        """Keep what outlives a shift: the store, the metrics, the health."""
        self._store = store
        self._owner = owner
        self._reload = reload
        self._clock = clock
        self._notifier = notifier
        self._health = Health(started=clock.now(), pace=clock.speed)
        self._metrics = Metrics()
        self._shift: Shift = self._plan(settings, Channels(settings))
        self._next: Shift | None = None

    def _plan(self, settings: Settings, channels: Channels) -> Shift:
        bench = Bench(settings, self._store, Threaded(), self._clock, channels, self._owner)
        return Shift(bench, self._health, self._metrics, rng())

    async def run(self) -> int:
        """Run until a signal ends it; return the exit code."""
        lookups.install()
        async with anyio.create_task_group() as around:
            await around.start(self._take_signals)
            around.start_soon(self._feed_watchdog)
            around.start_soon(self._show_status)
            self._notifier.ready()
            self._say_what_is_watched()
            while True:
                await self._shift.run()
                if self._next is None:
                    break
                self._shift, self._next = self._next, None
                self._notifier.ready()
                self._say_what_is_watched()
            around.cancel_scope.cancel()
        return _unusable(self._shift.problems) if self._shift.problems else OK

    async def _take_signals(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            task_status.started()
            async for number in signals:
                if number == signal.SIGHUP:
                    await self._read_settings_anew()
                    continue
                log.info("%s: no new look; what is in flight may finish", signal.Signals(number).name)
                self._notifier.stopping()
                self._next = None
                self._shift.bench.run_db.is_ending = True
                self._shift.stop.set()

    async def _read_settings_anew(self) -> None:
        """Put new settings in force if they hold, channels included; otherwise the old ones stay, and it is said."""
        self._notifier.reloading()
        try:
            settings = self._reload()
            opened = await open_channels(settings)
        except (SettingsError, UnusableChannels) as error:
            for problem in error.problems:
                log.error("%s", problem)
            log.error("the new settings do not hold; the old ones stay in force")
            self._notifier.ready()
            return
        if settings.database_url != self._shift.bench.settings.database_url:
            log.warning("WATCHER_DATABASE_URL has changed: the database in use stays until the next restart")
        log.info("new settings in force")
        self._next = self._plan(settings, Channels(settings, opened))
        self._shift.stop.set()

    async def _feed_watchdog(self) -> None:
        interval = self._notifier.watchdog_interval()
        while interval is not None:
            if not self._health.stuck(self._clock.now()):
                self._notifier.watchdog()
            await anyio.sleep(interval)

    async def _show_status(self) -> None:
        """Keep the line in `systemctl status` up to date: what is stuck, or how all stands in a few numbers."""
        reading, pause = Threaded(only_reads=True), STATUS_SOON
        while self._notifier.is_heard:
            await anyio.sleep(pause)
            pause = STATUS_EVERY
            stuck = self._health.stuck(self._clock.now())
            try:
                standing = await reading(self._store.standing)
                line = status_line(standing, self._shift.jobs)
            except StoreError as error:
                line = str(error)
            self._notifier.status("; ".join([*stuck, line]))

    def _summary(self) -> str:
        settings = self._shift.bench.settings
        servers, channels = len(settings.servers), len(settings.channels)
        return f"watching {_count(servers, 'server')}, telling {_count(channels, 'channel')}"

    def _say_what_is_watched(self) -> None:
        self._notifier.status(self._summary())
        log.info("%s", self._summary())


def rng() -> Random:
    """Return the source of jitter; nothing about it has to be repeatable outside of tests."""
    return SystemRandom()


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
