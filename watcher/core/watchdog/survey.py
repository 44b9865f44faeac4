"""What a server says of itself besides jobs and sessions. Source: Veeam's manuals v3 to v5, OpenAPI files of v6 to v8.

Any value may be missing, and is then None.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Part(StrEnum):
    """What can be asked for by itself; each may fail alone."""

    HEALTH = "health"
    PROXIES = "proxies"
    REPOSITORIES = "repositories"
    LICENSE = "license"


@dataclass(frozen=True, slots=True)
class Health:
    """`/Health` (v8). `ills`: the parts that are not healthy, each with its description, sorted."""

    is_healthy: bool
    ills: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proxy:
    """A machine that does the work. `in_maintenance` (v8): its service is stopped on purpose, or about to be."""

    id: str
    name: str
    is_online: bool | None = None
    in_maintenance: bool = False


@dataclass(frozen=True, slots=True)
class Repository:
    """A place for backups. `total` and `free` are bytes, and only given where percent means something.

    That is a disk, or an object storage with a size limit. `is_invalid` and `why` (v8): no backup and no restore.
    """

    id: str
    name: str
    total: int | None = None
    free: int | None = None
    is_invalid: bool | None = None
    why: str | None = None
    proxy_id: str | None = None


@dataclass(frozen=True, slots=True)
class License:
    """What the server is licensed for. `expires` is None for a community edition, `grace_ends` before v7."""

    id: str
    is_expired: bool = False
    expires: datetime | None = None
    grace_ends: datetime | None = None
    total: int | None = None
    used: int | None = None


@dataclass(frozen=True, slots=True)
class Survey:
    """What was read last of each part; None for what was never read, or is not served.

    `since`: from when on it was read without a long break, on the server's clock.
    """

    health: Health | None = None
    proxies: tuple[Proxy, ...] | None = None
    repositories: tuple[Repository, ...] | None = None
    license: License | None = None
    since: datetime | None = None


NO_SURVEY = Survey()
"""What is known before anything was read."""
