"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TIME = sa.DateTime(timezone=True)
_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables."""
    _servers()
    _sessions()
    _jobs()
    _events()
    _deliveries()


def _servers() -> None:
    op.create_table(
        "servers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("installation_id", sa.Text()),
        sa.Column("first_contact", _TIME),
        sa.Column("news_from", _TIME),
        sa.Column("watermark", _TIME),
        sa.Column("api_version", sa.Text()),
        sa.Column("skew_seconds", sa.Float()),
        sa.Column("last_poll", _TIME),
        sa.Column("last_success", _TIME),
        sa.Column("last_error", sa.Text()),
        sa.Column("refused_at", _TIME),
        sa.Column("refused_salt", sa.Text()),
        sa.Column("refused_login", sa.Text()),
        sa.Column("gone", _TIME),
        sa.PrimaryKeyConstraint("id", name="pk_servers"),
        sa.UniqueConstraint("name", name="uq_servers_name"),
        sa.UniqueConstraint("installation_id", name="uq_servers_installation_id"),
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("server_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created", _TIME),
        sa.Column("ended", _TIME),
        sa.Column("settled", _TIME),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("server_id", "id", name="pk_sessions"),
        sa.ForeignKeyConstraint(["server_id"], ["servers.id"], name="fk_sessions_server_id"),
    )
    op.create_index("ix_sessions_created", "sessions", ["created"])
    op.create_index("ix_sessions_settled", "sessions", ["settled"])


def _jobs() -> None:
    op.create_table(
        "outcomes",
        sa.Column("server_id", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("ended", _TIME),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("failing_since", _TIME),
        sa.Column("last_good", _TIME),
        sa.PrimaryKeyConstraint("server_id", "job_id", name="pk_outcomes"),
        sa.ForeignKeyConstraint(["server_id"], ["servers.id"], name="fk_outcomes_server_id"),
    )
    op.create_table(
        "jobs",
        sa.Column("server_id", sa.Integer(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("server_id", "id", name="pk_jobs"),
        sa.ForeignKeyConstraint(["server_id"], ["servers.id"], name="fk_jobs_server_id"),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("server_id", sa.Integer()),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("happened", _TIME, nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
        sa.ForeignKeyConstraint(["server_id"], ["servers.id"], name="fk_events_server_id"),
    )
    op.create_index("ix_events_created", "events", ["created"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", _ROW_ID, nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created", _TIME, nullable=False),
        sa.Column("first_due", _TIME, nullable=False),
        sa.Column("next_attempt", _TIME),
        sa.Column("lease_owner", sa.Text()),
        sa.Column("lease_until", _TIME),
        sa.Column("settled", _TIME),
        sa.Column("message_id", sa.Text()),
        sa.Column("last_error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("event_id", "channel", "destination", name="uq_deliveries_event_id_channel_destination"),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_deliveries_event_id", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    for state, columns in (("pending", ["channel", "next_attempt"]), ("dead", ["channel"])):
        where = sa.text(f"state = '{state}'")
        op.create_index(f"ix_deliveries_{state}", "deliveries", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "channels",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("gone", _TIME),
        sa.PrimaryKeyConstraint("name", name="pk_channels"),
    )
