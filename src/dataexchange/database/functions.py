"""The functions in the database, against those that the migrations make.

What a migration writes is what must be there: its text is the only copy, read by running the
migrations without a database. A migration states a function as `create [or replace] function
name(arguments) … language … as $$body$$`.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from dataexchange.database.classification import Weakness
from dataexchange.database.engine import APP_ROLE
from dataexchange.database.log_store import Connection
from dataexchange.database.schema import migrations_sql


class Function(NamedTuple):
    """What a function does, and in whose name; `settings` as PostgreSQL keeps them."""

    language: str
    is_definer: bool
    settings: tuple[str, ...]
    body: str


async def function_weaknesses(connection: Connection, owner: str) -> list[Weakness]:
    """Return how the functions differ from those of the migrations; all must belong to `owner`."""
    rows = {row["name"]: row for row in await connection.fetch(_FUNCTIONS, APP_ROLE)}
    expected = migrated_functions()
    found = [Weakness(f"function {name}", "缺少此函数", "the function is not there")
             for name in expected.keys() - rows.keys()]  # fmt: skip
    for name, row in rows.items():
        found += [
            Weakness(f"function {name}", zh, en)
            for zh, en in _faults(expected.get(name), row, owner)
        ]
    return found


@cache
def migrated_functions() -> Mapping[str, Function]:
    """Return each function, by name and arguments, as the last migration that makes it says."""
    return {
        f"{name}({arguments})": Function(
            language=_LANGUAGE.findall(head)[0],
            is_definer="security definer" in head,
            settings=tuple(f"{key}={value}" for key, value in _SETTING.findall(head)),
            body=body,
        )
        for name, arguments, head, body in _CREATED.findall(migrations_sql())
    }


def _faults(
    expected: Function | None, row: Mapping[str, object], owner: str
) -> Iterator[tuple[str, str]]:
    if expected is None:
        yield "迁移中没有的函数", "no migration makes this function"
        return
    for part, value in expected._asdict().items():
        if row[part] != (list(value) if part == "settings" else value):
            yield f"与迁移不同：{part}", f"its {part} is not what the migrations made"
    if row["owner"] != owner:
        yield f"归 {row['owner']} 所有", f"owned by {row['owner']}, not by {owner}"
    if not row["app_may"]:
        yield f"{APP_ROLE} 不能执行", f"{APP_ROLE} may not execute it"
    if expected.is_definer and row["others"]:
        yield f"{row['others']} 可执行", f"{row['others']} may execute it in its owner's name"


_CREATED = re.compile(
    r"create (?:or replace )?function (\w+)\((.*?)\)(.*?)\$\$(.*?)\$\$", re.DOTALL | re.IGNORECASE
)
_LANGUAGE = re.compile(r"language (\w+)")
_SETTING = re.compile(r"\bset (\w+) = (.*?) as\b")
_FUNCTIONS = """
with app as (select max(oid) as oid from pg_roles where rolname = $1)
select case when n.nspname = 'public' then '' else n.nspname || '.' end || p.proname
       || '(' || pg_get_function_identity_arguments(p.oid) || ')' as name,
       l.lanname::text as language, p.prosecdef as is_definer,
       coalesce(p.proconfig, '{}') as settings, p.prosrc as body,
       pg_get_userbyid(p.proowner)::text as owner,
       coalesce(has_function_privilege(app.oid, p.oid, 'execute'), false) as app_may,
       (select string_agg(case a.grantee when 0 then 'public'
                          else pg_get_userbyid(a.grantee) end, ', ')
          from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
         where a.grantee not in (p.proowner, coalesce(app.oid, 1))) as others
  from app cross join pg_proc p join pg_namespace n on n.oid = p.pronamespace
  join pg_language l on l.oid = p.prolang
 where p.oid >= 16384 and n.nspname !~ '^pg_temp'
   and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
 order by 1
"""  # 16384: the first id that is not PostgreSQL's own
