"""Migrations: which version is the newest, and that they run again without harm."""

import asyncpg

from databases import Addresses
from dataexchange.database.migrate import migrate, newest_file
from dataexchange.database.schema import newest_version


def test_the_last_file_is_the_newest_version() -> None:
    assert newest_file() == newest_version()


async def test_a_migrated_database_is_left_as_it_is(migrated_database: Addresses) -> None:
    before = await _versions(migrated_database)
    await migrate(migrated_database.owner)
    assert await _versions(migrated_database) == before == [newest_file()]


async def test_an_empty_database_gets_every_migration(fresh_database: Addresses) -> None:
    await migrate(fresh_database.owner)
    assert await _versions(fresh_database) == [newest_file()]


async def _versions(addresses: Addresses) -> list[str]:
    connection = await asyncpg.connect(addresses.owner)
    try:
        rows = await connection.fetch("select version_num from alembic_version")
        return [row["version_num"] for row in rows]
    finally:
        await connection.close()
