"""An index for what people look at: the last runs of each job."""

from alembic import op

revision = "0007"
down_revision = "0004"


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_sessions_server_id_job_id_created", "sessions", ["server_id", "job_id", "created"])
