"""Proofs of what a verifiable map holds of a key, or that it holds nothing of it.

The siblings of the branches from the root down to where the key's branch ends. It ends in the key
itself, in nothing, or in another key: in the last two cases the map does not hold the key.
Checking shares no code with the keeping of the map but the hashes.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated, TypeAlias

import msgspec

from dataexchange.ledger.merkle import ProofError
from dataexchange.ledger.verifiable_map import (
    EMPTY,
    Tile,
    branches,
    leaf_hash,
    nibble,
    node_hash,
    path_of,
)

Hex: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]
Siblings: TypeAlias = Annotated[tuple[Hex, ...], msgspec.Meta(max_length=256)]


class MapValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the map says of an aggregate after the entries it covers.

    `count` entries had it as a subject, `head` is the leaf hash of the last, `state` the SHA-256
    of the encoded state (all hex).
    """

    count: Annotated[int, msgspec.Meta(ge=1, lt=2**53)]
    head: Hex
    key: str
    state: Hex

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return _ENCODER.encode(self)

    @property
    def hash(self) -> bytes:
        """The hash that enters the leaf."""
        return sha256(self.encode()).digest()


class MapProof(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A proof as it travels: nothing in it was checked.

    `siblings` run from the root down. `value` is what the map holds of the key; without it the
    branch ends in `other` (path and value hash of another key, hex), or in nothing.
    """

    key: str
    siblings: Siblings
    value: MapValue | None = None
    other: tuple[Hex, Hex] | None = None

    def encode(self) -> bytes:
        """Return the canonical bytes."""
        return _ENCODER.encode(self)

    @classmethod
    def parse(cls, data: bytes) -> "MapProof":
        """Return the proof that the canonical `data` is; `ProofError` where it is none."""
        try:
            proof = _DECODER.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ProofError(f"not a map proof: {error}") from error
        if proof.encode() != data:
            raise ProofError("the map proof is not in canonical form")
        return proof


def parse_value(data: bytes) -> MapValue:
    """Return the value that `data`, which has its hash, is."""
    return _VALUE_DECODER.decode(data)


def end_of(root: bytes, path: bytes, tiles: Mapping[bytes, Tile]) -> tuple[list[bytes], bytes]:
    """Return the siblings on the way to `path`, and what its branch ends in.

    That is a path with its value hash (64 bytes) or nothing; `tiles` as `walk` returned them.
    """
    siblings: list[bytes] = []
    name, depth = root, 0
    while name != EMPTY:
        slot, beside = _through(tiles[name], nibble(path, depth))
        siblings += beside
        if len(slot) != len(EMPTY):
            return siblings, slot
        name, depth = slot, depth + 1
    return siblings, b""


def verify_map_proof(root: bytes, proof: MapProof) -> MapValue | None:
    """Return what the map of `root` holds of the proof's key, `None` for nothing.

    `ProofError` where the proof does not lead to `root`.
    """
    path = path_of(proof.key)
    siblings = [bytes.fromhex(one) for one in proof.siblings]
    found = _end_hash(proof, path, len(siblings))
    for depth in range(len(siblings) - 1, -1, -1):
        beside = siblings[depth]
        found = node_hash(beside, found) if _bit(path, depth) else node_hash(found, beside)
    if found != root:
        raise ProofError(f"the map proof of {proof.key} does not lead to the root")
    return proof.value


def _end_hash(proof: MapProof, path: bytes, depth: int) -> bytes:
    """Return the hash of the branch in which the proof ends, `depth` levels down."""
    if proof.value is not None:
        if proof.value.key != proof.key or proof.other is not None:
            raise ProofError(f"the map proof of {proof.key} is about something else")
        return leaf_hash(path, proof.value.hash)
    if proof.other is None:
        return EMPTY
    other, value_hash = (bytes.fromhex(one) for one in proof.other)
    if other == path or any(_bit(other, at) != _bit(path, at) for at in range(depth)):
        raise ProofError(f"the map proof of {proof.key} ends on another branch")
    return leaf_hash(other, value_hash)


def _through(tile: Tile, number: int) -> tuple[bytes, list[bytes]]:
    """Return the slot in which the branch of slot `number` ends, and the siblings on the way.

    Where the branch ends above its slot, that is the slot of the one key below, or an empty one.
    """
    levels = branches(tile)
    beside: list[bytes] = []
    for level in range(len(levels) - 1, 0, -1):
        branch = levels[level][number >> level]
        if branch is None or branch[1]:
            start = (number >> level) << level
            return b"".join(tile[start : start + (1 << level)]), beside
        neighbour = levels[level - 1][(number >> (level - 1)) ^ 1]
        beside.append(EMPTY if neighbour is None else neighbour[0])
    return tile[number], beside


def _bit(path: bytes, depth: int) -> int:
    return path[depth // 8] >> (7 - depth % 8) & 1


_ENCODER = msgspec.json.Encoder(order="sorted")
_DECODER = msgspec.json.Decoder(MapProof)
_VALUE_DECODER = msgspec.json.Decoder(MapValue)
