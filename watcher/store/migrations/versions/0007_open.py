"""What is open: each look asks for the sessions and runs of one server that are, among all that it ever had."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add an index of those alone: with the other one SQLite went through a server's whole history."""
    for table, column in (("sessions", "settled"), ("chains", "over")):
        where = sa.text(f"{column} IS NULL")
        op.create_index(f"ix_{table}_open", table, ["server_id"], sqlite_where=where, postgresql_where=where)
    op.drop_index("ix_chains_over", "chains")
