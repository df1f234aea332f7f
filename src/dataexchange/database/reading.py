"""Reads of the log and of the registers, as the doors ask for them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import func, text, tuple_
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.asset.title import Asset
from dataexchange.database.tables import AggregateRow, CheckpointRow, EntryRow, HeadRow
from dataexchange.identity.party import Party
from dataexchange.registry.visibility import PUBLIC_KINDS, READS_ALL, READS_PRICES, asset_of
from dataexchange.rules import Role
from dataexchange.rules.state import decode


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads; `party` is `None` for anyone, and has no role before it is admitted."""

    party: str | None = None
    roles: frozenset[Role] = frozenset()

    @property
    def reads_all(self) -> bool:
        """Whether this is the operator or a regulator."""
        return not READS_ALL.isdisjoint(self.roles)

    @property
    def reads_prices(self) -> bool:
        """Whether this one may read what others paid: an appraiser, the operator, a regulator."""
        return not READS_PRICES.isdisjoint(self.roles)


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a register: rows first seen before index `as_of`, in order of appearance."""

    rows: Sequence[AggregateRow]
    as_of: int
    more: bool


async def head(session: AsyncSession) -> HeadRow:
    """Return the head row."""
    return (await session.exec(select(HeadRow))).one()


async def party(session: AsyncSession, key: str) -> Party | None:
    """Return a party's state."""
    row = await session.get(AggregateRow, key)
    return decode(Party, row.state) if row is not None else None


async def aggregate(session: AsyncSession, key: str) -> AggregateRow | None:
    """Return one aggregate."""
    return await session.get(AggregateRow, key)


async def aggregates(session: AsyncSession, keys: Collection[str]) -> dict[str, AggregateRow]:
    """Return those of `keys` that there are, by their keys."""
    query = select(AggregateRow).where(col(AggregateRow.key).in_(keys))
    return {row.key: row for row in await session.exec(query)}


async def newest(
    session: AsyncSession, kind: str, *, before: int, limit: int, names: str | None = None
) -> Sequence[AggregateRow]:
    """Return aggregates of `kind` first seen before index `before`, the newest first.

    `names` keeps those that name that party.
    """
    query = (
        select(AggregateRow)
        .where(AggregateRow.kind == kind, col(AggregateRow.first_index) < before)
        .order_by(col(AggregateRow.first_index).desc(), col(AggregateRow.key).desc())
        .limit(limit)
    )
    if names is not None:
        query = query.where(col(AggregateRow.parties).contains([names]))
    return list(await session.exec(query))


async def concerned(session: AsyncSession, row: AggregateRow) -> set[str]:
    """Return the parties to an aggregate: those it names, and the holder of its asset."""
    return {*row.parties, *await _holder(session, row)}


async def _holder(session: AsyncSession, row: AggregateRow) -> set[str]:
    asset = asset_of(row.key, row.state)
    held = await session.get(AggregateRow, asset) if asset is not None else None
    return {decode(Asset, held.state).holder} if held is not None else set()


async def is_party_to(session: AsyncSession, entry: EntryRow, reader: Reader) -> bool:
    """Tell whether `reader` signed the entry, is named in it, or is a party to its deal.

    A register that is public makes nobody a party: who bids on a listing did not publish it.
    """
    if reader.party is None or not reader.roles:
        return entry.actor == reader.party
    if reader.party.encode() in entry.body:
        return True
    for key in entry.subjects:
        row = await session.get(AggregateRow, key)
        if row is None:
            continue
        named = row.parties if row.kind not in PUBLIC_KINDS else ()
        if reader.party in {*named, *await _holder(session, row)}:
            return True
    return False


async def register(
    session: AsyncSession,
    kind: str,
    reader: Reader,
    *,
    after: tuple[int, str] = (-1, ""),
    as_of: int | None = None,
    limit: int = 50,
    names: str | None = None,
) -> Page:
    """Return a page of the register of `kind`, as far as `reader` may see it.

    `names` keeps those that name that party.
    """
    size = as_of if as_of is not None else (await head(session)).size
    query = (
        select(AggregateRow)
        .where(
            AggregateRow.kind == kind,
            col(AggregateRow.first_index) < size,
            tuple_(col(AggregateRow.first_index), col(AggregateRow.key)) > after,
        )
        .order_by(col(AggregateRow.first_index), col(AggregateRow.key))
        .limit(limit + 1)
    )
    if kind not in PUBLIC_KINDS and not reader.reads_all:
        query = query.where(col(AggregateRow.parties).contains([reader.party or ""]))
    if names is not None:
        query = query.where(col(AggregateRow.parties).contains([names]))
    rows = list(await session.exec(query))
    return Page(rows[:limit], size, len(rows) > limit)


