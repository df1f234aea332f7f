"""A file's digest covers every byte, and each chunk can be shown to belong to it."""

import hashlib
import tracemalloc
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataexchange.content.chunks import (
    CHUNK_BYTES,
    ChunkProof,
    digest_bytes,
    digest_file,
    prove_chunk,
    verify_chunk,
)
from dataexchange.ledger.merkle import ProofError, leaf_hash, root


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "data.bin"
    path.write_bytes(b"".join(bytes([n]) * CHUNK_BYTES for n in range(4)) + b"tail")
    return path


def _chunk(path: Path, index: int) -> bytes:
    return path.read_bytes()[index * CHUNK_BYTES : (index + 1) * CHUNK_BYTES]


def test_the_digest_is_the_hash_of_the_whole_and_the_root_of_the_chunks(file: Path) -> None:
    digest = digest_file(file)
    assert digest.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert digest.size_bytes == 4 * CHUNK_BYTES + 4
    assert digest.chunk_count == 5
    assert digest.chunk_root == root([leaf_hash(_chunk(file, n)) for n in range(5)]).hex()


def test_an_empty_file_has_no_chunk_and_the_empty_root(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    digest = digest_file(path)
    assert (digest.size_bytes, digest.chunk_count) == (0, 0)
    assert digest.chunk_root == hashlib.sha256(b"").hexdigest()


@settings(deadline=None)
@given(st.integers(0, 3), st.integers(-2, 2))
def test_bytes_and_files_have_the_same_digest_around_chunk_borders(
    tmp_path_factory: pytest.TempPathFactory, chunks: int, more: int
) -> None:
    data = b"x" * max(0, chunks * CHUNK_BYTES + more)
    path = tmp_path_factory.mktemp("digest") / "data"
    path.write_bytes(data)
    assert digest_file(path) == digest_bytes(data)


def test_the_copy_holds_the_bytes_that_were_hashed(file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    digest = digest_file(file, copy_to=copy)
    assert hashlib.sha256(copy.read_bytes()).hexdigest() == digest.sha256


def test_a_copy_never_overwrites(file: Path, tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        digest_file(file, copy_to=file)


@pytest.mark.parametrize("index", range(5))
def test_every_chunk_is_proved(file: Path, index: int) -> None:
    verify_chunk(_chunk(file, index), prove_chunk(file, index), digest_file(file))


def test_a_changed_chunk_is_not_accepted(file: Path) -> None:
    with pytest.raises(ProofError):
        verify_chunk(b"\xff" * CHUNK_BYTES, prove_chunk(file, 1), digest_file(file))


def test_a_chunk_is_not_accepted_at_another_place(file: Path) -> None:
    moved = ChunkProof(2, prove_chunk(file, 1).path)
    with pytest.raises(ProofError):
        verify_chunk(_chunk(file, 1), moved, digest_file(file))


def test_a_short_chunk_is_accepted_only_at_the_end(file: Path) -> None:
    with pytest.raises(ProofError, match="cannot have 4 bytes"):
        verify_chunk(b"tail", prove_chunk(file, 1), digest_file(file))


@pytest.mark.parametrize("index", [-1, 5])
def test_there_is_no_proof_outside_the_file(file: Path, index: int) -> None:
    with pytest.raises(ProofError):
        prove_chunk(file, index)
    with pytest.raises(ProofError):
        verify_chunk(b"tail", ChunkProof(index, ()), digest_file(file))


def test_a_digest_whose_size_and_chunks_disagree_proves_nothing(file: Path) -> None:
    wrong = replace(digest_file(file), size_bytes=1)
    with pytest.raises(ProofError, match="do not make"):
        verify_chunk(b"t", prove_chunk(file, 4), wrong)


def test_hashes_that_are_not_hex_are_refused(file: Path) -> None:
    proof = ChunkProof(4, ("zz",))
    with pytest.raises(ProofError, match="hex"):
        verify_chunk(b"tail", proof, digest_file(file))


def test_memory_stays_flat(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as target:
        target.truncate(300 * CHUNK_BYTES)
    tracemalloc.start()
    digest = digest_file(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert digest.chunk_count == 300
    assert peak < 4 * CHUNK_BYTES
