"""Connections: asyncpg for the sequencer, an SQLAlchemy engine for everything that reads.

Both act as the app's role from their first byte, whoever they log in as: it owns nothing.
"""

from urllib.parse import urlsplit, urlunsplit

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

APP_ROLE = "dataexchange_app"
_AS_APP = {"role": APP_ROLE, "application_name": "dataexchange", "jit": "off"}


def sqlalchemy_url(dsn: str) -> str:
    """Return the SQLAlchemy form of a PostgreSQL `dsn`."""
    return urlunsplit(urlsplit(dsn)._replace(scheme="postgresql+asyncpg"))


async def connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Return a connection of the sequencer's own."""
    return await asyncpg.connect(dsn, server_settings=_AS_APP)


def reading_engine(dsn: str) -> AsyncEngine:
    """Return the engine that read models and proofs are queried through."""
    return create_async_engine(
        sqlalchemy_url(dsn),
        pool_size=8,
        max_overflow=8,
        connect_args={"server_settings": _AS_APP},
    )
