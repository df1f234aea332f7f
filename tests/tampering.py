"""Tamper with a database in every way that its catalogue suggests, each in a transaction undone.

A superuser with triggers off changes every column of every table, and removes, doubles and swaps
rows. The cases are made from `information_schema`: a new table or column is tampered with from the
day it is there.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import asyncpg

from dataexchange.database.classification import TABLES
from dataexchange.exchange.check import Checked, check
from dataexchange.exchange.check.fault import key_of
from dataexchange.ledger.policy import Policy

# What a value becomes, by type; `{c}` is the column. A change that changes nothing is left out.
CHANGES = {
    "int2": ("{c} + 1", "{c} - 1", "0", "32767"),
    "int8": ("{c} + 1", "{c} - 1", "0", "{c} + 1000000"),
    "text": (
        "''",
        "{c} || 'x'",
        "left({c}, -1)",
        "overlay({c} placing chr(ascii(right(left({c}, {at}), 1)) # 1) from {at})",
    ),
    "bytea": (
        "''::bytea",
        "{c} || '\\x00'::bytea",
        "substr({c}, 1, length({c}) - 1)",
        "set_byte({c}, 0, get_byte({c}, 0) # 1)",
        "set_byte({c}, length({c}) / 2, get_byte({c}, length({c}) / 2) # 128)",
        "set_byte({c}, length({c}) - 1, get_byte({c}, length({c}) - 1) # 1)",
    ),
    "_text": ("'{{}}'", "{c} || 'x'::text", "{c}[2:]", "array_append({c}[2:], {c}[1])"),
    "_int8": ("'{{}}'", "{c} || 0::bigint", "array_append({c}[2:], {c}[1] + 1)", "{c}[2:]"),
    "timestamptz": ("{c} + interval '1 us'", "{c} - interval '1 day'", "'infinity'"),
    "bool": ("not {c}",),
}
CHANGES["varchar"] = CHANGES["text"]


@dataclass(frozen=True)
class Table:
    """A table as its catalogue describes it."""

    name: str
    columns: dict[str, str]  # name -> type
    key: tuple[str, ...]

    def where(self, row: "asyncpg.Record") -> str:
        return " and ".join(
            f"{column} = {literal(row[column], self.columns[column])}" for column in self.key
        )

    def row_name(self, row: "asyncpg.Record") -> str:
        return key_of({column: row[column] for column in self.key})


@dataclass(frozen=True)
class Case:
    """One tampering: SQL, and the one column that it touches, if it is one and not the key."""

    table: Table
    column: str | None
    what: str
    statements: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.table.name}.{self.column or '*'} {self.what}: {self.statements[-1]}"


@dataclass
class Matrix:
    """What a run of all cases found."""

    cases: Counter[str] = field(default_factory=Counter)  # by table
    without_effect: int = 0
    undetected: list[Case] = field(default_factory=list)
    mislocated: list[tuple[Case, list[str]]] = field(default_factory=list)

    def summary(self) -> str:
        lines = [f"{table}: {count}" for table, count in sorted(self.cases.items())]
        return f"{sum(self.cases.values())} cases ({', '.join(lines)})"


@dataclass
class Tamperer:
    """Tampers through a superuser's connection and asks the check, in one transaction each."""

    connection: Any
    policy: Policy
    known: Sequence[bytes]
    backup: Any  # a connection to an older copy of the database
    rows: int = 2  # of each table
    matrix: Matrix = field(default_factory=Matrix)

    async def run(self) -> Matrix:
        """Run every case."""
        for table in await tables(self.connection):
            for case in await self.cases(table):
                await self.attempt(case)
        return self.matrix

    async def attempt(self, case: Case) -> None:
        """Tamper, check, undo; note what was not found, or not where it was."""
        transaction = self.connection.transaction()
        await transaction.start()
        try:
            changed = await self._tamper(case)
            checked = await self.check() if changed else None
        finally:
            await transaction.rollback()
        if checked is None:
            self.matrix.without_effect += 1
            return
        self.matrix.cases[case.table.name] += 1
        if checked.is_sound:
            self.matrix.undetected.append(case)
        elif not is_located(case, changed, checked):
            found = [f"{fault.place}: {fault.en}" for fault in checked.findings.faults]
            self.matrix.mislocated.append((case, found))

    async def check(self) -> Checked:
        """Ask the check, on this connection."""
        return await check(self.connection, self.policy, known=self.known, guarded=False)

    async def _tamper(self, case: Case) -> set[str]:
        """Change the table; return the keys of rows that are not what they were."""
        before = await contents(self.connection, case.table)
        await self.connection.execute(f"alter table {case.table.name} disable trigger all")
        try:
            async with self.connection.transaction():
                for statement in case.statements:
                    await self.connection.execute(statement)
        except asyncpg.IntegrityConstraintViolationError:
            await drop_constraints(self.connection, case.table)
            for statement in case.statements:
                await self.connection.execute(statement)
        changed = Counter(map(str, before)) - Counter()
        changed.subtract(map(str, after := await contents(self.connection, case.table)))
        return {case.table.row_name(row) for row in (*before, *after) if changed[str(row)]}

    async def cases(self, table: Table) -> list[Case]:
        """Return every case of one table."""
        everything = await contents(self.connection, table)
        assert everything, f"{table.name} has no row to tamper with: let the story fill it"
        rows = spread(everything, self.rows)
        found = [
            case for column in table.columns for row in rows for case in changes(table, column, row)
        ]
        values = [column for column in table.columns if column not in table.key]
        for one, other in pairwise(rows):
            found += [swap(table, [column], one, other) for column in table.columns]
            found += [swap(table, values, one, other)] if values else []
        found += [case for row in rows for case in (deletion(table, row), copy(table, row))]
        found.append(deletion(table, *everything[-3:]))
        found.append(Case(table, None, "empty", (f"delete from {table.name}",)))
        return found + await self._old_versions(table)

    async def _old_versions(self, table: Table) -> list[Case]:
        """Return cases that put a row back as it was in the older copy."""
        now = {table.row_name(row): str(row) for row in await contents(self.connection, table)}
        old = [
            row
            for row in await contents(self.backup, table)
            if now.get(table.row_name(row), str(row)) != str(row)
        ]
        return [
            Case(
                table,
                None,
                "old version",
                (
                    f"delete from {table.name} where {table.where(row)}",
                    f"insert into {table.name} values ("
                    + ", ".join(literal(row[c], kind) for c, kind in table.columns.items())
                    + ")",
                ),
            )
            for row in spread(old, self.rows)
        ]


