"""How this server answers where the manuals are silent or contradict one another.

Each default is the likeliest; the other ways are there for tests. None of them is a fault: a client has to live
with all.
"""

from dataclasses import dataclass
from enum import StrEnum


class OpenEnd(StrEnum):
    """What `endTime` shows while a session has not ended."""

    MISSING = "missing"
    NULL = "null"
    YEAR_1 = "0001-01-01T00:00:00Z"
    YEAR_9999 = "9999-12-31T23:59:59.9999999Z"


class MainSession(StrEnum):
    """What `mainSessionId` shows on a session that is no retry (v7, v8)."""

    ABSENT = "absent"
    NULL = "null"
    ZERO = "00000000-0000-0000-0000-000000000000"
    OWN = "own"


class Bound(StrEnum):
    """Which time `endTimeLowerBound` and `endTimeUpperBound` compare: their name says one, their text the other."""

    ENDED = "ended"
    CREATED = "created"


class Order(StrEnum):
    """The order of a session listing by creation; no version promises one."""

    NEWEST = "newest"
    OLDEST = "oldest"
    SHUFFLED = "shuffled"


class Echo(StrEnum):
    """What a page says of its own `limit` and `offset`: the truth, what was asked, nonsense, or nothing."""

    TRUE = "true"
    ASKED = "asked"
    WRONG = "wrong"
    MISSING = "missing"


class LogShape(StrEnum):
    """The body of LogItems before v6: the manuals show an array, clients in the field read a page."""

    ARRAY = "array"
    PAGE = "page"


@dataclass(slots=True)
class Quirks:
    """The switches; change them at any time.

    open_end: None is the likeliest of the version (missing up to v6, null from v7).
    verdict_late: `jobWillBeRetried` is null in the first answer that shows a session ended.
    bound_shows_open: a bound on end times lets sessions without an end pass.
    page_cap: rows a page holds at most, whatever was asked. next_links: pages carry `_links.next`.
    service_instance: None is the likeliest of the version (served from v6).
    error_prefix: what stands before an error in a log title up to v7.
    copy_rel: the name of the link from a copy session to its job (v6, v7).
    antiforgery: a pair asked for without `disable_antiforgery_token` works only with its cookie (v7, v8).
    refusal_status, refusal_body: how a bad login is answered from v6.
    events: /Events is served (v8). outdated_status: how it refuses a token. event_hold: the longest it keeps a request,
    in seconds.
    health_status: the HTTP status of an unhealthy Health.
    """

    open_end: OpenEnd | None = None
    main_session: MainSession = MainSession.ABSENT
    verdict_late: bool = False
    bound: Bound = Bound.ENDED
    bound_shows_open: bool = False
    order: Order = Order.NEWEST
    page_cap: int | None = None
    echo: Echo = Echo.TRUE
    next_links: bool = True
    log_shape: LogShape = LogShape.PAGE
    service_instance: bool | None = None
    error_prefix: str = "Error"
    copy_rel: str = "job"
    antiforgery: bool = True
    refusal_status: int = 400
    refusal_body: bool = True
    events: bool = True
    outdated_status: int = 400
    event_hold: float = 60.0
    health_status: int = 200
