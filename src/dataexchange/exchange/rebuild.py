"""Rebuild the states from the log, and compare them with the rows that are kept.

Every state must come out byte-equal. `write` replaces the rows under the head's lock.
"""

from dataclasses import dataclass

import asyncpg

from dataexchange.database import log_store
from dataexchange.database.engine import connect
from dataexchange.database.log_store import Connection, aggregate_row
from dataexchange.errors import IntegrityError
from dataexchange.rules import Held
from dataexchange.verification.map_pass import map_sizes
from dataexchange.verification.replay import Replay

PART = 5_000


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """How many entries were replayed, how many states came out, and which rows differed."""

    entries: int
    states: int
    differing: tuple[str, ...]


async def rebuild(dsn: str, *, write: bool = False) -> Rebuilt:
    """Replay the log behind `dsn`; `UnsoundError` where the log itself does not hold together.

    To write, `dsn` must be the owner's: the app may not delete rows.
    """
    connection = await (asyncpg.connect if write else connect)(dsn)
    try:
        async with connection.transaction():
            head = await connection.fetchrow("select * from head for update")
            if head is None:
                return Rebuilt(0, 0, ())
            replay = await _replay(connection, head["origin"], head["size"])
            if replay.frontier.to_bytes() != head["frontier"]:
                raise IntegrityError("the head's frontier is not that of the entries")
            held = {key: one for key, one in replay.all() if one.seq > 0}
            differing = await _differing(connection, held)
            if write and differing:
                await connection.execute("delete from aggregate")
                await log_store.write_states(connection, held)
            return Rebuilt(head["size"], len(held), tuple(differing))
    finally:
        await connection.close()


async def _replay(connection: Connection, origin: str, size: int) -> Replay:
    maps = await connection.fetch(
        "select body from entry where position('map.committed@1'::bytea in body) > 0"
    )
    replay = Replay(origin, map_sizes(row["body"] for row in maps))
    for start in range(0, size, PART):
        rows = await connection.fetch(
            "select body from entry where index >= $1 and index < $2 order by index",
            start,
            start + PART,
        )
        replay.extend(row["body"] for row in rows)
    replay.finish()
    return replay


async def _differing(connection: Connection, held: dict[str, Held]) -> list[str]:
    """Return the keys of rows that differ in any column, are missing, or are too many."""
    differing, missing = [], set(held)
    async for row in connection.cursor("select * from aggregate", prefetch=PART):
        key = row["key"]
        missing.discard(key)
        if key not in held or dict(row) != aggregate_row(key, held[key]):
            differing.append(key)
    return sorted({*differing, *missing})
