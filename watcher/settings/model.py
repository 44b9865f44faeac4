"""The settings as values: everything parsed, checked and named."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import Literal, NamedTuple

from watcher.core.backoff import EXPIRES_AFTER, GIVE_UP_AFTER, OnUnknown
from watcher.core.digest import Schedule
from watcher.core.model import JobType
from watcher.core.pace import Rate
from watcher.core.policy import Route
from watcher.core.render.style import Details
from watcher.core.silence import Silence
from watcher.core.template import Template
from watcher.core.watchdog.limits import Rulebook
from watcher.logs import secret_login, secret_parts
from watcher.settings.secret import Secret

_USUAL_LIMITS = Rulebook()


class SettingsError(Exception):
    """Settings that do not hold: one line a mistake, each with its place and its mend, none with a secret."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        """Keep all that is wrong, in the order in which it was found."""
        super().__init__("\n".join(problems))
        self.problems = problems


class Listen(NamedTuple):
    """Where the status page is served. `is_exposed`: somebody has said that others may read it without more ado."""

    host: str
    port: int
    is_exposed: bool = False


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """One watched server. `url` has no trailing `/` and no version; fingerprints are 64 lower-case hex digits each."""

    name: str
    url: str
    username: str
    password: Secret
    api_version: str
    ca_file: Path | None
    tls_fingerprints: tuple[str, ...]
    verify_tls: bool
    proxy: Secret | None
    poll_interval: timedelta
    labels: tuple[tuple[str, str], ...] = ()
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """One channel. `secret` signs the posts of a webhook and is None for every other kind.

    `batch`: events in one post of a webhook. `rate`: None is the usual one of its service. For the others see
    `core.backoff.Patience`.
    """

    name: str
    url: Secret
    secret: Secret | None = None
    batch: int = 1
    rate: Rate | None = None
    on_unknown: OnUnknown = OnUnknown.RESEND
    give_up_after: timedelta = GIVE_UP_AFTER
    expires_after: timedelta = EXPIRES_AFTER
    details: Details = Details.FULL


@dataclass(frozen=True, slots=True)
class DigestSettings:
    """When a digest or a heartbeat comes, and through which channels; None: those that the routes lead to."""

    schedule: Schedule
    channels: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that was set, or its default.

    `files`: the files that were read. `state_folder`: where the default database lies, for `run` to make; None where
    WATCHER_DATABASE_URL says another place. `routes`: always one at least, that stands for the settings without routes.
    """

    servers: tuple[ServerSettings, ...]
    channels: tuple[ChannelSettings, ...]
    notify_on: frozenset[str]
    poll_interval: timedelta
    lookback: timedelta
    database_url: Secret
    keep: timedelta
    timezone: tzinfo
    listen: Listen | None
    heartbeat_url: Secret | None
    attempts: str
    hold: timedelta
    group_wait: timedelta
    watch: frozenset[JobType]
    public_url: str | None
    admin_token: Secret | None
    log_format: Literal["text", "json"]
    log_level: str
    warnings: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    state_folder: Path | None = None
    routes: tuple[Route, ...] = ()
    silences: tuple[Silence, ...] = ()
    digest: DigestSettings | None = None
    heartbeat: DigestSettings | None = None
    templates: tuple[Template, ...] = ()
    watchdogs: Rulebook = _USUAL_LIMITS

    def secret_values(self) -> tuple[str, ...]:
        """Return every text that no log may show: the secrets, and the telling parts of those that are URLs."""
        names = {server.name for server in self.servers} | {channel.name for channel in self.channels}
        parts = {part for url in self._tokens() for part in secret_parts(url.reveal())}
        logins = {part for url in self._addresses() for part in secret_login(url.reveal())}
        return tuple(sorted(set(self._plain()) | logins | (parts - names)))

    def _plain(self) -> Iterator[str]:
        for server in self.servers:
            if password := server.password.reveal():
                yield password
                yield f"{server.username}:{password}"
        for channel in self.channels:
            if channel.secret:
                yield channel.secret.reveal()
                yield channel.secret.reveal().removeprefix("whsec_").rstrip("=")  # the key itself
        if self.admin_token:
            yield self.admin_token.reveal()

    def _tokens(self) -> Iterator[Secret]:
        yield from (channel.url for channel in self.channels)
        if self.heartbeat_url:
            yield self.heartbeat_url

    def _addresses(self) -> Iterator[Secret]:
        yield self.database_url
        yield from (server.proxy for server in self.servers if server.proxy)
