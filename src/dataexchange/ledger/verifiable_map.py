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
from typing import Final, NamedTuple, TypeAlias

from dataexchange.errors import IntegrityError

EMPTY: Final = bytes(32)
_WIDTH: Final = 16
_LEAF_SIZE: Final = 64

# An empty slot is b""; one key is its path and value hash, 64 bytes; more is a tile's hash, 32.
Slot: TypeAlias = bytes
Tile: TypeAlias = list[Slot]
# A branch as it enters the hash above it: its hash, and whether it is one key; None if empty.
Branch: TypeAlias = tuple[bytes, bool] | None
Change: TypeAlias = tuple[bytes, bytes]
Walk: TypeAlias = Generator[set[bytes], dict[bytes, Tile], dict[bytes, Tile]]


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
    return _hash(branches(tile)[-1][0])


def branches(tile: Sequence[Slot]) -> list[list[Branch]]:
    """Return the branches of a tile level by level, from its 16 slots up to the one over it."""
    levels = [[_branch(slot) if slot else None for slot in tile]]
    while len(levels[-1]) > 1:
        below = iter(levels[-1])
        levels.append([_join(left, right) for left, right in zip(below, below, strict=True)])
    return levels


def nibble(path: bytes, depth: int) -> int:
    """Return the slot that `path` takes in a tile `depth` tiles below the topmost."""
    return path[depth // 2] >> 4 if depth % 2 == 0 else path[depth // 2] & 15


def walk(root: bytes, paths: Iterable[bytes]) -> Walk:
    """Return the tiles on the way from `root` to `paths`, asking for them level by level.

    Yields the names of a level's tiles and is sent those tiles.
    """
    tiles: dict[bytes, Tile] = {}
    wanted = {root: [(path, b"") for path in sorted(set(paths))]} if root != EMPTY else {}
    depth = 0
    while wanted:
        tiles |= yield set(wanted)
        below: dict[bytes, list[Change]] = {}
        for name, through in wanted.items():
            for number, group in _by_nibble(through, depth):
                slot = tiles[name][number]
                if len(slot) == len(EMPTY):
                    below[slot] = group
        wanted = below
        depth += 1
    return tiles


def updated(root: bytes, changes: Mapping[bytes, bytes], tiles: Mapping[bytes, Tile]) -> "Updated":
    """Return the map after `changes` (path → value hash).

    `tiles` has at least those on the way to the paths.
    """
    update = _Update(tiles)
    if changes:
        root = update.tile(root, sorted(changes.items()), 0)
    return Updated(root, update.made, update.left)


class Updated(NamedTuple):
    """A map's new root, the tiles that were made, and the names of those no longer under it."""

    root: bytes
    made: dict[bytes, Tile]
    left: list[bytes]


class _Update:
    """One update: the tiles at hand, those that it makes, and those that it leaves behind."""

    def __init__(self, tiles: Mapping[bytes, Tile]) -> None:
        self._tiles = tiles
        self.made: dict[bytes, Tile] = {}
        self.left: list[bytes] = []

    def tile(self, name: bytes, changes: Sequence[Change], depth: int) -> bytes:
        """Make the tile that the one of `name` becomes, and those below; return its name."""
        new = [b""] * _WIDTH
        if name != EMPTY:
            new = list(self._tiles[name])
            self.left.append(name)
        for number, group in _by_nibble(changes, depth):
            new[number] = self._slot(new[number], group, depth + 1)
        made = hash_of(new)
        self.made[made] = new
        return made

    def _slot(self, slot: Slot, changes: list[Change], depth: int) -> Slot:
        """Return what a slot becomes whose branch begins `depth` tiles down."""
        if len(slot) == len(EMPTY):
            return self.tile(slot, changes, depth)
        path, value_hash = slot[:32], slot[32:]
        if slot and all(path != changed for changed, _ in changes):
            changes = sorted([*changes, (path, value_hash)])
        if len(changes) == 1:
            return b"".join(changes[0])
        return self.tile(EMPTY, changes, depth)


def _by_nibble(changes: Sequence[Change], depth: int) -> Iterator[tuple[int, list[Change]]]:
    for number, group in groupby(changes, lambda change: nibble(change[0], depth)):
        yield number, list(group)


def _branch(slot: Slot) -> Branch:
    if len(slot) == _LEAF_SIZE:
        return leaf_hash(slot[:32], slot[32:]), True
    return slot, False


def _join(left: Branch, right: Branch) -> Branch:
    """A key that is alone in a branch is not hashed again, so its depth follows its neighbours."""
    if left is None and (right is None or right[1]):
        return right
    if right is None and left is not None and left[1]:
        return left
    return node_hash(_hash(left), _hash(right)), False


def _hash(branch: Branch) -> bytes:
    return EMPTY if branch is None else branch[0]
