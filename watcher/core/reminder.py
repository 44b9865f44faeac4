"""Reminders: who has to be told again of what lasts, and when. A job that was spoken of meanwhile is left alone."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from watcher.core import event as events
from watcher.core.event import Event, JobRef, ServerRef, Story, event_id
from watcher.core.model import Statistics, Status
from watcher.core.policy import Policy
from watcher.core.reach import Reach
from watcher.core.record import Outcome
from watcher.core.ruling import Told
from watcher.core.watchdog.alarm import Alarm

LastWords: TypeAlias = Mapping[tuple[int, str, str], datetime]
"""When a channel was told last of a job, whatever it was: by the store's id of the server, the job and the channel."""


@dataclass(frozen=True, slots=True)
class JobStand:
    """How a job of a server stands now; `server_id` is the store's."""

    server_id: int
    server: ServerRef
    job: JobRef
    stands: Outcome


@dataclass(frozen=True, slots=True)
class AlarmStand:
    """An alarm of a server that was told and is not over; `server_id` is the store's."""

    server_id: int
    server: ServerRef
    alarm: Alarm


@dataclass(frozen=True, slots=True)
class Lasting:
    """Something that lasts: who was told of it, and how it is told again. `event` has no id yet.

    `subject` and `status`: what its id is made of besides its kind and the moment at which it is due.
    """

    server_id: int
    event: Event
    subject: str
    status: str | None
    told: tuple[Told, ...]


def may_remind(policy: Policy) -> bool:
    """Whether there is anybody to remind at all."""
    return any(route.remind_every for route in policy.routes)


def last_words(jobs: Iterable[JobStand], alarms: Iterable[AlarmStand]) -> LastWords:
    """Return when each channel was told last of each job."""
    said: dict[tuple[int, str, str], datetime] = {}
    of_jobs = [(one.server_id, one.job.id, one.stands.told) for one in jobs]
    of_alarms = [(one.server_id, one.alarm.job.id, one.alarm.told) for one in alarms if one.alarm.job is not None]
    for server_id, job_id, told in (*of_jobs, *of_alarms):
        for one in told:
            key = (server_id, job_id, one.channel)
            said[key] = max(said.get(key, one.at), one.at)
    return said


def remind(
    lasting: Lasting, policy: Policy, now: datetime, said: LastWords
) -> tuple[tuple[Told, ...], list[tuple[Event, tuple[Told, ...]]]]:
    """Return who knows of it after the reminders that are due, and those: each with whom it is for.

    Whoever had to be told at one moment hears of it by one event, which has the same id whoever makes it.
    """
    told, due = list(lasting.told), dict[str, list[Told]]()
    for place, one in enumerate(told):
        moment = _due(one, policy, now, _last_word(lasting, one, said))
        if moment is None:
            continue
        told[place] = replace(one, at=now, reminders=one.reminders + 1)
        event = lasting.event
        due.setdefault(event_id(event.server, lasting.subject, event.type, lasting.status, moment), []).append(one)
    return tuple(told), [(replace(lasting.event, id=name), tuple(whom)) for name, whom in due.items()]


def _last_word(lasting: Lasting, told: Told, said: LastWords) -> datetime:
    job = lasting.event.job
    return said.get((lasting.server_id, job.id, told.channel), told.at) if job is not None else told.at


def _due(told: Told, policy: Policy, now: datetime, last: datetime) -> datetime | None:
    """Return when somebody had to be told again, if that is over; None otherwise."""
    route = policy.route(told.route)
    if route is None or route.remind_every is None or told.reminders >= route.remind_at_most:
        return None
    due = last + route.remind_every
    return due if due <= now else None


def lasting_failure(job: JobStand, now: datetime) -> Lasting:
    """Return how a job's failure is told again."""
    stands = job.stands
    event = Event(
        id="",
        type=events.JOB_FAILING,
        server=job.server,
        happened=now,
        decided=now,
        job=job.job,
        went_to=Status.FAILED,
        reason="remind_every",
        story=Story(stands.failures, stands.failing_since or stands.ended, stands.last_good, was_bad=True),
    )
    return Lasting(job.server_id, event, job.job.id, Status.FAILED, stands.told)


def lasting_alarm(stand: AlarmStand, now: datetime) -> Lasting:
    """Return how an alarm is told again."""
    alarm, session = stand.alarm, stand.alarm.session
    if session is not None and session.ended is None:  # what it had done by then is no news any more
        session = replace(session, progress=None, statistics=Statistics())
    event = Event(
        id="",
        type=f"{alarm.kind}{events.LASTING}",
        server=stand.server,
        happened=now,
        decided=now,
        job=alarm.job,
        session=session,
        went_to=session.status if session is not None else None,
        reason=alarm.reason,
        story=Story(failing_since=alarm.since),
        thing=alarm.thing,
    )
    return Lasting(stand.server_id, event, alarm.subject, str(alarm.level) if alarm.level else None, alarm.told)


def lasting_outage(reach: Reach, now: datetime) -> Lasting | None:
    """Return how it is told again that a server does not answer; None if it does, or if nobody was told."""
    if reach.failing_since is None or not reach.alarms:
        return None
    event = Event(
        id="",
        type=f"{reach.alarms[-1]}{events.LASTING}",
        server=reach.server,
        happened=now,
        decided=now,
        reason=reach.error,
        story=Story(failing_since=reach.since),
    )
    return Lasting(reach.server_id, event, "server", None, reach.told)
