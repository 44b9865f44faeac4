"""One believable event of every kind: for `check`, which tries templates on them, and for the manual."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from watcher.core import event as events
from watcher.core.digest import Digest, JobDigest, ServerDigest
from watcher.core.event import OURSELVES, Event, JobRef, ServerRef, Story, Thing
from watcher.core.heartbeat import Heartbeat
from watcher.core.model import JobType, LogLine, Session, Statistics
from watcher.core.wanted import EVENTS

_HQ = ServerRef("HQ", "0f0f0f0f-0000-4000-8000-000000000001")
_JOB = JobRef("3d4c", "Contoso - Mail", JobType.BACKUP, "contoso.onmicrosoft.com")
_LOG = (
    LogLine("error", "Failed to process site https://contoso.sharepoint.com/sites/a_b: 404 Not Found"),
    LogLine("warning", "Mailbox of Ann <ann@contoso.com> has no license [more](https://x.example) @channel"),
)
_STATUS = {
    events.SESSION_FAILED: "Failed",
    events.SESSION_WARNING: "Warning",
    events.SESSION_STOPPED: "Stopped",
    events.SESSION_SUCCESS: "Success",
    events.JOB_RECOVERED: "Success",
    events.SESSION_STARTED: "Running",
    events.SESSION_UNRECOGNIZED: "Pondering",
    events.SESSION_VANISHED: "Running",
    events.SESSION_DISCONNECTED: "Disconnected",
    events.JOB_SLOW: "Running",
    events.JOB_STALLED: "Running",
    events.JOB_SHORT: "Success",
}
_THINGS: Mapping[str, Thing] = {
    "proxy": Thing("7c1d", "proxy-01"),
    "repository": Thing("91ab", "Vault"),
    "license": Thing("4e52", ""),
}
_REASONS: Mapping[str, str] = {
    "server.unreachable": "the connection was refused",
    events.SERVER_UNHEALTHY: "it says that it is not healthy: nats (no connection)",
    events.SESSION_DISCONNECTED: "it has been disconnected for more than 15 min",
    events.JOB_OVERDUE: "its next run was due and has not begun",
    f"{events.JOB_OVERDUE}{events.OVER}": "it runs now",
    events.JOB_STALE: "it has not ended well for more than 2 d 12 h",
    f"{events.JOB_STALE}{events.OVER}": "it has ended well",
    events.JOB_DISABLED: "it has been disabled for more than 12 h",
    f"{events.JOB_DISABLED}{events.OVER}": "it is enabled",
    events.JOB_SLOW: "it runs for more than 2 h 24 min, longer than its own runs do",
    f"{events.JOB_SLOW}{events.OVER}": "the run is over",
    events.JOB_STALLED: "no progress and no statistics have moved for 2 h",
    f"{events.JOB_STALLED}{events.OVER}": "it goes on",
    events.JOB_SHORT: "it went through 3 objects, and never through fewer than 398 before",
    f"{events.JOB_SHORT}{events.OVER}": "it has done as much as it used to",
    events.PROXY_OFFLINE: "the proxy is offline",
    f"{events.PROXY_OFFLINE}{events.OVER}": "it is online again",
    events.REPOSITORY_LOW: "less than 5 %, 320 GB of 8.0 TB are free",
    f"{events.REPOSITORY_LOW}{events.OVER}": "2.0 TB of 8.0 TB are free",
    events.REPOSITORY_INVALID: "nothing can be backed up to it or restored from it: the disk cannot be read",
    f"{events.REPOSITORY_INVALID}{events.OVER}": "it is valid again",
    events.LICENSE_EXPIRING: "the license ends in 12 days",
    f"{events.LICENSE_EXPIRING}{events.OVER}": "it ends in 365 days",
    events.CHANNEL_FAILING: "json://chat.example.com: answered 500. What it is owed is kept and tried again",
    events.CHANNEL_RECOVERED: "json://chat.example.com takes again",
}


def examples(now: datetime) -> tuple[Event, ...]:
    """Return one event of each kind, sorted by their names; all happened at `now`."""
    return tuple(_example(kind, now) for kind in sorted(EVENTS | events.REMINDERS))


def _example(kind: str, now: datetime) -> Event:
    of = kind.removesuffix(events.LASTING)
    is_ours = kind.startswith(("channel.", "watcher."))
    of_job = kind.startswith(("session.", "job."))
    return Event(
        id=f"example-{kind}",
        type=kind,
        server=OURSELVES if is_ours else _HQ,
        happened=now,
        decided=now + timedelta(seconds=20),
        job=_JOB if of_job else None,
        session=_session(of, now) if of in _STATUS else None,
        came_from="Running" if kind in _STATUS else None,
        went_to=_STATUS.get(of),
        log=_LOG if kind in {events.SESSION_FAILED, events.SESSION_WARNING} else (),
        reason=_REASONS.get(of, f"an example of {kind}"),
        story=_story(kind, now),
        channel="chat" if kind.startswith("channel.") else None,
        digest=_digest(now) if kind == events.WATCHER_DIGEST else None,
        heartbeat=_heartbeat(now) if kind == events.WATCHER_HEARTBEAT else None,
        thing=_THINGS.get(kind.partition(".")[0]),
    )


def _session(kind: str, now: datetime) -> Session:
    status = _STATUS[kind]
    is_over = status in {"Failed", "Warning", "Stopped", "Success"}
    return Session(
        "8f3a1c52-7b1e-4d2a-9a53-0c1f6f6d1b11",
        status,
        job_id=_JOB.id,
        created=now - timedelta(hours=1, minutes=12),
        ended=now if is_over else None,
        details="Transferred: 24.6 GB (12345 items) at 5.7 MB/s (52 items/s)" if is_over else None,
        statistics=Statistics(5_700_000, 52, 6_100_000, 3_100_000, 24_600_000_000, 12_345, "Source"),
    )


def _story(kind: str, now: datetime) -> Story:
    if kind in {events.SESSION_FAILED, events.JOB_RECOVERED, events.JOB_FAILING}:
        day = timedelta(days=1)
        return Story(3, now - 2 * day, now - 3 * day, was_bad=True)
    if kind in events.REMINDERS:
        return Story(failing_since=now - timedelta(days=2, hours=2))
    if kind in events.ALARMS or kind in events.ALARMS_OVER:
        return Story(failing_since=now - timedelta(hours=2))
    return Story()


def _heartbeat(now: datetime) -> Heartbeat:
    return Heartbeat(now, (ServerDigest("HQ", reachable=True, last_success=now - timedelta(seconds=12)),), 43)


def _digest(now: datetime) -> Digest:
    day = timedelta(days=1)
    contoso, fabrikam, tailspin, gigabyte = _JOB.organization, "fabrikam.com", "tailspin.com", 1_000_000_000
    jobs = (
        JobDigest("HQ", "Contoso - Mail", contoso, 3, 3, 0, 0, "Failed", now - 3 * day, 0, 24 * gigabyte),
        JobDigest("HQ", "Contoso - Sites", contoso, 4, 1, 0, 0, "Success", now, 8 * gigabyte, 7 * gigabyte),
        JobDigest("HQ", "Fabrikam - Teams", fabrikam, 4, 0, 1, 0, "Warning", now - day, 2 * gigabyte, gigabyte),
        JobDigest("HQ", "Tailspin - Archive", tailspin, 0, 0, 0, 0, "Success", now - 5 * day, None, gigabyte),
        JobDigest("HQ", "Tailspin - Mail", tailspin, 4, 0, 0, 0, "Success", now, 5 * gigabyte, 5 * gigabyte),
    )
    servers = (ServerDigest("HQ", reachable=True, last_success=now),)
    return Digest(now - day, now, is_weekly=False, jobs=jobs, servers=servers)
