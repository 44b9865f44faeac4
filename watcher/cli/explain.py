"""`watcher explain`: who is told of an event, or was told of a session, and why."""

import argparse
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, tzinfo
from difflib import get_close_matches

from watcher.cli.database import closed_to_us, database_file, opened, store_errors
from watcher.cli.ending import Ending
from watcher.cli.given import misused, moment, quiet_log, settings_of, unknown_name
from watcher.cli.screen import say, show_json
from watcher.cli.streams import complain
from watcher.clock import now
from watcher.core.delivery import State
from watcher.core.errand import reference
from watcher.core.event import (
    ALARMS,
    JOB_RECOVERED,
    OVER,
    SERVER_RECOVERED,
    SERVER_UNREACHABLE,
    SESSION_FAILED,
    SESSION_WARNING,
    Event,
    JobRef,
    ServerRef,
)
from watcher.core.jsonview import dump
from watcher.core.model import JobType, Status
from watcher.core.policy import Case, rule
from watcher.core.ruling import Decision, Ruling, Told
from watcher.core.silence import Silence
from watcher.core.views import DeliveryView, Footprint, KnownJob, Trail
from watcher.core.wanted import UnknownWordError, events_named
from watcher.daemon.policy import planned_policy
from watcher.settings import Settings
from watcher.store import Store, StoreError

_KEPT = 1000
_BEGINS = {
    JOB_RECOVERED: SESSION_FAILED,
    SESSION_WARNING: SESSION_FAILED,
    SERVER_RECOVERED: SERVER_UNREACHABLE,
    **{f"{kind}{OVER}": kind for kind in ALARMS},
}


def execute(args: argparse.Namespace) -> int:
    """Explain one event that could be, or what became of one session."""
    asked = any((args.job, args.job_type, args.server, args.organization, args.event, args.at))
    if bool(args.session) == asked:
        raise misused("explain", "name a session, or describe an event: `--job NAME --event failed`")
    settings = settings_of(args, need_secrets=False)
    quiet_log(settings)
    return _session(args, settings) if args.session else _what_if(args, settings)


def _what_if(args: argparse.Namespace, settings: Settings) -> int:
    try:
        at = moment(args.at, settings.timezone, now()) if args.at else now()
    except ValueError as error:
        raise misused("explain", f"--at: {error}") from None
    kinds = _kinds(args.event or SESSION_FAILED)
    jobs, silences, channels = _known(settings)
    policy = planned_policy(settings, channels)
    told = []
    for kind in kinds:
        event = _imagined(args, kind, at, settings, jobs)
        in_force = [one for one in silences if one.over(at)]
        knows = tuple(_knowing(event, Case(policy, at, in_force)))
        ruling = rule(event, Case(policy, at, in_force, knows))
        told.append({"event": kind, "at": at, "ruling": ruling})
        if not args.json:
            _show(event, ruling, at, settings)
    if args.json:
        show_json(dump(told, indent=2))
    elif settings.attempts == "final":
        say("A bad end that the server will retry waits for its run's last attempt first, " + _hold(settings) + ".")
    return 0


def _hold(settings: Settings) -> str:
    return f"at most {settings.hold.total_seconds() / 3600:.3g} h"


def _knowing(event: Event, case: Case) -> Iterator[Told]:
    """Suppose that who would be told of the failure that an event ends was."""
    begin = _BEGINS.get(event.type)
    if begin is None:
        return
    failed = rule(replace(event, type=begin), case)
    yield from (Told(one.channel, one.route, case.now) for one in failed.decisions if one.tell)


def _kinds(word: str) -> list[str]:
    try:
        return sorted(events_named([word]))
    except UnknownWordError as error:
        raise misused("explain", f"--event: {error}") from None


def _known(settings: Settings) -> tuple[list[KnownJob], list[Silence], dict[str, str]]:
    """Read jobs, silences and channels (address by name) from the database; there may be none yet."""
    try:
        with opened(settings) as store:
            channels = {one.name: one.address for one in store.status(now=now()).channels if not one.gone}
            return store.known_jobs(), store.silences(limit=_KEPT), channels
    except (StoreError, PermissionError) as error:
        _say_left_out(settings, error)
        return [], [], {}


