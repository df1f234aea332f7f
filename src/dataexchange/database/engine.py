"""Connections: one pool of asyncpg for the sequencer, one SQLAlchemy engine for reads."""

from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

APP_ROLE = "dataexchange_app"


def sqlalchemy_url(dsn: str) -> str:
    """Return the SQLAlchemy form of a PostgreSQL `dsn`."""
    parts = urlsplit(dsn)
    return urlunsplit(parts._replace(scheme="postgresql+asyncpg"))


async def connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Return a connection that acts as the app's role, whoever it logged in as."""
    connection = await asyncpg.connect(dsn, statement_cache_size=64)
    await act_as_app(connection)
    return connection


async def act_as_app(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Give up all rights but the app's for this connection."""
    if await connection.fetchval("select current_user") != APP_ROLE:
        await connection.execute(f"set role {APP_ROLE}")


def reading_engine(dsn: str) -> AsyncEngine:
    """Return the engine that read models are queried through."""
    return create_async_engine(sqlalchemy_url(dsn), pool_size=8, max_overflow=8)
