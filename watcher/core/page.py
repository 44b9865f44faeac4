"""From one page of a look to what the store has to write: what we know and what we owe, decided together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from watcher.core import event as events
from watcher.core.diff import Change, Horizon, Sight, Transition, diff
from watcher.core.event import Event, JobRef, ServerRef, Story, event_id
from watcher.core.model import Job, LogLine, Session
from watcher.core.outcome import judge, laid_aside
from watcher.core.policy import decide
from watcher.core.record import Ledger, Outcome, Owed, Page

LATE_AT_LEAST = timedelta(minutes=5)
LATE_INTERVALS = 3

_PLAIN_TYPES = {
    Change.STARTED: events.SESSION_STARTED,
    Change.UNRECOGNIZED: events.SESSION_UNRECOGNIZED,
    Change.VANISHED: events.SESSION_VANISHED,
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say about telling: the events wanted, each channel's destinations, the interval of looks."""

    notify_on: frozenset[str]
    channels: Mapping[str, tuple[str, ...]]
    interval: timedelta


@dataclass(frozen=True, slots=True)
class Scene:
    """All that a decision may rest on besides the sight itself. `server_now` is `now` on the server's clock."""

    server: ServerRef
    horizon: Horizon
    now: datetime
    server_now: datetime
    rules: Rules
    jobs: Mapping[str, Job] = field(default_factory=dict)
    logs: Mapping[str, tuple[LogLine, ...]] = field(default_factory=dict)
    seeds: Mapping[str, Outcome] = field(default_factory=dict)


def turn(ledger: Ledger, sight: Sight, scene: Scene) -> Page:
    """Decide what one page of a look changes, from nothing but what the store knows and the page shows."""
    found = diff(ledger.sessions, sight, scene.horizon)
    outcomes = {job: stands for job, stands in scene.seeds.items() if job not in ledger.outcomes}
    current = {**ledger.outcomes, **outcomes}
    told: list[Event] = []
    for transition in found.transitions:
        event, stands = _judged(transition, current.get(transition.session.job_id or ""), scene)
        if stands is not None and transition.session.job_id:
            current[transition.session.job_id] = outcomes[transition.session.job_id] = stands
        if event is not None:
            told.append(event)
    changed = {job: stands for job, stands in outcomes.items() if stands != ledger.outcomes.get(job)}
    return Page(found.known, changed, tuple(told), tuple(_owed(told, scene.rules)))


def _judged(transition: Transition, before: Outcome | None, scene: Scene) -> tuple[Event | None, Outcome | None]:
    if transition.change == Change.HISTORY:
        return None, laid_aside(before, transition.session)
    if transition.change == Change.ENDED:
        event_type, story, after = judge(before, transition.session)
        return _event(event_type, transition, scene, story), after
    return _event(_PLAIN_TYPES[transition.change], transition, scene, Story()), None


def _event(event_type: str, transition: Transition, scene: Scene, story: Story) -> Event:
    session = transition.session
    is_end = transition.change == Change.ENDED
    ended = session.ended if is_end else None
    return Event(
        id=event_id(scene.server, session.id, event_type, session.status, ended),
        type=event_type,
        server=scene.server,
        happened=_happened(transition, scene),
        decided=scene.now,
        late=is_end and _is_late(session, scene),
        job=_job_ref(session, scene.jobs),
        session=session,
        came_from=transition.came_from,
        went_to=session.status,
        log=scene.logs.get(session.id, ()),
        reason=transition.reason,
        story=story,
    )


def _happened(transition: Transition, scene: Scene) -> datetime:
    session = transition.session
    if transition.change == Change.VANISHED:
        return scene.server_now
    if transition.change == Change.STARTED:
        return session.created or scene.server_now
    return session.ended or scene.server_now


def _is_late(session: Session, scene: Scene) -> bool:
    if session.ended is None:
        return False
    limit = max(LATE_INTERVALS * scene.rules.interval, LATE_AT_LEAST)
    return session.ended < scene.horizon.first_contact or scene.server_now - session.ended > limit


def _job_ref(session: Session, jobs: Mapping[str, Job]) -> JobRef | None:
    if session.job_id is None:
        return None
    job = jobs.get(session.job_id)
    if job is None:
        return JobRef(session.job_id, session.job_id, session.job_type)
    return JobRef(job.id, job.name, session.job_type or job.type, job.organization)


def _owed(told: Iterable[Event], rules: Rules) -> Iterable[Owed]:
    for event in told:
        for decision in decide(event, rules.channels, rules.notify_on):
            if decision.tell:
                yield from (Owed(event.id, decision.channel, place) for place in rules.channels[decision.channel])
