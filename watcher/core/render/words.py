"""What is said of an event: its outcome in a word, and the sentences that a number cannot replace."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import tzinfo

from watcher.core import event as events
from watcher.core.errand import noun
from watcher.core.event import Event
from watcher.core.model import LogLine
from watcher.core.render import alarms
from watcher.core.render.heartbeat import sentences as signs_of_life
from watcher.core.render.style import Severity
from watcher.core.render.units import duration, moment, number, ordinal, times


@dataclass(frozen=True, slots=True)
class Wording:
    """How one type of event is named: by itself ("Failed: …"), and counted among others ("2 failed")."""

    word: str
    counted: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Headline:
    """The one line that has to do on a phone: an outcome, and what it befell."""

    word: str
    subject: str = ""
    server: str = ""

    def __str__(self) -> str:
        """Say it in full: "Failed: Daily mail on HQ"."""
        about = " on ".join(part for part in (self.subject, self.server) if part)
        return f"{self.word}: {about}" if about else self.word


_WORDINGS: Mapping[str, Wording] = {
    events.SESSION_FAILED: Wording("Failed", "failed", Severity.FAILURE),
    events.SESSION_WARNING: Wording("Warning", "with warnings", Severity.WARNING),
    events.SESSION_STOPPED: Wording("Stopped", "stopped", Severity.WARNING),
    events.SESSION_SUCCESS: Wording("Success", "good", Severity.SUCCESS),
    events.SESSION_STARTED: Wording("Started", "started", Severity.INFO),
    events.SESSION_UNRECOGNIZED: Wording("Unknown status", "with an unknown status", Severity.WARNING),
    events.SESSION_VANISHED: Wording("Vanished", "vanished", Severity.WARNING),
    events.JOB_RECOVERED: Wording("Recovered", "recovered", Severity.SUCCESS),
    events.JOB_FAILING: Wording("Still failing", "still failing", Severity.FAILURE),
    events.SERVER_UNREACHABLE: Wording("Server does not answer", "not answering", Severity.FAILURE),
    events.SERVER_UNAUTHORIZED: Wording("Server refuses the login", "refusing the login", Severity.FAILURE),
    events.SERVER_RECOVERED: Wording("Server answers again", "answering again", Severity.SUCCESS),
    events.SERVER_REPLACED: Wording("Server replaced", "replaced", Severity.WARNING),
    events.WATCHER_DIGEST: Wording("Digest", "digest", Severity.INFO),
    events.WATCHER_HEARTBEAT: Wording("Heartbeat", "heartbeat", Severity.SUCCESS),
    events.CHANNEL_FAILING: Wording("Channel fails", "with a channel that fails", Severity.WARNING),
    events.CHANNEL_RECOVERED: Wording("Channel works again", "with a channel that works again", Severity.SUCCESS),
    events.CHANNEL_TEST: Wording("Test message from vb365-watcher", "test", Severity.INFO),
    f"{events.SERVER_UNREACHABLE}{events.LASTING}": Wording(
        "Server still does not answer", "still not answering", Severity.FAILURE
    ),
    f"{events.SERVER_UNAUTHORIZED}{events.LASTING}": Wording(
        "Server still refuses the login", "still refusing the login", Severity.FAILURE
    ),
    **{kind: Wording(*words) for kind, words in {**alarms.WORDINGS, **alarms.over_wordings()}.items()},
    **{kind: Wording(*words) for kind, words in alarms.still_wordings().items()},
}

_OF_SERVERS = frozenset(
    {events.SERVER_UNREACHABLE, events.SERVER_UNAUTHORIZED, events.SERVER_RECOVERED, events.SERVER_REPLACED}
)
BAD_ENDS = frozenset({events.SESSION_FAILED, events.SESSION_WARNING, events.SESSION_STOPPED})
"""The events of runs that did not end well."""


def wording(event: Event) -> Wording:
    """Return how an event is named; a type without words of its own is named by its type."""
    if event.went_to == events.UNWATCHED and event.type in events.ALARMS_OVER:
        return Wording(f"{_told_as(event)}, no longer watched", "no longer watched", Severity.INFO)
    known = _WORDINGS.get(event.type)
    if known is not None:
        is_sad = event.heartbeat is not None and not event.heartbeat.is_well
        return replace(known, severity=Severity.WARNING) if is_sad else known
    name = event.type.replace(".", " ").replace("_", " ")
    severity = Severity.SUCCESS if event.type.endswith(".recovered") else Severity.WARNING
    return Wording(name.capitalize(), name, severity)


def _told_as(event: Event) -> str:
    """Return how the alarm was named that an event ends."""
    kind = events.SERVER_UNHEALTHY if event.type == events.SERVER_RECOVERED else events.alarm_of(event.type)
    return _WORDINGS[kind].word


_OF_ERRANDS: Mapping[str, str] = {
    events.SESSION_FAILED: "failed",
    events.SESSION_WARNING: "ended with warnings",
    events.SESSION_STOPPED: "stopped",
    events.SESSION_SUCCESS: "done",
    events.SESSION_STARTED: "started",
    events.SESSION_VANISHED: "vanished",
}


def outcome(event: Event) -> str:
    """Return the first words of a title: how it ended; where there is no job, they also say what."""
    if event.session is not None and not event.session.is_of_job and event.type in _OF_ERRANDS:
        return f"{noun(event.session)} {_OF_ERRANDS[event.type]}"
    if event.type == events.SESSION_WARNING and event.story.was_bad:
        return "Runs again, with warnings"
    if event.type == events.SESSION_FAILED and event.session is not None and event.session.will_be_retried:
        return "Failed, will be retried"
    if event.type == events.SESSION_UNRECOGNIZED and event.went_to:
        return f"Unknown status {event.went_to}"
    if event.type == events.SERVER_RECOVERED and event.came_from and event.went_to != events.UNWATCHED:
        return "Server is healthy again"
    return wording(event).word


def headline(event: Event) -> Headline:
    """Return which job of which server ended how."""
    if event.type == events.CHANNEL_TEST:
        return Headline(outcome(event))
    if event.channel is not None:
        return Headline(outcome(event), event.channel)
    if event.heartbeat is not None:
        return Headline(outcome(event), "all is well" if event.heartbeat.is_well else "not all is well")
    if event.job is not None:
        return Headline(outcome(event), event.job.name, event.server.name)
    if event.thing is not None:
        return Headline(outcome(event), event.thing.name, event.server.name)
    about = f"session {event.session.id[:8]}" if event.session is not None else ""
    return Headline(outcome(event), about, event.server.name)


def sentences(event: Event, zone: tzinfo) -> tuple[str, ...]:
    """Return what a person should know beside the numbers: what happened before, and why this is told now."""
    if event.heartbeat is not None:
        return tuple(signs_of_life(event.heartbeat, zone))
    is_alarm = event.type in alarms.TOLD or (event.type == events.SERVER_RECOVERED and event.came_from)
    said = alarms.sentences(event, zone) if is_alarm else _by_type(event, zone)
    return (*said, *_late(event, zone))


def reason(event: Event) -> LogLine | None:
    """Return why it ended so: the first error of its log, else the first warning, else the details of a bad end."""
    for word in ("error", "warning"):
        for line in event.log:
            if line.type == word:
                return line
    said = details(event) if event.type in BAD_ENDS else ""
    return LogLine("details", said) if said else None


def details(event: Event) -> str:
    """Return what a session's details say beyond its statistics, which they repeat ("Transferred: 0 B (0 items) …")."""
    text = (event.session.details or "") if event.session is not None else ""
    return " ".join(line for line in text.splitlines() if not line.strip().lower().startswith("transferred:")).strip()


