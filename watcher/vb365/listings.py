"""The session listings of one look, for the versions that have pages: v8 by filters, v5 to v7 from the newest on."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from watcher.core.model import OPEN, Failure, Job, LookFailed, Memory, Session
from watcher.vb365.api import Api
from watcher.vb365.faults import NotFoundError
from watcher.vb365.pages import FULL_PAGE, read_pages, rows_of
from watcher.vb365.session_row import BadRow, read_session

logger = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=10)
SWEEP = timedelta(hours=26)
SHORT_PAGE = 100
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_ITS_OWN = frozenset({Failure.SERVER_ERROR, Failure.BAD_ANSWER, Failure.UNAUTHORIZED})
Row: TypeAlias = Session | BadRow


def reach(memory: Memory, *, server_now: datetime, is_sweep: bool) -> datetime:
    """Return how far back a look reaches, on the server's clock.

    From the watermark, at the first contact from the horizon, less an overlap; never from the future. A sweep reaches
    a day further: whether v8's `endTimeLowerBound` compares ends or creations, Veeam says both.
    """
    start = min(memory.watermark or memory.horizon, server_now)
    overlap = OVERLAP + (SWEEP if is_sweep else timedelta(0))
    return max(start, _LONG_AGO + overlap) - overlap


async def list_filtered(api: Api, since: datetime) -> list[Row]:
    """List what runs, then what ended since (v8): in this order what ends in between is seen as ended."""
    bound = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    running = await read_pages(api, "JobSessions", read_session, {"status": "Running"})
    return running + await read_pages(api, "JobSessions", read_session, {"endTimeLowerBound": bound})


async def list_newest(api: Api, memory: Memory, since: datetime) -> list[Row]:
    """List sessions from the newest on, until a whole page is over and older than what matters (v5 to v7).

    Tracked sessions of the last day are reached by pages; an older one is cheaper to read by its id.
    """
    near = (created for created in memory.open.values() if created and created > since - timedelta(days=1))
    first_page = FULL_PAGE if memory.watermark is None else SHORT_PAGE
    enough = _Enough(min((since, *near)))
    return await read_pages(api, "JobSessions", read_session, until=enough.is_reached, first_page=first_page)


class _Enough:
    """Whether the pages of a listing reach back far enough; for that they have to be in an order, newest first.

    No version promises one. Where neither creations nor ends fall from row to row, the listing is read to its end.
    """

    def __init__(self, stop: datetime) -> None:
        self._stop = stop
        self._sessions: list[Session] = []

    def is_reached(self, page: Sequence[Row]) -> bool:
        sessions = [row for row in page if isinstance(row, Session)]
        self._sessions += sessions
        return bool(sessions) and all(map(self._is_old, sessions)) and self._is_ordered()

    def _is_old(self, row: Session) -> bool:
        if not row.is_settled or row.created is None:
            return False
        return row.created < self._stop and (row.ended or row.created) < self._stop

    def _is_ordered(self) -> bool:
        return _falls(row.created for row in self._sessions) or _falls(row.ended for row in self._sessions)


def _falls(times: Iterable[datetime | None]) -> bool:
    """Whether times never rise by more than the overlap; where there is none, nothing is said."""
    lowest: datetime | None = None
    for time in times:
        if time is None:
            continue
        if lowest is not None and time > lowest + OVERLAP:
            return False
        lowest = time if lowest is None else min(lowest, time)
    return True


async def list_open_of_jobs(api: Api, rows: Iterable[Row], jobs: Mapping[str, Job]) -> list[Row]:
    """List sessions of jobs that are said to run, and of which the newest pages showed no open session (v5 to v7).

    For the first contact: later each open session is tracked. A job whose listing alone fails costs only itself.
    """
    shown = {row.job_id for row in rows if isinstance(row, Session) and not row.is_settled}
    found: list[Row] = []
    for job in jobs.values():
        if job.last_status in OPEN and job.id not in shown:
            found += await _first_page_of(api, job)
    return found


async def _first_page_of(api: Api, job: Job) -> list[Row]:
    resource, params = api.dialect.sessions_of(job.id)
    try:
        page = rows_of(await api.get(resource, {**params, "limit": str(SHORT_PAGE), "offset": "0"}))
    except NotFoundError:
        return []
    except LookFailed as failure:
        if failure.kind not in _ITS_OWN:
            raise
        logger.warning("%s; sessions of this job from before the first contact may be missed", failure)
        return []
    return [read_session(raw) for raw in page.rows]
