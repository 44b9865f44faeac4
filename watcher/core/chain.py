"""Retry chains: which run a session belongs to, and whether its end is told or waits for the attempts that follow.

Sources: Veeam's OpenAPI files of v7 and v8 (`mainSessionId`, `retryCount`, `jobWillBeRetried`); v6 has
`retryCount` only.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from watcher.core.model import JobType, Session, Status
from watcher.core.record import Chain

HELD = frozenset({Status.FAILED, Status.WARNING})


def find(chains: Mapping[str, Chain], session: Session) -> Chain | None:
    """Return the chain that a session belongs to, if it is known.

    By the main session that it names; where it names none, by its job and time: the open chain of its job whose last
    attempt was over when it began.
    """
    if session.id in chains:
        return chains[session.id]
    open_ones = [chain for chain in chains.values() if chain.over is None and chain.job_id == session.job_id]
    if session.main_session_id is not None:
        named = [chain for chain in open_ones if session.main_session_id in chain.attempts]
        return chains.get(session.main_session_id) or next(iter(named), None)
    return next((chain for chain in open_ones if is_retry(session) and _came_after(session, chain)), None)


def is_retry(session: Session) -> bool:
    """Whether a session says of itself that it is not the first of its run."""
    return session.main_session_id is not None or bool(session.retry_count)


def begun(session: Session) -> Chain:
    """Return the chain of a session of which no attempt is known yet; a retry names the run that began it."""
    first = session.main_session_id
    return Chain(first or session.id, session.job_id, attempts=(first,) if first else ())


def joined(chain: Chain, session: Session, came_from: str | None) -> Chain:
    """Return a chain with one more attempt that is over, each attempt once."""
    others = tuple(attempt for attempt in chain.attempts if attempt != session.id)
    return replace(chain, attempts=(*others, session.id), last=session, came_from=came_from, over=None)


def may_wait(session: Session, job_type: JobType | None) -> bool:
    """Whether an end is one that waits for its retry: bad or with warnings, to be retried, and of no copy job."""
    is_copy = JobType.COPY in {session.job_type, job_type}
    return session.status in HELD and session.will_be_retried is True and not is_copy


def is_late_attempt(chain: Chain, session: Session) -> bool:
    """Whether a chain that was told to its end comes by an attempt that lies before that end."""
    if chain.over is None or chain.last is None:
        return False
    return session.ended is not None and chain.last.ended is not None and session.ended <= chain.last.ended


def replaced_by(session: Session, chains: Iterable[Chain]) -> list[Chain]:
    """Return the open chains that a session ends by being the next run of their job: their retry never came."""
    if is_retry(session):
        return []
    return [
        chain
        for chain in chains
        if chain.over is None
        and chain.job_id == session.job_id
        and session.id not in chain.attempts
        and _came_after(session, chain)
    ]


def is_due(chain: Chain, server_now: datetime, hold: timedelta) -> bool:
    """Whether what waits in a chain has waited as long as it may."""
    return chain.held is not None and server_now - chain.held >= hold


def _came_after(session: Session, chain: Chain) -> bool:
    if chain.last is None or chain.last.ended is None or session.created is None:
        return False
    return session.created >= chain.last.ended
