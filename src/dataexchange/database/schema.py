"""The schema as the migrations make it, by Alembic."""

from functools import cache
from io import StringIO

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from dataexchange.database.migrate import VERSIONS


def upgrade(connection: Connection) -> None:
    """Run all migrations that the database lacks, in the transaction of `connection`."""
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


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


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(VERSIONS.parent))
    return config
