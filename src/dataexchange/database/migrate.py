"""Bring a database to the newest schema."""

from functools import cache
from io import StringIO
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from dataexchange.database.engine import sqlalchemy_url


async def migrate(owner_dsn: str) -> None:
    """Run all migrations that the database behind `owner_dsn` lacks."""
    engine = create_async_engine(sqlalchemy_url(owner_dsn), poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            # Several processes may start at once: one migrates, the others wait and find it done.
            await connection.execute(text("select pg_advisory_xact_lock(4801774201)"))
            await connection.run_sync(_upgrade)
            await connection.commit()
    finally:
        await engine.dispose()


def newest_version() -> str | None:
    """Return the version of the schema that the migrations lead to."""
    return ScriptDirectory.from_config(_config()).get_current_head()


@cache
def migrations_sql() -> str:
    """Return what all migrations together run on an empty database, as text."""
    config = _config()
    config.output_buffer = StringIO()
    command.upgrade(config, "head", sql=True)
    return config.output_buffer.getvalue()


def _upgrade(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config
