"""Watchdogs: what they have told, and the runs of a job in their order."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add what is new; nothing was told so far."""
    op.create_table(
        "alarms",
        sa.Column("server_id", sa.Integer(), sa.ForeignKey("servers.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.Column("told", sa.Text()),
        sa.PrimaryKeyConstraint("server_id", "kind", "subject", name="pk_alarms"),
    )
    op.create_index("ix_sessions_server_id_job_id_created", "sessions", ["server_id", "job_id", "created"])
