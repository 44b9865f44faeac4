"""The log lines of made-up sessions, worded in the way the real server words them; every name in them is invented."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime

from watcher.core.model import LogLine, Status

_PEOPLE = ("Mira Okafor", "Jon Lindqvist", "Ana Duarte", "Piotr Zielak", "Hana Mori", "Tom Reyes", "Lea Baumann")
_WARNINGS: Mapping[str, Sequence[str]] = {
    "mail": (
        "Failed to backup item: /Inbox/Quarterly figures, mailbox: {who} (ID: {id}). The item is corrupted.",
        "Mailbox {who} does not have a valid Microsoft 365 license.",
        "Cannot find mailbox {who}. The Exchange account was not found.",
    ),
    "sites": (
        "Failed to process list: /sites/handbook/Lists/Links. The remote server returned an error: (404) Not Found.",
        "Failed to backup item: /sites/projects/Shared Documents/plan-{id}.xlsx. The file is checked out.",
    ),
    "files": (
        "OneDrive of {who} was skipped: the site is locked.",
        "Failed to backup item: /Documents/archive-{id}.zip, user: {who}. The file changed while it was read.",
    ),
    "teams": (
        "Failed to backup channel: Planning, team: Class 7b. Access to the channel is denied.",
        "Failed to get posts of team: Staff room (ID: {id}). The request was throttled.",
    ),
    "copy": ("Restore point of {who} was not copied: its source is locked by another session.",),
}
_ERRORS: Mapping[str, Sequence[str]] = {
    "mail": (
        "Lost the connection to organization. The remote server returned an error: (401) Unauthorized.",
        "Failed to process mailbox: {who}. The server is too busy. Throttling policy was exceeded.",
    ),
    "sites": (
        "Failed to process site: https://alderwood.example/sites/projects. The operation has timed out.",
        "JetError -1808, JET_errDiskFull, No space left on disk.",
    ),
    "files": ("Failed to process OneDrive: {who}. The remote name could not be resolved.",),
    "teams": ("Failed to process team: Class 7b. Application permission is missing: ChannelMessage.Read.All.",),
    "copy": ("Failed to write to object storage: the bucket answered 503 Slow Down.",),
}


def log_of(status: Status, workload: str, objects: int, began: datetime, rng: random.Random) -> tuple[LogLine, ...]:
    """Return the log of a session that ended so; `workload` is mail, sites, files, teams or copy."""
    stamp = f"{began.month}/{began.day}/{began.year} {began:%I:%M:%S %p}".replace(" 0", " ")
    lines = [
        LogLine("success", f"Job started at {stamp} (UTC)"),
        LogLine("success", "Connected to organization"),
        LogLine("success", f"Found {objects} objects"),
    ]
    if status is Status.STOPPED:
        return (*lines, LogLine("stop", r"Job was stopped by user VBO-01\m.okafor"))
    if status is not Status.SUCCESS:
        people = rng.sample(_PEOPLE, 4)  # each is spoken of once
        lines += [_line("warning", _WARNINGS[workload], who, rng) for who in people[: rng.randint(1, 3)]]
        if status is Status.FAILED:
            return (*lines, _line("error", _ERRORS[workload], people[-1], rng))
    return (*lines, LogLine("success", "Backup completed"))


def _line(kind: str, wordings: Sequence[str], who: str, rng: random.Random) -> LogLine:
    text = rng.choice(wordings).format(who=who, id=f"{rng.getrandbits(32):08x}")
    return LogLine(kind, text)
