"""The nodes of the verifiable map, named by their hashes; the app may add them and no more."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

STATEMENTS = (
    "create table map_node (name bytea primary key, body bytea not null)",
    """create trigger map_node_is_append_only before update or delete on map_node
           for each row execute function refuse_change()""",
    """create trigger map_node_is_never_truncated before truncate on map_node
           for each statement execute function refuse_change()""",
    "grant select, insert on map_node to dataexchange_app",
)


def upgrade() -> None:
    """Make the table."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """What was proven by a map stays provable."""
    raise NotImplementedError("map nodes are never dropped by a migration")
