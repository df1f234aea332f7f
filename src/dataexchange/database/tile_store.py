"""Tiles in the database: full ones are kept, partial ones follow from the level below."""

from collections.abc import Iterable, MutableMapping
from typing import Final

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from dataexchange.database.tables import EntryRow, TileRow
from dataexchange.errors import IntegrityError
from dataexchange.failpoint import reach
from dataexchange.ledger import merkle
from dataexchange.ledger.merkle import HASH_SIZE, Range
from dataexchange.ledger.tile import (
    ENTRIES,
    TILE_WIDTH,
    TileName,
    TileTree,
    encode_bundle,
    tiles_for,
)

# Tiles of 8 KiB, enough for all above the lowest level of 16 million entries.
SHARED_MAX: Final = 256


async def read_tile(session: AsyncSession, name: TileName) -> bytes:
    """Return the bytes of a hash tile or an entry bundle; `IntegrityError` where it is not there.

    The caller has checked that the log is large enough for `name`.
    """
    if name.level == ENTRIES:
        return encode_bundle(await entry_bodies(session, name.index * TILE_WIDTH, name.width))
    if name.is_full:
        kept = await session.get(TileRow, (name.level, name.index))
        if kept is not None:
            return kept.hashes
    hashes = await _hashes_below(session, name)
    if len(hashes) != name.width:
        raise IntegrityError(f"{name.path} cannot be made: {len(hashes)} hashes below it")
    return b"".join(hashes)


async def entry_bodies(session: AsyncSession, start: int, count: int) -> list[bytes]:
    """Return the bytes of `count` entries from index `start`, fewer at the end of the log."""
    query = (
        select(EntryRow.body)
        .where(col(EntryRow.index) >= start, col(EntryRow.index) < start + count)
        .order_by(col(EntryRow.index))
    )
    return list(await session.exec(query))


async def tree(
    session: AsyncSession,
    size: int,
    ranges: Iterable[Range],
    shared: MutableMapping[TileName, bytes] | None = None,
) -> TileTree:
    """Return the tree of `size` leaves, with what the hashes over `ranges` need read already.

    `shared` are tiles of the same tree that were read before. Tiles that other proofs need as well,
    all but the full ones of the lowest level, are put there.
    """
    read, shared = {}, {} if shared is None else shared
    for name in tiles_for(ranges, size):
        read[name] = shared.get(name) or await read_tile(session, name)
        if (name.level > 0 or not name.is_full) and len(shared) < SHARED_MAX:
            shared[name] = read[name]
    return TileTree(size, lambda level, index, width: read[TileName(level, index, width)])


async def grow(session: AsyncSession, size: int) -> None:
    """Keep every full tile of a log of `size` that is not kept yet."""
    level, below = 0, size
    while full := below // TILE_WIDTH:
        last = select(func.coalesce(func.max(TileRow.number), -1)).where(TileRow.level == level)
        for number in range((await session.exec(last)).one() + 1, full):
            hashes = await _hashes_below(session, TileName(level, number))
            row = {
                "level": level,
                "number": number,
                "hashes": b"".join(hashes),
                "root": merkle.root(hashes),
            }
            await (await session.connection()).execute(
                insert(TileRow).values(row).on_conflict_do_nothing()
            )
            reach("tile.kept")
        level, below = level + 1, full


async def _hashes_below(session: AsyncSession, name: TileName) -> list[bytes]:
    """Return the hashes of a tile: leaf hashes of entries, or roots of tiles one level down."""
    start, end = name.index * TILE_WIDTH, name.index * TILE_WIDTH + name.width
    if name.level == 0:
        leaves = (
            select(EntryRow.leaf)
            .where(col(EntryRow.index) >= start, col(EntryRow.index) < end)
            .order_by(col(EntryRow.index))
        )
        return list(await session.exec(leaves))
    roots = (
        select(TileRow.root)
        .where(
            TileRow.level == name.level - 1,
            col(TileRow.number) >= start,
            col(TileRow.number) < end,
        )
        .order_by(col(TileRow.number))
    )
    found = list(await session.exec(roots))
    if len(found) == name.width:
        return found
    # Not published yet: make the tiles below from what is under them.
    below = [TileName(name.level - 1, number) for number in range(start, end)]
    return [_root(await read_tile(session, tile)) for tile in below]


def _root(tile: bytes) -> bytes:
    return merkle.root([tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)])
