"""Run the check of the configured database, or of one that is named."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from dataexchange.database.engine import require_address
from dataexchange.errors import DataExchangeError
from dataexchange.exchange.check import Checked, check
from dataexchange.exchange.log_key import load
from dataexchange.exchange.service import database
from dataexchange.ledger.policy import Policy
from dataexchange.settings import Settings
from dataexchange.verification import UnusableError

# The last is what asyncpg raises for an address that is none.
DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError)


async def run(
    *,
    policy: bytes | None,
    known: Sequence[bytes],
    database_url: str | None,
    data_folder: Path | None,
    progress: Callable[[int, int], None],
) -> Checked:
    """Check one snapshot of the database, read-only."""
    if data_folder is not None:
        os.environ["DATAEXCHANGE_DATA_FOLDER"] = str(data_folder)
    settings = Settings()
    believed = _policy(policy, settings)
    async with _address(settings, database_url) as dsn:
        try:
            connection = await asyncpg.connect(dsn)
        except (OSError, *DATABASE_ERRORS) as error:
            raise UnusableError(f"数据库 database: {error}") from error
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return await check(connection, believed, known=known, progress=progress)
        except asyncpg.PostgresError as error:
            raise UnusableError(f"数据库 database: {error}") from error
        finally:
            await connection.close()


def _policy(data: bytes | None, settings: Settings) -> Policy:
    """Return the policy given, that of the service, or one that believes this machine's keys."""
    if data is None and settings.policy_file is not None:
        data = settings.policy_file.read_bytes()
    try:
        return Policy.parse(data if data is not None else _own_policy(settings))
    except DataExchangeError as error:
        raise UnusableError(f"验证策略无法使用 / the policy cannot be used: {error}") from error


def _own_policy(settings: Settings) -> bytes:
    paths = [path for path in settings.log_key_paths if path.exists()]
    if not paths:
        raise UnusableError(
            "没有 --policy，本机也没有账本密钥 / no --policy, and no log key on this machine"
        )
    lines = [f"log {load(path, settings.origin).vkey}\n" for path in paths]
    return "".join((*lines, "quorum none\n")).encode()


@asynccontextmanager
async def _address(settings: Settings, database_url: str | None) -> AsyncIterator[str]:
    if database_url is not None:
        require_address(database_url, "--database-url")
        yield database_url
        return
    async with database(settings) as (_, app_dsn):
        yield app_dsn
