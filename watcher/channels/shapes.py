"""The shapes of what a webhook posts, with the names of the contract's section 5.

Structs, since thousands of events a second are made of them. What is None is left out; times are written with `Z`.
"""

from datetime import datetime

from msgspec import Struct


class Shape(Struct, omit_defaults=True, gc=False):
    """What all shapes have in common."""


class ServerShape(Shape):
    """The server that an event speaks of."""

    name: str
    installation_id: str | None = None


class ChannelShape(Shape):
    """The channel that is sick or well again."""

    name: str


class ThingShape(Shape):
    """A proxy, a repository or a license."""

    id: str
    name: str | None = None


class JobShape(Shape, kw_only=True):
    """The job behind a session; without an id where there is none, as behind a restore."""

    id: str | None = None
    name: str
    type: str | None = None
    organization: str | None = None


class StatisticsShape(Shape):
    """What a session has counted: bytes, items, and both a second."""

    processing_rate_bytes: int | None = None
    processing_rate_items: int | None = None
    read_rate_bytes: int | None = None
    write_rate_bytes: int | None = None
    transferred: int | None = None
    processed_objects: int | None = None
    bottleneck: str | None = None


class SessionShape(Shape):
    """A session; from `name` on for those that no job repeats."""

    id: str
    status: str
    creation_time: datetime | None = None
    end_time: datetime | None = None
    retry_count: int | None = None
    details: str | None = None
    name: str | None = None
    type: str | None = None
    scope_name: str | None = None
    initiated_by: str | None = None
    client_host: str | None = None
    reason: str | None = None
    retrieval_id: str | None = None
    repository_id: str | None = None
    statistics: StatisticsShape | None = None


class TransitionShape(Shape, rename={"went_from": "from"}):
    """What a session was, and is."""

    went_from: str | None = None
    to: str | None = None


class AttemptShape(Shape):
    """One session of a run with retries."""

    id: str


class JobDigestShape(Shape, kw_only=True):
    """What one job did in the period of a digest."""

    server: str
    job: str
    organization: str | None = None
    runs: int
    failures: int
    warnings: int
    stopped: int
    status: str
    moved: int | None = None
    moved_before: int | None = None
    last_good: datetime | None = None


class DigestShape(Shape):
    """All jobs over a period."""

    begins: datetime
    ends: datetime
    all_well: bool
    jobs: list[JobDigestShape]
    unreachable: list[str]


class HeartbeatShape(Shape, kw_only=True):
    """How the watcher is."""

    all_well: bool
    servers: int
    jobs: int | None = None
    running: int
    failing: int
    alarms: int
    pending: int
    dead: int
    unreachable: list[str]
    sick: list[str]
    stuck: list[str]


class DataShape(Shape, kw_only=True):
    """What an event is about."""

    server: ServerShape | None = None
    channel: ChannelShape | None = None
    proxy: ThingShape | None = None
    repository: ThingShape | None = None
    license: ThingShape | None = None
    job: JobShape | None = None
    session: SessionShape | None = None
    transition: TransitionShape | None = None
    late: bool
    attempts: list[AttemptShape] | None = None
    log: list[str] | None = None
    reason: str | None = None
    digest: DigestShape | None = None
    link: str | None = None
    heartbeat: HeartbeatShape | None = None


class CloudEvent(Shape, kw_only=True):
    """An event as the contract names its parts, without what it does not have."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str | None = None
    time: datetime
    datacontenttype: str
    data: DataShape
