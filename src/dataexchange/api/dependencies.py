"""What every read needs: a database session, and who reads."""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, Request
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database import reading
from dataexchange.database.reading import Reader
from dataexchange.exchange.service import Exchange
from dataexchange.identity import access
from dataexchange.identity.access import TOKEN_WRONG


def exchange_of(request: Request) -> Exchange:
    """Return the exchange that this application serves."""
    return cast(Exchange, request.app.state.exchange)


async def session_of(request: Request) -> AsyncIterator[AsyncSession]:
    """Provide one read-only session for a request."""
    async with AsyncSession(exchange_of(request).engine) as session:
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
    said = access.read(token.strip(), exchange.origin, exchange.clock.now())
    party = await reading.party(session, said.actor)
    if party is None or party.status != "active" or not party.holds_valid(said.key):
        raise TOKEN_WRONG(reason="not a valid key of an active party")
    return Reader(party.id, frozenset(party.roles))


TheReader = Annotated[Reader, Depends(reader_of)]
