"""The database's own defence, as its catalogue says it is, against `classification`.

Owners, privileges and triggers only hinder; that a change is found rests on signatures and hashes.
"""

import re
from collections.abc import Iterator, Mapping

from dataexchange.database.classification import TABLES, Classified, Weakness
from dataexchange.database.engine import APP_ROLE
from dataexchange.database.functions import function_weaknesses
from dataexchange.database.log_store import Connection
from dataexchange.database.tables import HeadRow


async def weaknesses(connection: Connection) -> list[Weakness]:
    """Return all that differs from the classification; any login may ask."""
    rows = await connection.fetch(_RELATIONS)
    relations = {row["name"]: row["owner"] for row in rows}
    granted = await _grants(connection)
    refused = await _triggers(connection)
    found = list(_unknown(relations))
    found += [
        Weakness(row["name"], "不是普通表", "is not a plain table")
        for row in rows
        if row["name"] in TABLES and row["kind"] != "r"
    ]
    for name, table in TABLES.items():
        if name not in relations:
            found.append(Weakness(name, "缺少此表", "the table is not there"))
            continue
        found += _of_owner(name, relations[name])
        found += _of_grants(name, table, relations[name], granted)
        found += _of_triggers(name, table, refused.get(name, set()))
    found += await function_weaknesses(connection, relations.get("entry", ""))
    for row in await connection.fetch(_SETTINGS, APP_ROLE):
        found.append(Weakness("", f"预设参数：{row['one']}", f"a setting is preset: {row['one']}"))
    if power := await connection.fetchval(_ROLE, APP_ROLE):
        found.append(
            Weakness("", f"角色 {APP_ROLE} 权力过大：{power}", f"{APP_ROLE} has too much: {power}")
        )
    return found


async def missing_columns(connection: Connection) -> list[Weakness]:
    """Return the columns that tables of ours lack or have in excess."""
    rows = await connection.fetch(_COLUMNS, list(TABLES))
    found = {row["name"]: set(row["columns"]) for row in rows}
    expected = {
        table.name: {column.name for column in table.columns}
        for table in HeadRow.metadata.tables.values()
    }
    expected["alembic_version"] = {"version_num"}
    return [
        Weakness(name, f"列不符：{difference}", f"other columns than expected: {difference}")
        for name, columns in expected.items()
        if (difference := ", ".join(sorted(columns ^ found.get(name, set()))))
    ]


def _unknown(relations: Mapping[str, str]) -> Iterator[Weakness]:
    for name in sorted(relations.keys() - TABLES.keys()):
        yield Weakness(name, "未归类的表", "not in database/classification.py")


def _of_owner(name: str, owner: str) -> Iterator[Weakness]:
    if owner == APP_ROLE:
        yield Weakness(name, f"归 {APP_ROLE} 所有", f"owned by {APP_ROLE}")


def _of_grants(
    name: str, table: Classified, owner: str, granted: Mapping[tuple[str, str], set[str]]
) -> Iterator[Weakness]:
    allowed = _privileges(table.app)
    for (relation, grantee), privileges in granted.items():
        if relation != name or grantee == owner:
            continue
        # Others may be let read; nobody else may write, and not everybody may read.
        bound = allowed if grantee == APP_ROLE else set() if grantee == "public" else {"select"}
        if excess := ", ".join(sorted(privileges - bound)):
            yield Weakness(name, f"{grantee} 多出权限：{excess}", f"{grantee} may also {excess}")
    if lacking := ", ".join(sorted(allowed - granted.get((name, APP_ROLE), set()))):
        yield Weakness(name, f"{APP_ROLE} 缺少权限：{lacking}", f"{APP_ROLE} may not {lacking}")


def _of_triggers(name: str, table: Classified, found: set[str]) -> Iterator[Weakness]:
    condition = f" when {table.condition}"
    needed = {operation.replace("*", condition) for operation in table.refused.split()}
    if missing := ", ".join(sorted(needed - found)):
        yield Weakness(name, f"缺少或停用的触发器：{missing}", f"no trigger refuses {missing}")
    if foreign := ", ".join(sorted(found - needed)):
        yield Weakness(name, f"多出的触发器或规则：{foreign}", f"a trigger or rule on {foreign}")


def _privileges(grant: str) -> set[str]:
    """Return `{"select", "update(a)", "update(b)"}` for `"select update(a b)"`."""
    found = set()
    for privilege, columns in _PRIVILEGE.findall(grant):
        found |= {f"{privilege}({one})" for one in columns.split()} or {privilege}
    return found