async def entries(session: AsyncSession, start: int, count: int) -> Sequence[EntryRow]:
    """Return `count` entries from index `start`."""
    query = (
        select(EntryRow)
        .where(col(EntryRow.index) >= start, col(EntryRow.index) < start + count)
        .order_by(col(EntryRow.index))
    )
    return list(await session.exec(query))


async def entries_at(session: AsyncSession, indexes: Collection[int]) -> dict[int, EntryRow]:
    """Return the entries at `indexes`, by index."""
    query = select(EntryRow).where(col(EntryRow.index).in_(indexes))
    return {row.index: row for row in await session.exec(query)}


async def history(
    session: AsyncSession, key: str, *, before: int | None = None, limit: int = 50
) -> list[int]:
    """Return the indexes of the entries about `key`, newest first, from `before` (not included).

    Walks the subject's own chain, so the cost is of what is returned.
    """
    start = before
    if start is None:
        row = await session.get(AggregateRow, key)
        if row is None:
            return []
        start = row.head_index
    parameters = {"key": key, "start": start, "limit": limit + 1}
    found = [
        int(index)
        for (index,) in await (await session.connection()).execute(text(_HISTORY), parameters)
    ]
    return [index for index in found if index != before][:limit]


async def entries_telling(
    session: AsyncSession, indexes: Collection[int], events: Collection[str], limit: int
) -> list[bytes]:
    """Return the bodies of those entries at `indexes` that are of `events`, the newest first."""
    marks = [f'"event":"{event}"'.encode() for event in events]
    parameters = {"indexes": list(indexes), "marks": marks, "limit": limit}
    found = await (await session.connection()).execute(text(_TELLING), parameters)
    return [bytes(body) for (body,) in found]


async def begun(session: AsyncSession, prefix: str, *, before: int, limit: int) -> Sequence[int]:
    """Return the indexes, below `before`, that began aggregates of a `prefix`; newest first."""
    query = (
        select(AggregateRow.first_index)
        .where(func.starts_with(AggregateRow.key, prefix), col(AggregateRow.first_index) < before)
        .order_by(col(AggregateRow.first_index).desc())
        .limit(limit)
    )
    return list(await session.exec(query))


async def naming(session: AsyncSession, kind: str, member: str, key: str) -> Sequence[AggregateRow]:
    """Return the aggregates of `kind` whose state holds `key` under `member`; looks at them all."""
    parameters = {"kind": kind, "mark": f'"{member}":"{key}"'.encode()}
    found = await (await session.connection()).execute(text(_NAMING), parameters)
    rows = await aggregates(session, [name for (name,) in found])
    return list(rows.values())


async def checkpoint_of(session: AsyncSession, size: int) -> CheckpointRow | None:
    """Return the smallest checkpoint that covers `size` entries."""
    query = (
        select(CheckpointRow)
        .where(col(CheckpointRow.size) >= size)
        .order_by(col(CheckpointRow.size))
        .limit(1)
    )
    return (await session.exec(query)).one_or_none()


async def latest_checkpoint(session: AsyncSession) -> CheckpointRow | None:
    """Return the checkpoint of the greatest size; `None` before the first."""
    query = select(CheckpointRow).order_by(col(CheckpointRow.size).desc()).limit(1)
    return (await session.exec(query)).one_or_none()


_HISTORY = """
with recursive chain(index, previous, depth) as (
    select e.index, e.previous[array_position(e.subjects, :key)], 1
      from entry e where e.index = :start and :key = any(e.subjects)
    union all
    select e.index, e.previous[array_position(e.subjects, :key)], c.depth + 1
      from chain c join entry e on e.index = c.previous
     where c.depth < :limit
)
select index from chain
"""

_TELLING = """
select body from entry
 where index = any(cast(:indexes as bigint[]))
   and exists (select from unnest(cast(:marks as bytea[])) mark where position(mark in body) > 0)
 order by index desc limit :limit
"""
_NAMING = """
select key from aggregate where kind = :kind and position(cast(:mark as bytea) in state) > 0
"""
