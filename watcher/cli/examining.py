"""What `watcher check` looks at: the settings, each server, each channel, the database."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import anyio

from watcher.channels import BadChannel, open_channel
from watcher.cli.database import closed_to_us, database_file, opened
from watcher.cli.given import of_channel
from watcher.clock import Clock, now
from watcher.core.event import Event
from watcher.core.examples import examples
from watcher.core.finding import Finding, Grade
from watcher.core.model import LookFailed
from watcher.core.views import ChannelView
from watcher.daemon.parts import build_server, close_server, manner
from watcher.settings import ChannelSettings, ServerSettings, Settings
from watcher.store import StoreError


@dataclass(frozen=True, slots=True)
class Group:
    """What was found out about one thing."""

    title: str
    findings: tuple[Finding, ...]


def examine_settings(settings: Settings) -> Group:
    """Say which files were read, and what works but should be known."""
    files = ", ".join(str(path) for path in settings.files) or "none, so the environment alone counts"
    warnings = (Finding("setting", Grade.WARNING, warning) for warning in settings.warnings)
    return Group("settings", (Finding("files read", Grade.OK, files), *warnings))


async def examine_all(settings: Settings) -> list[Group]:
    """Try all servers at once, so that one that hangs costs its own time only; then open the channels."""
    found: dict[str, Group] = {}

    async def examine(server: ServerSettings) -> None:
        found[server.name] = Group(f"server {server.name}, {server.url}", tuple(await _server(server)))

    async with anyio.create_task_group() as group:
        for server in settings.servers:
            group.start_soon(examine, server)
    channels = [await _channel(channel, settings) for channel in settings.channels]
    return [*(found[server.name] for server in settings.servers), *channels]


def examine_database(settings: Settings) -> Group:
    """Say whether the database can be read and written, and what waits in it for channels that are gone."""
    path = database_file(settings)
    try:
        found = _file(path, settings) if path else None
        if found and found.grade != Grade.WARNING:
            return Group("database", (found,))
        with opened(settings) as store:
            rows = store.status(now=now()).channels
    except StoreError as error:
        return Group("database", (Finding("reading", Grade.FAILED, str(error)),))
    except PermissionError as error:
        return Group("database", (Finding("reading", Grade.FAILED, closed_to_us(error)),))
    works = Finding("reading", Grade.OK, "works")
    waiting = orphans(rows, (channel.name for channel in settings.channels))
    return Group("database", (works, *([found] if found else ()), *waiting))


def _file(path: Path, settings: Settings) -> Finding | None:
    """Say what stands in the way of a database in this file; None if nothing does. PermissionError."""
    if path.is_dir():
        return Finding("file", Grade.FAILED, f"{path} is a folder: name a file in it")
    if path.exists():
        may_write = os.access(path, os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)
        text = f"this user may not write {path}, so `watcher run` has to be another's"
        return None if may_write else Finding("file", Grade.WARNING, text)
    if settings.state_folder is None and not path.parent.is_dir():
        return Finding("file", Grade.FAILED, f"make the folder {path.parent} first, or name another database")
    nearest = next(folder for folder in path.absolute().parents if folder.exists())
    if not os.access(nearest, os.W_OK | os.X_OK):
        return Finding("file", Grade.FAILED, f"{path} cannot be made: this user may not write {nearest}")
    return Finding("file", Grade.OK, "not there yet; `watcher run` makes it")


def orphans(rows: Iterable[ChannelView], channels: Iterable[str]) -> list[Finding]:
    """Return a warning for each channel that has something to send and is in no settings."""
    known = set(channels)
    return [
        Finding(
            f"channel {row.name}",
            Grade.WARNING,
            f"is in no settings, so what waits for it stays unsent ({row.pending} pending); "
            "set a channel of this name again to have it sent",
        )
        for row in rows
        if row.name not in known and row.pending
    ]


async def _server(settings: ServerSettings) -> list[Finding]:
    if not settings.enabled:
        return [Finding("enabled", Grade.OK, "no, so it is not looked at")]
    server = build_server(settings, Clock(now))
    findings: list[Finding] = []
    try:
        async for finding in server.examine():
            findings.append(finding)  # noqa: PERF401 - what was found before a failure is kept
    except LookFailed as error:
        findings.append(Finding("look", Grade.FAILED, str(error)))
    finally:
        await close_server(server)
    return findings


async def _channel(settings: ChannelSettings, everything: Settings) -> Group:
    title = f"channel {settings.name}"
    try:
        channel = open_channel(settings.name, settings.url.reveal(), **manner(settings, everything))
    except BadChannel as error:
        return Group(title, (Finding("URL", Grade.FAILED, of_channel(settings, error)),))
    places = len(channel.destinations)
    mistakes = channel.mistakes(_messages())
    await channel.aclose()
    text = "understood" if places == 1 else f"understood, {places} destinations"
    failed = (Finding(f"template for {kind}", Grade.FAILED, why) for kind, why in sorted(mistakes.items()))
    return Group(f"{title}, {channel.address}", (Finding("URL", Grade.OK, text), *failed))


def _messages() -> list[tuple[Event, ...]]:
    """Return an example of every message: one about each kind of event, and a joined one."""
    events = examples(now())
    return [*((event,) for event in events), tuple(event for event in events if event.job)[:3]]
