"""The catalogue of the database against the classification: owners, privileges, triggers."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest

from dataexchange.database import tables
from dataexchange.database.classification import TABLES
from dataexchange.database.defence import missing_columns, weaknesses
from dataexchange.database.embedded import APP_ROLE, SUPERUSER

if TYPE_CHECKING:
    from databases import Addresses
    from dataexchange.database.embedded import EmbeddedPostgres


SWALLOWING = """
create function swallow() returns trigger language plpgsql as 'begin return null; end';
create trigger lossy before insert on entry for each row execute function swallow()
"""
REFUSING_NOTHING = """
create or replace function refuse_change() returns trigger language plpgsql as
'begin return case when tg_op = ''DELETE'' then old else new end; end'
"""
LOOSER = """
create or replace function erase_opening(by_index bigint) returns void
language plpgsql security definer set search_path = pg_catalog, public, pg_temp as
'begin delete from sealed_opening; end'
"""
NEVER = """
drop trigger head_refuses_update on head;
create trigger head_refuses_update before update on head for each row when (false)
    execute function refuse_change();
alter table head enable always trigger head_refuses_update
"""
ONE_COLUMN = (
    NEVER.replace("head", "entry")
    .replace("when (false)", "")
    .replace("before update", "before update of actor")
)
ANOTHER_FUNCTION = """
create schema other;
create function other.refuse_change() returns trigger language plpgsql as 'begin return new; end';
drop trigger tile_refuses_update on tile;
create trigger tile_refuses_update before update on tile for each row
    execute function other.refuse_change();
alter table tile enable always trigger tile_refuses_update
"""
VIEW_FOR_A_TABLE = """
alter table tile rename to real; create view tile as select * from real
"""
NO_TRIGGER_FIRES = "update pg_class set relhastriggers = false where oid = 'entry'::regclass"
SHADOW = """
create schema shadow; create view shadow.entry as select * from public.entry limit 0
"""
EVERYWHERE = """
do $$ begin
    execute format('alter database %I set search_path = shadow, public', current_database());
