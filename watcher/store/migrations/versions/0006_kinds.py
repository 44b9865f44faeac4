"""Other kinds of work than jobs: which of them are watched since when, and which sessions are theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what is new; up to now it was backups and copies that were watched, from the first contact on."""
    op.add_column("sessions", sa.Column("kind", sa.Text()))
    op.create_table(
        "kinds",
        sa.Column("server_id", sa.Integer(), sa.ForeignKey("servers.id", name="fk_kinds_server_id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("since", _TIME, nullable=False),
        sa.Column("mark", _TIME),
        sa.PrimaryKeyConstraint("server_id", "kind", name="pk_kinds"),
    )
    for kind in ("backup", "copy"):
        op.execute(
            f"INSERT INTO kinds (server_id, kind, since) SELECT id, '{kind}', news_from FROM servers"  # noqa: S608
            " WHERE first_contact IS NOT NULL"
        )