def _say_left_out(settings: Settings, error: StoreError | PermissionError) -> None:
    """Say that the answer rests on the settings alone, where there is a database that cannot be used."""
    path = database_file(settings)
    if isinstance(error, PermissionError) or path is None or path.exists():
        why = closed_to_us(error) if isinstance(error, PermissionError) else str(error)
        complain(f"{why}; jobs and silences in it are left out")


def _imagined(args: argparse.Namespace, kind: str, at: datetime, settings: Settings, jobs: Iterable[KnownJob]) -> Event:
    jobs = list(jobs)
    servers = list(dict.fromkeys([*(one.name for one in settings.servers), *(one.server for one in jobs)]))
    if args.server and args.server not in servers:
        raise Ending(unknown_name("server", args.server, servers), code=2)
    meant = [one for one in jobs if one.job.name == args.job and args.server in {None, one.server}]
    if jobs and args.job and not meant and args.job_type is None:
        near = get_close_matches(args.job, {one.job.name for one in jobs}, n=1)
        hint = f": did you mean `{near[0]}`?" if near else ""
        complain(f"no job that is known by now is called `{args.job}`{hint}")
    found = meant[0] if meant else None
    server = args.server or (found.server if found else servers[0] if servers else "default")
    organization = args.organization or (found.job.organization if found else None)
    of_work = _kind(args.job_type) if args.job_type else found.job.type if found else None
    job = JobRef("?", args.job or "?", of_work, organization) if args.job or args.job_type else None
    return Event("?", kind, ServerRef(server), at, at, job=job)


def _kind(word: str) -> JobType:
    try:
        return JobType(word)
    except ValueError:
        raise misused("explain", f"--job-type: `{word}` is none of {', '.join(JobType)}") from None


def _show(event: Event, ruling: Ruling, at: datetime, settings: Settings) -> None:
    job = f" of {event.job.name}" if event.job else ""
    say(f"{event.type}{job} on {event.server.name}, {_time(at, settings.timezone)}")
    for line in _lines(ruling, settings.timezone):
        say(f"  {line}")
    skipped = [route.name for route in settings.routes[len(ruling.steps) :]]
    for name in skipped:
        say(f"  route {name}: not asked, since the one before stops")
    say("")


def _lines(ruling: Ruling, zone: tzinfo) -> Iterator[str]:
    for step in ruling.steps:
        yield f"route {step.route}: {'yes' if step.takes else 'no'}, {step.reason}"
    if not ruling.decisions:
        yield "so nobody is told"
    for one in ruling.decisions:
        yield f"channel {one.channel}: {_decided(one, zone)}"


def _decided(one: Decision, zone: tzinfo) -> str:
    by = f"by route {one.route}: {one.reason}"
    if one.muted:
        return f"kept back, {by}; told when that is over, if it is still so"
    if not one.tell:
        return f"not told, {by}"
    if one.held and one.due:
        return f"told at {_time(one.due, zone)}, after the {one.held} of route {one.route}"
    if one.due:
        return f"told, {by}; from {_time(one.due, zone)} on, with what joins it until then"
    return f"told at once, {by}" + (", with what waits in its group" if one.group else "")


def _session(args: argparse.Namespace, settings: Settings) -> int:
    with store_errors(), opened(settings) as store:
        trails = _trails(store, args.session)
    if args.json:
        show_json(dump([_as_json(trail) for trail in trails], indent=2))
        return 0
    for trail in trails:
        for line in _of_trail(trail, settings.timezone):
            say(line)
        say("")
    return 0


def _trails(store: Store, prefix: str) -> list[Trail]:
    trails = store.trails(prefix)
    if not trails:
        raise Ending(f"{prefix} is no session, nor the beginning of one (see `watcher sessions`)", code=1)
    return trails


