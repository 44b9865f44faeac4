"""The daemon's own HTTP side: what the page reads, and serving it; a port in use is a warning, not an end."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import anyio

from watcher.clock import Clock
from watcher.core.board import Asked, Overview, Tally
from watcher.core.delivery import State, Verdict
from watcher.core.sheet import JobSheet
from watcher.core.silence import Silence
from watcher.core.standing import JobRow
from watcher.core.views import DeliveryView, KnownJob, Revived, SessionView, StatusView, Trial
from watcher.core.watchdog.limits import Rulebook
from watcher.daemon.parts import Bench, Threaded
from watcher.daemon.trial import is_delivered, send_tests
from watcher.logs import Redactor
from watcher.settings.model import Listen
from watcher.store import Store
from watcher.web.health import Health
from watcher.web.metrics import Metrics

log = logging.getLogger("watcher")


@dataclass(slots=True)
class Reading:
    """The reads of the store that the web side makes, off the event loop. `silenced`: the silences of the settings.

    `rulebook`: the limits of the watchdogs.
    """

    store: Store
    run_db: Threaded
    clock: Clock
    silenced: tuple[Silence, ...] = ()
    rulebook: Rulebook = field(default_factory=Rulebook)

    async def status(self) -> StatusView:
        """Return what `/api/status` shows."""
        return await self.run_db(lambda: self.store.status(now=self.clock.now()))

    async def sessions(self, limit: int) -> list[SessionView]:
        """Return the newest sessions."""
        return await self.run_db(lambda: self.store.sessions(limit=limit))

    async def deliveries(self, state: State | None, limit: int) -> list[DeliveryView]:
        """Return the newest deliveries, all or those in one state."""
        return await self.run_db(lambda: self.store.deliveries(state=state, limit=limit))

    async def overview(self, asked: Asked) -> Overview:
        """Return how everything stands."""
        found = await self.run_db(lambda: self.store.overview(asked, now=self.clock.now()))
        return replace(found, silences=(*self.silenced, *found.silences))

    async def sheet(self, server: str, job: str) -> JobSheet | None:
        """Return all that is known of one job."""
        found = await self.run_db(lambda: self.store.sheet(server, job, now=self.clock.now()))
        return replace(found.by(self.rulebook), silences=(*self.silenced, *found.silences)) if found else None

    async def standings(self) -> list[JobRow]:
        """Return how every job stands."""
        return await self.run_db(self.store.standings)

    async def tallies(self) -> dict[str, Tally]:
        """Return how many jobs of each server stand how."""
        return await self.run_db(lambda: self.store.tallies(now=self.clock.now()))

    async def silences(self, limit: int) -> list[Silence]:
        """Return the silences that were set last."""
        return await self.run_db(lambda: self.store.silences(limit=limit))

    async def pulse(self) -> str:
        """Return what changes whenever there is something new to see."""
        return await self.run_db(self.store.pulse)


@dataclass(frozen=True, slots=True)
class ForThePage:
    """What the page may do: the same as the commands, through the store and the channels that are open."""

    bench: Bench
    ring: Callable[[], None]

    async def known_job(self, server: str, job: str) -> KnownJob | None:
        """Return a job by its server's name and its id."""
        known = await self.bench.run_db(self.bench.store.known_jobs)
        return next((one for one in known if one.server == server and one.job.id == job), None)

    async def silence(self, silence: Silence) -> int:
        """Set a silence."""
        return await self.bench.run_db(lambda: self.bench.store.silence(silence))

    async def end_silence(self, number: int) -> bool:
        """End a silence now."""
        now = self.bench.clock.now()
        return await self.bench.run_db(lambda: self.bench.store.end_silence(number, now=now))

    async def retry(self, ids: tuple[int, ...]) -> Revived:
        """Put dead deliveries back."""
        now = self.bench.clock.now()
        revived = await self.bench.run_db(lambda: self.bench.store.revive(ids, to=None, now=now))
        self.ring()
        return revived

    async def test(self, channel: str) -> tuple[Trial, ...] | None:
        """Send a test message through a channel; None for one that is not in the settings."""
        found = next((one for one in await self.bench.channels.ready() if one.name == channel), None)
        if found is None:
            return None
        clean = Redactor(self.bench.settings.secret_values()).clean
        tests = send_tests(found, self.bench.clock.now(), "somebody on the page")
        return tuple([Trial(place, _why_not(one, clean)) async for place, one in tests])


def _why_not(verdict: Verdict, clean: Callable[[str], str]) -> str:
    return "" if is_delivered(verdict) else clean(verdict.reason) or "it was not delivered"


async def serve_site(listen: Listen, reading: Reading, health: Health, metrics: Metrics, hands: ForThePage) -> None:
    """Serve the status page, health, metrics and JSON until cancelled."""
    from watcher.web.app import Acting, create_app  # noqa: PLC0415 - starlette and uvicorn come after the first look
    from watcher.web.guard import hosts_for  # noqa: PLC0415
    from watcher.web.serve import serve, why_not_bound  # noqa: PLC0415

    settings = hands.bench.settings
    token = settings.admin_token.reveal() if settings.admin_token else None
    app = create_app(
        reader=reading,
        health=health,
        metrics=metrics,
        now=reading.clock.now,
        allowed_hosts=hosts_for(listen.host, settings.public_url),
        zone=settings.timezone,
        acting=Acting(hands, token, is_https=(settings.public_url or "").startswith("https://")),
    )
    try:
        async with serve(app, host=listen.host, port=listen.port) as url:
            log.info("status page at %s/", url)
            try:
                await anyio.sleep_forever()
            finally:
                app.state.live.stopping.set()
    except OSError as error:
        where = f"{listen.host}:{listen.port}"
        log.warning("no status page: %s cannot be had (%s); WATCHER_LISTEN names another", where, why_not_bound(error))
