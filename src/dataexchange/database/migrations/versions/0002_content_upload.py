"""Who put which content in: only through an entry of such a party can others read it."""

from alembic import op

from dataexchange.database.migrations.guards import guards

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLE = """
create table content_upload (
    sha256 bytea not null check (length(sha256) = 32),
    party text not null,
    uploaded_at timestamptz not null default now(),
    primary key (sha256, party)
)
"""
GRANTS = "grant select, insert on content_upload to dataexchange_app"


def upgrade() -> None:
    """Make the table."""
    op.execute(TABLE)
    for statement in (*guards("content_upload", "update", "truncate"), GRANTS):
        op.execute(statement)


def downgrade() -> None:
    """Nothing is unmade: without the table no content could be read."""
    raise NotImplementedError("uploads are never dropped by a migration")
