"""Retry chains, what the event feed has said last, the next sweep, and an installation that is not believed yet."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what is new; a chain that is under way is known from the next attempt on."""
    op.create_table(
        "chains",
        sa.Column("server_id", sa.Integer(), sa.ForeignKey("servers.id"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("held", _TIME),
        sa.Column("over", _TIME),
        sa.Column("touched", _TIME, nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("server_id", "id", name="pk_chains"),
    )
    op.create_index("ix_chains_over", "chains", ["over"])
    op.create_index("ix_chains_touched", "chains", ["touched"])
    op.add_column("servers", sa.Column("feed_token", sa.Text()))
    op.add_column("servers", sa.Column("swept", _TIME))
    op.add_column("servers", sa.Column("doubted_installation", sa.Text()))
    op.add_column("servers", sa.Column("reading", sa.Text()))