def _by_type(event: Event, zone: tzinfo) -> Iterator[str]:
    match event.type:
        case events.SESSION_FAILED:
            yield from _failures(event, zone)
        case events.JOB_RECOVERED:
            yield from _recovery(event, zone)
        case events.JOB_FAILING:
            yield from _lasting(event, zone)
        case events.SESSION_WARNING:
            yield from _failures_before(event, zone)
        case events.SESSION_UNRECOGNIZED:
            yield f'The status "{event.went_to or "?"}" is in no known version of the VB365 manual.'
        case events.SESSION_VANISHED:
            was = f" It was last seen as {event.came_from}." if event.came_from else ""
            yield f"The server does not know this session any more; how it ended is not known.{was}"
        case _ if event.type.removesuffix(events.LASTING) in _OF_SERVERS:
            yield from _of_server(event, zone)
        case events.CHANNEL_FAILING | events.CHANNEL_RECOVERED | events.CHANNEL_TEST:
            yield from _of_channel(event)
        case _ if event.type not in _WORDINGS and event.reason:
            yield f"{event.reason[:1].upper()}{event.reason[1:]}."


def _of_server(event: Event, zone: tzinfo) -> Iterator[str]:
    if event.type == events.SERVER_REPLACED:
        yield "Another VB365 installation answers under this name. Its sessions up to now are taken as history."
        return
    since = event.story.failing_since or event.happened
    when = moment(since, zone, beside=event.decided)
    if event.type == events.SERVER_RECOVERED:
        yield f"It was away for {duration(event.decided - since)}, since {when}. What ended meanwhile is told now."
        return
    if event.reason:
        yield f"{event.reason}."
    lasts = event.type.endswith(events.LASTING)
    so = f"It has been so for {duration(event.happened - since)}, since {when}" if lasts else f"So it is since {when}"
    yield f"{so}. Until it answers nothing is known of its jobs; what ends meanwhile is told then."


