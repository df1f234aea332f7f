"""Tiles, entry bundles and proofs from tiles (C2SP tlog-tiles)."""

from collections.abc import Callable, Iterable
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataexchange.ledger import merkle, tile
from dataexchange.ledger.merkle import Frontier, ProofError, Range
from dataexchange.ledger.tile import ENTRIES, TileError, TileName, TileTree

SIZE_MAX = 70_000
LEAVES = [sha256(b"%d" % index).digest() for index in range(SIZE_MAX)]


class Shelf:
    """Tiles in memory, as a store keeps them: every partial tile ever written, and who asked."""

    def __init__(self) -> None:
        self.size = 0
        self.stored: dict[TileName, bytes] = {}
        self.read: list[TileName] = []

    def grow(self, leaves: list[bytes]) -> list[TileName]:
        written = dict(tile.grow_tiles(self.size, leaves, self.read_tile))
        assert not written.keys() & self.stored.keys()
        self.stored |= written
        self.size += len(leaves)
        return list(written)

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        name = TileName(level, index, width)
        self.read.append(name)
        return self.stored[name]

    def tree(self, size: int | None = None) -> TileTree:
        self.read.clear()
        return TileTree(self.size if size is None else size, self.read_tile)


def shelf_of(size: int, batches: Iterable[int] = ()) -> Shelf:
    shelf = Shelf()
    for batch in batches:
        shelf.grow(LEAVES[shelf.size : min(size, shelf.size + batch)])
    shelf.grow(LEAVES[shelf.size : size])
    return shelf


LARGE = shelf_of(SIZE_MAX)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (TileName(0, 0), "tile/0/000"),
        (TileName(0, 5, 1), "tile/0/005.p/1"),
        (TileName(3, 999, 255), "tile/3/999.p/255"),
        (TileName(1, 1000), "tile/1/x001/000"),
        (TileName(0, 1_234_067), "tile/0/x001/x234/067"),
        (TileName(63, 1_234_067, 12), "tile/63/x001/x234/067.p/12"),
        (TileName(ENTRIES, 1_000_000), "tile/entries/x001/x000/000"),
        (TileName(ENTRIES, 7, 3), "tile/entries/007.p/3"),
    ],
)
def test_a_tile_has_the_path_that_tlog_tiles_gives_it(name: TileName, path: str) -> None:
    assert name.path == path
    assert TileName.parse(path) == name


@given(st.integers(-1, 63), st.integers(0, 2**63), st.integers(1, 256))
def test_a_path_names_one_tile_and_back(level: int, index: int, width: int) -> None:
    name = TileName(level, index, width)
    assert TileName.parse(name.path) == name


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/000\n",
        "tile/0/0",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/1000",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/٠/000",
        "tile/0/٠٠٠",
        "tile/data/000",
        "tile/Entries/000",
        "tile/0/x000/067",  # a leading group of zeros
        "tile/0/001/067",  # no x
        "tile/0/x001",  # x on the last group
        "tile/0/x001/x067",
        "tile/0/X001/067",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/999",
        "tile/0/000.p/1000",
        "tile/0/000.p/",
        "tile/0/000.p",
        "tile/0/000.p/-1",
        "tile/0/../000",
        "tile/0/" + "x999/" * 40 + "999",
    ],
)
def test_any_other_spelling_is_refused(path: str) -> None:
    with pytest.raises(TileError):
        TileName.parse(path)


@pytest.mark.parametrize(
    ("level", "index", "width"), [(-2, 0, 1), (64, 0, 1), (0, -1, 1), (0, 0, 0), (0, 0, 257)]
)
def test_a_tile_outside_the_format_has_no_name(level: int, index: int, width: int) -> None:
    with pytest.raises(TileError):
        TileName(level, index, width)


def test_a_tree_of_70000_has_the_tiles_of_the_specifications_example() -> None:
    names = list(tile.tiles(70_000))
    full = [name.level for name in names if name.is_full]
    assert full == [0] * 273 + [1]
    assert [name for name in names if not name.is_full] == [
        TileName(0, 273, 112),
        TileName(1, 1, 17),
        TileName(2, 0, 1),
    ]


def test_a_tree_of_256_has_a_full_tile_and_one_of_width_one_above() -> None:
    assert list(tile.tiles(256)) == [TileName(0, 0), TileName(1, 0, 1)]
    assert list(tile.bundles(256)) == [TileName(ENTRIES, 0)]
    assert list(tile.bundles(257)) == [TileName(ENTRIES, 0), TileName(ENTRIES, 1, 1)]


def test_an_empty_tree_has_no_tiles() -> None:
    assert list(tile.tiles(0)) == []
    assert list(tile.bundles(0)) == []


