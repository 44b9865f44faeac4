"""What has to be said by the clock: what is still true when a silence ends, that a failure lasts, who is away."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from watcher.core import event as events
from watcher.core.event import Event, JobRef, ServerRef, Story, event_id
from watcher.core.model import Status
from watcher.core.page import owed
from watcher.core.policy import Case, Policy, is_silenced, now_told, rule, rule_again, rule_reminder
from watcher.core.reach import Reach, news_of
from watcher.core.reach import still_holds as is_still_so
from watcher.core.record import Outcome, Owed
from watcher.core.ruling import Ruling, Told, set_aside
from watcher.core.silence import Silence
from watcher.core.watchdog.alarm import Alarm
from watcher.core.watchdog.alarm import still_holds as is_still_raised

_STANDS = {
    events.SESSION_FAILED: Status.FAILED,
    events.SESSION_WARNING: Status.WARNING,
    events.JOB_RECOVERED: Status.SUCCESS,
}
_NEVER_AGAIN = (
    events.SESSION_SUCCESS,
    events.SESSION_STARTED,
    events.SESSION_STOPPED,
    events.CHANNEL_FAILING,
    events.CHANNEL_RECOVERED,
)


@dataclass(frozen=True, slots=True)
class JobStand:
    """How a job of a server stands now; `server_id` is the store's."""

    server_id: int
    server: ServerRef
    job: JobRef
    stands: Outcome


@dataclass(frozen=True, slots=True)
class Muted:
    """An event that a silence keeps back from somebody, what was decided of it, and how its job or server is now.

    `alarm`: what is remembered of the alarm that it tells of; `server_id`: the store's.
    """

    event: Event
    ruling: Ruling
    job: JobStand | None = None
    reach: Reach | None = None
    alarm: Alarm | None = None
    server_id: int | None = None


@dataclass(frozen=True, slots=True)
class Diary:
    """What there may be to say: what is kept back, jobs whose failure lasts, servers that do not answer or did not, and
    the silences of the moment.
    """

    muted: tuple[Muted, ...] = ()
    servers: tuple[Reach, ...] = ()
    failing: tuple[JobStand, ...] = ()
    silences: tuple[Silence, ...] = ()


@dataclass(frozen=True, slots=True)
class FollowUp:
    """What is said now. `events`: new ones, with their server. `let_go`: what is kept back no longer.

    `jobs`, `servers` and `alarms` (each with its server): those of which it is noted who was told.
    """

    events: tuple[tuple[int, Event], ...] = ()
    rulings: Mapping[str, Ruling] = field(default_factory=dict)
    owed: tuple[Owed, ...] = ()
    subjects: Mapping[str, str] = field(default_factory=dict)
    let_go: tuple[str, ...] = ()
    jobs: tuple[JobStand, ...] = ()
    servers: tuple[Reach, ...] = ()
    alarms: tuple[tuple[int, Alarm], ...] = ()


def follow_up(diary: Diary, policy: Policy, now: datetime) -> FollowUp:
    """Decide what is to be said now."""
    book = _Book(Case(policy, now, diary.silences))
    for reach in diary.servers:
        book.take_server(reach)
    for muted in diary.muted:
        book.take_muted(muted)
    for job in diary.failing:
        book.take_failing(book.jobs.get(_key(job), job))
    return FollowUp(
        tuple(book.events),
        book.rulings,
        tuple(book.owed),
        book.subjects,
        tuple(book.let_go),
        tuple(book.jobs.values()),
        tuple(book.servers),
        tuple(book.alarms),
    )


def still_holds(event: Event, stands: Outcome | None, reach: Reach | None = None, alarm: Alarm | None = None) -> bool:
    """Whether what an event says is still so: of an end, whether the job's outcome rests on it."""
    for of_server in (is_still_so(event, reach), is_still_raised(event, alarm)):
        if of_server is not None:
            return of_server
    is_errand = event.session is not None and not event.session.is_of_job  # nothing that comes later makes it good
    if event.type in _STANDS and not is_errand:
        ended = event.session.ended if event.session else None
        return stands is not None and (stands.status, stands.ended) == (_STANDS[event.type], ended)
    return event.type not in _NEVER_AGAIN


