"""Alembic's environment: runs migrations on the connection that `dataexchange` gives it."""

from alembic import context

from dataexchange.database import tables

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=tables.EntryRow.metadata)
with context.begin_transaction():
    context.run_migrations()
