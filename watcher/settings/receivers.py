"""The channels: the flat list, and `[[channels]]` of watcher.toml."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from watcher.settings.channels import Named, is_webhook, named
from watcher.settings.layer import of_credentials, of_table
from watcher.settings.model import ChannelSettings
from watcher.settings.notes import Notes
from watcher.settings.reader import Reader
from watcher.settings.secret import Secret
from watcher.settings.table import (
    CHANNEL_BATCH,
    CHANNEL_DETAILS,
    CHANNEL_EXPIRES_AFTER,
    CHANNEL_GIVE_UP_AFTER,
    CHANNEL_ON_UNKNOWN,
    CHANNEL_PLACES,
    CHANNEL_RATE,
    CHANNEL_SECRET,
    CHANNEL_URL,
    CHANNELS,
    NAME,
    WEBHOOK_SECRET,
)
from watcher.settings.twins import warn_of_twins


def flat_channels(reader: Reader) -> list[ChannelSettings]:
    """Return the channels of the flat list."""
    shared = reader.optional(WEBHOOK_SECRET)
    return [_channel(found, shared) for found in reader.optional(CHANNELS) or ()]


def table_channel(
    reader: Reader, table: Mapping[str, object], where: str, credentials: str | None
) -> ChannelSettings | None:
    """Return the channel that one `[[channels]]` table describes."""
    own = of_table(table, where, CHANNEL_PLACES, reader.notes)
    name = reader.of(own).optional(NAME)
    inner = reader.of(own, of_credentials(credentials, {CHANNEL_URL.key: (f"channel-{name}",)} if name else {}))
    warn_of_twins(inner, (CHANNEL_URL,))
    if inner.find(CHANNEL_URL) is None:
        if reader.need_secrets:
            reader.notes.problem(f"{where}: url", "missing: set it, or `url_file`, or put a credential in place")
        return None
    url = inner.optional(CHANNEL_URL)
    secret = inner.optional(CHANNEL_SECRET)
    found = _named(url, name, where, reader.notes) if url else None
    if found is None:
        return None
    if secret and not is_webhook(found.url):
        reader.notes.warn(f"{where}: secret", "has no effect: only webhook+http:// and webhook+https:// are signed")
    if inner.find(CHANNEL_BATCH) and not is_webhook(found.url):
        reader.notes.warn(f"{where}: batch", "has no effect: only webhook+http:// and webhook+https:// send batches")
    return replace(
        _channel(found, secret or reader.optional(WEBHOOK_SECRET)),
        batch=inner.value(CHANNEL_BATCH),
        rate=inner.optional(CHANNEL_RATE),
        on_unknown=inner.value(CHANNEL_ON_UNKNOWN),
        give_up_after=inner.value(CHANNEL_GIVE_UP_AFTER),
        expires_after=inner.value(CHANNEL_EXPIRES_AFTER),
        details=inner.value(CHANNEL_DETAILS),
    )


def check_distinct(channels: Iterable[tuple[str, ChannelSettings]], notes: Notes) -> None:
    """Note two channels of one name or of one URL; each comes with the place where it is set."""
    names: set[str] = set()
    urls: dict[Secret, str] = {}
    for where, channel in channels:
        if channel.url in urls:
            twin = urls[channel.url]
            mend = "is set twice" if twin == channel.name else f"has the URL of `{twin}`"
            notes.problem(where, f"channel `{channel.name}` {mend}: keep one of the two")
        elif channel.name in names:
            notes.problem(where, f"another channel is called `{channel.name}`, too: rename one of them")
        names.add(channel.name)
        urls.setdefault(channel.url, channel.name)


def _channel(found: Named, secret: Secret | None) -> ChannelSettings:
    return ChannelSettings(found.name, found.url, secret if is_webhook(found.url) else None)


def _named(url: Secret, name: str | None, where: str, notes: Notes) -> Named | None:
    try:
        return named(url.reveal().strip(), name)
    except ValueError as error:
        notes.problem(where, str(error))
        return None