def test_each_hash_of_a_tile_is_the_root_of_its_leaves() -> None:
    for name, data in LARGE.stored.items():
        span = tile.TILE_WIDTH**name.level
        first = name.index * tile.TILE_WIDTH
        for at in {0, name.width // 2, name.width - 1}:
            start = (first + at) * span
            expected = merkle.root(LEAVES[start : start + span])
            assert data[at * 32 : at * 32 + 32] == expected


@settings(deadline=None)
@given(st.integers(0, 1_500), st.lists(st.integers(1, 700), max_size=4))
def test_growing_writes_each_tile_once_and_none_too_few(size: int, batches: list[int]) -> None:
    shelf = Shelf()
    for batch in [*batches, size]:
        old, leaves = shelf.size, LEAVES[shelf.size : min(size, shelf.size + batch)]
        assert shelf.grow(leaves) == list(tile.tiles(old + len(leaves), since=old))
    whole = dict(tile.grow_tiles(0, LEAVES[:size], shelf.read_tile))
    assert set(whole) == set(tile.tiles(size))
    assert whole.items() <= shelf.stored.items()


def test_growing_past_the_second_level_continues_it() -> None:
    # 65,536 leaves fill the first tile of level 1; the batches end on both sides of it.
    shelf = shelf_of(SIZE_MAX, [65_535, 1, 1, 4_000])
    for name in tile.tiles(SIZE_MAX):
        assert shelf.stored[name] == LARGE.stored[name]


def test_growing_reads_one_partial_tile_a_level_at_most() -> None:
    LARGE.read.clear()
    more = [bytes([index % 256]) * 32 for index in range(600)]
    list(tile.grow_tiles(SIZE_MAX, more, LARGE.read_tile))
    assert LARGE.read == [TileName(0, 273, 112), TileName(1, 1, 17)]


def test_a_partial_tile_is_a_prefix_of_the_full_one() -> None:
    shelf = shelf_of(700, [100, 100, 300])
    for name, data in shelf.stored.items():
        wider = [one for one in shelf.stored if (one.level, one.index) == (name.level, name.index)]
        assert shelf.stored[max(wider)].startswith(data)
    assert sum(not name.is_full for name in shelf.stored) > len({n.level for n in shelf.stored})


@settings(max_examples=25, deadline=None)
@given(st.integers(0, SIZE_MAX))
def test_the_root_from_tiles_is_the_root_of_the_leaves(size: int) -> None:
    shelf = shelf_of(size)
    assert shelf.tree().root() == Frontier().extend(LEAVES[:size]).root()
    assert shelf.tree().frontier() == Frontier().extend(LEAVES[:size])


@settings(deadline=None)
@given(st.integers(1, 1_500), st.data())
def test_proofs_from_tiles_are_those_from_the_list(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(0, size))
    tree, leaves = shelf_of(size).tree(), LEAVES[:size]
    assert tree.inclusion_proof(index) == merkle.inclusion_proof(leaves, index)
    assert tree.consistency_proof(old) == merkle.consistency_proof(leaves, old)
    assert tree.leaf(index) == leaves[index]
    assert tree.prefix_root(old) == merkle.root(leaves[:old])


@settings(deadline=None)
@given(st.integers(0, SIZE_MAX - 1), st.integers(1, SIZE_MAX))
def test_proofs_across_three_tile_levels_verify(index: int, old: int) -> None:
    tree = LARGE.tree()
    path, root = tree.inclusion_proof(index), tree.root()
    merkle.verify_inclusion(LEAVES[index], index, SIZE_MAX, path, root=root)
    proof = tree.consistency_proof(old)
    old_root = Frontier().extend(LEAVES[:old]).root()
    merkle.verify_consistency(old, SIZE_MAX, proof, old_root=old_root, root=root)


@settings(deadline=None)
@given(st.integers(0, SIZE_MAX - 1), st.integers(0, SIZE_MAX))
def test_the_tiles_to_fetch_are_exactly_those_that_are_read(index: int, old: int) -> None:
    cases: list[tuple[list[Range], Callable[[TileTree], object]]] = [
        (merkle.inclusion_ranges(index, SIZE_MAX), lambda tree: tree.inclusion_proof(index)),
        (merkle.consistency_ranges(old, SIZE_MAX), lambda tree: tree.consistency_proof(old)),
        ([(0, SIZE_MAX)], lambda tree: tree.root()),
    ]
    for ranges, ask in cases:
        ask(LARGE.tree())
        assert len(LARGE.read) == len(set(LARGE.read))
        assert set(LARGE.read) == tile.tiles_for(ranges, SIZE_MAX)


class Uniform:
    """The tiles of a tree whose leaves are all equal: any size, nothing stored."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.rows = [LEAVES[0]]
        self.read: list[TileName] = []
        while len(self.rows) < 8:
            self.rows.append(merkle.root([self.rows[-1]] * tile.TILE_WIDTH))

    def read_tile(self, level: int, index: int, width: int) -> bytes:
        self.read.append(TileName(level, index, width))
        count = self.size >> 8 * level
        assert width == min(tile.TILE_WIDTH, count - index * tile.TILE_WIDTH)
        return self.rows[level] * width


@settings(deadline=None)
@given(st.sampled_from([10**6, 10**9, 2**30, 10**12 + 7]), st.data())
def test_proofs_of_huge_trees_verify_and_read_two_tiles_a_level_at_most(
    size: int, data: st.DataObject
) -> None:
    store = Uniform(size)
    levels = -(-size.bit_length() // 8)
    root = TileTree(size, store.read_tile).root()
    index = data.draw(st.integers(0, size - 1))
    store.read.clear()
    path = TileTree(size, store.read_tile).inclusion_proof(index)
    assert len(store.read) <= 2 * levels
    merkle.verify_inclusion(LEAVES[0], index, size, path, root=root)
    old = data.draw(st.integers(1, size))
    store.read.clear()
    proof = TileTree(size, store.read_tile).consistency_proof(old)
    assert len(store.read) <= 2 * levels
    old_root = TileTree(old, Uniform(old).read_tile).root()
    merkle.verify_consistency(old, size, proof, old_root=old_root, root=root)


def test_one_flipped_bit_in_a_tile_makes_a_proof_that_does_not_verify() -> None:
    # Yeti 2022: one bit flip in a leaf ended a log that nobody had checked before signing.
    root = LARGE.tree().root()

    def read_tile(level: int, index: int, width: int) -> bytes:
        data = bytearray(LARGE.read_tile(level, index, width))
        if level == 0:
            data[32] ^= 1
        return bytes(data)

    path = TileTree(SIZE_MAX, read_tile).inclusion_proof(0)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(LEAVES[0], 0, SIZE_MAX, path, root=root)


@pytest.mark.parametrize("cut", [-1, -32, 1, 32])
def test_a_tile_of_another_length_is_refused(cut: int) -> None:
    def read_tile(level: int, index: int, width: int) -> bytes:
        data = LARGE.read_tile(level, index, width)
        return data[:cut] if cut < 0 else data + bytes(cut)

    with pytest.raises(TileError):
        TileTree(SIZE_MAX, read_tile).root()
    with pytest.raises(TileError):
        list(tile.grow_tiles(SIZE_MAX, LEAVES[:1], read_tile))


@given(st.integers(0, 2**40))
def test_the_partial_tiles_are_those_of_the_tree_that_are_not_full(size: int) -> None:
    partial = list(tile.partial_tiles(size))
    assert all(not name.is_full for name in partial)
    # What growth by one leaf would replace or complete, and no more.
    assert len(partial) == sum(digit != 0 for digit in _digits(size))
    if size <= SIZE_MAX:
        assert partial == [name for name in tile.tiles(size) if not name.is_full]


def _digits(size: int) -> list[int]:
    """The widths of the last tiles, level by level."""
    return [size >> shift & 0xFF for shift in range(0, size.bit_length(), 8)]


def test_a_tree_never_had_more_leaves_than_it_has() -> None:
    with pytest.raises(TileError):
        shelf_of(300).tree().prefix_root(301)


def test_a_leaf_outside_the_tree_is_refused() -> None:
    for index in (-1, SIZE_MAX):
        with pytest.raises(TileError):
            LARGE.tree().leaf(index)
        with pytest.raises(ProofError):
            LARGE.tree().inclusion_proof(index)


ENTRY = st.binary(max_size=80)


@given(st.lists(ENTRY, min_size=1, max_size=256))
def test_a_bundle_gives_its_entries_back(entries: list[bytes]) -> None:
    assert tile.decode_bundle(tile.encode_bundle(entries), len(entries)) == entries


def test_a_bundle_is_length_and_entry_for_each() -> None:
    assert tile.encode_bundle([b"ab", b"", b"c"]) == b"\0\2ab\0\0\0\1c"


def test_an_entry_of_65535_bytes_fits_and_one_more_does_not() -> None:
    largest = b"e" * 65_535
    assert tile.decode_bundle(tile.encode_bundle([largest]), 1) == [largest]
    with pytest.raises(TileError):
        tile.encode_bundle([largest + b"e"])


def test_a_bundle_has_1_to_256_entries() -> None:
    for count in (0, 257):
        with pytest.raises(TileError):
            tile.encode_bundle([b""] * count)


@given(st.lists(ENTRY, min_size=1, max_size=5), st.data())
def test_a_cut_or_padded_bundle_is_refused(entries: list[bytes], data: st.DataObject) -> None:
    bundle = tile.encode_bundle(entries)
    cut = data.draw(st.integers(0, len(bundle) - 1))
    for spoilt in (bundle[:cut], bundle + b"\0", bundle + b"\0\0", bundle + b"\0\1x"):
        with pytest.raises(TileError):
            tile.decode_bundle(spoilt, len(entries))


@pytest.mark.parametrize("width", [0, 1, 3])
def test_a_bundle_of_another_width_is_refused(width: int) -> None:
    with pytest.raises(TileError):
        tile.decode_bundle(tile.encode_bundle([b"a", b"b"]), width)
