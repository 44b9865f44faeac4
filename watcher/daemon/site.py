"""The daemon's own HTTP side: what the page reads, and serving it; a port in use is a warning, not an end."""

import logging
from dataclasses import dataclass

import anyio

from watcher.clock import Clock
from watcher.core.delivery import State
from watcher.core.views import DeliveryView, SessionView, StatusView
from watcher.daemon.parts import Threaded
from watcher.settings.model import Listen
from watcher.store import Store
from watcher.web.health import Health
from watcher.web.metrics import Metrics

log = logging.getLogger("watcher")


@dataclass(slots=True)
class Reading:
    """The reads of the store that the web side makes, off the event loop."""

    store: Store
    run_db: Threaded
    clock: Clock

    async def status(self) -> StatusView:
        """Return what `/api/status` shows."""
        return await self.run_db(lambda: self.store.status(now=self.clock.now()))

    async def sessions(self, limit: int) -> list[SessionView]:
        """Return the newest sessions."""
        return await self.run_db(lambda: self.store.sessions(limit=limit))

    async def deliveries(self, state: State | None, limit: int) -> list[DeliveryView]:
        """Return the newest deliveries, all or those in one state."""
        return await self.run_db(lambda: self.store.deliveries(state=state, limit=limit))


async def serve_site(listen: Listen, reading: Reading, health: Health, metrics: Metrics) -> None:
    """Serve the status page, health, metrics and JSON until cancelled."""
    from watcher.web.app import create_app  # noqa: PLC0415 - starlette and uvicorn come after the first look
    from watcher.web.guard import hosts_for  # noqa: PLC0415
    from watcher.web.serve import serve  # noqa: PLC0415

    hosts = hosts_for(listen.host)
    app = create_app(reader=reading, health=health, metrics=metrics, now=reading.clock.now, allowed_hosts=hosts)
    try:
        async with serve(app, host=listen.host, port=listen.port) as url:
            log.info("status page at %s/", url)
            await anyio.sleep_forever()
    except OSError as error:
        where = f"{listen.host}:{listen.port}"
        log.warning("no status page: %s cannot be had (%s); WATCHER_LISTEN names another", where, error.strerror)