async def _grants(connection: Connection) -> dict[tuple[str, str], set[str]]:
    granted: dict[tuple[str, str], set[str]] = {}
    for row in await connection.fetch(_GRANTS):
        granted.setdefault((row["name"], row["grantee"]), set()).add(row["privilege"])
    return granted


async def _triggers(connection: Connection) -> dict[str, set[str]]:
    refused: dict[str, set[str]] = {}
    for row in await connection.fetch(_TRIGGERS):
        refused.setdefault(row["name"], set()).add(row["operation"])
    return refused


_PRIVILEGE = re.compile(r"(\w+)(?:\(([^)]*)\))?")
# Whatever holds rows or numbers and is not PostgreSQL's own (whose ids are below 16384), in any
# schema; a name without one is that of `public`.
_OURS = """
  ours as (
    select c.*, case when n.nspname = 'public' then '' else n.nspname || '.' end || c.relname
                as name
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.oid >= 16384 and n.nspname !~ '^pg_(temp|toast)'
       and c.relkind in ('r','p','v','m','f','S'))
"""
_RELATIONS = f"""
with {_OURS}
select name, relkind::text as kind, pg_get_userbyid(relowner)::text as owner from ours
"""  # noqa: S608
_GRANTS = f"""
with {_OURS}
select c.name, lower(a.privilege_type) as privilege,
       case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee) end as grantee
  from ours c, aclexplode(c.relacl) a
union all
select c.name, lower(a.privilege_type) || '(' || t.attname || ')',
       case a.grantee when 0 then 'public' else pg_get_userbyid(a.grantee) end
  from ours c join pg_attribute t on t.attrelid = c.oid, aclexplode(t.attacl) a
"""  # noqa: S608
# Bits of tgtype: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate. Foreign keys are kept
# by triggers of PostgreSQL's own; without `relhastriggers` none fires.
_TRIGGERS = f"""
with {_OURS}
select c.name,
       o.operation
       || coalesce(' when ' || substring(pg_get_triggerdef(t.oid)
                                         from ' WHEN \\((.*)\\) EXECUTE FUNCTION '), '')
       || case when p.oid = to_regprocedure('public.refuse_change()') and t.tgtype & 2 = 2
                    and t.tgenabled = 'A' and t.tgattr = '' and c.relhastriggers
               then '' else ' (' || t.tgname || ')' end as operation
  from ours c join pg_trigger t on t.tgrelid = c.oid join pg_proc p on p.oid = t.tgfoid
  join (values (4, 'insert'), (8, 'delete'), (16, 'update'), (32, 'truncate')) o(bit, operation)
    on t.tgtype & o.bit <> 0
 where not (t.tgisinternal and p.pronamespace = 'pg_catalog'::regnamespace)
union all
select c.name, r.rulename from ours c join pg_rewrite r on r.ev_class = c.oid
 where c.relkind <> 'v'
union all
select c.name, 'row security' from ours c where c.relrowsecurity
"""  # noqa: S608
# A search path of somebody's choice would let other tables stand in for ours: before the app, the
# owner and whoever asks.
_SETTINGS = """
select one from pg_db_role_setting s, unnest(s.setconfig) as one
 where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
   and (s.setrole = 0 or pg_get_userbyid(s.setrole) in ($1, current_user)
        or s.setrole = (select relowner from pg_class where oid = to_regclass('public.entry')))
   and one ~ '^(search_path|session_replication_role|row_security)='
"""
_COLUMNS = """
select c.table_name::text as name, array_agg(c.column_name::text) as columns
  from information_schema.columns c
 where c.table_schema = 'public' and c.table_name = any($1) group by 1
"""
_ROLE = """
select concat_ws(', ', case when r.rolsuper then 'superuser' end,
                 case when r.rolcreaterole then 'createrole' end,
                 case when r.rolcreatedb then 'createdb' end,
                 case when r.rolbypassrls then 'bypassrls' end,
                 case when r.rolreplication then 'replication' end,
                 case when has_schema_privilege(r.oid, 'public', 'create')
                      then 'create in public' end,
                 case when has_database_privilege(r.oid, current_database(), 'create')
                      then 'create schemas' end,
                 (select string_agg('member of ' || pg_get_userbyid(m.roleid), ', ')
                    from pg_auth_members m where m.member = r.oid))
  from pg_roles r where r.rolname = $1
"""
