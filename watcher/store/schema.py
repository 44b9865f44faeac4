"""The tables: one schema for SQLite and PostgreSQL. A change here needs a new revision in `migrations/versions`."""

from sqlalchemy import (
    DDL,
    BigInteger,
    Column,
    ColumnElement,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    event,
    literal_column,
)

from watcher.core.delivery import State
from watcher.core.event import Event
from watcher.core.match import Match
from watcher.core.model import Job
from watcher.core.record import Chain, Known
from watcher.core.ruling import Ruling, Told
from watcher.core.watchdog.alarm import Alarm
from watcher.store.columns import Packed, UtcTime, Words

REVISION = "0007"
"""The newest revision, which `metadata.create_all` makes at once; a test holds it to the migrations."""

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

servers = Table(
    "servers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Words, nullable=False, unique=True),
    Column("url", Words, nullable=False),
    Column("installation_id", Words, unique=True),
    Column("first_contact", UtcTime),
    Column("news_from", UtcTime),
    Column("watermark", UtcTime),
    Column("api_version", Words),
    Column("skew_seconds", Float),
    Column("last_poll", UtcTime),
    Column("last_success", UtcTime),
    Column("last_error", Words),
    Column("refused_at", UtcTime),
    Column("refused_salt", Words),
    Column("refused_login", Words),
    Column("gone", UtcTime),
    Column("feed_token", Words),
    Column("swept", UtcTime),
    Column("doubted_installation", Words),
    Column("reading", Words),
    Column("failing_since", UtcTime),
    Column("failure", Words),
    Column("alarms", Words),
    Column("alarm_since", UtcTime),
    Column("alarm_told", Packed(tuple[Told, ...])),
)
"""Servers that are watched or once were. Without `first_contact` a row is only a name: announced or tried, never met.

`gone`: since when it is in no settings any more. `feed_token`: up to where its events were read and dealt with.
`swept`: when it was last looked through for what quick looks miss. `doubted_installation`: who answered last in its
place. `reading`: how far a long first reading is, in words. `failing_since`: the first of the looks that failed in a
row, and `failure` the kind of the last. `alarms`: the events that were told of that, one a word; since when, and to
whom.
"""

sessions = Table(
    "sessions",
    metadata,
    Column("server_id", Integer, ForeignKey(servers.c.id), primary_key=True),
    Column("id", Words, primary_key=True),
    Column("job_id", Words),
    Column("status", Words, nullable=False),
    Column("created", UtcTime, index=True),
    Column("ended", UtcTime),
    Column("settled", UtcTime, index=True),
    Column("data", Packed(Known), nullable=False),
    Column("kind", Words),
    Index(None, "server_id", "job_id", "created"),  # the last runs of one job, however many there are of others
)
"""Known sessions: `data` is the truth, the other columns are for questions.

`settled` is NULL while the end is awaited, afterwards the end's time, or when it was written down where it has none.
`kind` is NULL for runs of jobs.
"""

kinds = Table(
    "kinds",
    metadata,
    Column("server_id", Integer, ForeignKey(servers.c.id), primary_key=True),
    Column("kind", Words, primary_key=True),
    Column("since", UtcTime, nullable=False),
    Column("mark", UtcTime),
)
"""The kinds of work that are watched, and from when on their ends are news.

`mark`: up to where those that have no jobs were read.
"""

outcomes = Table(
    "outcomes",
    metadata,
    Column("server_id", Integer, ForeignKey(servers.c.id), primary_key=True),
    Column("job_id", Words, primary_key=True),
    Column("status", Words, nullable=False),
    Column("ended", UtcTime),
    Column("failures", Integer, nullable=False),
    Column("failing_since", UtcTime),
    Column("last_good", UtcTime),
    Column("told", Packed(tuple[Told, ...])),
)
"""How each job stands, field by field as in `core.record.Outcome`."""

chains = Table(
    "chains",
    metadata,
    Column("server_id", Integer, ForeignKey(servers.c.id), primary_key=True),
    Column("id", Words, primary_key=True),
    Column("held", UtcTime),
    Column("over", UtcTime),
    Column("touched", UtcTime, nullable=False, index=True),
    Column("data", Packed(Chain), nullable=False),
)
"""Runs with retries: `data` is the truth, the other columns are for questions; `touched` is when it was written."""

jobs = Table(
    "jobs",
    metadata,
    Column("server_id", Integer, ForeignKey(servers.c.id), primary_key=True),
    Column("id", Words, primary_key=True),
    Column("name", Words, nullable=False),
    Column("data", Packed(Job), nullable=False),
)
"""Jobs as last read; one that is gone from its server stays, for the names of its sessions."""

