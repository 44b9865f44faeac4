"""Which changes between what we knew and what we see are transitions, and which are not.

All legal changes stand in one table, `_TABLE`: what a session was for us, what it is now, and what follows from it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import Enum, StrEnum
from typing import TypeAlias

from watcher.core.model import JobType, Session, Status
from watcher.core.record import End, Known

DOUBTS_TO_VANISH = 2
_LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)


class Change(StrEnum):
    """What happened to a session. HISTORY ended before it could be news and only shows how its job stands."""

    STARTED = "started"
    ENDED = "ended"
    UNRECOGNIZED = "unrecognized"
    VANISHED = "vanished"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class Transition:
    """One change of one session, and why it is taken for one."""

    change: Change
    session: Session
    came_from: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class Horizon:
    """How far back news can lie, on the server's clock.

    `first_contact`: what started before it is nobody's start. `news_from`: an unknown end before it is history.
    `kinds`: the same for kinds of work that are watched since later, or were for a while not.
    """

    first_contact: datetime
    news_from: datetime
    kinds: Mapping[JobType, datetime] = field(default_factory=dict)

    def starts_from(self, session: Session) -> datetime:
        """Return from when on the start of a session is news."""
        return max(self.first_contact, self._since(session))

    def ends_from(self, session: Session) -> datetime:
        """Return from when on the end of a session that is not known is news."""
        return max(self.news_from, self._since(session))

    def _since(self, session: Session) -> datetime:
        return self.kinds.get(session.job_type or JobType.BACKUP, _LONG_AGO)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look, or one page of it, shows: sessions, and ids that answered 404 or could not be read.

    `is_last`: the look is over with this page, so that what it did not show has not happened yet.
    """

    sessions: tuple[Session, ...] = ()
    gone: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Diff:
    """What follows from a sight: the records that changed, and the transitions in the order in which they happened."""

    known: tuple[Known, ...]
    transitions: tuple[Transition, ...]


class _Phase(Enum):
    UNKNOWN = "unknown"
    OPEN = "open"
    SETTLED = "settled"


_Verdict: TypeAlias = tuple[Known, tuple[Transition, ...]]


def diff(known: Mapping[str, Known], sight: Sight, horizon: Horizon) -> Diff:
    """Compare a sight with what is known.

    A session that the sight does not show is left as it is: absence proves nothing.
    """
    changed: list[Known] = []
    transitions: list[Transition] = []
    for record, news in _verdicts(known, sight, horizon):
        if record != known.get(record.session.id):
            changed.append(record)
        transitions.extend(news)
    return Diff(tuple(changed), tuple(transitions))


def _verdicts(known: Mapping[str, Known], sight: Sight, horizon: Horizon) -> Iterable[_Verdict]:
    for session in sorted(sight.sessions, key=_when):
        before = known.get(session.id)
        yield _TABLE[_phase(before), _phase_now(session)](before, session, horizon)
    for session_id in sorted(sight.gone & known.keys()):
        yield _doubted(known[session_id])
    for session_id in sorted(sight.unreadable - known.keys()):
        yield Known(Session(id=session_id, status="")), ()


def _when(session: Session) -> tuple[datetime, str]:
    return session.ended or session.created or _LONG_AGO, session.id


def _phase(record: Known | None) -> _Phase:
    if record is None or not record.session.status:
        return _Phase.UNKNOWN
    return _Phase.OPEN if record.is_open else _Phase.SETTLED


def _phase_now(session: Session) -> _Phase:
    return _Phase.SETTLED if session.is_settled else _Phase.OPEN


def _first_seen_open(before: Known | None, session: Session, horizon: Horizon) -> _Verdict:
    started = session.created is not None and session.created >= horizon.starts_from(session)
    if session.status == Status.RUNNING and started:
        return Known(session), (Transition(Change.STARTED, session, None, "first seen running"),)
    return _with_strangeness(Known(session), before, horizon)


def _first_seen_settled(before: Known | None, session: Session, horizon: Horizon) -> _Verdict:
    if not session.is_ended:
        return _with_strangeness(Known(session), before, horizon)
    if _is_history(session, horizon):
        return _laid_aside(Known(session), "ended before the first contact or longer ago than is kept")
    return _told(Known(session), before, "first seen at its end")


