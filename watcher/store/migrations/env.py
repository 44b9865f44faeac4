"""Alembic's entry: runs the revisions on the connection, and in the transaction, that the caller has open."""

from alembic import context

from watcher.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=True,  # SQLite can, though Alembic thinks it better not to rely on it
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
