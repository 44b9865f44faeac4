"""What a server says of itself besides jobs and sessions. Source: Veeam's manuals v3 to v5, OpenAPI files of v6 to v8.

Any value may be missing, and is then None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Part(StrEnum):
    """What can be asked for by itself; each may fail alone."""

    HEALTH = "health"
    PROXIES = "proxies"
    REPOSITORIES = "repositories"
    BUCKETS = "object storage"
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
    """What was read last of each part; None for what was never read or not for long, or is not served.

    `buckets`: object storages that have a listing of their own (up to v7). `since`: from when on it was read without a
    long break, on our clock; None where that does not matter.
    """

    health: Health | None = None
    proxies: tuple[Proxy, ...] | None = None
    repositories: tuple[Repository, ...] | None = None
    buckets: tuple[Repository, ...] | None = None
    license: License | None = None
    since: datetime | None = None


FIELDS: Mapping[Part, str] = {
    Part.HEALTH: "health",
    Part.PROXIES: "proxies",
    Part.REPOSITORIES: "repositories",
    Part.BUCKETS: "buckets",
    Part.LICENSE: "license",
}
"""Where each part stands in a survey."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What one round of questions brought: values as in Survey; `absent`: parts that this server does not serve."""

    read: Mapping[Part, Any] = field(default_factory=dict)
    absent: frozenset[Part] = frozenset()

    def with_read(self, part: Part, value: Health | tuple[Proxy, ...] | tuple[Repository, ...] | License) -> "Parts":
        """Return these, with one more."""
        return Parts({**self.read, part: value}, self.absent)

    def with_absent(self, part: Part) -> "Parts":
        """Return these, with one more that is not served."""
        return Parts(self.read, self.absent | {part})


NO_SURVEY = Survey()
"""What is known before anything was read."""
