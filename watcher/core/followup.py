"""What has to be said by the clock: what is still true when a silence ends, what lasts, who is away."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from watcher.core import event as events
from watcher.core.event import Event
from watcher.core.model import Status
from watcher.core.page import owed
from watcher.core.policy import Case, Policy, is_silenced, now_told, rule, rule_again, rule_reminder
from watcher.core.reach import Reach, news_of
from watcher.core.reach import still_holds as is_still_so
from watcher.core.record import Outcome, Owed
from watcher.core.reminder import (
    AlarmStand,
    JobStand,
    Lasting,
    LastWords,
    last_words,
    lasting_alarm,
    lasting_failure,
    lasting_outage,
    remind,
)
from watcher.core.ruling import Ruling, Told, set_aside
from watcher.core.silence import Silence
from watcher.core.watchdog.alarm import Alarm, Key
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
    """What there may be to say: what is kept back, servers that do not answer or did not, jobs whose failure lasts and
    alarms that stand (`failing`, `alarms`: only where somebody may have to be reminded), the silences of the moment.
    """

    muted: tuple[Muted, ...] = ()
    servers: tuple[Reach, ...] = ()
    failing: tuple[JobStand, ...] = ()
    alarms: tuple[AlarmStand, ...] = ()
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
    book.remind(diary)
    return FollowUp(
        tuple(book.events),
        book.rulings,
        tuple(book.owed),
        book.subjects,
        tuple(book.let_go),
        tuple(book.jobs.values()),
        tuple(book.servers.values()),
        tuple((server_id, alarm) for (server_id, _), alarm in book.alarms.items()),
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
        self.servers: dict[int, Reach] = {}
        self.alarms: dict[tuple[int, Key], Alarm] = {}

    def take_server(self, reach: Reach) -> None:
        """Tell that a server does not answer, or does again."""
        news = news_of(reach, self.case.now)
        if news is None:
            return
        event, after = news
        ruling = rule(event, replace(self.case, told=reach.told))
        told = now_told(reach.told, event, ruling, self.case.now) if after.alarms else ()
        self.servers[reach.server_id] = replace(after, told=told)
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
            self.alarms[muted.server_id, muted.alarm.key] = replace(muted.alarm, told=told)
        elif event.type in events.ALARMS | events.ALARMS_OVER - {events.SERVER_RECOVERED}:
            return
        elif job is not None:
            told = now_told(job.stands.told, event, ruling, self.case.now)
            self.jobs[_key(job)] = replace(job, stands=replace(job.stands, told=told))
        elif muted.reach is not None:
            told = now_told(muted.reach.told, event, ruling, self.case.now)
            self.servers[muted.reach.server_id] = replace(muted.reach, told=told)

    def remind(self, diary: Diary) -> None:
        """Tell again of what lasts, whoever was told of it and whose route wants that now."""
        jobs = [self.jobs.get(_key(job), job) for job in diary.failing]
        alarms = [
            replace(one, alarm=self.alarms.get((one.server_id, one.alarm.key), one.alarm)) for one in diary.alarms
        ]
        said = last_words(jobs, alarms)
        for job in jobs:
            if told := self._remind(lasting_failure(job, self.case.now), said):
                self.jobs[_key(job)] = replace(job, stands=replace(job.stands, told=told))
        for one in alarms:
            if told := self._remind(lasting_alarm(one, self.case.now), said):
                self.alarms[one.server_id, one.alarm.key] = replace(one.alarm, told=told)
        for reach in (self.servers.get(one.server_id, one) for one in diary.servers):
            lasting = lasting_outage(reach, self.case.now)
            if lasting and (told := self._remind(lasting, said)):
                self.servers[reach.server_id] = replace(reach, told=told)

    def _remind(self, lasting: Lasting, said: LastWords) -> tuple[Told, ...]:
        """Say the reminders that are due; return who knows since, nobody if none was."""
        told, due = remind(lasting, self.case.policy, self.case.now, said)
        for event, whom in due:
            ruling = rule_reminder(event, replace(self.case, told=whom))
            if any(one.tell for one in ruling.decisions):
                self.events.append((lasting.server_id, event))
                self._decided(event, ruling)
        return told if due else ()

    def _decided(self, event: Event, ruling: Ruling) -> Ruling:
        self.rulings[event.id] = ruling
        self.owed.extend(owed(event, ruling, self.case.policy))
        self.subjects[event.id] = event.subject
        return ruling


def _key(job: JobStand) -> tuple[int, str]:
    return job.server_id, job.job.id
