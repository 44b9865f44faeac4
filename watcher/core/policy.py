"""Who is told of an event, when, and why: routes, silences, quiet hours and groups."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from watcher.core.event import (
    ALARMS,
    ALARMS_OVER,
    JOB_RECOVERED,
    SERVER_RECOVERED,
    SERVER_UNAUTHORIZED,
    SERVER_UNREACHABLE,
    SESSION_FAILED,
    SESSION_WARNING,
    Event,
)
from watcher.core.match import EVERYTHING, Match, traits
from watcher.core.render.style import Severity
from watcher.core.render.words import wording
from watcher.core.ruling import Decision, Ruling, Step, Told
from watcher.core.silence import Muting, Silence
from watcher.core.window import Window, until

GROUP_WAIT = timedelta(seconds=10)
GROUP_BY = ("server",)
REMIND_AT_MOST = 7
_ENDS_FAILURE = frozenset({JOB_RECOVERED, SESSION_WARNING, SERVER_RECOVERED}) | ALARMS_OVER
_BEGINS_FAILURE = frozenset({SESSION_FAILED, SERVER_UNREACHABLE, SERVER_UNAUTHORIZED}) | ALARMS
_ONLY_NEWS_TO_WHO_KNEW = frozenset({JOB_RECOVERED, SERVER_RECOVERED}) | ALARMS_OVER


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours in which a route leaves people alone. What comes then is kept and told after them, or with `drops` never.

    `pierced_by`: severities that are told at once all the same.
    """

    windows: tuple[Window, ...] = ()
    drops: bool = False
    pierced_by: frozenset[Severity] = frozenset()


@dataclass(frozen=True, slots=True)
class Route:
    """One way that events take. `channels`: None is all of them.

    `is_final`: a run and its retries speak once. `group_wait`: how long a message waits for others to join, and
    `group_by` the traits that they share. `remind_every`: how often a failure is told again while it lasts, and
    `remind_at_most` how many times. `stops`: what it is meant for goes no further.
    """

    name: str
    notify_on: frozenset[str]
    match: Match = EVERYTHING
    channels: tuple[str, ...] | None = None
    is_final: bool = True
    group_wait: timedelta = timedelta(0)
    group_by: tuple[str, ...] = GROUP_BY
    quiet: Quiet = Quiet()
    remind_every: timedelta | None = None
    remind_at_most: int = REMIND_AT_MOST
    stops: bool = False


@dataclass(frozen=True, slots=True)
class Policy:
    """All that the settings say of who is told. `channels`: the destinations of each.

    `programs`: channels that read events and never wait. `labels`: those of each server, by its name.
    `silences`: the ones that the settings know. `is_hasty`: nothing waits for others to join, but what is there does.
    `claimant`: the process that decides, where it sends as well; `eager`: the channels for which it does so at once.
    """

    routes: tuple[Route, ...]
    channels: Mapping[str, tuple[str, ...]]
    programs: frozenset[str] = frozenset()
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    silences: tuple[Silence, ...] = ()
    is_hasty: bool = False
    claimant: str = ""
    eager: frozenset[str] = frozenset()

    @property
    def is_final(self) -> bool:
        """Whether there is a route on which a run and its retries speak once."""
        return any(route.is_final for route in self.routes)

    @property
    def speaks_each(self) -> bool:
        """Whether there is a route on which every attempt speaks."""
        return any(not route.is_final for route in self.routes)

    def route(self, name: str) -> Route | None:
        """Return the route of a name, if there still is one."""
        return next((route for route in self.routes if route.name == name), None)


def plain(notify_on: frozenset[str], channels: Mapping[str, tuple[str, ...]], *, is_final: bool = True) -> Policy:
    """Return the policy without routes: what is wanted goes to every channel, at once."""
    return Policy((Route("all", notify_on, is_final=is_final),), channels)


@dataclass(frozen=True, slots=True)
class Case:
    """What a ruling rests on besides the event: the policy, the time, the silences of the moment, who was told before.

    `is_attempt`: the event is one attempt of a run that is not over, and only for routes where each attempt speaks.
    """

    policy: Policy
    now: datetime
    silences: Sequence[Silence] = ()
    told: Sequence[Told] = ()
    is_attempt: bool = False


@dataclass(frozen=True, slots=True)
class _Asked:
    """An event in question: its traits, and the silence that keeps it back."""

    event: Event
    case: Case
    about: Mapping[str, str | None]
    muting: Muting | None


def rule(event: Event, case: Case) -> Ruling:
    """Decide which channels are told of an event, and when: of two routes to one channel the first counts."""
    asked = _asked(event, case)
    steps: list[Step] = []
    decisions: dict[str, Decision] = {}
    for route in case.policy.routes:
        step, is_meant = _step(asked, route)
        steps.append(step)
        for channel in _channels(route, case.policy) if step.takes else ():
            if channel not in decisions:
                decisions[channel] = _decision(asked, channel, route, step.reason)
        if is_meant and route.stops:
            break
    if event.type in _ENDS_FAILURE:
        for decision in _for_the_told(asked, decisions.keys()):
            decisions[decision.channel] = decision
    knew = {told.channel for told in case.told} if event.type in _ENDS_FAILURE else ()
    decisions |= {name: replace(decisions[name], knew=True) for name in decisions if name in knew}
    kept_back = asked.muting.silence if asked.muting and any(one.muted for one in decisions.values()) else None
    return Ruling(tuple(steps), tuple(decisions.values()), kept_back)