def is_located(case: Case, changed: set[str], checked: Checked) -> bool:
    """Tell whether every fault is in the table, and one names a changed row and the column.

    Where the key was changed, rows are missing or too much, or hold what another should.
    """
    faults = checked.findings.faults
    columns = {case.column, None} if case.column else set(case.table.columns) | {None}
    return all(fault.place.table == case.table.name for fault in faults) and any(
        fault.place.column in columns
        and any(
            row in f"{fault.place.row} {fault.en}" or row.startswith(f"{fault.place.row}, ")
            for row in changed
        )
        for fault in faults
    )


async def tables(connection: Any) -> list[Table]:
    """Return every table outside PostgreSQL's own schemas."""
    rows = await connection.fetch(
        "select c.table_name::text t, c.column_name::text c, c.udt_name::text u"
        "  from information_schema.columns c join information_schema.tables using"
        "       (table_schema, table_name)"
        " where c.table_schema !~ '^(pg_|information_schema$)' and table_type = 'BASE TABLE'"
        " order by c.table_name, c.ordinal_position"
    )
    keys = await connection.fetch(
        "select i.indrelid::regclass::text t, a.attname::text c from pg_index i"
        "  join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)"
        " where i.indisprimary and i.indrelid::regclass::text = any($1) order by a.attnum",
        list({row["t"] for row in rows}),
    )
    return [
        Table(
            name,
            {row["c"]: row["u"] for row in rows if row["t"] == name},
            tuple(row["c"] for row in keys if row["t"] == name),
        )
        for name in dict.fromkeys(row["t"] for row in rows)
    ]


