"""The price history of an asset, from the entries that tell its prices, the newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.asset.grant import grant_key
from dataexchange.database import reading
from dataexchange.database.reading import Reader
from dataexchange.database.tables import AggregateRow
from dataexchange.ledger.entry import Entry
from dataexchange.market.licence import Licence
from dataexchange.market.listing import Listing
from dataexchange.market.price_history import PRICE_EVENTS, Point, point
from dataexchange.market.transfer import TitleTransfer
from dataexchange.registry.catalogue import catalogue
from dataexchange.registry.visibility import may_read
from dataexchange.rules import State
from dataexchange.rules.state import decode
from dataexchange.valuation.record import Valuation

# The kinds of which an asset has few, and how many entries about one of them are looked at.
_FEW = (Listing.KIND, TitleTransfer.KIND, Valuation.KIND)
WALK_MAX = 500


@dataclass(frozen=True, slots=True)
class Dated:
    """A point with the entry that says it; the leaf hash in hex."""

    point: Point
    index: int
    leaf: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Prices:
    """A page; `next` is the index before which the following one begins."""

    points: Sequence[Dated]
    next: int | None


async def price_history(
    session: AsyncSession, asset: str, reader: Reader, *, before: int, limit: int
) -> Prices:
    """Return the prices of `asset` that `reader` may know, told before index `before`."""
    told = await reading.begun(session, _licensed(asset), before=before, limit=limit + 1)
    indexes = {*told, *await _told_elsewhere(session, asset, before)}
    bodies = await reading.entries_telling(session, indexes, PRICE_EVENTS, limit + 1)
    entries = [Entry.parse(body) for body in bodies[:limit]]
    points = await _points(session, entries, reader)
    return Prices(points, entries[-1].index if len(bodies) > limit else None)


def _licensed(asset: str) -> str:
    """Return how the keys of the rights begin that licences gave, each when it took effect."""
    return grant_key(asset, "licence_")


async def _told_elsewhere(session: AsyncSession, asset: str, before: int) -> set[int]:
    """Return the indexes, below `before`, of entries about listings, sales and valuations."""
    rows = [row for kind in _FEW for row in await reading.naming(session, kind, "asset", asset)]
    walked = [await reading.history(session, row.key, limit=WALK_MAX) for row in rows]
    return {index for indexes in walked for index in indexes if index < before}


async def _points(session: AsyncSession, entries: Sequence[Entry], reader: Reader) -> list[Dated]:
    said = [(entry, orjson.loads(entry.statement.payload)) for entry in entries]
    named = [
        (entry, payload, payload[PRICE_EVENTS[entry.statement.fields.event][1]])
        for entry, payload in said
    ]
    rows = await reading.aggregates(session, {key for _, _, key in named})
    return [
        Dated(
            point(entry.statement.fields.event, payload, _state(rows[key])),
            entry.index,
            entry.leaf.hex(),
            entry.recorded_at,
        )
        for entry, payload, key in named
        if await _may_know(session, rows[key], reader)
    ]


def _state(row: AggregateRow) -> State:
    return decode(catalogue().states[row.kind], row.state)


async def _may_know(session: AsyncSession, row: AggregateRow, reader: Reader) -> bool:
    """Tell whether the price that `row` holds is for `reader`: a deal's is for appraisers too."""
    if row.kind in (Licence.KIND, TitleTransfer.KIND) and reader.reads_prices:
        return True
    parties = await reading.concerned(session, row)
    return may_read(row.kind, parties, reader.party, reader.roles)
