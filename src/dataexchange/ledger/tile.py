"""Tiles: the tree cut into files that never change (C2SP tlog-tiles).

A tile holds up to 256 consecutive hashes of one tile level; each is the root of the 256^level
leaves below it. Every proof can be computed from a few tiles, and every tile from leaf hashes and
the tiles left of them. Entry bundles hold the entries themselves in the same numbering, under the
level `ENTRIES`.

Nothing here reads anything. A tile comes from `read_tile(level, index, width)`, the bytes of a
`TileName`; who reads asynchronously asks `tiles_for` first what to fetch. Tiles are not trusted: a
proof made of them is checked against a signed root.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from dataexchange.errors import IntegrityError
from dataexchange.ledger import merkle
from dataexchange.ledger.merkle import HASH_SIZE, Frontier, Range

TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8
LEVEL_MAX: Final = 63
ENTRIES: Final = -1
ENTRY_SIZE_MAX: Final = 65_535

ReadTile: TypeAlias = Callable[[int, int, int], bytes]

_PATH = re.compile(
    r"tile/(entries|[0-9]{1,2})/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


class TileError(IntegrityError):
    """A tile, bundle or path that is not what the size of the tree requires."""


@dataclass(frozen=True, slots=True, order=True)
class TileName:
    """Which tile: its level (`ENTRIES` for an entry bundle), index in it, and width in hashes."""

    level: int
    index: int
    width: int = TILE_WIDTH

    def __post_init__(self) -> None:
        if not ENTRIES <= self.level <= LEVEL_MAX or self.index < 0:
            raise TileError(f"no tile {self.index} at level {self.level}")
        if not 1 <= self.width <= TILE_WIDTH:
            raise TileError(f"a tile is 1 to {TILE_WIDTH} hashes wide, not {self.width}")

    @property
    def is_full(self) -> bool:
        """Whether this tile has all its hashes and will never be replaced by a wider one."""
        return self.width == TILE_WIDTH

    @property
    def path(self) -> str:
        """The resource below the log's prefix, e.g. `tile/0/x001/x234/067.p/12`."""
        level = "entries" if self.level == ENTRIES else str(self.level)
        groups = f"{self.index:03,}".split(",")
        *parents, last = (group.zfill(3) for group in groups)
        suffix = "" if self.is_full else f".p/{self.width}"
        return "/".join(("tile", level, *(f"x{group}" for group in parents), last)) + suffix

    @classmethod
    def parse(cls, path: str) -> "TileName":
        """Return the tile that `path` names; `TileError` for any other spelling than `path`."""
        matched = _PATH.fullmatch(path)
        if not matched:
            raise TileError(f"{path!r} names no tile")
        level, index, width = matched.groups()
        name = cls(
            ENTRIES if level == "entries" else int(level),
            int(index.replace("/", "").replace("x", "")),
            int(width or TILE_WIDTH),
        )
        if name.path != path:
            raise TileError(f"{path!r} is spelt {name.path!r}")
        return name


def tiles(size: int, *, since: int = 0) -> Iterator[TileName]:
    """Yield the hash tiles of a tree of `size`, level by level, full ones and the partial.

    Only those that a tree of `since` leaves does not have. A full tile may replace a partial one.
    """
    level = 0
    while size:
        yield from _row(level, since, size)
        level, since, size = level + 1, since // TILE_WIDTH, size // TILE_WIDTH


