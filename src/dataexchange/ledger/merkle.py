"""The Merkle tree of RFC 9162: hashes, the frontier, inclusion and consistency proofs.

Leaves are given by their hashes; only `leaf_hash` ever sees an entry. Making a proof plans ranges
of leaves (`inclusion_ranges`, `consistency_ranges`) and hashes them, here from a list, in
`ledger.tile` from tiles. Checking follows the bit-wise algorithms of sections 2.1.3.2 and 2.1.4.2
and shares no code with the making.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, TypeAlias

from dataexchange.errors import IntegrityError

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
# No tree of ours outgrows a signed 64-bit size, so no honest path is longer than this.
SIZE_MAX: Final = 2**63 - 1
PATH_LENGTH_MAX: Final = 63

Range: TypeAlias = tuple[int, int]


class ProofError(IntegrityError, ValueError):
    """A Merkle proof that does not hold, or that nobody could have asked for."""


def leaf_hash(entry: bytes) -> bytes:
    """Return the 32-byte hash of an entry's bytes: SHA-256(00 ‖ entry)."""
    hashing = sha256(b"\x00")
    hashing.update(entry)  # not joined to it first: that would copy the entry
    return hashing.digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of two children: SHA-256(01 ‖ left ‖ right)."""
    return sha256(b"\x01" + left + right).digest()


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the Merkle tree hash over the leaves (RFC 9162 section 2.1.1)."""
    level = list(leaf_hashes)
    while len(level) > 1:
        # Odd last node: promoted, not paired with itself. Pairing would let two
        # different trees share a root (CVE-2012-2459).
        promoted = [level.pop()] if len(level) % 2 else []
        level = _parents(level) + promoted
    return level[0] if level else EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: the roots of its perfect subtrees, largest first.

    All that is needed to append and to know the root: at most 63 hashes, one for each bit that
    is set in `size`.
    """

    size: int = 0
    subtrees: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= SIZE_MAX or len(self.subtrees) != self.size.bit_count():
            raise ProofError(f"{len(self.subtrees)} subtrees do not make a tree of {self.size}")
        _require_hashes(self.subtrees)

    def append(self, leaf: bytes) -> "Frontier":
        """Return the frontier with one more leaf hash."""
        return self.extend((leaf,))

    def extend(self, leaf_hashes: Iterable[bytes]) -> "Frontier":
        """Return the frontier with the leaf hashes appended; about one hash per leaf."""
        level = list(leaf_hashes)
        _require_hashes(level)
        size = self.size + len(level)
        position = self.size
        old = list(self.subtrees)
        kept: list[bytes] = []
        while level:
            if position & 1:
                level.insert(0, old.pop())
            if len(level) & 1:
                kept.append(level.pop())
            level = _parents(level)
            position >>= 1
        return Frontier(size, (*old, *reversed(kept)))

    def root(self) -> bytes:
        """Return the root of the tree."""
        if not self.subtrees:
            return EMPTY_ROOT
        *larger, right = self.subtrees
        for left in reversed(larger):
            right = node_hash(left, right)
        return right

    def to_bytes(self) -> bytes:
        """Return `u64 size ‖ subtrees`, 32 bytes each."""
        return self.size.to_bytes(8, "big") + b"".join(self.subtrees)

    @classmethod
    def from_bytes(cls, data: bytes) -> "Frontier":
        """Return the frontier that `to_bytes` wrote; `ProofError` where it did not."""
        if len(data) < 8 or (len(data) - 8) % HASH_SIZE:
            raise ProofError(f"{len(data)} bytes are not a frontier")
        subtrees = tuple(data[at : at + HASH_SIZE] for at in range(8, len(data), HASH_SIZE))
        return cls(int.from_bytes(data[:8], "big"), subtrees)


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Return the ranges `[start, end)` whose hashes prove leaf `index`, the sibling first."""
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}")
    ranges: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old_size: int, size: int) -> list[Range]:
    """Return the ranges whose hashes prove that a tree grew from `old_size` to `size`.

    Nothing where the sizes are equal or the old tree is empty (C2SP tlog-witness: a proof from
    size zero is empty).
    """
    if not 0 <= old_size <= size:
        raise ProofError(f"a tree of {size} did not grow from {old_size}")
    ranges: list[Range] = []
    start, end = 0, size
    while old_size not in (0, end):
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        ranges.append((start, end))
    return ranges[::-1]


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Return the path that proves leaf `index`, from its sibling up (RFC 9162 section 2.1.3.1)."""
    ranges = inclusion_ranges(index, len(leaf_hashes))
    return [root(leaf_hashes[start:end]) for start, end in ranges]


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """Return the proof that the first `old_size` leaves are a prefix (RFC 9162 section 2.1.4.1)."""
    ranges = consistency_ranges(old_size, len(leaf_hashes))
    return [root(leaf_hashes[start:end]) for start, end in ranges]


def root_from_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes:
    """Return the root that `path` leads to from leaf hash `leaf` (RFC 9162 section 2.1.3.2).

    `ProofError` where index, size and the path's length do not fit each other.
    """
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a tree of {size}")
    node, position, last = leaf, index, size - 1
    _require_hashes((node,))
    for sibling in path:
        node, position, last = parent(node, position, last, sibling)
    if last:
        raise ProofError("the path is too short")
    return node


def parent(node: bytes, position: int, last: int, sibling: bytes) -> tuple[bytes, int, int]:
    """Return the node one step up a path, its position there and the last: one turn of the loop."""
    if last == 0:
        raise ProofError("the path is too long")
    if len(sibling) != HASH_SIZE:
        raise ProofError("a hash is not 32 bytes")
    if position & 1 or position == last:
        shift = _trailing_zeros(position) + 1
        return node_hash(sibling, node), position >> shift, last >> shift
    return node_hash(node, sibling), position >> 1, last >> 1


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], *, root: bytes
) -> None:
    """Raise `ProofError` unless `path` connects leaf hash `leaf` at `index` to `root`."""
    if root_from_inclusion(leaf, index, size, path) != root:
        raise ProofError(f"leaf {index} is not under this root")


def verify_consistency(
    old_size: int, size: int, proof: Sequence[bytes], *, old_root: bytes, root: bytes
) -> None:
    """Raise `ProofError` unless `proof` shows `old_root` to be a prefix of `root`.

    RFC 9162 section 2.1.4.2. An empty tree is consistent with itself only: growth from nothing
    cannot be proved, so who knows nothing yet must not ask here.
    """
    if not 0 <= old_size <= size:
        raise ProofError(f"a tree of {size} did not grow from {old_size}")
    if old_size == size:
        _verify_same(size, proof, old_root, root)
        return
    if old_size == 0:
        raise ProofError("every tree grew from nothing; there is nothing to prove")
    if _roots_from_consistency(old_size, size, proof, old_root) != (old_root, root):
        raise ProofError(f"the tree of {size} does not continue that of {old_size}")


def _verify_same(size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> None:
    if proof:
        raise ProofError("equal sizes need no proof")
    if old_root != root or (size == 0 and root != EMPTY_ROOT):
        raise ProofError(f"two roots of size {size} differ")


def _roots_from_consistency(
    old_size: int, size: int, proof: Sequence[bytes], old_root: bytes
) -> tuple[bytes, bytes]:
    """Return the old and the new root that the proof leads to; 0 < old_size < size."""
    _require_hashes((old_root, *proof))
    # A perfect old tree is itself the first node of the proof, which leaves it out.
    nodes = [old_root, *proof] if old_size & (old_size - 1) == 0 else list(proof)
    if not nodes:
        raise ProofError("the proof is too short")
    shift = _trailing_zeros(old_size)
    position, last = (old_size - 1) >> shift, (size - 1) >> shift
    old = new = nodes[0]
    for node in nodes[1:]:
        if last == 0:
            raise ProofError("the proof is too long")
        if position & 1 or position == last:
            old, new = node_hash(node, old), node_hash(node, new)
            shift = _trailing_zeros(position)
            position, last = position >> shift, last >> shift
        else:
            new = node_hash(new, node)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")
    return old, new


def _parents(level: list[bytes]) -> list[bytes]:
    """Return the parents of an even number of nodes. The hot path: inlined, no call per node."""
    nodes = iter(level)
    pairs = zip(nodes, nodes, strict=True)
    return [sha256(b"\x01" + left + right).digest() for left, right in pairs]


def _split(size: int) -> int:
    """Return the largest power of two below `size`; `size` > 1."""
    return 1 << ((size - 1).bit_length() - 1)


def _trailing_zeros(number: int) -> int:
    """Return how often two divides `number`; 0 for 0, which has no lowest bit to stop at."""
    return (number & -number).bit_length() - 1 if number else 0


def _require_hashes(hashes: Iterable[bytes]) -> None:
    # Other lengths would let two different pairs of children join to the same bytes.
    if not {HASH_SIZE}.issuperset(map(len, hashes)):
        raise ProofError("a hash is not 32 bytes")
