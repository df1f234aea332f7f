"""The log, its head, the aggregates, tiles and checkpoints; functions, triggers and grants."""

from alembic import op

from dataexchange.database.migrations.guards import guards

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
create table head (
    log smallint primary key,
    origin text not null,
    size bigint not null,
    last bytea not null,
    frontier bytea not null,
    recorded_at timestamptz,
    constraint head_is_one_row check (log = 1)
);
create table entry (
    index bigint primary key,
    body bytea not null,
    leaf bytea not null,
    statement_id text not null,
    actor text not null,
    subjects text[] not null,
    previous bigint[] not null,
    constraint entry_once unique (statement_id, actor)
);
alter table entry alter column body set storage external;
create table aggregate (
    key text primary key,
    kind text not null,
    seq bigint not null,
    head bytea not null,
    head_index bigint not null,
    first_index bigint not null,
    state_schema smallint not null,
    state bytea not null,
    parties text[] not null
) with (fillfactor = 70);
create index aggregate_by_kind on aggregate (kind, first_index, key);
create index aggregate_by_party on aggregate using gin (parties);
create table tile (
    level smallint not null,
    number bigint not null,
    hashes bytea not null,
    root bytea not null,
    primary key (level, number)
);
create table checkpoint (
    size bigint primary key,
    previous bigint not null,
    note text not null,
    signed_at timestamptz not null
);
"""

# One statement, one snapshot: the head, the asked aggregates, and entries with the asked ids.
READ = """
create function read_tail(keys text[], ids text[], actors text[])
returns table (part smallint, name text, number bigint, hash bytea, body bytea, place bigint,
               first_index bigint, at timestamptz, actor text)
language sql stable as $$
    select 0::smallint, h.origin, h.size, h.last, h.frontier, 0::bigint, 0::bigint,
           h.recorded_at, null
      from head h
    union all
    select 1::smallint, a.key, a.seq, a.head, a.state, a.head_index, a.first_index, null,
           null
      from aggregate a where a.key = any(keys)
    union all
    select 2::smallint, e.statement_id, e.index, e.leaf, e.body, 0::bigint, 0::bigint, null,
           e.actor
      from unnest(ids, actors) as asked(id, actor)
      join entry e on e.statement_id = asked.id and e.actor = asked.actor
$$;
"""

REFUSE = """
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% on % is refused: the log is append-only', tg_op, tg_table_name;
end
$$
"""

# The head may move, and only forward; the rest of the log never changes.
GUARDS = (
    *guards("entry", "update", "delete", "truncate"),
    *guards("checkpoint", "update", "delete", "truncate"),
    *guards("tile", "update", "delete", "truncate"),
    *guards("head", "delete", "truncate"),
    *guards("head", "update", when="new.size <= old.size or new.origin <> old.origin"),
)

# The app owns nothing. `database/classification.py` says the same, and `check` compares.
ROLE = """
do $$ begin
    if not exists (select 1 from pg_roles where rolname = 'dataexchange_app') then
        create role dataexchange_app nologin;
    end if;
end $$
"""

GRANTS = """
revoke all on schema public from public;
grant usage on schema public to dataexchange_app;
grant select, insert on entry, checkpoint, tile to dataexchange_app;
grant select, insert, update (size, last, frontier, recorded_at) on head to dataexchange_app;
grant select, insert, update (seq, head, head_index, state_schema, state, parties)
    on aggregate to dataexchange_app;
grant select on alembic_version to dataexchange_app;
"""


def upgrade() -> None:
    """Make all of it."""
    for statement in (*_each(TABLES), READ, REFUSE, *GUARDS, ROLE, *_each(GRANTS)):
        op.execute(statement)


def downgrade() -> None:
    """A log is not unmade."""
    raise NotImplementedError("the log is never dropped by a migration")


def _each(statements: str) -> list[str]:
    """Return the statements of a text one by one: the driver prepares them singly."""
    return [statement for statement in statements.split(";\n") if statement.strip()]
