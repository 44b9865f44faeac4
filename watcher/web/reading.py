"""What the pages and the JSON are read from, and how a database that cannot be read is told of."""

import logging
from collections.abc import Awaitable
from typing import Protocol, TypeVar

import anyio

from watcher.core.board import Asked, Overview, Tally
from watcher.core.delivery import State
from watcher.core.sheet import JobSheet
from watcher.core.silence import Silence
from watcher.core.standing import JobRow
from watcher.core.views import DeliveryView, SessionView, StatusView
from watcher.web.guard import one_line

READ_WITHIN = 5.0

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class Reader(Protocol):
    """What the database knows, newest first.

    Each method may raise. An error with the attribute `passing`, as the store's own have it, is taken to say in one
    sentence and without a secret what is wrong; of any other only its kind is told to the client.
    """

    async def status(self) -> StatusView: ...
    async def sessions(self, limit: int) -> list[SessionView]: ...
    async def deliveries(self, state: State | None, limit: int) -> list[DeliveryView]: ...
    async def overview(self, asked: Asked) -> Overview: ...
    async def sheet(self, server: str, job: str) -> JobSheet | None: ...
    async def standings(self) -> list[JobRow]: ...
    async def tallies(self) -> dict[str, Tally]: ...
    async def silences(self, limit: int) -> list[Silence]: ...
    async def pulse(self) -> str: ...


class UnreadableError(Exception):
    """The database could not be read; the text is one sentence for anybody's eyes."""


async def read(reading: Awaitable[_T]) -> _T:
    """Await the database for a while; whatever it raises becomes one sentence that is safe to show."""
    try:
        with anyio.fail_after(READ_WITHIN):
            return await reading
    except TimeoutError:
        raise UnreadableError(f"the database did not answer within {READ_WITHIN:g} s") from None
    except Exception as error:  # noqa: BLE001 - a reader may be built on any database, and none may end the daemon
        _log.warning("the database could not be read: %s", one_line(error))
        vague = f"the database could not be read ({type(error).__name__}); the log says more"
        raise UnreadableError(str(error) if hasattr(error, "passing") else vague) from None