def partial_tiles(size: int) -> Iterator[TileName]:
    """Yield the hash tiles of a tree of `size` that are not full, one per level at most."""
    level = 0
    while size:
        if size % TILE_WIDTH:
            yield TileName(level, size // TILE_WIDTH, size % TILE_WIDTH)
        level, size = level + 1, size // TILE_WIDTH


def bundles(size: int, *, since: int = 0) -> Iterator[TileName]:
    """Yield the entry bundles of a log of `size` that one of `since` entries does not have."""
    yield from _row(ENTRIES, since, size)


def grow_tiles(
    size: int, leaf_hashes: Sequence[bytes], read_tile: ReadTile
) -> Iterator[tuple[TileName, bytes]]:
    """Yield the tiles that appending `leaf_hashes` to a tree of `size` adds, with their bytes.

    `read_tile` is asked for the last partial tile of each level, at most one per level.
    """
    level, hashes = 0, list(leaf_hashes)
    while hashes:
        done = size % TILE_WIDTH
        if done:
            hashes[:0] = _split_tile(_checked_read(read_tile, level, size // TILE_WIDTH, done))
        first = size // TILE_WIDTH
        parents = []
        for at in range(0, len(hashes), TILE_WIDTH):
            row = hashes[at : at + TILE_WIDTH]
            if len(row) == TILE_WIDTH:
                parents.append(merkle.root(row))
            yield TileName(level, first + at // TILE_WIDTH, len(row)), b"".join(row)
        level, size, hashes = level + 1, first, parents


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Return the entry bundle of 1 to 256 entries: `u16 length ‖ entry` for each."""
    if not 1 <= len(entries) <= TILE_WIDTH:
        raise TileError(f"a bundle has 1 to {TILE_WIDTH} entries, not {len(entries)}")
    if any(len(entry) > ENTRY_SIZE_MAX for entry in entries):
        raise TileError(f"an entry is at most {ENTRY_SIZE_MAX} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes, width: int) -> list[bytes]:
    """Return the `width` entries of a bundle; `TileError` where it holds more or fewer."""
    entries: list[bytes] = []
    at = 0
    try:
        for _ in range(width):
            end = at + 2 + (data[at] << 8 | data[at + 1])
            entries.append(data[at + 2 : end])
            at = end
    except IndexError:  # it ends before an entry begins
        at = -1
    # A bundle cut within an entry leaves `at` beyond its end.
    if at != len(data):
        raise TileError(f"the bundle does not hold {width} entries")
    return entries


@dataclass(frozen=True)
class TileTree:
    """A tree of `size` leaves, of which only the tiles that a question needs are read.

    A tile is read at most once per instance; a proof at 10^9 leaves reads 8 at most.
    """

    size: int
    read_tile: ReadTile
    _seen: dict[TileName, bytes] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def root(self) -> bytes:
        """Return the root of the tree."""
        return self.frontier().root()

    def frontier(self) -> Frontier:
        """Return the frontier of the tree, to append to."""
        return Frontier(self.size, tuple(map(self._subtree, _subtrees((0, self.size)))))

    def inclusion_proof(self, index: int) -> list[bytes]:
        """Return the path that proves leaf `index`."""
        return [self._hash(one) for one in merkle.inclusion_ranges(index, self.size)]

    def consistency_proof(self, old_size: int) -> list[bytes]:
        """Return the proof that the tree of `old_size` is a prefix of this one."""
        return [self._hash(one) for one in merkle.consistency_ranges(old_size, self.size)]

    def prefix_root(self, old_size: int) -> bytes:
        """Return the root that the tree had at `old_size`; needs `tiles_for([(0, old_size)])`."""
        if not 0 <= old_size <= self.size:
            raise TileError(f"a tree of {self.size} never had {old_size} leaves")
        return self._hash((0, old_size))

    def leaf(self, index: int) -> bytes:
        """Return the leaf hash at `index`."""
        if not 0 <= index < self.size:
            raise TileError(f"no leaf {index} in a tree of {self.size}")
        return self._subtree((index, index + 1))

    def _hash(self, leaves: Range) -> bytes:
        """Return the hash over a range, which is a perfect subtree or ends where the tree does."""
        subtrees = tuple(map(self._subtree, _subtrees(leaves)))
        return Frontier(leaves[1] - leaves[0], subtrees).root()

    def _subtree(self, leaves: Range) -> bytes:
        name, at, width = _place(leaves, self.size)
        if name not in self._seen:
            self._seen[name] = _checked_read(self.read_tile, name.level, name.index, name.width)
        tile = self._seen[name]
        return merkle.root(_split_tile(tile[at * HASH_SIZE : (at + width) * HASH_SIZE]))


def tiles_for(ranges: Iterable[Range], size: int) -> set[TileName]:
    """Return the tiles that the hashes over `ranges` need, in a tree of `size`.

    With `merkle.inclusion_ranges`, `merkle.consistency_ranges` or `[(0, size)]` (the root), these
    are exactly the tiles that `TileTree` will read.
    """
    return {_place(subtree, size)[0] for one in ranges for subtree in _subtrees(one)}


def _row(level: int, since: int, size: int) -> Iterator[TileName]:
    for index in range(since // TILE_WIDTH, size // TILE_WIDTH):
        yield TileName(level, index)
    if size % TILE_WIDTH and size > since:
        yield TileName(level, size // TILE_WIDTH, size % TILE_WIDTH)


def _subtrees(leaves: Range) -> Iterator[Range]:
    """Yield the perfect subtrees of a range that starts at a multiple of its largest, in order."""
    start, end = leaves
    while start < end:
        stop = start + (1 << ((end - start).bit_length() - 1))
        yield start, stop
        start = stop


def _place(leaves: Range, size: int) -> tuple[TileName, int, int]:
    """Return the tile that holds a perfect subtree's hashes, where they start, and how many."""
    start, end = leaves
    level = ((end - start).bit_length() - 1) // TILE_HEIGHT
    shift = level * TILE_HEIGHT
    first, width = start >> shift, (end - start) >> shift
    index, at = divmod(first, TILE_WIDTH)
    tile_width = min(TILE_WIDTH, (size >> shift) - index * TILE_WIDTH)
    return TileName(level, index, tile_width), at, width


def _checked_read(read_tile: ReadTile, level: int, index: int, width: int) -> bytes:
    tile = read_tile(level, index, width)
    if len(tile) != width * HASH_SIZE:
        raise TileError(f"tile {level}/{index} has {len(tile)} bytes, not {width} hashes")
    return tile


def _split_tile(tile: bytes) -> list[bytes]:
    return [tile[at : at + HASH_SIZE] for at in range(0, len(tile), HASH_SIZE)]
