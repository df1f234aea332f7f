"""Connections: asyncpg for the sequencer, an SQLAlchemy engine for everything that reads.

Both act as the app's role from their first byte, whoever they log in as: it owns nothing.
"""

from inspect import signature
from urllib.parse import urlsplit

import asyncpg
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from dataexchange.errors import DataExchangeError

APP_ROLE = "dataexchange_app"
# What a database raises that does not answer, or not as it should.
DATABASE_ERRORS = (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError)
_AS_APP = {"role": APP_ROLE, "application_name": "dataexchange", "jit": "off"}


class DatabaseAddressError(DataExchangeError):
    """An address of a database that is none; it is not repeated, for it may hold a secret."""


def require_address(dsn: str, variable: str) -> None:
    """Refuse a `dsn`, the value of `variable`, that no connection can be asked for with."""
    try:
        url = make_url(sqlalchemy_url(dsn))
        parts = urlsplit(dsn)
        # Reading the port raises for one that is none.
        fits = parts.scheme in ("postgresql", "postgres") and parts.port != 0
    except (ValueError, ArgumentError):
        fits = False
    if not fits or not url.query.keys() <= signature(asyncpg.connect).parameters.keys():
        raise DatabaseAddressError(
            f"{variable} 不是 PostgreSQL 地址，应形如 / is no PostgreSQL address, which is as"
            " postgresql://USER:PASSWORD@HOST:PORT/NAME"
        )


def sqlalchemy_url(dsn: str) -> str:
    """Return the SQLAlchemy form of a PostgreSQL `dsn`."""
    return f"postgresql+asyncpg://{dsn.partition('://')[2]}"


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
