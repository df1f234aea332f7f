"""What every read needs: a database session, and who reads."""

import re
from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database import reading
from dataexchange.database.reading import Reader
from dataexchange.errors import RefusedError
from dataexchange.exchange.service import Exchange
from dataexchange.identity import access
from dataexchange.identity.access import TOKEN_WRONG, AccessToken


def exchange_of(request: Request) -> Exchange:
    """Return the exchange that this application serves."""
    return cast(Exchange, request.app.state.exchange)


async def session_of(request: Request) -> AsyncIterator[AsyncSession]:
    """Provide one read-only session for a request.

    Every query sees what is committed when it runs, with or without a transaction; without one, its
    BEGIN and its ROLLBACK are two questions less to the database.
    """
    engine = exchange_of(request).engine.execution_options(isolation_level="AUTOCOMMIT")
    async with AsyncSession(engine) as session:
        yield session


TheExchange = Annotated[Exchange, Depends(exchange_of)]
Session = Annotated[AsyncSession, Depends(session_of)]


async def reader_of(request: Request, exchange: TheExchange, session: Session) -> Reader:
    """Return who reads, by the bearer token; anyone without one reads what is public."""
    header = request.headers.get("authorization")
    if header is None:
        return Reader()
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise TOKEN_WRONG(reason="not a bearer token")
    said = _read_token(token.strip(), exchange)
    party = await reading.party(session, said.actor) if _PARTY.fullmatch(said.actor) else None
    if party is None or party.status not in _READING or not party.holds_valid(said.key):
        raise TOKEN_WRONG(reason="not a valid key of an active party")
    return Reader(party.id, frozenset(party.roles if party.status == "active" else ()))


def _read_token(token: str, exchange: Exchange) -> AccessToken:
    try:
        return access.read(token, exchange.origin, exchange.clock.now())
    except RefusedError as error:
        if error.refusal.kind == "unauthenticated":
            raise
        raise TOKEN_WRONG(reason=error.en) from error


# Who has applied reads what it has signed itself, and what is public.
_READING = ("active", "applied")
_PARTY = re.compile(r"party_[0-7][0-9a-hjkmnp-tv-z]{25}", re.ASCII)
TheReader = Annotated[Reader, Depends(reader_of)]
