"""Laws of the verifiable map: one root for one content, proofs that hold, forgeries that do not."""

import random
from collections.abc import Mapping, Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.ledger.map_proof import MapProof, MapValue, end_of, verify_map_proof
from dataexchange.ledger.merkle import ProofError
from dataexchange.ledger.verifiable_map import (
    EMPTY,
    MapError,
    Tile,
    decode_tile,
    encode_tile,
    leaf_hash,
    node_hash,
    path_of,
    updated,
    walk,
)

KEYS = st.lists(st.text("abcdef/_0123456789", min_size=1, max_size=12), unique=True, max_size=60)


class Kept:
    """A map with all its tiles in memory."""

    def __init__(self) -> None:
        self.root = EMPTY
        self.tiles: dict[bytes, Tile] = {}

    def put(self, *values: MapValue) -> "Kept":
        changes = {path_of(one.key): one.hash for one in values}
        self.root, made, _ = updated(self.root, changes, self.tiles)
        self.tiles |= made
        return self

    def prove(self, key: str, values: Mapping[str, MapValue]) -> MapProof:
        path = path_of(key)
        siblings, end = end_of(self.root, path, self.tiles)
        hexes = tuple(one.hex() for one in siblings)
        if end[:32] == path:
            return MapProof(key, hexes, values[key])
        return MapProof(key, hexes, other=(end[:32].hex(), end[32:].hex()) if end else None)


def walked(kept: Kept, paths: list[bytes]) -> dict[bytes, Tile]:
    """Walk as a store does: with no tile at hand but those that were asked for."""
    steps = walk(kept.root, paths)
    try:
        wanted = next(steps)
        while True:
            wanted = steps.send({name: kept.tiles[name] for name in wanted})
    except StopIteration as end:
        found: dict[bytes, Tile] = end.value
        return found


def value(key: str, count: int = 1) -> MapValue:
    return MapValue(
        count, sha256(b"head").hexdigest(), key, sha256(f"{key} {count}".encode()).hexdigest()
    )


def plain_root(leaves: Sequence[tuple[bytes, bytes]], depth: int = 0) -> bytes:
    """The definition, written down once more, without tiles."""
    if not leaves:
        return EMPTY
    if len(leaves) == 1:
        return leaf_hash(*leaves[0])
    sides: tuple[list[tuple[bytes, bytes]], ...] = ([], [])
    for leaf in leaves:
        sides[leaf[0][depth // 8] >> (7 - depth % 8) & 1].append(leaf)
    return node_hash(plain_root(sides[0], depth + 1), plain_root(sides[1], depth + 1))


@given(KEYS, st.randoms())
def test_the_root_is_that_of_the_definition_in_any_order(
    keys: list[str], chance: random.Random
) -> None:
    values = [value(key) for key in keys]
    expected = plain_root([(path_of(one.key), one.hash) for one in values])
    assert Kept().put(*values).root == expected
    chance.shuffle(values)
    kept = Kept()
    for one in values:
        kept.put(one)
    assert kept.root == expected


@given(KEYS, st.data())
def test_a_value_put_again_is_as_if_it_had_been_the_first(
    keys: list[str], data: st.DataObject
) -> None:
    again = data.draw(st.sets(st.sampled_from(keys))) if keys else set()
    now = [value(key, 2 if key in again else 1) for key in keys]
    kept = Kept().put(*map(value, keys))
    kept.put(*(one for one in now if one.count == 2))
    assert kept.root == Kept().put(*now).root


@given(KEYS, st.text("abcdef", max_size=12))
def test_every_key_is_proven_and_a_stranger_proven_absent(keys: list[str], other: str) -> None:
    values = {key: value(key) for key in keys}
    kept = Kept().put(*values.values())
    for key in [*keys, other]:
        proof = MapProof.parse(kept.prove(key, values).encode())
        assert verify_map_proof(kept.root, proof) == values.get(key)


@given(KEYS.filter(bool), st.data())
def test_no_forged_proof_leads_to_the_root(keys: list[str], data: st.DataObject) -> None:
    values = {key: value(key) for key in keys}
    kept = Kept().put(*values.values())
    key = data.draw(st.sampled_from(keys))
    honest = kept.prove(key, values)
    held = path_of(key).hex(), values[key].hash.hex()
    forged = [
        MapProof(key, honest.siblings, value(key, 7)),
        MapProof(key, honest.siblings),
        MapProof(key, honest.siblings, other=held),
        MapProof(key, (*honest.siblings, EMPTY.hex()), values[key]),
        MapProof(key, honest.siblings[1:], values[key]) if honest.siblings else None,
        MapProof(key + "x", honest.siblings, values[key]),
        MapProof(key, honest.siblings, values[key], held),
        MapProof(key + "x", honest.siblings, value(key + "x")),
    ]
    for one in filter(None, forged):
        with pytest.raises(ProofError):
            verify_map_proof(kept.root, one)


@given(KEYS.filter(bool), st.data())
def test_absence_is_not_proven_from_another_branch(keys: list[str], data: st.DataObject) -> None:
    values = {key: value(key) for key in keys}
    kept = Kept().put(*values.values())
    key = data.draw(st.sampled_from(keys))
    for elsewhere in keys:
        proof = kept.prove(elsewhere, values)
        end = (path_of(elsewhere).hex(), values[elsewhere].hash.hex())
        if elsewhere != key:
            with pytest.raises(ProofError):
                verify_map_proof(kept.root, MapProof(key, proof.siblings, other=end))


def test_a_proof_that_is_not_canonical_is_refused() -> None:
    values = {"a": value("a")}
    proof = Kept().put(*values.values()).prove("a", values).encode()
    for wrong in (
        proof + b" ",
        proof.replace(b'"siblings"', b'"sibling"'),
        b"[]",
        b"\xff",
        proof.replace(b'"value"', b'"other":null,"value"'),
    ):
        with pytest.raises(ProofError):
            MapProof.parse(wrong)


def test_every_earlier_root_stays_provable() -> None:
    kept = Kept().put(*map(value, ("a", "b", "c")))
    before, values = kept.root, {key: value(key) for key in "abc"}
    kept.put(value("b", 2), value("d"))
    kept.root = before
    assert verify_map_proof(before, kept.prove("b", values)) == value("b")
    assert verify_map_proof(before, kept.prove("d", values)) is None


def test_a_damaged_tile_is_noticed() -> None:
    kept = Kept().put(*(value(str(number)) for number in range(40)))
    name, data = kept.root, encode_tile(kept.tiles[kept.root])
    assert decode_tile(name, data) == kept.tiles[name]
    for wrong in (data[:-1], data + b"\x00", bytes([data[0] ^ 1]) + data[1:], b""):
        with pytest.raises(MapError):
            decode_tile(name, wrong)
    changed = bytearray(data)
    changed[5] ^= 1
    with pytest.raises(MapError, match="does not have that hash"):
        decode_tile(name, bytes(changed))


def test_an_update_makes_tiles_for_the_touched_keys_alone() -> None:
    kept = Kept().put(*(value(str(number)) for number in range(20_000)))
    changes = {path_of("7"): value("7", 2).hash}
    tiles = walked(kept, list(changes))
    _, made, left = updated(kept.root, changes, tiles)
    assert len(made) == len(left) == len(tiles) <= 6
    assert set(left) == set(tiles)
