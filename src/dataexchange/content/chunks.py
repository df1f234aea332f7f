"""Hash a file by chunks, so that a part of a delivery can be checked on its own.

The chunks (1 MiB, the last one shorter) are the leaves of the tree of RFC 9162; an empty file
has no chunk. Everything streams: memory holds one chunk and the tree's right edge.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from dataexchange.ledger.merkle import (
    Frontier,
    ProofError,
    inclusion_proof,
    leaf_hash,
    verify_inclusion,
)

CHUNK_BYTES: Final = 1 << 20
_LEAVES_PER_STEP: Final = 256


@dataclass(frozen=True, slots=True)
class FileDigest:
    """What a file's bytes are: SHA-256 of the whole, Merkle root of the chunks (both hex)."""

    sha256: str
    size_bytes: int
    chunk_count: int
    chunk_root: str


@dataclass(frozen=True, slots=True)
class ChunkProof:
    """The path from chunk `index` to a file's `chunk_root`; hashes in hex, the sibling first."""

    index: int
    path: tuple[str, ...]


def digest_file(path: Path, *, copy_to: Path | None = None) -> FileDigest:
    """Hash the file in one reading; `copy_to` receives exactly the bytes that were hashed."""
    with path.open("rb") as source:
        if copy_to is None:
            return _digest(_chunks(source))
        with copy_to.open("xb") as target:
            return _digest(_copied(_chunks(source), target))


def digest_bytes(data: bytes) -> FileDigest:
    """Hash bytes as if they were a file's."""
    return _digest(data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES))


def prove_chunk(path: Path, index: int) -> ChunkProof:
    """Return the proof of one chunk of the file; `ProofError` where there is no such chunk."""
    with path.open("rb") as source:
        leaves = [leaf_hash(chunk) for chunk in _chunks(source)]
    return ChunkProof(index, tuple(node.hex() for node in inclusion_proof(leaves, index)))


def verify_chunk(chunk: bytes, proof: ChunkProof, digest: FileDigest) -> None:
    """Raise `ProofError` unless `chunk` is chunk `proof.index` of the file that `digest` names.

    The length is checked too: only the last chunk may be shorter.
    """
    if len(chunk) != _chunk_size(proof.index, digest):
        raise ProofError(f"chunk {proof.index} cannot have {len(chunk)} bytes")
    try:
        path, root = [bytes.fromhex(node) for node in proof.path], bytes.fromhex(digest.chunk_root)
    except ValueError as error:
        raise ProofError("a hash is not in hex") from error
    verify_inclusion(leaf_hash(chunk), proof.index, digest.chunk_count, path, root=root)


def _chunk_size(index: int, digest: FileDigest) -> int:
    if digest.chunk_count != -(-digest.size_bytes // CHUNK_BYTES):
        raise ProofError(f"{digest.size_bytes} bytes do not make {digest.chunk_count} chunks")
    if not 0 <= index < digest.chunk_count:
        raise ProofError(f"no chunk {index} among {digest.chunk_count}")
    return min(CHUNK_BYTES, digest.size_bytes - index * CHUNK_BYTES)


def _digest(chunks: Iterable[bytes]) -> FileDigest:
    whole, size_bytes, tree = hashlib.sha256(), 0, Frontier()
    leaves: list[bytes] = []
    for chunk in chunks:
        whole.update(chunk)
        size_bytes += len(chunk)
        leaves.append(leaf_hash(chunk))
        if len(leaves) == _LEAVES_PER_STEP:
            tree, leaves = tree.extend(leaves), []
    tree = tree.extend(leaves)
    return FileDigest(whole.hexdigest(), size_bytes, tree.size, tree.root().hex())


def _chunks(source: BinaryIO) -> Iterator[bytes]:
    while chunk := source.read(CHUNK_BYTES):
        yield chunk


def _copied(chunks: Iterable[bytes], target: BinaryIO) -> Iterator[bytes]:
    for chunk in chunks:
        target.write(chunk)
        yield chunk
