"""Puts the settings together: command line, environment, env file, credentials, watcher.toml, default."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from watcher.core.policy import Route
from watcher.core.silence import Silence
from watcher.core.template import Template
from watcher.core.watchdog.limits import Rulebook
from watcher.settings import machine, receivers, routes, servers
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
from watcher.settings.machine import Usual
from watcher.settings.model import ChannelSettings, DigestSettings, ServerSettings, Settings, SettingsError
from watcher.settings.notes import Notes
from watcher.settings.reader import Reader
from watcher.settings.table import (
    ADMIN_TOKEN,
    ATTEMPTS,
    CHANNELS,
    CONFIG,
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
    URL,
    WATCH,
)
from watcher.settings.templates import table_template
from watcher.settings.twins import warn_of_twins
from watcher.settings.watchdogs import table_watchdogs

_TABLES = ("servers", "channels", "routes", "silences", "templates")
_SINGLE_TABLES = ("digest", "heartbeat", "watchdogs")


@dataclass(frozen=True, slots=True)
class _Sources:
    reader: Reader
    toml: Toml | None
    files: tuple[Path, ...]
    credentials: str | None

    def tables(self, name: str) -> list[tuple[str, Mapping[str, object]]]:
        """Return the tables `[[name]]` of watcher.toml, each with the words for its place there."""
        if self.toml is None:
            return []
        tables = tables_of(self.toml.content, name)
        return [(f"{self.toml.path}: [[{name}]] {place}", table) for place, table in enumerate(tables, start=1)]


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
    # What seems missing may stand in a file that could not be read: to say so would be a second line for one mistake.
    reader = Reader((*above, _top_level(toml, notes)), notes, need_secrets and not notes.unread)
    warn_of_twins(reader, TABLE)
    return _Sources(reader, toml, _files(env_file, toml), credentials)


def _toml(reader: Reader, usual: Usual) -> Toml | None:
    asked, path = reader.find(CONFIG), reader.optional(CONFIG)
    if asked and path is None:  # it names none, which has been said
        reader.notes.unread.append(asked.where)
        return None
    return read_toml(
        path,
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
        elif key in _TABLES:
            if not is_table(value) and key == CHANNELS.key:
                plain[key] = value
            elif (mend := _no_tables(value, key)) is not None:
                notes.problem(f"{toml.path}: {key}", mend)
        elif is_table(value) and key not in places:
            notes.problem(f"{toml.path}: {key}", unknown_key(key, (*_TABLES, *_SINGLE_TABLES)))
        else:
            plain[key] = value
    return of_table(plain, str(toml.path), places, notes)


def _no_tables(value: object, key: str) -> str | None:
    """Say why a value is not what `[[key]]` makes, a list of tables; None if it is."""
    if isinstance(value, dict):
        return f"is one table: write `[[{key}]]`, with two brackets"
    if not is_table(value):
        return f"is no table: write `[[{key}]]`"
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return None
    return f"has more than tables in it: write `[[{key}]]` for each"


def _build(sources: _Sources, environ: Mapping[str, str], usual: Usual) -> Settings:
    reader = sources.reader
    watched = _servers(sources)
    told = _channels(sources)
    check_exposure(reader)
    database, state_folder = machine.database(reader, environ, usual)
    inherited = routes.Inherited(
        reader.value(NOTIFY_ON),
        reader.value(ATTEMPTS) == "final",
        reader.value(GROUP_WAIT),
        machine.timezone(reader, environ),
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
        routes=_routes(sources, inherited, watched, told),
        silences=_silences(sources, inherited.zone, watched),
        digest=_scheduled(sources, "digest", inherited.zone, told),
        heartbeat=_scheduled(sources, "heartbeat", inherited.zone, told),
        templates=_templates(sources),
        watchdogs=_watchdogs(sources),
        warnings=tuple(reader.notes.warnings),  # last, when all has been read
    )


def _servers(sources: _Sources) -> tuple[ServerSettings, ...]:
    reader, placed = sources.reader, sources.tables("servers")
    found = [(where, servers.table_server(reader, table, where, sources.credentials)) for where, table in placed]
    url = reader.find(URL)
    found.append((url.where if url else "", servers.flat_server(reader)))
    watched = [(where, server) for where, server in found if server]
    servers.check_distinct(watched, reader.notes)
    if not placed and url is None and reader.need_secrets and not _may_hold_servers(sources.toml):
        servers.ask_for_server(reader)
    return tuple(server for _, server in watched)


def _may_hold_servers(toml: Toml | None) -> bool:
    """Whether tables that were left out, which has been said, may be those of servers: `[servers]`, `[[server]]`."""
    known = {*_TABLES, *_SINGLE_TABLES} - {"servers"}
    return toml is not None and any(
        key == "servers" or is_table(value) for key, value in toml.content.items() if key not in known
    )


def _channels(sources: _Sources) -> tuple[ChannelSettings, ...]:
    reader, flat = sources.reader, sources.reader.find(CHANNELS)
    told = [(flat.where if flat else "", channel) for channel in receivers.flat_channels(reader)]
    for where, table in sources.tables("channels"):
        channel = receivers.table_channel(reader, table, where, sources.credentials)
        if channel:
            told.append((where, channel))
    receivers.check_distinct(told, reader.notes)
    if not told and reader.need_secrets:
        reader.notes.warn(CHANNELS.variable, "no channel is set, so nobody is told of anything")
    return tuple(channel for _, channel in told)


def _routes(
    sources: _Sources,
    inherited: routes.Inherited,
    watched: tuple[ServerSettings, ...],
    channels: tuple[ChannelSettings, ...],
) -> tuple[Route, ...]:
    notes, placed = sources.reader.notes, sources.tables("routes")
    names = [channel.name for channel in channels]
    found = [
        routes.table_route(table, place, where, inherited, names, notes)
        for place, (where, table) in enumerate(placed, start=1)
    ]
    for (where, _), route in zip(placed, found, strict=True):
        routes.warn_of_strangers(route.match, where, (server.name for server in watched), notes)
    routes.check_routes([(where, route) for (where, _), route in zip(placed, found, strict=True)], names, notes)
    return tuple(found) or (inherited.route(),)


def _silences(sources: _Sources, zone: tzinfo, watched: tuple[ServerSettings, ...]) -> tuple[Silence, ...]:
    notes = sources.reader.notes
    found = []
    for where, table in sources.tables("silences"):
        silence = routes.table_silence(table, where, zone, notes)
        if silence:
            routes.warn_of_strangers(silence.match, where, (server.name for server in watched), notes)
            found.append(silence)
    return tuple(found)


def _templates(sources: _Sources) -> tuple[Template, ...]:
    return tuple(table_template(table, where, sources.reader.notes) for where, table in sources.tables("templates"))


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
