"""Every setting, declared once: its key, how it is read, its default, whether it is a secret, and one sentence.

The check for unknown names, settings.example.env and the errors all follow from this table.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Literal

from watcher.core.wanted import DEFAULT_NOTIFY_ON, WORDS
from watcher.settings import address, channels, parse, zone
from watcher.settings.setting import Place, Setting, places_of

_SHORTEST_INTERVAL = timedelta(milliseconds=100)
_SHORTEST_KEEP = timedelta(seconds=1)
_FORMATS: tuple[Literal["text"], Literal["json"]] = ("text", "json")

URL = Setting(
    "url",
    address.server_url,
    "Address of the VB365 server; a trailing `/` or `/v8` is cut off.",
    sample="https://vb365.example.com:4443",
)
USERNAME = Setting("username", parse.login, "Login, as `MACHINE\\user` or `DOMAIN\\user`.", sample="DOMAIN\\watcher")
PASSWORD = Setting("password", parse.secret, "Password of that login.", sample="the password", secret=True)
API_VERSION = Setting(
    "api_version",
    parse.api_version,
    "Version of the REST API: auto, or v3 to v8; auto takes the newest one served, and looks again daily.",
    "auto",
)
CA_FILE = Setting(
    "ca_file",
    parse.path,
    "PEM file with the authorities to trust.",
    sample="/etc/vb365-watcher/ca.pem",
)
TLS_FINGERPRINT = Setting(
    "tls_fingerprint",
    parse.fingerprints,
    "SHA-256 of the server's certificate, hex with or without colons; several, by spaces, for a renewal.",
    sample="00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF",
)
VERIFY_TLS = Setting(
    "verify_tls",
    parse.boolean,
    "Whether the certificate is checked; `false` is warned about at every start.",
    "true",
)
PROXY = Setting(
    "proxy",
    address.secret_url,
    "Proxy for the watched servers, which ignore HTTPS_PROXY.",
    sample="http://proxy.example.com:3128",
    secret=True,
)
POLL_INTERVAL = Setting(
    "poll_interval",
    parse.duration_from(_SHORTEST_INTERVAL),
    "Time from the start of one look to the start of the next; 0.1 at least.",
    "30",
)
LOOKBACK = Setting(
    "lookback",
    parse.duration,
    "At first contact, also tell of sessions that ended within this time.",
    "0",
)
CHANNELS = Setting(
    "channels",
    channels.channels,
    "Who is told: a list of Apprise URLs or webhook+https:// URLs, each with `name=` before it or not.",
    sample="mail=mailtos://user:password@mail.example.com?to=ops@example.com",
    secret=True,
)
WEBHOOK_SECRET = Setting(
    "webhook_secret",
    parse.secret,
    "Signs all webhooks that have no secret of their own.",
    sample="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    secret=True,
)
NOTIFY_ON = Setting(
    "notify_on",
    parse.notify_on,
    f"What is told, the whole list: all, {', '.join(WORDS)}, or single events as `session.failed`.",
    " ".join(DEFAULT_NOTIFY_ON),
)
DATABASE_URL = Setting(
    "database_url",
    address.database_url,
    "Where the database is: sqlite:///PATH or postgresql://…; if not set, `watcher.db` in $STATE_DIRECTORY, else in "
    "/var/lib/vb365-watcher if that is there, else in the user's state folder.",
    sample="sqlite:////var/lib/vb365-watcher/watcher.db",
    secret=True,
)
KEEP = Setting(
    "keep",
    parse.duration_from(_SHORTEST_KEEP),
    "How long ended sessions and settled deliveries are kept.",
    "400d",
)
TIMEZONE = Setting(
    "timezone",
    zone.zone,
    "Time zone of the times in messages, an IANA name; if not set, the machine's.",
    sample="Europe/Zurich",
)
LISTEN = Setting(
    "listen",
    address.listen,
    "Where status page, health and metrics are served; empty switches them off. Another address than loopback needs "
    "WATCHER_ADMIN_TOKEN, or the word `insecure` behind it: 0.0.0.0:8365 insecure",
    "127.0.0.1:8365",
)
LOG_FORMAT: Setting[Literal["text", "json"]] = Setting(
    "log_format",
    parse.choice(*_FORMATS),
    "Form of the log on standard error: text or json.",
    "text",
)
LOG_LEVEL = Setting(
    "log_level",
    parse.choice("debug", "info", "warning", "error"),
    "How much is logged: debug, info, warning or error.",
    "info",
)
CONFIG = Setting(
    "config",
    parse.path,
    "Path of a watcher.toml, for several servers and channels; if not set, /etc/vb365-watcher/watcher.toml if it is "
    "there.",
    sample="/etc/vb365-watcher/watcher.toml",
)
ATTEMPTS = Setting(
    "attempts",
    parse.choice("final", "each"),
    "final: a run and its retries speak once; each: every attempt speaks.",
    "final",
)
HOLD = Setting(
    "hold",
    parse.duration,
    "The longest that a bad end waits for its retry before it is told.",
    "2h",
)
GROUP_WAIT = Setting(
    "group_wait",
    parse.duration,
    "How long a chat or mail message waits for others to join; 0 sends each by itself.",
    "10",
)
HEARTBEAT_URL = Setting(
    "heartbeat_url",
    address.secret_url,
    "Called (GET) about once a minute while both loops make progress; `run --once` calls it after a good round.",
    sample="https://hc.example.com/ping/0000",
    secret=True,
)
WATCH = Setting(
    "watch",
    parse.watch,
    "Which work is watched: backup, copy, restore, retrieval (from an archive), synchronize (of repositories).",
    "backup copy",
)
PUBLIC_URL = Setting(
    "public_url",
    address.page_url,
    "Address under which people reach the status page, for the links in messages; a browser may use it as well.",
    sample="https://watcher.example.com",
)
ADMIN_TOKEN = Setting(
    "admin_token",
    parse.secret,
    "Token that lets people act on the status page (silence a job, retry, send a test): without it none can.",
    sample="a long random text",
    secret=True,
)

_OF_A_SERVER: tuple[Setting[object], ...] = (
    URL,
    USERNAME,
    PASSWORD,
    API_VERSION,
    CA_FILE,
    TLS_FINGERPRINT,
    VERIFY_TLS,
    PROXY,
    POLL_INTERVAL,
)

TABLE: tuple[Setting[object], ...] = (
    *_OF_A_SERVER,
    WATCH,
    LOOKBACK,
    CHANNELS,
    WEBHOOK_SECRET,
    NOTIFY_ON,
    ATTEMPTS,
    HOLD,
    GROUP_WAIT,
    TIMEZONE,
    DATABASE_URL,
    KEEP,
    LISTEN,
    PUBLIC_URL,
    ADMIN_TOKEN,
    HEARTBEAT_URL,
    LOG_FORMAT,
    LOG_LEVEL,
    CONFIG,
)
"""Every setting, in the order in which settings.example.env shows them."""

PLACES: Mapping[str, Place] = places_of(TABLE)
"""Every key that is known at the top of watcher.toml; in upper case with the prefix, every variable."""

NAME = Setting("name", parse.name, "What the server or channel is called.")
ENABLED = Setting("enabled", parse.boolean, "Whether the server is watched.", "true")
CHANNEL_URL = Setting("url", parse.secret, "URL of the channel.", secret=True)
CHANNEL_SECRET = Setting("secret", parse.secret, "Signs the posts of this webhook.", secret=True)
CHANNEL_BATCH = Setting("batch", parse.batch, "Up to so many events in one post of this webhook.", "1")
CHANNEL_RATE = Setting("rate", parse.rate, "How many messages may leave: `20/min`, or none.")
CHANNEL_ON_UNKNOWN = Setting(
    "on_unknown",
    parse.on_unknown,
    "What becomes of a message that may have arrived: resend, or drop (pagers).",
    "resend",
)
CHANNEL_GIVE_UP_AFTER = Setting(
    "give_up_after", parse.duration, "How long a delivery is tried, from when it was due.", "3d"
)
CHANNEL_EXPIRES_AFTER = Setting(
    "expires_after", parse.duration, "From this age on, messages are joined and marked late.", "24h"
)

CHANNEL_DETAILS = Setting(
    "details",
    parse.details,
    "Log lines and details name people. full: all; short: only why it ended so; none: nothing of them.",
    "full",
)

SERVER_PLACES: Mapping[str, Place] = places_of((NAME, *_OF_A_SERVER, ENABLED))
"""Every key of `[[servers]]` but `labels`, which is a table itself."""

CHANNEL_PLACES: Mapping[str, Place] = places_of(
    (
        NAME,
        CHANNEL_URL,
        CHANNEL_SECRET,
        CHANNEL_BATCH,
        CHANNEL_RATE,
        CHANNEL_ON_UNKNOWN,
        CHANNEL_GIVE_UP_AFTER,
        CHANNEL_EXPIRES_AFTER,
        CHANNEL_DETAILS,
    )
)
"""Every key of `[[channels]]`."""
