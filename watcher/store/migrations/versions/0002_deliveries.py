"""Deliveries in the order of their job, and the health of destinations."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what is new; what is owed already is by itself, as it was."""
    op.add_column("deliveries", sa.Column("subject", sa.Text(), nullable=False, server_default=""))
    op.execute("UPDATE deliveries SET subject = event_id")
    where = sa.text("state = 'pending'")
    op.create_index(
        "ix_deliveries_subject",
        "deliveries",
        ["channel", "subject"],
        sqlite_where=where,
        postgresql_where=where,
    )
    op.add_column("channels", sa.Column("give_up_seconds", sa.Float()))
    op.create_table(
        "destinations",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failing_since", _TIME),
        sa.Column("sick_since", _TIME),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("channel", "name", name="pk_destinations"),
    )
