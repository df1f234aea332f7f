"""Bring a database to the newest schema."""

from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from dataexchange.database.engine import sqlalchemy_url

VERSIONS = Path(__file__).parent / "migrations" / "versions"


async def migrate(owner_dsn: str) -> None:
    """Run all migrations that the database behind `owner_dsn` lacks."""
    engine = create_async_engine(sqlalchemy_url(owner_dsn), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            # Several processes may start at once: one migrates, the others wait and find it done.
            await connection.execute(text("select pg_advisory_xact_lock(4801774201)"))
            if await _versions(connection) != [newest_file()]:
                # Only here, since importing Alembic takes a tenth of a start.
                from dataexchange.database.schema import upgrade

                await connection.run_sync(upgrade)
            await connection.commit()
    finally:
        await engine.dispose()


def newest_file() -> str:
    """Return the version that the last of the migrations' files is named after."""
    return max(path.name.partition("_")[0] for path in VERSIONS.glob("[0-9]*_*.py"))


async def _versions(connection: AsyncConnection) -> list[str]:
    if await connection.scalar(text("select to_regclass('alembic_version') is null")):
        return []
    return list(await connection.scalars(text("select version_num from alembic_version")))
