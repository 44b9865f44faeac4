"""Puts the settings together: command line, environment, env file, credentials, watcher.toml, default."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from pathlib import Path

from watcher.core.policy import Route
from watcher.core.silence import Silence
from watcher.core.template import Template
from watcher.core.watchdog.limits import Rulebook
from watcher.settings import receivers, routes, servers
from watcher.settings.digest import table_digest
from watcher.settings.exposure import check_exposure
from watcher.settings.files import EnvFile, Toml, is_table, read_env_file, read_toml, tables_of
from watcher.settings.layer import (
    Layer,
    credential_names,
    of_credentials,
    of_environment,
    of_options,
    of_table,
    unknown_key,
)
from watcher.settings.model import ChannelSettings, DigestSettings, ServerSettings, Settings, SettingsError
from watcher.settings.notes import Notes
from watcher.settings.reader import Reader
from watcher.settings.secret import Secret
from watcher.settings.table import (
    ADMIN_TOKEN,
    ATTEMPTS,
    CHANNELS,
    CONFIG,
    DATABASE_URL,
    GROUP_WAIT,
    HEARTBEAT_URL,
    HOLD,
    KEEP,
    LISTEN,
    LOG_FORMAT,
    LOG_LEVEL,
    LOOKBACK,
    NOTIFY_ON,
    PLACES,
    POLL_INTERVAL,
    PUBLIC_URL,
    TABLE,
    TIMEZONE,
    URL,
    WATCH,
)
from watcher.settings.templates import table_template
from watcher.settings.twins import warn_of_twins
from watcher.settings.watchdogs import table_watchdogs
from watcher.settings.zone import machine_zone

_TABLES = ("servers", "channels", "routes", "silences", "templates")
_SINGLE_TABLES = ("digest", "heartbeat", "watchdogs")


@dataclass(frozen=True, slots=True)
class Usual:
    """Where settings and the database are when nothing says otherwise."""

    settings: Path = Path("/etc/vb365-watcher")
    state: Path = Path("/var/lib/vb365-watcher")


@dataclass(frozen=True, slots=True)
class _Sources:
    reader: Reader
    toml: Toml | None
    files: tuple[Path, ...]
    credentials: str | None


def load(
    *,
    options: Mapping[str, str],
    environ: Mapping[str, str],
    need_secrets: bool = True,
    usual: Usual | None = None,
) -> Settings:
    """Read all settings. `options` are those of the command line, by key (`env_file`, `config`, `poll_interval`, …).

    With `need_secrets` false, for commands that only read the database, servers and secrets may be missing and secret
    files unreadable. Raises SettingsError with everything that is wrong.
    """
    usual = usual or Usual()
    notes = Notes()
    sources = _open(options, environ, notes, usual, need_secrets=need_secrets)
    settings = _build(sources, environ, usual)
    if notes.problems:
        raise SettingsError(tuple(notes.problems))
    return settings


def _open(
    options: Mapping[str, str], environ: Mapping[str, str], notes: Notes, usual: Usual, *, need_secrets: bool
) -> _Sources:
    given = of_options(options)
    env = of_environment(environ, notes)
    asked = options.get("env_file")
    env_file = read_env_file(asked, usual.settings / "settings.env", notes, need_secrets=need_secrets)
    credentials = environ.get("CREDENTIALS_DIRECTORY")
    kept = of_credentials(credentials, credential_names())
    above = (given, env, env_file.layer if env_file else {}, kept)
    toml = _toml(Reader(above, notes, need_secrets), usual)
    reader = Reader((*above, _top_level(toml, notes)), notes, need_secrets)
    warn_of_twins(reader, TABLE)
    return _Sources(reader, toml, _files(env_file, toml), credentials)


def _toml(reader: Reader, usual: Usual) -> Toml | None:
    asked = reader.find(CONFIG)
    return read_toml(
        reader.optional(CONFIG),
        asked.where if asked else "",
        usual.settings / "watcher.toml",
        reader.notes,
        need_secrets=reader.need_secrets,
    )


def _files(env_file: EnvFile | None, toml: Toml | None) -> tuple[Path, ...]:
    return tuple(file.path for file in (env_file, toml) if file)


def _top_level(toml: Toml | None, notes: Notes) -> Layer:
    """Return the plain keys of watcher.toml; a table that this version does not know is a mistake."""
    if toml is None:
        return {}
    places = {key: place for key, place in PLACES.items() if key != CONFIG.key}
    plain: dict[str, object] = {}
    for key, value in toml.content.items():
        if key in _SINGLE_TABLES:
            if not isinstance(value, dict):
                notes.problem(f"{toml.path}: {key}", f"is no table, or several: write `[{key}]` once")
        elif is_table(value) and key not in _TABLES:
            notes.problem(f"{toml.path}: {key}", unknown_key(key, (*_TABLES, *_SINGLE_TABLES)))
        elif key in _TABLES and key != "channels" and not is_table(value):
            notes.problem(f"{toml.path}: {key}", f"is no table: write `[[{key}]]`")
        elif not is_table(value):
            plain[key] = value
        elif isinstance(value, dict):
            notes.problem(f"{toml.path}: {key}", f"is one table: write `[[{key}]]`, with two brackets")
    return of_table(plain, str(toml.path), places, notes)


def _build(sources: _Sources, environ: Mapping[str, str], usual: Usual) -> Settings:
    reader = sources.reader
    watched = _servers(sources)
    told = _channels(sources)
    check_exposure(reader)
    database, state_folder = _database(reader, environ, usual)
    inherited = routes.Inherited(
        reader.value(NOTIFY_ON), reader.value(ATTEMPTS) == "final", reader.value(GROUP_WAIT), _timezone(reader, environ)
    )
    return Settings(
        servers=watched,
        channels=told,
        notify_on=inherited.notify_on,
        poll_interval=reader.value(POLL_INTERVAL),
        lookback=reader.value(LOOKBACK),
        database_url=database,
        keep=reader.value(KEEP),
        timezone=inherited.zone,
        listen=reader.value(LISTEN),
        heartbeat_url=reader.optional(HEARTBEAT_URL),
        attempts=reader.value(ATTEMPTS),
        hold=reader.value(HOLD),
        group_wait=reader.value(GROUP_WAIT),
        watch=reader.value(WATCH),
        public_url=reader.optional(PUBLIC_URL),
        admin_token=reader.optional(ADMIN_TOKEN),
        log_format=reader.value(LOG_FORMAT),
        log_level=reader.value(LOG_LEVEL),
        files=sources.files,
        state_folder=state_folder,
        routes=_routes(sources, inherited, told),
        silences=_silences(sources, inherited.zone),
        digest=_scheduled(sources, "digest", inherited.zone, told),
        heartbeat=_scheduled(sources, "heartbeat", inherited.zone, told),
        templates=_templates(sources),
        watchdogs=_watchdogs(sources),
        warnings=tuple(reader.notes.warnings),  # last, when all has been read
    )


def _servers(sources: _Sources) -> tuple[ServerSettings, ...]:
    reader, toml = sources.reader, sources.toml
    tables = tables_of(toml.content, "servers") if toml else []
    found = [
        servers.table_server(reader, table, f"{toml.path if toml else ''}: [[servers]] {place}", sources.credentials)
        for place, table in enumerate(tables, start=1)
    ]
    watched = [server for server in (*found, servers.flat_server(reader)) if server]
    servers.check_distinct(watched, reader.notes)
    if not tables and reader.find(URL) is None and reader.need_secrets:
        servers.ask_for_server(reader)
    return tuple(watched)


def _channels(sources: _Sources) -> tuple[ChannelSettings, ...]:
    reader, toml = sources.reader, sources.toml
    tables = tables_of(toml.content, "channels") if toml else []
    found = [
        receivers.table_channel(
            reader, table, f"{toml.path if toml else ''}: [[channels]] {place}", sources.credentials
        )
        for place, table in enumerate(tables, start=1)
    ]
    told = [channel for channel in (*receivers.flat_channels(reader), *found) if channel]
    receivers.check_distinct(told, reader.notes)
    if not told and reader.need_secrets:
        reader.notes.warn(CHANNELS.variable, "no channel is set, so nobody is told of anything")
    return tuple(told)


def _routes(sources: _Sources, inherited: routes.Inherited, channels: tuple[ChannelSettings, ...]) -> tuple[Route, ...]:
    toml, notes = sources.toml, sources.reader.notes
    tables = tables_of(toml.content, "routes") if toml else []
    names = [channel.name for channel in channels]
    found = [
        routes.table_route(table, place, f"{toml.path if toml else ''}: [[routes]] {place}", inherited, names, notes)
        for place, table in enumerate(tables, start=1)
    ]
    routes.check_routes(found, names, notes)
    return tuple(found) or (inherited.route(),)


def _silences(sources: _Sources, zone: tzinfo) -> tuple[Silence, ...]:
    toml, notes = sources.toml, sources.reader.notes
    tables = tables_of(toml.content, "silences") if toml else []
    found = (
        routes.table_silence(table, f"{toml.path if toml else ''}: [[silences]] {place}", zone, notes)
        for place, table in enumerate(tables, start=1)
    )
    return tuple(silence for silence in found if silence)


def _templates(sources: _Sources) -> tuple[Template, ...]:
    toml = sources.toml
    tables = tables_of(toml.content, "templates") if toml else []
    return tuple(
        table_template(table, f"{toml.path if toml else ''}: [[templates]] {place}", sources.reader.notes)
        for place, table in enumerate(tables, start=1)
    )


def _scheduled(
    sources: _Sources, key: str, zone: tzinfo, channels: tuple[ChannelSettings, ...]
) -> DigestSettings | None:
    table = sources.toml.content.get(key) if sources.toml else None
    if not isinstance(table, dict) or sources.toml is None:
        return None
    names = [channel.name for channel in channels]
    return table_digest(table, f"{sources.toml.path}: [{key}]", zone, names, sources.reader.notes)


def _watchdogs(sources: _Sources) -> Rulebook:
    table = sources.toml.content.get("watchdogs") if sources.toml else None
    if not isinstance(table, dict) or sources.toml is None:
        return Rulebook()
    return table_watchdogs(table, f"{sources.toml.path}: [watchdogs]", sources.reader.notes)


def _timezone(reader: Reader, environ: Mapping[str, str]) -> tzinfo:
    named = reader.optional(TIMEZONE)
    if named is not None or reader.find(TIMEZONE):
        return named or UTC
    own = machine_zone(environ)
    if own is None:
        reader.notes.warn(TIMEZONE.variable, "this machine's zone cannot be found out, so UTC is used: set it")
    return own or UTC


def _database(reader: Reader, environ: Mapping[str, str], usual: Usual) -> tuple[Secret, Path | None]:
    """Return where the database is, and its folder if that is the default one."""
    url = reader.optional(DATABASE_URL)
    if url is not None or reader.find(DATABASE_URL):
        return url or Secret(""), None
    folder = _state_folder(environ, usual)
    return Secret(f"sqlite:///{folder / 'watcher.db'}"), folder


def _state_folder(environ: Mapping[str, str], usual: Usual) -> Path:
    given = environ.get("STATE_DIRECTORY", "").split(":")[0]  # systemd lists several with colons
    if given:
        return Path(given)
    if os.path.lexists(usual.state):  # also where only the service may enter: then its error says so
        return usual.state
    home = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or "~", ".local", "state").expanduser()
    return Path(home, "vb365-watcher")
