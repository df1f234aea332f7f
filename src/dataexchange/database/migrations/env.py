"""Alembic's environment: runs migrations on the connection that it is given, or writes them out."""

from alembic import context

from dataexchange.database import tables

context.configure(
    connection=context.config.attributes.get("connection"),
    dialect_name="postgresql",
    dialect_opts={"paramstyle": "named"},  # else a written-out `%` is doubled
    target_metadata=tables.EntryRow.metadata,
)
with context.begin_transaction():
    context.run_migrations()
