"""One Apprise plugin for one target: how it is made from a URL, and which form of message it shows."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import formataddr, getaddresses
from hashlib import sha256
from typing import Any

from apprise import Apprise, AppriseAsset, NotifyBase, NotifyFormat
from apprise.plugins import url_to_dict

from watcher.channels.errors import BadChannel
from watcher.channels.hints import what_is_missing, what_is_wrong
from watcher.channels.services import load_service
from watcher.channels.witness import muffle
from watcher.core.render import Format, Style

CONNECT_TIMEOUT = 10
READ_TIMEOUT = 30
LONGEST_TITLE = 200
LONGEST_BODY = 30_000

_OWN_RETRIES = ("retry", "wait", "optional")  # the outbox tries again; `optional` would call a failure a success
_MARKDOWN_ANYWAY = frozenset(  # they call it text, and what they post to renders Markdown
    {
        "NotifyDiscord", "NotifyFluxer", "NotifyGuilded", "NotifyHumHub", "NotifyMattermost", "NotifyNextcloudTalk",
        "NotifyRevolt", "NotifyZulip",
    }
)  # fmt: skip
_MARKUP_TITLES = frozenset(  # their titles are markup as well, but have no way to escape it
    {
        "NotifyCliq", "NotifyDiscord", "NotifyFluxer", "NotifyGuilded", "NotifyNextcloudTalk", "NotifySlack",
        "NotifyWorkflows",
    }
)  # fmt: skip


# ntfy makes a file of what has more than 4096 bytes (docs.ntfy.sh/config, message-size-limit), which no phone shows.
_SHORTER = {"NotifyNtfy": 2000}
_MAIL = frozenset(  # what they send is read in a mail program, which shows tables
    {
        "NotifyBrevo", "NotifyEmail", "NotifyMailgun", "NotifyOffice365", "NotifyResend", "NotifySES",
        "NotifySMTP2Go", "NotifySendGrid", "NotifySparkPost",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """A plugin instance that sends to one target, and the label that its deliveries are stored under."""

    label: str
    plugin: NotifyBase


@dataclass(frozen=True, slots=True)
class Plan:
    """What a channel's URL comes to: the part of it that may be shown, and its targets."""

    address: str
    targets: tuple[Target, ...]


def plan(name: str, url: str) -> Plan:
    """Read an Apprise URL. Raises BadChannel for one that Apprise does not know or take."""
    muffle()
    load_service(url.partition("://")[0].lower())
    parts: dict[str, Any] | None = url_to_dict(url) if "://" in url else None  # type: ignore[no-untyped-call]  # Apprise's
    if parts is None:
        raise BadChannel(name, what_is_wrong(url))
    for key in _OWN_RETRIES:
        parts.pop(key, None)
    whole = _made(parts)
    if whole is None:
        raise BadChannel(name, what_is_missing(str(parts["schema"])))
    address = _address(parts, whole)
    singles = list(_singles(parts, whole))
    if len(singles) < 2:
        return Plan(address, (Target(address, whole),))
    return Plan(address, tuple(Target(_label(address, target), one) for target, one in singles))


def native_format(plugin: NotifyBase) -> NotifyFormat:
    """Return the format that a plugin hands on unconverted: its own, or the URL's `format=`."""
    return plugin.resolve_format(None)


def style_of(plugin: NotifyBase) -> Style:
    """Return the form of message that a plugin's service shows."""
    form = Format.MARKDOWN if type(plugin).__name__ in _MARKDOWN_ANYWAY else Format(native_format(plugin).value)
    has_titles = plugin.title_maxlen > 0 and type(plugin).__name__ not in _MARKUP_TITLES
    title_limit = min(plugin.title_maxlen, LONGEST_TITLE) if has_titles else 0
    shared = title_limit + 2 if title_limit and plugin.overflow_amalgamate_title else 0
    has_tables = form is Format.HTML and type(plugin).__name__ in _MAIL
    longest = _SHORTER.get(type(plugin).__name__, LONGEST_BODY)
    return Style(form, min(plugin.body_maxlen - shared, longest), title_limit, has_tables)


def _made(parts: Mapping[str, Any]) -> NotifyBase | None:
    asset = AppriseAsset(app_id="vb365-watcher", app_desc="vb365-watcher", http_redirects=False)
    timeouts = {"cto": CONNECT_TIMEOUT, "rto": READ_TIMEOUT}
    if _is_mail(parts):
        timeouts["cto"] = READ_TIMEOUT  # the only timeout that mail has
    plugin = Apprise.instantiate({**timeouts, **parts}, asset=asset)
    if plugin is not None:
        plugin.request_rate_per_sec = 0
    return plugin


def _singles(parts: Mapping[str, Any], whole: NotifyBase) -> Iterator[tuple[str, NotifyBase]]:
    """Yield a plugin for each target, or nothing where that would not send the same as the whole does."""
    targets = list(dict.fromkeys(_targets(parts)))
    if parts.get("cc") or parts.get("bcc") or len(whole) != len(targets):
        return
    singles = [(target, _made({**parts, "targets": [target]})) for target in targets]
    if all(one is not None and len(one) == 1 for _, one in singles):
        yield from ((target, one) for target, one in singles if one is not None)


def _targets(parts: Mapping[str, Any]) -> list[str]:
    targets = [str(target) for target in parts.get("targets") or ()]
    if _is_mail(parts):
        return [formataddr(pair) for pair in getaddresses(targets) if pair[1]]
    return [one for target in targets for one in target.split(",") if one]


def _is_mail(parts: Mapping[str, Any]) -> bool:
    return str(parts["schema"]).startswith("mailto")


def _label(address: str, target: str) -> str:
    """Name a target by where it is, not by token or options: those may change while deliveries wait for it."""
    digest = sha256(f"{address}\x1f{target}".encode()).hexdigest()
    return f"{address}#{digest[:8]}"


def _address(parts: Mapping[str, Any], plugin: NotifyBase) -> str:
    """Return scheme, host and port, or the scheme alone where the host is, or could be, a token or a topic."""
    host, port = str(parts.get("host") or ""), parts.get("port")
    named = ["{host}" in template for template in map(str, type(plugin).templates)]
    looks_like_host = ("." in host or port is not None) and host not in (parts.get("targets") or ())
    if not host or not (all(named) or (any(named) and looks_like_host)):
        return f"{parts['schema']}://"
    return f"{parts['schema']}://{host}:{port}" if port else f"{parts['schema']}://{host}"
