"""The session listings of one look, for the versions that have pages: v8 by filters, v5 to v7 from the newest on."""

import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TypeAlias

from watcher.core.model import OPEN, OVERLAP, Failure, Job, LookFailed, Memory, Session
from watcher.vb365.api import Api
from watcher.vb365.dialect import Listing
from watcher.vb365.faults import NotFoundError
from watcher.vb365.pages import FULL_PAGE, read_pages, rows_of, turn_pages
from watcher.vb365.session_row import BadRow, read_session

logger = logging.getLogger(__name__)

LONGEST_RUN = timedelta(hours=26)
SHORT_PAGE = 100
SURE = 20
DISORDER, UNORDERED = "disorder", "unordered"
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_ITS_OWN = frozenset({Failure.SERVER_ERROR, Failure.BAD_ANSWER, Failure.UNAUTHORIZED})
Row: TypeAlias = Session | BadRow


def reach(memory: Memory, *, server_now: datetime) -> datetime:
    """Return how far back a look reaches, on the server's clock: from the watermark less an overlap.

    At the first contact from the horizon; with a lookback a day further, for whether v8's `endTimeLowerBound` compares
    ends or creations, Veeam says both. Never from the future.
    """
    overlap = OVERLAP
    if memory.watermark is None and server_now - memory.horizon > OVERLAP:
        overlap += LONGEST_RUN
    start = min(memory.watermark or memory.horizon, server_now)
    return max(start, _LONG_AGO + overlap) - overlap


async def list_filtered(api: Api, since: datetime, only: Mapping[str, str]) -> list[Row]:
    """List what runs, then what ended since (v8): in this order what ends in between is seen as ended.

    `only`: the filter of the kinds that are watched.
    """
    newest_first = partial(_falls_in, api)
    rows: list[Row] = []
    for params in ({"status": "Running"}, _ended_since(since)):
        rows += await read_pages(api, "JobSessions", read_session, {**params, **only}, is_newest_first=newest_first)
    return rows


def _falls_in(api: Api, page: Sequence[Row]) -> bool:
    """Whether a page is in an order, newest first; a server that was seen without one is not believed again."""
    sessions = [row for row in page if isinstance(row, Session)]
    if not falls(row.created for row in sessions) and not falls(row.ended for row in sessions):
        api.said.add(UNORDERED)
    return UNORDERED not in api.said


def _ended_since(since: datetime) -> dict[str, str]:
    bound = since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {"endTimeLowerBound": bound}


async def sweep_pages(api: Api, since: datetime, only: Mapping[str, str]) -> AsyncIterator[list[Row]]:
    """List, page by page, what ended or began since a moment, and what happens to stand between (v5 to v8).

    From the newest on it goes as far as a page that is wholly older.
    """
    is_filtered = api.dialect.listing is Listing.FILTERED
    params = {**only, **(_ended_since(since) if is_filtered else {})}

    def is_over(page: Sequence[Row]) -> bool:
        sessions = [row for row in page if isinstance(row, Session)]
        return (
            "endTimeLowerBound" not in params
            and bool(sessions)
            and all(is_older(session, since) for session in sessions)
        )

    async for page in turn_pages(api, "JobSessions", read_session, params, until=is_over):
        yield page


async def list_newest(api: Api, memory: Memory, since: datetime, only: Mapping[str, str]) -> list[Row]:
    """List sessions from the newest on, until a page ends with ones that are over and too old to matter (v5 to v7).

    Tracked sessions of the last day are reached by pages; an older one is cheaper to read by its id.
    """
    near = (created for created in memory.open.values() if created and created > since - timedelta(days=1))
    first_page = FULL_PAGE if memory.watermark is None else SHORT_PAGE
    enough = Enough(min((since, *near)))
    rows = await read_pages(
        api,
        "JobSessions",
        read_session,
        only,
        until=enough.is_reached,
        is_newest_first=partial(_falls_in, api),
        first_page=first_page,
    )
    if enough.is_in_disorder and DISORDER not in api.said:
        api.said.add(DISORDER)
        logger.warning("%s: lists its sessions in no order, so each look has to read all of them", api.http.base)
    return rows


class Enough:
    """Whether the pages of a listing reach back far enough; for that they have to be in an order, newest first.

    No version promises one. Where neither creations nor ends fall from row to row, the listing is read to its end.
    """

    def __init__(self, stop: datetime) -> None:
        self._stop = stop
        self._sessions: dict[str, Session] = {}
        self.is_in_disorder = False

    def is_reached(self, page: Sequence[Row]) -> bool:
        """Show a page; return whether it is the last that matters."""
        sessions = [row for row in page if isinstance(row, Session)]
        for session in sessions:
            self._sessions.setdefault(session.id, session)
        if not sessions or not all(is_older(session, self._stop) for session in sessions[-SURE:]):
            return False
        by_creation = falls(row.created for row in self._sessions.values())
        self.is_in_disorder = not by_creation and not falls(row.ended for row in self._sessions.values())
        return not self.is_in_disorder


def is_older(session: Session, moment: datetime) -> bool:
    """Whether a session began and ended before a moment."""
    if not session.is_settled or session.created is None:
        return False
    return session.created < moment and (session.ended or session.created) < moment


def falls(times: Iterable[datetime | None]) -> bool:
    """Whether times never rise by more than the overlap; where there are none, nothing is said."""
    lowest: datetime | None = None
    for time in times:
        if time is None:
            continue
        if lowest is not None and time > lowest + OVERLAP:
            return False
        lowest = time if lowest is None else min(lowest, time)
    return True


async def list_open_of_jobs(api: Api, rows: Iterable[Row], jobs: Mapping[str, Job]) -> list[Row]:
    """List sessions of jobs that are said to run, and of which the listings showed no open session (v5 to v8).

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
