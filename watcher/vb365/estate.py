"""Reading what a server says of itself besides jobs and sessions: each part by itself, none of them fails a look."""

import logging
from collections.abc import Callable, Iterable
from typing import TypeVar

import anyio

from watcher.core.model import Failure, LookFailed
from watcher.core.watchdog.survey import Health, License, Part, Parts, Proxy, Repository
from watcher.vb365.api import Api
from watcher.vb365.decode import UnreadableError
from watcher.vb365.estate_rows import read_bucket, read_health, read_license, read_proxy, read_repository
from watcher.vb365.faults import NotFoundError
from watcher.vb365.pages import R, read_pages

logger = logging.getLogger(__name__)

WITHIN = 60.0
UNWELL = frozenset({503})
"""With this status an unhealthy server may send its report."""

_OF_ALL = frozenset({Failure.UNREACHABLE, Failure.TLS, Failure.TIMEOUT, Failure.LOGIN_REFUSED, Failure.BUSY})
"""Failures after which the other parts need not be asked for."""

_T = TypeVar("_T")


async def read_parts(api: Api, wanted: Iterable[Part]) -> Parts:
    """Read some parts, one request at a time. What fails is missing from the answer, and said in the log."""
    found = Parts()
    with anyio.move_on_after(WITHIN):
        for part in wanted:
            try:
                found = found.with_read(part, await _read(api, part))
            except NotFoundError:
                found = found.with_absent(part)
            except LookFailed as failure:
                _say(api, part, str(failure))
                if failure.kind in _OF_ALL:
                    break
    return found


async def _read(api: Api, part: Part) -> Health | License | tuple[Proxy, ...] | tuple[Repository, ...]:
    """Read one part; raises LookFailed, NotFoundError where the version does not serve it."""
    if part is Part.HEALTH:
        if not api.dialect.health:
            raise NotFoundError(Failure.NO_VERSION, "not served")
        return await _one(api, "Health", read_health, UNWELL)
    if part is Part.PROXIES:
        return await _rows(api, "Proxies", read_proxy)
    if part is Part.REPOSITORIES:
        return await _rows(api, "BackupRepositories", read_repository)
    if part is Part.BUCKETS:
        return () if api.dialect.nested_buckets else await _rows(api, "objectstoragerepositories", read_bucket)
    return await _one(api, "License", read_license)


async def _rows(api: Api, resource: str, read: Callable[..., R]) -> tuple[R, ...]:
    rows = {row.id: row for row in await read_pages(api, resource, read) if row.id}
    return tuple(rows.values())


async def _one(api: Api, resource: str, read: Callable[[bytes], _T], takes: frozenset[int] = frozenset()) -> _T:
    answer = await api.get(resource, takes=takes)
    try:
        return read(answer.body)
    except UnreadableError as error:
        raise LookFailed(Failure.BAD_ANSWER, f"{answer.where}: {error}") from None


def _say(api: Api, part: Part, why: str) -> None:
    """Say it once a connection; what is not read changes nothing."""
    word = f"survey {part}"
    level = logging.DEBUG if word in api.said else logging.INFO
    api.said.add(word)
    logger.log(level, "%s; the %s stay as they were last read", why, part)
