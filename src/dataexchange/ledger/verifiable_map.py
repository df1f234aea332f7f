"""The verifiable map: one root that says, for every key, what the map holds of it, and of no other.

A binary trie over the 256 bits of `path = SHA-256(key)`, in which a branch ends where one key is
left on it. It has one shape only for a set of keys, whatever the order they came in:

    empty branch   32 zero bytes
    one key        SHA-256(02 ‖ path ‖ SHA-256(value))
    more           SHA-256(03 ‖ left ‖ right)

(00 and 01 are the log's leaves and nodes.) It is kept four levels at a time, in tiles of 16 slots
that are named by the hash over them. A tile is never changed: an update writes new tiles from the
touched keys up to a new root, so every root that was committed stays provable. Keys never leave.
"""

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from itertools import groupby
from typing import Final, TypeAlias

from dataexchange.errors import IntegrityError

EMPTY: Final = bytes(32)
_WIDTH: Final = 16
_LEAF_SIZE: Final = 64

# An empty slot is b""; one key is its path and value hash, 64 bytes; more is a tile's hash, 32.
Slot: TypeAlias = bytes
Tile: TypeAlias = list[Slot]
# A branch as it enters the hash above it: its hash, and whether it ends in one key or none.
Branch: TypeAlias = tuple[bytes, bool]
Change: TypeAlias = tuple[bytes, bytes]
Walk: TypeAlias = Generator[set[bytes], Mapping[bytes, bytes], dict[bytes, Tile]]


class MapError(IntegrityError):
    """A tile that is missing, or that is not what its hash names."""


def path_of(key: str) -> bytes:
    """Return the 32-byte path of `key`."""
    return sha256(key.encode()).digest()


def leaf_hash(path: bytes, value_hash: bytes) -> bytes:
    """Return the hash of a branch that ends in one key."""
    return sha256(b"\x02" + path + value_hash).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a branch with two below it."""
    return sha256(b"\x03" + left + right).digest()


def encode_tile(tile: Sequence[Slot]) -> bytes:
    """Return the bytes of a tile: for each slot its length in one byte, then what it holds."""
    return b"".join(len(slot).to_bytes(1, "big") + slot for slot in tile)


def decode_tile(name: bytes, data: bytes) -> Tile:
    """Return the tile that `data` is; `MapError` unless `name` is its hash."""
    tile: Tile = []
    at = 0
    while at < len(data):
        end = at + 1 + data[at]
        tile.append(data[at + 1 : end])
        at = end
    sound = at == len(data) and len(tile) == _WIDTH
    if not sound or any(len(slot) not in (0, len(EMPTY), _LEAF_SIZE) for slot in tile):
        raise MapError(f"tile {name.hex()} is not spelt as one")
    if hash_of(tile) != name:
        raise MapError(f"tile {name.hex()} does not have that hash")
    return tile


def hash_of(tile: Sequence[Slot]) -> bytes:
    """Return the hash over a tile, which names it; that of the topmost tile is the root."""
    return branches(tile)[-1][0][0]


def branches(tile: Sequence[Slot]) -> list[list[Branch]]:
    """Return the branches of a tile level by level, from its 16 slots up to the one over it."""
    levels = [[_branch(slot) for slot in tile]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append([_join(below[at], below[at + 1]) for at in range(0, len(below), 2)])
    return levels


def nibble(path: bytes, depth: int) -> int:
    """Return the slot that `path` takes in a tile `depth` tiles below the topmost."""
    return path[depth // 2] >> 4 if depth % 2 == 0 else path[depth // 2] & 15


def walk(root: bytes, paths: Iterable[bytes]) -> Walk:
    """Return the tiles on the way from `root` to `paths`, asking for them level by level.

    Yields the names of a level's tiles and is sent their bytes, which are checked.
    """
    tiles: dict[bytes, Tile] = {}
    wanted = {root: [(path, b"") for path in sorted(set(paths))]} if root != EMPTY else {}
    depth = 0
    while wanted:
        read = yield set(wanted)
        below: dict[bytes, list[Change]] = {}
        for name, through in wanted.items():
            tiles[name] = _read(name, read)
            for number, group in _by_nibble(through, depth):
                slot = tiles[name][number]
                if len(slot) == len(EMPTY):
                    below[slot] = group
        wanted = below
        depth += 1
    return tiles


def walked(root: bytes, paths: Iterable[bytes], kept: Mapping[bytes, bytes]) -> dict[bytes, Tile]:
    """Return what `walk` does, where all tiles are at hand."""
    steps = walk(root, paths)
    try:
        next(steps)
        while True:
            steps.send(kept)
    except StopIteration as end:
        tiles: dict[bytes, Tile] = end.value
        return tiles


def updated(
    root: bytes, changes: Mapping[bytes, bytes], tiles: Mapping[bytes, Tile]
) -> tuple[bytes, dict[bytes, bytes]]:
    """Return the root after `changes` (path → value hash), and the new tiles' bytes by name.

    `tiles` are those that `walk` returns for the paths.
    """
    if not changes:
        return root, {}
    update = _Update(tiles)
    top = tiles[root] if root != EMPTY else [b""] * _WIDTH
    return update.tile(top, sorted(changes.items()), 0), update.made


class _Update:
    """One update: the tiles on the way, and those that it makes."""

    def __init__(self, tiles: Mapping[bytes, Tile]) -> None:
        self._tiles = tiles
        self.made: dict[bytes, bytes] = {}

    def tile(self, tile: Tile, changes: Sequence[Change], depth: int) -> bytes:
        """Make the tile that `tile` becomes, and those below it; return its name."""
        new = list(tile)
        for number, group in _by_nibble(changes, depth):
            new[number] = self._slot(new[number], group, depth + 1)
        name = hash_of(new)
        self.made[name] = encode_tile(new)
        return name

    def _slot(self, slot: Slot, changes: list[Change], depth: int) -> Slot:
        """Return what a slot becomes whose branch begins `depth` tiles down."""
        if len(slot) == len(EMPTY):
            return self.tile(self._tiles[slot], changes, depth)
        path, value_hash = slot[:32], slot[32:]
        if slot and all(path != changed for changed, _ in changes):
            changes = sorted([*changes, (path, value_hash)])
        if len(changes) == 1:
            return b"".join(changes[0])
        return self.tile([b""] * _WIDTH, changes, depth)


def _by_nibble(changes: Sequence[Change], depth: int) -> Iterator[tuple[int, list[Change]]]:
    for number, group in groupby(changes, lambda change: nibble(change[0], depth)):
        yield number, list(group)


def _branch(slot: Slot) -> Branch:
    if len(slot) == _LEAF_SIZE:
        return leaf_hash(slot[:32], slot[32:]), True
    return (slot, False) if slot else (EMPTY, True)


def _join(left: Branch, right: Branch) -> Branch:
    """A branch that ends beside an empty one is not hashed again, so its depth follows its key."""
    if right == (EMPTY, True) and left[1]:
        return left
    if left == (EMPTY, True) and right[1]:
        return right
    return node_hash(left[0], right[0]), False


def _read(name: bytes, kept: Mapping[bytes, bytes]) -> Tile:
    try:
        return decode_tile(name, kept[name])
    except KeyError:
        raise MapError(f"tile {name.hex()} is not kept") from None