events = Table(
    "events",
    metadata,
    Column("id", Words, primary_key=True),
    Column("server_id", Integer, ForeignKey(servers.c.id)),
    Column("type", Words, nullable=False),
    Column("happened", UtcTime, nullable=False),
    Column("created", UtcTime, nullable=False, index=True),
    Column("data", Packed(Event), nullable=False),
    Column("ruling", Packed(Ruling)),
)
"""What happened; `server_id` is NULL for events of our own. `ruling`: who was told of it, and why."""

muted = Table(
    "muted",
    metadata,
    Column("event_id", Words, ForeignKey(events.c.id, ondelete="CASCADE"), primary_key=True),
    Column("since", UtcTime, nullable=False),
)
"""Events that a silence keeps back, until it is over and somebody looks whether they still hold."""

alarms = Table(
    "alarms",
    metadata,
    Column("server_id", Integer, ForeignKey(servers.c.id), primary_key=True),
    Column("kind", Words, primary_key=True),
    Column("subject", Words, primary_key=True),
    Column("data", Packed(Alarm), nullable=False),
    Column("told", Packed(tuple[Told, ...])),
)
"""What the watchdogs have told and what they have seen but not told yet, until it is over. `told`: who knows."""

silences = Table(
    "silences",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("match", Packed(Match), nullable=False),
    Column("begins", UtcTime, nullable=False),
    Column("ends", UtcTime, nullable=False, index=True),
    Column("author", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("muted", Integer, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)
"""Silences that somebody has set. One that was removed has ended then. `muted`: how many events it kept back."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("event_id", Words, ForeignKey(events.c.id, ondelete="CASCADE"), nullable=False),
    Column("channel", Words, nullable=False),
    Column("destination", Words, nullable=False),
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created", UtcTime, nullable=False),
    Column("first_due", UtcTime, nullable=False),
    Column("next_attempt", UtcTime),
    Column("lease_owner", Words),
    Column("lease_until", UtcTime),
    Column("settled", UtcTime),
    Column("message_id", Words),
    Column("last_error", Words),
    Column("subject", Words, nullable=False, server_default=""),
    Column("grouping", Words, nullable=False, server_default=""),
    Column("held", Words),
    UniqueConstraint("event_id", "channel", "destination"),
    sqlite_autoincrement=True,  # an id that somebody wrote down never comes to mean another row
)
"""What is owed: one event for one destination. `settled` is when it was delivered or died.

`subject` is that of the event, `grouping` what rows share that may leave together; `held` is why one waits, where that
is not only for others to join, nor for its next attempt. A `lease_owner` without a lease that still holds died while he
was sending.
"""


def in_state(state: State) -> ColumnElement[bool]:
    """Ask for deliveries of a state, by a word in the statement itself: only so are the partial indexes used."""
    return deliveries.c.state == literal_column(f"'{state}'")


# By far most rows are over and done, and the loops never ask for those. These are plain statements, which both
# databases understand alike; as `Index` objects they would import all of SQLAlchemy's PostgreSQL (40 ms, 3 MB) for
# nothing.
for _table, _name, _rows in (
    (sessions, "open", "(server_id) WHERE settled IS NULL"),
    (chains, "open", "(server_id) WHERE over IS NULL"),
    (deliveries, "pending", "(channel, next_attempt) WHERE state = 'pending'"),
    (deliveries, "subject", "(channel, subject) WHERE state = 'pending'"),
    (deliveries, "grouping", "(channel, grouping) WHERE state = 'pending' AND grouping <> ''"),
    (deliveries, "dead", "(channel) WHERE state = 'dead'"),
):
    _statement = f"CREATE INDEX ix_{_table.name}_{_name} ON {_table.name} {_rows}"
    event.listen(_table, "after_create", DDL(_statement))  # type: ignore[no-untyped-call]  # SQLAlchemy has no hints here

channels = Table(
    "channels",
    metadata,
    Column("name", Words, primary_key=True),
    Column("address", Words, nullable=False),
    Column("gone", UtcTime),
    Column("give_up_seconds", Float),
)
"""Channels that are in the settings or once were; `address` is scheme, host and port, never a whole URL."""

destinations = Table(
    "destinations",
    metadata,
    Column("channel", Words, primary_key=True),
    Column("name", Words, primary_key=True),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failing_since", UtcTime),
    Column("sick_since", UtcTime),
    Column("reason", Words),
)
"""The destinations of the channels in the settings, and how each does, as in `core.sickness.Condition`."""

alembic_version = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), primary_key=True),
)
"""Alembic's own table, as it makes it itself, so that a current database is recognised without importing Alembic."""