class _Book:
    """What has been decided so far."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.events: list[tuple[int, Event]] = []
        self.rulings: dict[str, Ruling] = {}
        self.owed: list[Owed] = []
        self.subjects: dict[str, str] = {}
        self.let_go: list[str] = []
        self.jobs: dict[tuple[int, str], JobStand] = {}
        self.servers: list[Reach] = []
        self.alarms: list[tuple[int, Alarm]] = []

    def take_server(self, reach: Reach) -> None:
        """Tell that a server does not answer, or does again."""
        news = news_of(reach, self.case.now)
        if news is None:
            return
        event, after = news
        ruling = rule(event, replace(self.case, told=reach.told))
        told = now_told(reach.told, event, ruling, self.case.now) if after.alarms else ()
        self.servers.append(replace(after, told=told))
        self.events.append((reach.server_id, event))
        self._decided(event, ruling)

    def take_muted(self, muted: Muted) -> None:
        """Tell what a silence kept back, if that is over and it still holds."""
        event, job = muted.event, muted.job
        if is_silenced(event, self.case):
            return
        self.let_go.append(event.id)
        if not still_holds(event, job.stands if job else None, muted.reach, muted.alarm):
            self.rulings[event.id] = set_aside(muted.ruling, "and it no longer held when that was over")
            return
        ruling = self._decided(event, rule_again(event, muted.ruling, self.case))
        if muted.alarm is not None and muted.server_id is not None:
            told = now_told(muted.alarm.told, event, ruling, self.case.now)
            self.alarms.append((muted.server_id, replace(muted.alarm, told=told)))
        elif event.type in events.ALARMS | events.ALARMS_OVER - {events.SERVER_RECOVERED}:
            return
        elif job is not None:
            told = now_told(job.stands.told, event, ruling, self.case.now)
            self.jobs[_key(job)] = replace(job, stands=replace(job.stands, told=told))
        elif muted.reach is not None:
            told = now_told(muted.reach.told, event, ruling, self.case.now)
            self.servers.append(replace(muted.reach, told=told))

    def take_failing(self, job: JobStand) -> None:
        """Remind those who were told of a failure, and whose route wants that now."""
        due: dict[str, list[Told]] = {}
        told = list(job.stands.told)
        for place, one in enumerate(told):
            moment = _due(one, self.case)
            if moment is not None:
                told[place] = replace(one, at=self.case.now, reminders=one.reminders + 1)
                name = event_id(job.server, job.job.id, events.JOB_FAILING, Status.FAILED, moment)
                due.setdefault(name, []).append(one)
        for name, whom in due.items():
            self._remind(_still_failing(name, job, self.case.now), job.server_id, whom)
        if due:
            self.jobs[_key(job)] = replace(job, stands=replace(job.stands, told=tuple(told)))

    def _remind(self, event: Event, server_id: int, whom: list[Told]) -> None:
        ruling = rule_reminder(event, replace(self.case, told=tuple(whom)))
        if any(one.tell for one in ruling.decisions):
            self.events.append((server_id, event))
            self._decided(event, ruling)

    def _decided(self, event: Event, ruling: Ruling) -> Ruling:
        self.rulings[event.id] = ruling
        self.owed.extend(owed(event, ruling, self.case.policy))
        self.subjects[event.id] = event.subject
        return ruling


def may_remind(policy: Policy) -> bool:
    """Whether there is anybody to remind at all."""
    return any(route.remind_every for route in policy.routes)


def _due(told: Told, case: Case) -> datetime | None:
    """Return when somebody had to be told again of a failure, if that is over; None otherwise."""
    route = case.policy.route(told.route)
    if route is None or route.remind_every is None or told.reminders >= route.remind_at_most:
        return None
    due = told.at + route.remind_every
    return due if due <= case.now else None


def _still_failing(name: str, job: JobStand, now: datetime) -> Event:
    stands = job.stands
    return Event(
        id=name,
        type=events.JOB_FAILING,
        server=job.server,
        happened=now,
        decided=now,
        job=job.job,
        went_to=Status.FAILED,
        reason="remind_every",
        story=Story(stands.failures, stands.failing_since or stands.ended, stands.last_good, was_bad=True),
    )


def _key(job: JobStand) -> tuple[int, str]:
    return job.server_id, job.job.id
