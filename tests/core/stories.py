"""Events to render in tests: one of each kind, as a real day would bring them."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from watcher.core.digest import ServerDigest
from watcher.core.errand import reference
from watcher.core.event import (
    ALARMS,
    ALARMS_OVER,
    OURSELVES,
    SERVER_RECOVERED,
    UNWATCHED,
    Event,
    JobRef,
    ServerRef,
    Story,
)
from watcher.core.examples import examples
from watcher.core.heartbeat import Heartbeat
from watcher.core.model import Errand, JobType, LogLine, Session, Statistics

END = datetime(2026, 3, 3, 1, 10, tzinfo=UTC)
HQ = ServerRef("HQ", "0f0f0f0f-0000-4000-8000-000000000001")
JOB = JobRef("3d4c", "Contoso - Mail", JobType.BACKUP, "contoso.onmicrosoft.com")
STATISTICS = Statistics(5_700_000, 52, 6_100_000, 3_100_000, 24_600_000_000, 12_345, "Source")
SESSION = Session(
    "8f3a1c52-7b1e-4d2a-9a53-0c1f6f6d1b11",
    "Success",
    job_id="3d4c",
    created=END - timedelta(hours=1, minutes=12),
    ended=END,
    details="Transferred: 24.6 GB (12345 items) at 5.7 MB/s (52 items/s)",
    statistics=STATISTICS,
)
ERRORS = (
    LogLine("warning", "Mailbox ann@contoso.com was skipped: no license"),
    LogLine("error", "Failed to process site https://contoso.sharepoint.com/sites/a_b: 404 Not Found"),
    LogLine("error", "Failed to process mailbox bob@contoso.com: throttled"),
)


def an_event(event_type: str = "session.failed", **fields: object) -> Event:
    """Return an event of HQ's mail job; the session has the status that fits the type."""
    status = {"failed": "Failed", "warning": "Warning", "stopped": "Stopped", "started": "Running"}
    word = status.get(event_type.partition(".")[2], "Success")
    event = Event(
        id="5f1d7e0c9a7b4c33a1b2c3d4e5f60718",
        type=event_type,
        server=HQ,
        happened=END,
        decided=END + timedelta(seconds=20),
        job=JOB,
        session=replace(SESSION, status=word),
        came_from="Running",
        went_to=word,
    )
    return replace(event, **fields)  # type: ignore[arg-type]  # a factory's fields are as free as its callers


def _session(**fields: object) -> Session:
    return replace(SESSION, **fields)  # type: ignore[arg-type]  # as above


def _of_server(event_type: str, **fields: object) -> Event:
    gone = {"job": None, "session": None, "came_from": None, "went_to": None, "story": Story(failing_since=END)}
    return an_event(event_type, **{**gone, **fields})


def _errand(kind: JobType, event_type: str, errand: Errand, **fields: object) -> Event:
    words = {"failed": "Failed", "warning": "Warning", "started": "Running"}
    status = words.get(event_type.partition(".")[2], "Success")
    bare = {"job_id": None, "job_type": kind, "statistics": Statistics(), "details": None, "status": status}
    session = _session(**{**bare, "errand": errand, **fields})
    return an_event(event_type, session=session, job=reference(session))


RESTORE = Errand(
    "Mailbox of Ann Lee",
    "Exchange restore",
    "contoso.onmicrosoft.com",
    "ann@contoso.com",
    "HQ\\operator",
    "10.0.0.7",
    "Ticket 4711: she deleted a folder",
)


def _of_ours(event_type: str, **fields: object) -> Event:
    gone = {"server": OURSELVES, "job": None, "session": None, "came_from": None, "went_to": None}
    return an_event(event_type, **{**gone, **fields})


def _watchdogs() -> dict[str, Event]:
    """Return each alarm and how its end is told, as the examples have them; some that last, one that is given up."""
    again = {"job.overdue.lasting", "repository.low.lasting", "server.unreachable.lasting"}
    ours = (ALARMS | ALARMS_OVER | again) - {SERVER_RECOVERED}
    told = {one.type.replace(".", "-"): one for one in examples(END) if one.type in ours}
    off = replace(told["job-overdue-recovered"], went_to=UNWATCHED, reason="its rule is switched off")
    return {**told, "job-overdue-unwatched": off}


