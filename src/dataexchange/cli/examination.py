"""`doctor`: what this machine and configuration lack, each finding with its remedy."""

import os
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from dataexchange.database.engine import APP_ROLE, connect
from dataexchange.database.log_store import Connection
from dataexchange.errors import DataExchangeError
from dataexchange.exchange.log_key import load
from dataexchange.exchange.opening_keys import OpeningKeys
from dataexchange.exchange.service import database
from dataexchange.ledger.merkle import Frontier
from dataexchange.settings import Settings

# The last is what asyncpg raises for an address that is none.
DATABASE_ERRORS = (asyncpg.PostgresError, asyncpg.InterfaceError, ValueError)
POSTGRES_MIN = 140_000


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    what: str
    well: bool
    remedy: str = ""


async def examine(data_folder: Path | None) -> list[Finding]:
    """Return all findings."""
    if data_folder is not None:
        os.environ["DATAEXCHANGE_DATA_FOLDER"] = str(data_folder)
    settings = Settings()
    findings = [_python(), *_log_keys(settings)]
    try:
        async with database(settings) as (owner_dsn, app_dsn):
            findings += [finding async for finding in _database(owner_dsn, app_dsn, settings)]
    except (DataExchangeError, OSError, *DATABASE_ERRORS) as error:
        findings.append(
            Finding(
                f"数据库 database: {error}",
                well=False,
                remedy="设置 DATAEXCHANGE_DATABASE_URL 指向 PostgreSQL 14+"
                " / set DATAEXCHANGE_DATABASE_URL to a PostgreSQL 14+",
            )
        )
    return findings


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding(f"Python {version}", sys.version_info >= (3, 11), "需要 / needs 3.11+")


def _log_keys(settings: Settings) -> Iterator[Finding]:
    """Look at the files of the keys of checkpoints; a signer process looks at its own."""
    if settings.signer_socket is not None:
        there = settings.signer_socket.is_socket()
        yield Finding(
            f"签名进程 signer: {settings.signer_socket}", there, "运行 / run: dataexchange signer"
        )
        return
    for path in settings.log_key_paths:
        if not path.exists():
            what = f"账本密钥 log key: {path}（首次启动时生成 made at first start）"
            yield Finding(what, path == settings.log_key_paths[0], "dataexchange log-key new")
            continue
        try:
            yield Finding(f"账本密钥 log key: {load(path, settings.origin).vkey}", well=True)
        except DataExchangeError as error:
            remedy = f"chmod 600 {path}; 或恢复备份 or restore it"
            yield Finding(f"账本密钥 log key: {path}: {error}", well=False, remedy=remedy)


async def _database(owner_dsn: str, app_dsn: str, settings: Settings) -> AsyncIterator[Finding]:
    owner = await asyncpg.connect(owner_dsn)
    try:
        number = int(await owner.fetchval("show server_version_num"))
        version = await owner.fetchval("show server_version")
        yield Finding(f"PostgreSQL {version}", number >= POSTGRES_MIN, "需要 / needs 14+")
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            value = await owner.fetchval(f"show {name}")
            yield Finding(f"{name} = {value}", value == "on", "确认写入即持久 / must be on")
        ready = await owner.fetchval("select to_regclass('public.head') is not null")
        state = "已建立 exist" if ready else "尚未建立，首次 serve 时建立 come with the first serve"
        yield Finding(f"表 tables: {state}", well=True)
    finally:
        await owner.close()
    if ready:
        async for finding in _log(app_dsn, settings):
            yield finding


async def _log(app_dsn: str, settings: Settings) -> AsyncIterator[Finding]:
    connection = await connect(app_dsn)
    try:
        owned = await connection.fetchval(
            "select count(*) from pg_class c join pg_roles r on r.oid = c.relowner"
            " where r.rolname = $1",
            APP_ROLE,
        )
        yield Finding(f"角色 {APP_ROLE} 不拥有任何表 owns no table", owned == 0)
        head = await connection.fetchrow("select * from head")
        if head is None:
            return
        yield await _opening_keys(connection, settings)
        count = await connection.fetchval("select coalesce(max(index) + 1, 0) from entry")
        yield Finding(f"条目 entries: {count}，表头 head: {head['size']}", count == head["size"])
        frontier = Frontier.from_bytes(head["frontier"])
        yield Finding("默克尔前沿 frontier", frontier.size == head["size"])
        yield Finding(
            f"账本名称 origin: {head['origin']}",
            head["origin"] == settings.origin,
            "设置 DATAEXCHANGE_ORIGIN / set DATAEXCHANGE_ORIGIN to it",
        )
        signed = await connection.fetchval("select coalesce(max(size), 0) from checkpoint")
        yield Finding(
            f"检查点 checkpoint: {signed}", signed <= head["size"], "备份被回退 / restored?"
        )
    finally:
        await connection.close()


async def _opening_keys(connection: Connection, settings: Settings) -> Finding:
    """Look whether every opening that is kept has its key."""
    rows = await connection.fetch("select key_id from sealed_opening where key_id is not null")
    remedy = "恢复密钥目录和包装密钥 / restore the key folder and the wrapping key"
    if not rows:
        return Finding("密封内容 openings: 0", well=True)
    try:
        keys = OpeningKeys.under(settings.opening_key_path, settings.opening_keys_path)
    except DataExchangeError as error:
        return Finding(f"密封内容的密钥 keys of openings: {error}", well=False, remedy=remedy)
    there = sum(keys.has(row["key_id"]) for row in rows)
    what = f"密封内容的密钥 keys of openings: {there}/{len(rows)}"
    return Finding(what, there == len(rows), remedy)
