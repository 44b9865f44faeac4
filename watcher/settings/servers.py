"""The watched servers: `[[servers]]` of watcher.toml, and the one that the flat settings describe."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from watcher.settings.address import is_plain_text
from watcher.settings.disk import why
from watcher.settings.layer import of_credentials, of_table
from watcher.settings.model import ServerSettings
from watcher.settings.notes import Notes
from watcher.settings.reader import Reader
from watcher.settings.secret import Secret
from watcher.settings.setting import Setting
from watcher.settings.table import (
    API_VERSION,
    CA_FILE,
    ENABLED,
    NAME,
    PASSWORD,
    POLL_INTERVAL,
    PROXY,
    SERVER_PLACES,
    TLS_FINGERPRINT,
    URL,
    USERNAME,
    VERIFY_TLS,
)
from watcher.settings.twins import warn_of_twins

DEFAULT_NAME = "default"

_PEM = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----")

_MENDS: tuple[tuple[Setting[object], str], ...] = (
    (USERNAME, "missing: set it to a login of the server, as `DOMAIN\\user`"),
    (PASSWORD, "missing: set it, or the path of a file with it, or put a credential in place"),
)


def flat_server(reader: Reader) -> ServerSettings | None:
    """Return the server that WATCHER_URL names, or None without one."""
    url = reader.optional(URL)
    if url is None:
        if reader.find(URL) is not None:
            _ask_for_login(reader, USERNAME.variable, PASSWORD.variable)
        return None
    server = _server(reader, DEFAULT_NAME, url)
    _check(server, reader, URL.variable, USERNAME.variable, PASSWORD.variable)
    return server


def table_server(
    reader: Reader, table: Mapping[str, object], where: str, credentials: str | None
) -> ServerSettings | None:
    """Return the server that one `[[servers]]` table describes; its own keys win over the flat settings."""
    own = of_table(_without(table, "labels"), where, SERVER_PLACES, reader.notes, also=("labels",))
    name = _needed(reader.of(own), NAME, where, "give each server a name")
    url = _needed(reader.of(own), URL, where, "write `https://HOST:4443`")
    if name is None or url is None:
        return None
    named = of_credentials(credentials, {PASSWORD.key: (f"password-{name}",)})
    warn_of_twins(reader.of(own, named), (PASSWORD,))
    inner = reader.with_own(own, named)
    server = replace(_server(inner, name, url), labels=_labels(table, where, reader.notes))
    _check(server, inner, where, f"{where}: {USERNAME.key}", f"{where}: {PASSWORD.key}")
    return server


def ask_for_server(reader: Reader) -> None:
    """Note that no server is named, and what is missing of a login to it."""
    reader.notes.problem(URL.variable, "missing: set it to the server's address, as `https://HOST:4443`")
    _ask_for_login(reader, USERNAME.variable, PASSWORD.variable)


def check_distinct(servers: Iterable[tuple[str, ServerSettings]], notes: Notes) -> None:
    """Note two servers of one name or of one address; each comes with the place where it is set."""
    names: set[str] = set()
    urls: dict[str, str] = {}
    for where, server in servers:
        if server.name in names:
            notes.problem(where, f"another server is called `{server.name}`, too: rename one of them")
        if server.url in urls:
            notes.problem(where, f"has the address of server `{urls[server.url]}`: keep one of the two")
        names.add(server.name)
        urls.setdefault(server.url, server.name)


def _server(reader: Reader, name: str, url: str) -> ServerSettings:
    return ServerSettings(
        name=name,
        url=url,
        username=reader.optional(USERNAME) or "",
        password=reader.optional(PASSWORD) or Secret(""),
        api_version=reader.value(API_VERSION),
        ca_file=reader.optional(CA_FILE),
        tls_fingerprints=reader.optional(TLS_FINGERPRINT) or (),
        verify_tls=reader.value(VERIFY_TLS),
        proxy=reader.optional(PROXY),
        poll_interval=reader.value(POLL_INTERVAL),
        enabled=reader.value(ENABLED),
    )


def _check(server: ServerSettings, reader: Reader, where: str, *login: str) -> None:
    """Note what every look at this server would fail for, and what is risky about it."""
    if not reader.need_secrets or not server.enabled:
        return
    _ask_for_login(reader, *login)
    ca_file = reader.find(CA_FILE)
    if ca_file and server.ca_file and (reason := _no_bundle(server.ca_file)):
        reader.notes.problem(ca_file.where, f"{server.ca_file} {reason}")
    _warn(server, where, reader.notes)


def _ask_for_login(reader: Reader, *places: str) -> None:
    """Note what is missing of a login; `places` are those of user and password."""
    if not reader.need_secrets:
        return
    for place, (setting, mend) in zip(places, _MENDS, strict=True):
        if reader.find(setting) is None:
            reader.notes.problem(place, mend)


def _warn(server: ServerSettings, where: str, notes: Notes) -> None:
    if is_plain_text(server.url):
        notes.warn(where, "http:// sends the login over the network unencrypted: use https://")
    if not server.verify_tls:
        notes.warn(where, "verify_tls is false, so anybody in between can read the login: set a CA file or fingerprint")


def _needed(reader: Reader, setting: Setting[str], where: str, mend: str) -> str | None:
    if reader.find(setting) is None:
        reader.notes.problem(f"{where}: {setting.key}", f"missing: {mend}")
    return reader.optional(setting)


def _no_bundle(path: Path) -> str | None:
    """Say why a file is no PEM bundle, as far as that shows without reading its certificates; None if it may be one."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"cannot be read: {why(error)}"
    if _PEM.search(content):
        return None
    return (
        "holds no certificate in PEM form: `openssl x509 -inform der -in FILE -out ca.pem` makes one of a .cer or .der"
    )


def _labels(table: Mapping[str, object], where: str, notes: Notes) -> tuple[tuple[str, str], ...]:
    labels = table.get("labels", {})
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        notes.problem(f"{where}: labels", 'are names with texts: write `labels = { site = "Zurich" }`')
        return ()
    return tuple(sorted(labels.items()))


def _without(table: Mapping[str, object], key: str) -> Mapping[str, object]:
    return {name: value for name, value in table.items() if name != key}