def rule_reminder(event: Event, case: Case) -> Ruling:
    """Decide on a reminder: it goes to those of `told`, by the routes that told them of the failure."""
    asked = _asked(event, case)
    there = (told for told in case.told if told.channel in case.policy.channels)
    routes = ((told.channel, case.policy.route(told.route)) for told in there)
    decisions = (_decision(asked, channel, route, "remind_every") for channel, route in routes if route)
    return Ruling(decisions=tuple(decisions))


def rule_again(event: Event, ruling: Ruling, case: Case) -> Ruling:
    """Decide anew for those from whom a silence that is over kept an event back: what was decided then still counts.

    That a failure is over is worth telling only to those who knew of it.
    """
    decisions = (_after_silence(event, one, case) if one.muted else one for one in ruling.decisions)
    return replace(ruling, decisions=tuple(decisions), muted_by=None)


def is_silenced(event: Event, case: Case) -> bool:
    """Whether a silence keeps an event back now."""
    return _asked(event, case).muting is not None


def now_told(told: tuple[Told, ...], event: Event, ruling: Ruling, now: datetime) -> tuple[Told, ...]:
    """Return who knows of a failure after an event: who knew, and who is told of it now."""
    if event.type not in _BEGINS_FAILURE:
        return told
    before = {one.channel: one for one in told}
    new = (one for one in ruling.decisions if one.tell)
    after = {one.channel: Told(one.channel, one.route, now, _reminders(before.get(one.channel))) for one in new}
    return tuple((before | after).values())


def _reminders(told: Told | None) -> int:
    return told.reminders if told else 0


def _after_silence(event: Event, muted: Decision, case: Case) -> Decision:
    route = case.policy.route(muted.route)
    if muted.channel not in case.policy.channels:
        return replace(muted, reason="the channel is gone", muted=False)
    if event.type in _ONLY_NEWS_TO_WHO_KNEW and not muted.knew:
        return replace(muted, reason=f"{muted.reason}, and was not told of the failure", muted=False)
    end = until(route.quiet.windows, case.now) if route and not route.quiet.drops else None
    held = "quiet hours" if end else "silence"
    group = "" if muted.channel in case.policy.programs else _key(muted.route, held, (end or case.now).isoformat())
    reason = f"{muted.reason} is over"
    return replace(muted, tell=True, reason=reason, due=end, group=group, held=held, muted=False)


def _asked(event: Event, case: Case) -> _Asked:
    about = traits(event, case.policy.labels.get(event.server.name, {}))
    silences = (*case.silences, *case.policy.silences)
    silences = () if event.type.startswith("watcher.") else silences
    mutings = (muting for silence in silences if (muting := silence.mutes(about, case.now)))
    return _Asked(event, case, about, next(mutings, None))


def _step(asked: _Asked, route: Route) -> tuple[Step, bool]:
    """Return what a route makes of an event, and whether it is meant for it, told or not."""
    if why_not := route.match.why_not(asked.about):
        return Step(route.name, takes=False, reason=why_not), False
    event_type = asked.event.type
    if event_type not in route.notify_on:
        return Step(route.name, takes=False, reason=f"notify_on does not name {event_type}"), True
    if asked.case.is_attempt and route.is_final:
        return Step(route.name, takes=False, reason="attempts = final, so it waits for its retry"), True
    return Step(route.name, takes=True, reason=f"notify_on names {event_type}"), True


def _channels(route: Route, policy: Policy) -> Iterable[str]:
    return policy.channels if route.channels is None else (one for one in route.channels if one in policy.channels)


def _for_the_told(asked: _Asked, decided: Iterable[str]) -> Iterator[Decision]:
    """Decide for those who were told of a failure, when it ends: they hear of it wherever else it goes."""
    policy, known = asked.case.policy, set(decided)
    for told in asked.case.told:
        route = policy.route(told.route)
        if route and asked.event.type in route.notify_on and told.channel in policy.channels.keys() - known:
            known.add(told.channel)
            yield _decision(asked, told.channel, route, "was told of the failure")


def _decision(asked: _Asked, channel: str, route: Route, reason: str) -> Decision:
    now, is_program = asked.case.now, channel in asked.case.policy.programs
    if asked.muting:
        return Decision(channel, tell=False, reason=asked.muting.reason, route=route.name, muted=True)
    if asked.event.type.startswith("watcher."):
        is_program = True  # it joins nothing, but waits for the end of quiet hours like everything else
    end = until(route.quiet.windows, now)
    if end and wording(asked.event).severity not in route.quiet.pierced_by:
        if route.quiet.drops:
            return Decision(channel, tell=False, reason="quiet hours, which drop it", route=route.name)
        group = "" if is_program else _key(route.name, "quiet", end.isoformat())
        return Decision(channel, tell=True, reason=reason, route=route.name, due=end, group=group, held="quiet hours")
    if is_program or not route.group_wait:
        return Decision(channel, tell=True, reason=reason, route=route.name)
    group = _key(route.name, *(asked.about.get(trait) or "" for trait in route.group_by))
    due = None if asked.case.policy.is_hasty else now + route.group_wait
    return Decision(channel, tell=True, reason=reason, route=route.name, due=due, group=group)


def _key(*parts: str) -> str:
    return "\x1f".join(parts)
