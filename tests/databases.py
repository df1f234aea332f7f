"""Databases for tests on a real PostgreSQL: one server per run, one new database per test."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

import asyncpg

from dataexchange.database.embedded import APP_ROLE, OWNER_ROLE, SUPERUSER, EmbeddedPostgres

_numbers = itertools.count(1)


class Addresses(NamedTuple):
    """One database, as its owner reaches it and as the app does."""

    owner: str
    app: str


@asynccontextmanager
async def new_database(server: EmbeddedPostgres, *, template: str) -> AsyncIterator[Addresses]:
    """Make a database like `template`, as the first start makes its own; drop it at the end."""
    name = f"test_{next(_numbers)}"
    await run(
        server,
        f"CREATE DATABASE {name} OWNER {OWNER_ROLE} TEMPLATE {template}",
        f"REVOKE ALL ON DATABASE {name} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {name} TO {APP_ROLE}",
    )
    try:
        yield Addresses(server.dsn(OWNER_ROLE, name), server.dsn(APP_ROLE, name))
    finally:
        await run(server, f"DROP DATABASE {name} WITH (FORCE)")


async def migrated_template(server: EmbeddedPostgres) -> str:
    """Return the name of a database with today's schema, made where the server lacks it."""
    from dataexchange.database.migrate import migrate

    name = "test_migrated"
    with suppress(asyncpg.DuplicateDatabaseError):
        await run(server, f"CREATE DATABASE {name} OWNER {OWNER_ROLE}")
        await migrate(server.dsn(OWNER_ROLE, name))
    return name


async def run(server: EmbeddedPostgres, *statements: str) -> None:
    """Run `statements` as the superuser, each in a transaction of its own."""
    connection = await asyncpg.connect(server.dsn(SUPERUSER, SUPERUSER))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def turn_off_triggers(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Turn off all triggers of all tables, as a superuser can."""
    for row in await connection.fetch("select tablename from pg_tables where schemaname='public'"):
        await connection.execute(f"alter table {row['tablename']} disable trigger all")