def _as_json(trail: Trail) -> dict[str, object]:
    session = trail.known.session
    return {
        "server": trail.server,
        "id": session.id,
        "job": _name(trail),
        "status": session.status,
        "end_time": session.ended,
        "why": list(_why_silent(trail)),
        "events": [
            {"event": one.event.type, "id": one.event.id, "ruling": one.ruling, "deliveries": list(one.deliveries)}
            for one in trail.told
        ],
    }


def _name(trail: Trail) -> str | None:
    session = trail.known.session
    if not session.is_of_job:
        return reference(session).name
    return trail.job.name if trail.job else session.job_id


def _of_trail(trail: Trail, zone: tzinfo) -> Iterator[str]:
    session = trail.known.session
    job = _name(trail) or "a job that is not known"
    ended = f", ended {_time(session.ended, zone)}" if session.ended else ""
    yield f"session {session.id} of {job} on {trail.server}: {session.status or 'could not be read yet'}{ended}"
    for line in _why_silent(trail):
        yield f"  {line}"
    for one in trail.told:
        yield from _of_event(one, session.id, zone)


def _of_event(one: Footprint, session_id: str, zone: tzinfo) -> Iterator[str]:
    other = one.event.session is not None and one.event.session.id != session_id
    by = f" (of the run's last attempt, session {one.event.session.id})" if other and one.event.session else ""
    yield f"  {one.event.type}, decided {_time(one.event.decided, zone)}{by}: {one.event.reason or ''}"
    rows = {row.channel: row for row in one.deliveries}
    for line in _lines(one.ruling, zone) if one.ruling else ("what was decided then is not known any more",):
        if not line.startswith("channel ") or line.split(":")[0].removeprefix("channel ") not in rows:
            yield f"    {line}"
    for row in one.deliveries:
        yield f"    channel {row.channel} ({row.destination}): {_delivery(row, zone)}"


def _delivery(row: DeliveryView, zone: tzinfo) -> str:
    tries = "1 attempt" if row.attempts == 1 else f"{row.attempts} attempts"
    if row.state is State.DELIVERED:
        return f"delivered, after {tries}"
    if row.state is State.DEAD:
        return f"dead after {tries}: {row.last_error or 'no reason is known'}"
    why = f"; {row.held}" if row.held and not row.attempts else f"; last: {row.last_error}" if row.last_error else ""
    when = f", next at {_time(row.next_attempt, zone)}" if row.next_attempt else ""
    return f"pending after {tries}{when}{why}" if row.attempts else f"pending{when}{why}"


def _why_silent(trail: Trail) -> Iterator[str]:
    """Say why nothing, or nothing yet, was told of a session."""
    known, session = trail.known, trail.known.session
    waiting = next((run for run in trail.runs if run.held and run.last and run.last.id == session.id), None)
    if waiting is not None:
        yield "waits for its retry, WATCHER_HOLD at most: a run and its retries speak once (WATCHER_ATTEMPTS)"
    elif trail.told:
        yield from _as_part(session.id, trail)
    elif known.closed:
        yield "the server does not know it any more"
    elif known.is_open:
        yield "its end has not been seen yet"
    elif session.ended and trail.news_from and session.ended < trail.news_from:
        yield "it ended before the first contact with its server (WATCHER_LOOKBACK), so it is history"
    elif session.status not in set(Status):
        yield "its status is none that ends a session"
    else:
        yield from _as_part(session.id, trail)
        if not trail.runs:
            yield "its end was taken as history, or what was told of it is older than WATCHER_KEEP"


def _as_part(session_id: str, trail: Trail) -> Iterator[str]:
    run = next(iter(trail.runs), None)
    if run is not None and len(run.attempts) > 1:
        place = run.attempts.index(session_id) + 1 if session_id in run.attempts else 1
        yield f"attempt {place} of {len(run.attempts)} of one run, which speaks once, by its last attempt"


def _time(when: datetime, zone: tzinfo) -> str:
    return when.astimezone(zone).isoformat(sep=" ", timespec="seconds")