def _still_open(before: Known | None, session: Session, horizon: Horizon) -> _Verdict:
    record = _updated(before, session)
    if before and before.session.status == Status.QUEUED and session.status == Status.RUNNING:
        return record, (Transition(Change.STARTED, session, Status.QUEUED, "left the queue"),)
    return _with_strangeness(record, before, horizon)


def _ended(before: Known | None, session: Session, horizon: Horizon) -> _Verdict:
    record = _updated(before, session)
    if not session.is_ended:
        return _with_strangeness(record, before, horizon)
    return _told(record, before, "ended")


def _reopened(before: Known | None, session: Session, horizon: Horizon) -> _Verdict:
    record = replace(_updated(before, session), closed=False)
    if session.job_type is JobType.SYNCHRONIZE:  # an end that was history has no time, and is not this one's end
        record = replace(record, settled=tuple(end for end in record.settled if end.ended is not None))
    return _with_strangeness(record, before, horizon)


def _ended_again(before: Known | None, session: Session, horizon: Horizon) -> _Verdict:
    record = replace(_updated(before, session), closed=False)
    if not session.is_ended:
        return _with_strangeness(record, before, horizon)
    if _is_history(session, horizon):
        return _laid_aside(record, "another end, but one before the first contact")
    return _told(record, before, "seen with another end")


_TABLE: Mapping[tuple[_Phase, _Phase], Callable[[Known | None, Session, Horizon], _Verdict]] = {
    (_Phase.UNKNOWN, _Phase.OPEN): _first_seen_open,
    (_Phase.UNKNOWN, _Phase.SETTLED): _first_seen_settled,
    (_Phase.OPEN, _Phase.OPEN): _still_open,
    (_Phase.OPEN, _Phase.SETTLED): _ended,
    (_Phase.SETTLED, _Phase.OPEN): _reopened,
    (_Phase.SETTLED, _Phase.SETTLED): _ended_again,
}


def _updated(before: Known | None, session: Session) -> Known:
    return replace(before, session=session, doubts=0) if before else Known(session)


def _is_history(session: Session, horizon: Horizon) -> bool:
    when = session.ended or session.created
    return when is None or when < horizon.ends_from(session)


def _told(record: Known, before: Known | None, reason: str) -> _Verdict:
    end = End(record.session.status, record.session.ended)
    if any(end.is_same(told) for told in record.settled):
        return record, ()
    news = Transition(Change.ENDED, record.session, _status_before(before), reason)
    return replace(record, settled=(*record.settled, end)), (news,)


def _laid_aside(record: Known, reason: str) -> _Verdict:
    end = End(record.session.status, record.session.ended)
    if any(end.is_same(told) for told in record.settled):
        return record, ()
    news = Transition(Change.HISTORY, record.session, None, reason)
    return replace(record, settled=(*record.settled, end)), (news,)


def _with_strangeness(record: Known, before: Known | None, horizon: Horizon) -> _Verdict:
    """Tell of an undocumented status once; one that a first contact finds long over is history."""
    session = record.session
    if session.is_recognized or session.status in record.strange:
        return record, ()
    record = replace(record, strange=(*record.strange, session.status))
    if before is None and _is_history(session, horizon):
        return record, ()
    reason = f"no known version documents the status {session.status!r}"
    return record, (Transition(Change.UNRECOGNIZED, session, _status_before(before), reason),)


def _doubted(before: Known) -> _Verdict:
    """Count a 404 of the session itself; only the second in a row, with listings that worked, closes it."""
    if not before.is_open:
        return before, ()
    record = replace(before, doubts=before.doubts + 1)
    if record.doubts < DOUBTS_TO_VANISH:
        return record, ()
    record = replace(record, closed=True)
    if not before.session.status:
        return record, ()
    reason = f"the server answered 404 for it in {DOUBTS_TO_VANISH} looks"
    return record, (Transition(Change.VANISHED, before.session, before.session.status, reason),)


def has_vanished(known: Known) -> bool:
    """Whether a session was given up because the session itself answered 404."""
    return known.closed and known.doubts >= DOUBTS_TO_VANISH


def _status_before(before: Known | None) -> str | None:
    return (before.session.status or None) if before else None
