"""Cosignatures of witnesses, and which checkpoints have enough of them to be published."""

from alembic import op

from dataexchange.database.migrations.guards import guards

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

STATEMENTS = (
    """
    create table cosignature (
        size bigint not null references checkpoint (size),
        witness text not null,
        line text not null,
        received_at timestamptz not null,
        primary key (size, witness)
    )
    """,
    "create index cosignature_by_witness on cosignature (witness, size)",
    """
    create table published (
        size bigint primary key references checkpoint (size),
        published_at timestamptz not null
    )
    """,
    *guards("cosignature", "update", "delete", "truncate"),
    *guards("published", "update", "delete", "truncate"),
    "grant select, insert on cosignature, published to dataexchange_app",
)


def upgrade() -> None:
    """Make the tables."""
    for statement in STATEMENTS:
        op.execute(statement)


def downgrade() -> None:
    """What witnesses signed is not thrown away."""
    raise NotImplementedError("cosignatures are never dropped by a migration")
