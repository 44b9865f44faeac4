"""Routes, groups, quiet hours, silences and alarms: who was told and why, and what waits for what."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what is new; of what happened before, nobody knows who was told."""
    op.add_column("outcomes", sa.Column("told", sa.Text()))
    op.add_column("servers", sa.Column("failing_since", _TIME))
    op.add_column("servers", sa.Column("failure", sa.Text()))
    op.add_column("servers", sa.Column("alarms", sa.Text()))
    op.add_column("servers", sa.Column("alarm_since", _TIME))
    op.add_column("servers", sa.Column("alarm_told", sa.Text()))
    op.add_column("events", sa.Column("ruling", sa.Text()))
    op.add_column("deliveries", sa.Column("grouping", sa.Text(), nullable=False, server_default=""))
    op.add_column("deliveries", sa.Column("held", sa.Text()))
    where = sa.text("state = 'pending' AND grouping <> ''")
    op.create_index(
        "ix_deliveries_grouping",
        "deliveries",
        ["channel", "grouping"],
        sqlite_where=where,
        postgresql_where=where,
    )
    op.create_table(
        "muted",
        sa.Column("event_id", sa.Text(), sa.ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("event_id", name="pk_muted"),
    )
    op.create_table(
        "silences",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("match", sa.Text(), nullable=False),
        sa.Column("begins", _TIME, nullable=False),
        sa.Column("ends", _TIME, nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("muted", sa.Integer(), nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_silences"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_silences_ends", "silences", ["ends"])
