"""The nodes of the verifiable map, named by their hashes; the app may add them and no more."""

from alembic import op

from dataexchange.database.migrations.guards import guards

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "create table map_node (name bytea primary key, body bytea not null)",
    *guards("map_node", "update", "delete", "truncate"),
    "grant select, insert on map_node to dataexchange_app",
)


def upgrade() -> None:
    """Make the table."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """What was proven by a map stays provable."""
    raise NotImplementedError("map nodes are never dropped by a migration")
