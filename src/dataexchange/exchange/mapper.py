"""The mapper: makes the map of the whole ledger, for the operator to commit.

1. In one snapshot: the log's size N, the newest committed map, and every aggregate that changed
   since. What is read is what a replay to N gives, while appends go on.
2. Batch by batch, at rest between them: the tiles on the way to the touched keys, new tiles, and
   what they now hold. Nodes are named by their hashes, so doing it twice does nothing.
3. The root is then signed and submitted like any event, by whoever holds the operator's key.

A mapper that is killed leaves nodes that nobody asks for. The next one begins where the log says
that the last committed map is.
"""

import asyncio
import time
from dataclasses import dataclass
from hashlib import sha256

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dataexchange.database import map_store
from dataexchange.database.map_store import Aggregate, LogEnd, Spool
from dataexchange.ledger.map_proof import MapValue
from dataexchange.ledger.verifiable_map import EMPTY, MapError, path_of, updated

BATCH = 500


@dataclass(frozen=True, slots=True)
class MadeMap:
    """A map that is kept and can be committed; `touched` aggregates had changed."""

    covers: int
    root: bytes
    touched: int

    @property
    def payload(self) -> dict[str, object]:
        """What `map.committed@1` says of it."""
        return {"covers": self.covers, "root": self.root.hex()}


async def make_map(engine: AsyncEngine, *, rest: float) -> MadeMap | None:
    """Make the map of the log as it is now; `None` where the newest one covers all of it.

    `rest` times as long as a batch took it does nothing, so that appends have the machine.

    Where nodes of the newest map are missing or damaged, the whole map is made again.
    """
    try:
        return await _make(engine, rest, whole=False)
    except MapError:
        return await _make(engine, rest, whole=True)


async def _make(engine: AsyncEngine, rest: float, *, whole: bool) -> MadeMap | None:
    with map_store.spool() as changed:
        end = await _read(engine, changed, whole=whole)
        if end is None:
            return None
        root = EMPTY if whole else end.root
        async with engine.connect() as connection:
            for batch in changed.batches(BATCH):
                started = time.perf_counter()
                root = await add(connection, root, batch)
                await connection.commit()
                await asyncio.sleep(rest * (time.perf_counter() - started))
        return MadeMap(end.size, root, changed.count)


async def _read(engine: AsyncEngine, to: Spool, *, whole: bool) -> LogEnd | None:
    """Put what changed into `to`, as of one moment, which is returned."""
    async with engine.connect() as connection:
        await connection.execution_options(isolation_level="REPEATABLE READ")
        end = await map_store.log_end(connection)
        if end.size == 0 or end.is_covered:
            return None
        started = time.perf_counter()
        async for part in map_store.changed(connection, 0 if whole else end.covers):
            to.put(part)
            # No longer than that: the snapshot should not grow old.
            await asyncio.sleep(time.perf_counter() - started)
            started = time.perf_counter()
        return end


async def add(connection: AsyncConnection, root: bytes, batch: list[Aggregate]) -> bytes:
    """Keep the nodes of `root` with these aggregates changed; return the new root."""
    held = {
        MapValue(one.count, one.head.hex(), one.key, sha256(one.state).hexdigest()): one.state
        for one in batch
    }
    changes = {path_of(value.key): value.hash for value in held}
    tiles = await map_store.tiles(connection, root, changes)
    after = updated(root, changes, tiles)
    await map_store.write(connection, map_store.nodes_of(after.made, held))
    return after.root