def _of_channel(event: Event) -> Iterator[str]:
    if event.type == events.CHANNEL_TEST:
        yield "If you can read this, the channel works."
    elif event.type == events.CHANNEL_FAILING:
        yield f"{event.reason}."
    else:
        yield f"{event.reason}. What it was owed follows."


def _failures(event: Event, zone: tzinfo) -> Iterator[str]:
    story = event.story
    if story.failures > 1:
        since = f", since {moment(story.failing_since, zone, beside=event.happened)}" if story.failing_since else ""
        yield f"{ordinal(story.failures).capitalize()} failure in a row{since}."
    elif story.was_bad:
        yield "The run before had failed, too."
    if story.last_good is not None:
        yield f"Last good run: {moment(story.last_good, zone, beside=event.happened)}."


def _lasting(event: Event, zone: tzinfo) -> Iterator[str]:
    """Say how long a failure has lasted: "Third day, 5 runs, since Sun 1 Mar 02:10 +01:00."."""
    story = event.story
    runs = f"{number(story.failures)} {'run' if story.failures == 1 else 'runs'}" if story.failures else ""
    day = f"{ordinal((event.happened - story.failing_since).days + 1)} day" if story.failing_since else ""
    since = f"since {moment(story.failing_since, zone, beside=event.happened)}" if story.failing_since else ""
    said = ", ".join(part for part in (day, runs, since) if part)
    if said:
        yield f"{said[:1].upper()}{said[1:]}."
    if story.last_good is not None:
        yield f"Last good run: {moment(story.last_good, zone, beside=event.happened)}."


def _recovery(event: Event, zone: tzinfo) -> Iterator[str]:
    if event.story.last_good is not None:
        yield f"First good run since {moment(event.story.last_good, zone, beside=event.happened)}."
    yield from _failures_before(event, zone)


def _failures_before(event: Event, zone: tzinfo) -> Iterator[str]:
    story = event.story
    if not story.was_bad:
        return
    if not story.failures:
        yield "The run before had failed."
        return
    when = f" {moment(story.failing_since, zone, beside=event.happened)}" if story.failing_since else ""
    link = " since" if story.failures > 1 else " on"
    yield f"It failed {times(story.failures)}{link + when if when else ''}{_how_long(event)}."


def _how_long(event: Event) -> str:
    """Say how long a failure lasted."""
    since = event.story.failing_since
    return f", for {duration(event.happened - since)}" if since and event.happened > since else ""


def _late(event: Event, zone: tzinfo) -> Iterator[str]:
    if event.late:
        yield f"Told late: it ended {moment(event.happened, zone, beside=event.decided)}."
