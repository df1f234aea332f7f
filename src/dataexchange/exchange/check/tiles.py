"""Judge the rows of `tile` against the hashes of the entries, as they come."""

from collections.abc import Sequence

from dataexchange.database.log_store import Connection
from dataexchange.exchange.check.entries import Row
from dataexchange.exchange.check.fault import Findings, Place
from dataexchange.ledger import merkle
from dataexchange.ledger.merkle import HASH_SIZE
from dataexchange.ledger.tile import TILE_HEIGHT, TILE_WIDTH

Hash = bytes | None


class TilesPass:
    """Takes the true leaf hashes; compares all full tiles of the first `published` entries."""

    def __init__(self, connection: Connection, published: int, findings: Findings) -> None:
        self._connection = connection
        self._published = published
        self._is_stopped = False
        self._findings = findings
        self._levels: list[tuple[int, list[Hash]]] = []  # number of the open tile, its hashes

    async def kept(self, number: int) -> list[bytes]:
        """Return the hashes that the row of level-0 tile `number` gives, if it is well formed."""
        row = await self._row(0, number)
        data = row["hashes"] if row is not None else None
        return _split(data) if data and len(data) == TILE_WIDTH * HASH_SIZE else []

    async def take(self, leaves: Sequence[Hash], level: int = 0) -> None:
        """Take the next hashes of a level."""
        for leaf in leaves:
            if len(self._levels) == level:
                self._levels.append((0, []))
            number, hashes = self._levels[level]
            hashes.append(leaf)
            if len(hashes) == TILE_WIDTH:
                self._levels[level] = (number + 1, [])
                await self._compare(level, number, hashes)
                await self.take([_root(hashes)], level + 1)

    def stop(self) -> None:
        """Compare nothing more: the places of what comes next are not known."""
        self._is_stopped = True

    async def finish(self) -> None:
        """Judge what no entry gives."""
        for row in await self._connection.fetch(_SURPLUS, self._published, TILE_HEIGHT):
            self._findings.surplus(_place(row["level"], row["number"]))

    async def _compare(self, level: int, number: int, hashes: Sequence[Hash]) -> None:
        covered = (number + 1) << (TILE_HEIGHT * (level + 1))
        if self._is_stopped or covered > self._published:
            return
        row = await self._row(level, number)
        if row is None:
            self._findings.missing(_place(level, number))
            return
        data = row["hashes"] or b""
        differing = [
            at
            for at, (one, other) in enumerate(zip(hashes, _split(data), strict=False))
            if one is not None and one != other
        ]
        place = _place(level, number)._replace(column="hashes")
        if differing:
            index = ((number << TILE_HEIGHT) + differing[0]) << (TILE_HEIGHT * level)
            self._findings.wrong(
                place._replace(entry=index),
                f"{len(differing)} 个哈希与条目不符，首个在第 {differing[0]} 位",
                f"{len(differing)} hashes are not those of the entries, the first at"
                f" {differing[0]}",
            )
        elif len(data) != TILE_WIDTH * HASH_SIZE:
            self._findings.wrong(place, "长度不对", f"is not {TILE_WIDTH} hashes long")
        if (root := _root(hashes)) is not None:
            self._findings.compare(_place(level, number), row, {"root": root})

    async def _row(self, level: int, number: int) -> Row | None:
        query = "select hashes, root from tile where level = $1 and number = $2"
        row: Row | None = await self._connection.fetchrow(query, level, number)
        return row


def _split(data: bytes) -> list[bytes]:
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def _root(hashes: Sequence[Hash]) -> Hash:
    known = [one for one in hashes if one is not None]
    return merkle.root(known) if len(known) == len(hashes) else None


def _place(level: int, number: int) -> Place:
    return Place("tile", f"level={level}, number={number}")


_SURPLUS = """
select level, number from tile
 where level not between 0 and 7 or number < 0
    or number >= ($1::bigint >> least($2::int * (level + 1), 63)) order by level, number
"""
