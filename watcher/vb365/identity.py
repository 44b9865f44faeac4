"""Which installation answers, and by which clock: what one server says of itself, kept between looks."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from watcher.core.model import Greeting
from watcher.vb365.api import Api
from watcher.vb365.http import Http
from watcher.vb365.login import Login
from watcher.vb365.service import Service, read_service

logger = logging.getLogger(__name__)

SERVICE_EVERY = timedelta(minutes=10)


class Identity:
    """What a server says of itself; it is read every ten minutes, and again where another one may have answered."""

    def __init__(self, server: str, http: Http, login: Login, now: Callable[[], datetime]) -> None:
        """Take the server's name, for the log, and what reaches it."""
        self._server = server
        self._http = http
        self._login = login
        self._now = now
        self._service: Service | None = None
        self._read_at: datetime | None = None
        self._read_after = 0
        self._skew: timedelta | None = None
        self._is_dateless = False

    def doubt(self) -> None:
        """Have it read anew the next time."""
        self._read_at = None

    async def know(self, api: Api) -> None:
        """Read it where that is due. Raises LookFailed only for a refused login."""
        if is_past(self._read_at, SERVICE_EVERY, self._now()):
            await self._read(api)

    async def make_sure(self, api: Api, known: str | None) -> None:
        """Ask again who this is when a login was asked for in between, or when it was not who it should be."""
        answered = self._service.installation_id if self._service else None
        is_odd = known is not None and answered is not None and answered != known
        if is_odd or self._read_after != self._login.count:
            await self._read(api)

    def server_now(self) -> datetime:
        """Return the time by the server's clock."""
        return self._now() + (self._http.skew.value or self._skew or timedelta(0))

    def greeting(self, api: Api) -> Greeting:
        """Return what is known, with the skew that the answers since the last measuring show."""
        self._skew = self._http.skew.value
        if self._skew is None and not self._is_dateless:
            logger.warning("%s: its answers carry no Date, so its clock cannot be compared", self._server)
        self._is_dateless = self._skew is None
        service = self._service or Service()
        return Greeting(api.dialect.version, service.installation_id, service.version, self._skew)

    async def _read(self, api: Api) -> None:
        self._read_after = self._login.count
        self._service = await read_service(api) or self._service
        self._read_at = self._now()


def is_past(mark: datetime | None, interval: timedelta, now: datetime) -> bool:
    """Whether an interval is over; a clock that was set back counts as over."""
    return mark is None or not timedelta(0) <= now - mark < interval