def spread(rows: Sequence[Any], count: int) -> list[Any]:
    """Return `count` rows from the first to the last."""
    last = len(rows) - 1
    return (
        [rows[at] for at in sorted({last * step // (count - 1) for step in range(count)})]
        if rows
        else []
    )


def changes(table: Table, column: str, row: Any) -> list[Case]:
    """Return the changes of one value."""
    kind, value = table.columns[column], row[column]
    assert kind in CHANGES, f"say in CHANGES how to tamper with {kind} ({table.name}.{column})"
    at = max(len(value) // 2, 1) if isinstance(value, str) else 1
    place = None if column in table.key else column
    update = f"update {table.name} set {column} = {{}} where {table.where(row)}"
    found = [
        Case(table, place, text, (update.format(text),))
        for text in (template.format(c=column, at=at) for template in CHANGES[kind])
    ]
    if place is not None:
        nullable = f"alter table {table.name} alter column {column} drop not null"
        found.append(Case(table, place, "null", (nullable, update.format("null"))))
    return found


def swap(table: Table, columns: Sequence[str], one: Any, other: Any) -> Case:
    """Return the exchange of some columns between two rows, both at once."""
    exchanged = ", ".join(
        f"{column} = case when {table.where(one)} then {literal(other[column], kind)}"
        f" else {literal(one[column], kind)} end"
        for column, kind in table.columns.items()
        if column in columns
    )
    place = columns[0] if len(columns) == 1 and columns[0] not in table.key else None
    update = f"update {table.name} set {exchanged} where"
    both = f"{update} ({table.where(one)}) or ({table.where(other)})"
    return Case(table, place, f"swap {', '.join(columns)}", (both,))


def deletion(table: Table, *rows: Any) -> Case:
    statements = [f"delete from {table.name} where {table.where(row)}" for row in rows]
    return Case(table, None, "delete", tuple(statements))


def copy(table: Table, row: Any) -> Case:
    statement = f"insert into {table.name} select * from {table.name} where {table.where(row)}"
    return Case(table, None, "duplicate", (statement,))


def literal(value: Any, kind: str) -> str:
    """Return an SQL literal of a type."""
    if value is None:
        return "null"
    if isinstance(value, bytes):
        text = f"\\x{value.hex()}"
    elif isinstance(value, list):
        text = "{" + ",".join(map(str, value)) + "}"
    else:
        text = str(value).replace("'", "''")
    return f"'{text}'::{kind}"


async def contents(connection: Any, table: Table) -> list[Any]:
    """Return all rows in the order of their key."""
    return list(
        await connection.fetch(f"select * from {table.name} order by {', '.join(table.key)}")
    )


async def drop_constraints(connection: Any, table: Table) -> None:
    """Drop what would refuse a second row of one key."""
    rows = await connection.fetch(
        "select 'alter table ' || conrelid::regclass || ' drop constraint ' || quote_ident(conname)"
        "       || ' cascade' as drop from pg_constraint"
        " where conrelid = $1::regclass and contype in ('p', 'u', 'c')"
        " union all "
        "select 'drop index ' || indexrelid::regclass from pg_index"
        " where indrelid = $1::regclass and indisunique"
        "   and indexrelid not in (select conindid from pg_constraint)",
        table.name,
    )
    for row in rows:
        await connection.execute(row["drop"])


def unprotected() -> set[tuple[str, str]]:
    """Return the columns that the classification says nobody watches."""
    return {(name, column) for name, table in TABLES.items() for column in table.unprotected}