end $$
"""
ERASE = "erase_opening(bigint)"


@pytest.fixture
async def superuser(
    postgres: "EmbeddedPostgres", migrated_database: "Addresses"
) -> AsyncIterator[Any]:
    """A superuser's connection to a database with today's schema."""
    name = migrated_database.app.split("?")[0].rsplit("/", 1)[1]
    connection = await asyncpg.connect(postgres.dsn(SUPERUSER, name))
    try:
        yield connection
    finally:
        await connection.close()


async def test_every_table_is_classified_and_guarded_as_its_class_says(superuser: Any) -> None:
    assert await weaknesses(superuser) == []
    assert await missing_columns(superuser) == []


def test_the_classification_names_every_table_and_only_columns_that_exist() -> None:
    models = tables.HeadRow.metadata.tables
    assert set(TABLES) == set(models) | {"alembic_version"}
    for name, table in TABLES.items():
        assert table.judged
        columns = {column.name for column in models[name].columns} if name in models else set()
        assert set(table.unprotected) <= columns | {"*"}
        assert all(table.unprotected.values())


@pytest.mark.parametrize(
    ("change", "table", "said"),
    [
        ("create table note (id int)", "note", "not in database/classification.py"),
        ("create view everything as select * from entry", "everything", "not in"),
        ("create sequence numbers", "numbers", "not in database/classification.py"),
        ("create schema other; create table other.hidden (id int)", "other.hidden", "not in"),
        ("drop table tile", "tile", "the table is not there"),
        (f"alter table entry owner to {APP_ROLE}", "entry", f"owned by {APP_ROLE}"),
        (f"grant delete on entry to {APP_ROLE}", "entry", "may also delete"),
        (f"grant truncate on tile to {APP_ROLE}", "tile", "may also truncate"),
        (f"grant update (origin) on head to {APP_ROLE}", "head", "may also update(origin)"),
        (f"revoke insert on entry from {APP_ROLE}", "entry", "may not insert"),
        ("grant select on entry to public", "entry", "public may also select"),
        ("create role meddler; grant insert on entry to meddler", "entry", "may also insert"),
        ("alter table entry disable trigger all", "entry", "no trigger refuses delete"),
        ("drop trigger entry_refuses_truncate on entry", "entry", "no trigger refuses truncate"),
        ("alter table head enable trigger head_refuses_delete", "head", "refuses delete"),
        (SWALLOWING, "entry", "a trigger or rule on insert (lossy)"),
        ("create rule gone as on insert to tile do instead nothing", "tile", "gone"),
        ("alter table entry enable row level security", "entry", "row security"),
        (NEVER, "head", "a trigger or rule on update when false"),
        (NEVER, "head", "no trigger refuses update when ((new.size"),
        (ONE_COLUMN, "entry", "no trigger refuses update"),
        (ANOTHER_FUNCTION, "tile", "no trigger refuses update"),
        (ANOTHER_FUNCTION, "function other.refuse_change()", "no migration makes"),
        (NO_TRIGGER_FIRES, "entry", "no trigger refuses delete"),
        (VIEW_FOR_A_TABLE, "tile", "is not a plain table"),
        (VIEW_FOR_A_TABLE, "real", "not in database/classification.py"),
        (SHADOW, "shadow.entry", "not in database/classification.py"),
        (REFUSING_NOTHING, "function refuse_change()", "its body is not"),
        (LOOSER, "function erase_opening(by_index bigint)", "its body is not"),
        (f"alter function {ERASE} reset all", "function erase_opening(by_index", "its settings"),
        (f"alter function {ERASE} security invoker", "function erase_opening(by", "its is_definer"),
        (f"alter function {ERASE} owner to {APP_ROLE}", "function erase_opening(", "owned by"),
        (f"grant execute on function {ERASE} to public", "function erase_opening(", "public may"),
        (f"revoke execute on function {ERASE} from {APP_ROLE}", "function erase_o", "may not"),
        (f"drop function {ERASE}", "function erase_opening(by_index bigint)", "is not there"),
        (f"grant create on schema public to {APP_ROLE}", "", "create in public"),
        (f"alter role {APP_ROLE} set search_path = shadow, public", "", "a setting is preset"),
        (EVERYWHERE, "", "a setting is preset: search_path"),
        (f"alter role {APP_ROLE} createrole", "", "createrole"),
        (f"grant dataexchange_owner to {APP_ROLE}", "", "member of dataexchange_owner"),
    ],
)
async def test_whatever_weakens_the_defence_is_named(
    superuser: Any, change: str, table: str, said: str
) -> None:
    transaction = superuser.transaction()
    await transaction.start()
    if "grant dataexchange_owner" in change:
        # The owner may act as the app; a circle is refused, so that goes first.
        await superuser.execute(f"revoke {APP_ROLE} from dataexchange_owner")
    await superuser.execute(change)
    found = await weaknesses(superuser)
    await transaction.rollback()
    assert [one for one in found if is_named(one.table, table) and said in one.en], found


def is_named(found: str, table: str) -> bool:
    """Tell whether a weakness names a table, or a function by the beginning of its signature."""
    return found == table or (table.startswith("function ") and found.startswith(table))


async def test_a_setting_of_somebody_else_is_no_weakness(superuser: Any) -> None:
    transaction = superuser.transaction()
    await transaction.start()
    await superuser.execute("create role analyst; alter role analyst set search_path = reports")
    found = await weaknesses(superuser)
    await transaction.rollback()
    assert found == []


async def test_a_column_more_or_less_is_named(superuser: Any) -> None:
    await superuser.execute("alter table aggregate add column note text")
    await superuser.execute("alter table tile drop column root")
    found = {one.table: one.en for one in await missing_columns(superuser)}
    assert "note" in found["aggregate"]
    assert "root" in found["tile"]


async def test_the_app_cannot_do_what_its_class_does_not_let_it(
    migrated_database: "Addresses",
) -> None:
    connection = await asyncpg.connect(migrated_database.app)
    refused = (
        "update entry set actor = 'x'",
        "delete from entry",
        "truncate entry",
        "update head set origin = 'x'",
        "delete from head",
        "update tile set root = 'x'",
        "delete from checkpoint",
        "delete from aggregate",
        "update aggregate set key = 'x'",
        "update alembic_version set version_num = 'x'",
        "alter table entry disable trigger all",
        "set session_replication_role = replica",
        "drop table entry",
        "create table mine (id int)",
    )
    for attempt in refused:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(attempt)
    await connection.close()


async def test_the_head_never_goes_back_and_triggers_hold_for_a_replica_too(
    superuser: Any,
) -> None:
    await superuser.execute(
        "insert into head values (1, 'log', 5, 'x', 'x', null);"
        "insert into tile values (0, 0, 'x', 'x')"
    )
    await superuser.execute("set session_replication_role = replica")
    for attempt in (
        "update head set size = 4",
        "update head set last = 'y'",
        "update head set size = 6, origin = 'other'",
        "delete from head",
        "truncate head",
        "update tile set root = 'y'",
        "delete from tile",
        "truncate tile",
    ):
        with pytest.raises(asyncpg.RaiseError):
            await superuser.execute(attempt)
    await superuser.execute("update head set size = 6")
