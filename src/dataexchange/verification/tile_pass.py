"""Hash tiles are redundant; each must say what the entries say."""

import itertools
from collections.abc import Iterable

from dataexchange.ledger import merkle
from dataexchange.ledger.merkle import Frontier
from dataexchange.ledger.tile import TILE_WIDTH, TileName
from dataexchange.verification.bundle import Bundle
from dataexchange.verification.verdict import UnsoundError


class TilePass:
    """The last tile of each level as entries come in; a full one is compared and let go."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._differing: TileName | None = None
        self._counts: list[int] = []
        self._rows: list[list[bytes]] = []

    @property
    def size(self) -> int:
        """How many entries came in."""
        return self._counts[0] * TILE_WIDTH + len(self._rows[0]) if self._rows else 0

    @property
    def frontier(self) -> Frontier:
        """The right edge of their tree: each level's last tile, if not full, holds a part of it."""
        edges = [Frontier().extend(row).subtrees for row in reversed(self._rows)]
        return Frontier(self.size, tuple(itertools.chain.from_iterable(edges)))

    def take(self, leaves: Iterable[bytes], level: int = 0) -> None:
        """Take the next hashes of `level`."""
        if level == len(self._rows):
            self._rows.append([])
            self._counts.append(0)
        row = self._rows[level]
        for leaf in leaves:
            row.append(leaf)
            if len(row) == TILE_WIDTH:
                self._compare(level)
                self._counts[level] += 1
                parent = merkle.root(row)
                row.clear()
                self.take([parent], level + 1)

    def finish(self) -> None:
        """Compare the tiles that are not full; refuse where any was not of the entries."""
        for level, row in enumerate(self._rows):
            if row:
                self._compare(level)
        if name := self._differing:
            raise UnsoundError(
                "tile.differs", f"{name.path} 与条目不符", f"{name.path} is not of these entries"
            )

    def _compare(self, level: int) -> None:
        row, index = self._rows[level], self._counts[level]
        if self._bundle.tile(level, index, len(row)) != b"".join(row):
            self._differing = self._differing or TileName(level, index, len(row))