DAY = timedelta(days=1)
SERVERS = (
    ServerDigest("HQ", reachable=True, last_success=END - timedelta(seconds=12)),
    ServerDigest("Branch", reachable=False, last_success=END - timedelta(hours=2)),
)
STORIES: Mapping[str, Event] = {
    "failed": an_event(
        log=ERRORS,
        story=Story(3, END - 2 * DAY, END - 3 * DAY, was_bad=True),
        session=_session(status="Failed", retry_count=2),
    ),
    "failed-first": an_event(
        session=_session(status="Failed", details="Cannot connect to the organization.\r\nCheck the account."),
        story=Story(1, END, END - DAY),
    ),
    "failed-will-be-retried": an_event(session=_session(status="Failed", will_be_retried=True), log=ERRORS[1:2]),
    "failed-late": an_event(late=True, decided=END + timedelta(hours=9), log=ERRORS[1:2]),
    "warning": an_event("session.warning", log=ERRORS[:1]),
    "warning-after-failure": an_event(
        "session.warning", log=ERRORS[:1], story=Story(2, END - 2 * DAY, END - 3 * DAY, was_bad=True)
    ),
    "stopped": an_event("session.stopped", session=_session(status="Stopped", statistics=Statistics())),
    "success": an_event("session.success"),
    "success-copy": an_event("session.success", job=JobRef("9", "Copy to vault", JobType.COPY)),
    "recovered": an_event("job.recovered", story=Story(3, END - 3 * DAY, END - 4 * DAY, was_bad=True)),
    "recovered-from-before-our-time": an_event("job.recovered", story=Story(was_bad=True)),
    "still-failing": an_event(
        "job.failing", session=None, came_from=None, story=Story(5, END - 2.5 * DAY, END - 3 * DAY, was_bad=True)
    ),
    "started": an_event(
        "session.started",
        happened=END,
        session=_session(status="Running", created=END, ended=None, details=None, statistics=Statistics()),
    ),
    "unrecognized": an_event(
        "session.unrecognized",
        went_to="Pondering",
        reason="no known version documents the status 'Pondering'",
        session=_session(status="Pondering", ended=None, statistics=Statistics()),
    ),
    "vanished": an_event(
        "session.vanished",
        went_to="Running",
        reason="the server answered 404 for it in 2 looks",
        session=_session(status="Running", ended=None, statistics=Statistics()),
    ),
    "restore-started": _errand(JobType.RESTORE, "session.started", RESTORE, created=END, ended=None),
    "restore-done": replace(
        _errand(JobType.RESTORE, "session.success", RESTORE),
        log=(LogLine("success", "Folder Offers of Ann: restored to \\\\ann@contoso.com\\Inbox"),),
    ),
    "restore-failed": replace(
        _errand(JobType.RESTORE, "session.failed", RESTORE, details="Some items could not be restored"),
        log=(LogLine("error", "Folder Offers of Ann: the mailbox ann@contoso.com is locked"),),
    ),
    "restore-nameless": _errand(JobType.RESTORE, "session.warning", Errand(kind="Teams restore")),
    "retrieval-done": _errand(
        JobType.RETRIEVAL,
        "session.success",
        Errand("Mails of 2019", "Removal of retrieved data", retrieval_id="1", repository_id="2"),
        statistics=Statistics(processed_objects=4711),
    ),
    "synchronization-failed": _errand(
        JobType.SYNCHRONIZE,
        "session.failed",
        Errand("Bucket 01", repository_id="2"),
        details="The bucket does not answer",
        created=None,
    ),
    "server-unreachable": _of_server(
        "server.unreachable", reason="GET https://hq:4443/v8/JobSessions: the connection was refused"
    ),
    "server-unauthorized": _of_server(
        "server.unauthorized", reason="https://hq:4443: the login was refused; it is tried again in 300 s"
    ),
    "server-recovered": _of_server(
        "server.recovered", decided=END + timedelta(hours=2), happened=END + timedelta(hours=2)
    ),
    "channel-failing": an_event(
        "channel.failing",
        server=OURSELVES,
        job=None,
        session=None,
        came_from=None,
        went_to=None,
        channel="chat",
        reason="json://chat.example.com: answered 403. That message is given up (watcher retry puts it back); "
        "what comes later is tried all the same",
    ),
    "channel-recovered": an_event(
        "channel.recovered",
        server=OURSELVES,
        job=None,
        session=None,
        came_from=None,
        went_to=None,
        channel="chat",
        reason="json://chat.example.com takes again",
    ),
    "heartbeat": _of_ours("watcher.heartbeat", heartbeat=Heartbeat(END, SERVERS[:1], 43)),
    "heartbeat-not-well": _of_ours(
        "watcher.heartbeat",
        heartbeat=Heartbeat(
            END,
            SERVERS,
            None,
            running=3,
            failing=1,
            alarms=2,
            pending=1,
            dead=2,
            sick=("chat", "mail"),
            stuck=("poll HQ made no progress for 700 s (limit 600 s)",),
        ),
    ),
    **_watchdogs(),
    "server-healthy": _of_server(
        "server.recovered", happened=END + timedelta(hours=2), came_from="Unhealthy", reason="it is healthy again"
    ),
    "server-replaced": an_event("server.replaced", job=None, session=None, came_from=None, went_to=None),
    "test": an_event("channel.test", job=None, session=None, came_from=None, went_to=None),
    "unknown-to-these-words": an_event(
        "mailbox.full", job=None, session=None, came_from=None, went_to=None, reason="only 4 % of Vault is free"
    ),
    "nasty-names": an_event(
        server=ServerRef("<b>HQ</b> [x](http://evil.example)"),
        job=JobRef("1", "@everyone **Mail**\n# <!here> <@U123>\x1b[31m `x`", JobType.BACKUP, "a|b_c_~~d~~"),
        log=(LogLine("error", "<script>alert(1)</script> ![p](http://evil.example/p.png)\r\n- one\r\n- two"),),
    ),
}
