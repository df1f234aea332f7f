"""What the bytes of entries show without being read: each names its place and the one before.

Entry i begins `{"index":i,"prev":"…","recorded_at":…`, with the leaf hash of entry i − 1.
"""

from dataclasses import dataclass

from dataexchange.ledger.entry import NO_PREVIOUS
from dataexchange.ledger.merkle import HASH_SIZE, leaf_hash
from dataexchange.verification.examination import hashes_in
from dataexchange.verification.part import Part
from dataexchange.verification.verdict import UnsoundError


@dataclass(frozen=True, slots=True)
class Hashed:
    """A part's leaf hashes, what its first entry must begin with, and the hashes it states.

    `broken` is the first entry after the first that does not begin as it must, where one does not.
    """

    leaves: list[bytes]
    head: bytes
    broken: int | None
    hashes: frozenset[bytes]


def hash_part(part: Part) -> Hashed:
    """Hash a part of a bundle, and follow the chain inside it."""
    leaves: list[bytes] = []
    begun = b""  # the beginning of the first entry, for who knows the entry before it
    broken: list[int] = []
    hashes: set[bytes] = set()
    for bodies in part.read():
        first = part.since + len(leaves)
        begun = begun or bodies[0][: len(_head(first, bytes(HASH_SIZE)))]
        last = leaves[-1:] or [bytes(HASH_SIZE)]
        leaves += [leaf_hash(body) for body in bodies]
        heads = map(_head, range(first, part.until), last + leaves[first - part.since :])
        pairs = zip(bodies, heads, strict=False)
        broken += [at for at, (body, head) in enumerate(pairs, first) if not body.startswith(head)]
        if part.bundle.has_contents:
            hashes |= hashes_in(bodies)
    inside = [at for at in broken if at != part.since]
    return Hashed(leaves, begun, inside[0] if inside else None, frozenset(hashes))


class Chain:
    """The log's chain from entry 0, part by part."""

    def __init__(self) -> None:
        self._size = 0
        self._last = bytes.fromhex(NO_PREVIOUS)

    def take(self, part: Hashed) -> None:
        """Take the next part; `UnsoundError` where it does not go on with the chain."""
        is_next = part.head == _head(self._size, self._last)
        broken = part.broken if is_next else self._size
        if broken is not None:
            raise UnsoundError(
                "log.chain_broken",
                "条目的序号或前一条目哈希与账本链不符",
                "an entry does not name its place, or not the leaf hash of the entry before it",
                broken,
            )
        self._size += len(part.leaves)
        self._last = part.leaves[-1]


def _head(index: int, previous: bytes) -> bytes:
    return b'{"index":%d,"prev":"%b",' % (index, previous.hex().encode())
