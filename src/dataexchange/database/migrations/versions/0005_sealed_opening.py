"""Openings of sealed fields, encrypted; and erasure, which only an entry of the log can order."""

from alembic import op

from dataexchange.database.migrations.guards import guards

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# `key_id` names a key that is kept outside of the database; a row without box was erased.
TABLES = """
create table sealed_opening (
    statement_id text not null,
    actor text not null,
    field text not null,
    key_id text,
    box bytea,
    erased_by bigint,
    primary key (statement_id, actor, field),
    constraint sealed_opening_is_whole check (
        (key_id is null) = (erased_by is not null) and (box is null) = (erased_by is not null))
);
create unique index sealed_opening_erased on sealed_opening (erased_by)
    where erased_by is not null;
create table content_erasure (
    index bigint primary key,
    sha256 bytea not null check (length(sha256) = 32),
    ordered boolean not null
);
create index content_erasure_of on content_erasure (sha256);
"""

GUARDS = (
    *guards("sealed_opening", "delete", "truncate"),
    *guards("content_erasure", "update", "delete", "truncate"),
)

# The app may change no opening. It names an entry, and the owner's function does what that says.
ERASE_OPENING = """
create function erase_opening(by_index bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    said jsonb;
begin
    select convert_from(e.body, 'UTF8')::jsonb -> 'statement' into said
      from entry e where e.index = by_index;
    if said ->> 'event' is distinct from 'opening.erased@1' then
        raise exception 'entry % erases no opening', by_index;
    end if;
    insert into sealed_opening (statement_id, actor, field, erased_by)
        select e.statement_id, e.actor, said #>> '{payload,field}', by_index
          from entry e
         where e.index = (said #>> '{payload,index}')::bigint
           and e.actor = said #>> '{payload,sealed_by}'
           and convert_from(e.body, 'UTF8')::jsonb
               #> array['statement', 'sealed', said #>> '{payload,field}'] is not null
    on conflict (statement_id, actor, field) do update
        set key_id = null, box = null, erased_by = excluded.erased_by
      where sealed_opening.erased_by is null;
end
$$
"""
ERASE_CONTENT = """
create function erase_content(by_index bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as $$
declare
    said jsonb;
    erased bytea;
    is_ordered boolean;
begin
    select convert_from(e.body, 'UTF8')::jsonb -> 'statement' into said
      from entry e where e.index = by_index;
    if said ->> 'event' is distinct from 'content.erased@1' then
        raise exception 'entry % erases no content', by_index;
    end if;
    erased := decode(said #>> '{payload,content}', 'hex');
    is_ordered := said #>> '{payload,ground}' = 'ordered';
    delete from content_upload u
     where u.sha256 = erased and (is_ordered or u.party = said ->> 'actor');
    insert into content_erasure values (by_index, erased, is_ordered) on conflict do nothing;
end
$$
"""
GRANTS = """
grant select, insert on sealed_opening to dataexchange_app;
grant select on content_erasure to dataexchange_app;
revoke all on function erase_opening(bigint) from public;
revoke all on function erase_content(bigint) from public;
grant execute on function erase_opening(bigint) to dataexchange_app;
grant execute on function erase_content(bigint) to dataexchange_app;
"""


def upgrade() -> None:
    """Make all of it."""
    for statement in (*_each(TABLES), *GUARDS, ERASE_OPENING, ERASE_CONTENT, *_each(GRANTS)):
        op.execute(statement)


def downgrade() -> None:
    """Openings are not dropped."""
    raise NotImplementedError("openings are never dropped by a migration")


def _each(statements: str) -> list[str]:
    return [statement for statement in statements.split(";\n") if statement.strip()]
