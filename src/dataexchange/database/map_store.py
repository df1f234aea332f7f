"""The verifiable map in the database: what changed since the last one, and its nodes.

`map_node` holds tiles, named by the hash over them, and what the map holds of an aggregate: the
value by whose hash it is named, a newline, and the state. They are only ever added, so every
committed map stays provable.
"""

import tempfile
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import IO

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from dataexchange.ledger.map_proof import MapValue, parse_value
from dataexchange.ledger.verifiable_map import EMPTY, MapError, Tile, decode_tile, encode_tile, walk
from dataexchange.rules.state import decode
from dataexchange.supervision.completeness import MAP_KEY, CommittedMap

READ_AT_ONCE = 1_000


class LogEnd(msgspec.Struct, frozen=True):
    """One moment of the log: its size, and the newest map with the index of the last entry on it.

    `covers` is 0 and `map_index` −1 where no map was committed.
    """

    size: int
    covers: int = 0
    root: bytes = EMPTY
    map_index: int = -1

    @property
    def is_covered(self) -> bool:
        """Whether nothing happened since the newest map but its own commitment."""
        return self.covers == self.map_index == self.size - 1


class Aggregate(msgspec.Struct, frozen=True, array_like=True):
    """An aggregate at one moment of the log: what a map says of it, and its encoded state."""

    key: str
    count: int
    head: bytes
    state: bytes


async def log_end(connection: AsyncConnection) -> LogEnd:
    """Return where the log and its newest map are; with what is read next, in one snapshot."""
    row = (await connection.execute(text(_END), {"map": MAP_KEY})).one_or_none()
    if row is None:
        return LogEnd(0)
    if row.state is None:
        return LogEnd(row.size)
    newest = decode(CommittedMap, row.state)
    return LogEnd(row.size, newest.covers, bytes.fromhex(newest.root), row.head_index)


class Spool:
    """Aggregates kept in a temporary file, so that the snapshot they come from can be let go.

    An old snapshot keeps PostgreSQL from clearing away the head row's past versions, through
    which every append would have to look.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.count = 0

    def put(self, aggregates: Iterable[Aggregate]) -> None:
        """Add some."""
        for one in aggregates:
            data = _ENCODER.encode(one)
            self._file.write(len(data).to_bytes(4, "big") + data)
            self.count += 1

    def batches(self, size: int) -> Iterator[list[Aggregate]]:
        """Yield all of them, `size` at a time, in their order."""
        self._file.seek(0)
        for start in range(0, self.count, size):
            yield [self._next() for _ in range(min(size, self.count - start))]

    def _next(self) -> Aggregate:
        return _DECODER.decode(self._file.read(int.from_bytes(self._file.read(4), "big")))


@contextmanager
def spool() -> Iterator[Spool]:
    """Provide an empty spool."""
    with tempfile.TemporaryFile() as file:
        yield Spool(file)


async def changed(connection: AsyncConnection, since: int) -> AsyncIterator[list[Aggregate]]:
    """Yield all aggregates that entries from index `since` on are about, by path, in parts.

    Their keys come from the entries, which are read by index: an index on the aggregates would
    have to be kept up by every append.
    """
    await connection.execute(text("set local max_parallel_workers_per_gather = 0"))
    query = (_CHANGED, {"since": since}) if since else (_ALL, {})
    rows = await connection.stream(text(query[0]), query[1])
    async for part in rows.partitions(READ_AT_ONCE):
        yield [Aggregate(*row) for row in part]


async def read(connection: AsyncConnection, names: Collection[bytes]) -> dict[bytes, bytes]:
    """Return the nodes of these names, as far as they are kept; not checked."""
    if not names:
        return {}
    rows = await connection.execute(text(_READ), {"names": list(names)})
    return {row.name: row.body for row in rows}


async def write(connection: AsyncConnection, nodes: Mapping[bytes, bytes]) -> None:
    """Keep nodes; those that are kept already stay as they are.

    The commit does not wait for the disk, nor make appends wait: the event that names the root
    comes later in the same write-ahead log, and what waits for it waits for these.
    """
    await connection.execute(text("set local synchronous_commit = off"))
    # In their order, so that two mappers never wait for each other.
    names = sorted(nodes)
    bodies = [nodes[name] for name in names]
    await connection.execute(text(_WRITE), {"names": names, "bodies": bodies})


async def tiles(
    connection: AsyncConnection, root: bytes, paths: Iterable[bytes]
) -> dict[bytes, Tile]:
    """Return the tiles from `root` to `paths`; `MapError` where one is missing or damaged."""
    steps = walk(root, paths)
    try:
        wanted = next(steps)
        while True:
            kept = await read(connection, wanted)
            wanted = steps.send({name: decode_tile(name, _kept(kept, name)) for name in wanted})
    except StopIteration as end:
        found: dict[bytes, Tile] = end.value
        return found


async def holdings(
    connection: AsyncConnection, names: Collection[bytes]
) -> dict[bytes, tuple[MapValue, bytes]]:
    """Return the values of these hashes, each with its state; `MapError` as for `tiles`."""
    kept = await read(connection, names)
    return {name: holding(name, _kept(kept, name)) for name in names}


def nodes_of(made: Mapping[bytes, Tile], held: Mapping[MapValue, bytes]) -> dict[bytes, bytes]:
    """Return the nodes to keep for new tiles, and for what is held with its state."""
    nodes = {name: encode_tile(tile) for name, tile in made.items()}
    return nodes | {value.hash: b"%b\n%b" % (value.encode(), held[value]) for value in held}


def holding(name: bytes, body: bytes) -> tuple[MapValue, bytes]:
    """Return the value and the state that a node of that name is; `MapError` where it is not."""
    said, _, state = body.partition(b"\n")
    if sha256(said).digest() != name:
        raise MapError(f"node {name.hex()} is not what its name says")
    value = parse_value(said)
    if sha256(state).hexdigest() != value.state:
        raise MapError(f"node {name.hex()} holds another state")
    return value, state


def _kept(nodes: Mapping[bytes, bytes], name: bytes) -> bytes:
    if name not in nodes:
        raise MapError(f"node {name.hex()} is not kept")
    return nodes[name]


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Aggregate)
_END = """
select h.size, a.state, a.head_index from head h left join aggregate a on a.key = :map
"""
_ALL = """
select key, seq, head, state from aggregate order by sha256(convert_to(key, 'UTF8'))
"""
_CHANGED = """
select a.key, a.seq, a.head, a.state
  from (select distinct unnest(subjects) as key from entry where index >= :since) as touched
  join aggregate a using (key)
 order by sha256(convert_to(a.key, 'UTF8'))
"""
_READ = "select name, body from map_node where name = any(:names)"
_WRITE = """
insert into map_node (name, body)
select * from unnest(cast(:names as bytea[]), cast(:bodies as bytea[])) on conflict do nothing
"""
