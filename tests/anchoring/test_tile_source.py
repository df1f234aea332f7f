"""Checkpoints and proofs over HTTP: what does not hold together is no answer."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bundles import POLICY, SIGNER
from dataexchange.anchoring.errors import SourceUnavailableError
from dataexchange.anchoring.source import TreeHead
from dataexchange.anchoring.tile_source import TileSource, tile_source
from dataexchange.ledger import merkle
from dataexchange.ledger.cosignature import MLDSA44Signer
from dataexchange.ledger.note import Ed25519Signer
from dataexchange.ledger.policy import Policy
from static_log import StaticLog, serving_files
from world import ORIGIN


@pytest.fixture
def log(tmp_path: Path) -> StaticLog:
    return StaticLog(tmp_path)


@pytest.fixture
def url(log: StaticLog) -> Iterator[str]:
    with serving_files(log.folder) as address:
        yield address


@pytest.fixture
async def source(url: str) -> AsyncIterator[TileSource]:
    async with tile_source(url, Policy.parse(POLICY), ORIGIN) as one:
        yield one


async def test_a_log_without_a_checkpoint_has_no_answer_yet(source: TileSource) -> None:
    with pytest.raises(SourceUnavailableError, match="HTTP 404"):
        await source.latest()


async def test_an_address_where_nobody_answers_is_unavailable() -> None:
    async with tile_source("http://127.0.0.1:9", Policy.parse(POLICY), ORIGIN) as source:
        with pytest.raises(SourceUnavailableError, match="ConnectError"):
            await source.latest()


@pytest.mark.parametrize(("old_size", "size"), [(1, 2), (5, 700), (256, 700), (512, 513), (3, 3)])
async def test_proofs_connect_any_two_sizes(
    log: StaticLog, source: TileSource, old_size: int, size: int
) -> None:
    log.grow(700)
    proof = await source.consistency_proof(old_size, size)
    roots = {n: merkle.root(log.leaves[:n]) for n in (old_size, size)}
    merkle.verify_consistency(old_size, size, proof, old_root=roots[old_size], root=roots[size])
    assert await source.head_at(size) == TreeHead(size, roots[size])


async def test_an_inclusion_path_leads_to_an_older_root(log: StaticLog, source: TileSource) -> None:
    root = log.grow(300)
    log.grow(300)
    leaf, path = await source.inclusion(270, 300)
    assert leaf == log.leaves[270]
    merkle.verify_inclusion(leaf, 270, 300, path, root=root)


async def test_a_partial_tile_that_is_gone_is_read_from_the_full_one(
    log: StaticLog, source: TileSource
) -> None:
    log.grow(300)
    head = await source.latest()
    log.grow(300)
    shutil.rmtree(log.folder / "tile" / "0" / "001.p")
    proof = await source.consistency_proof(7, 300)
    merkle.verify_consistency(7, 300, proof, old_root=merkle.root(log.leaves[:7]), root=head.root)


async def test_a_damaged_tile_is_no_answer_and_no_fork(log: StaticLog, source: TileSource) -> None:
    log.grow(20)
    name = "tile/0/000.p/20"
    tile = bytearray((log.folder / name).read_bytes())
    tile[0] ^= 1
    log.write(name, bytes(tile))
    with pytest.raises(SourceUnavailableError, match="not the checkpoint's"):
        await source.consistency_proof(8, 20)
    log.write(name, bytes(tile[:-1]))
    with pytest.raises(SourceUnavailableError, match="639 bytes"):
        await source.consistency_proof(8, 20)


async def test_a_rewritten_log_gives_a_proof_that_the_old_root_fails(
    log: StaticLog, source: TileSource
) -> None:
    """A true fork is for the witness to see: the proof holds, and starts at another root."""
    old_root = log.grow(8)
    log.leaves[3] = merkle.leaf_hash(b"rewritten")
    root = log.grow(12)
    proof = await source.consistency_proof(8, 20)
    with pytest.raises(merkle.ProofError):
        merkle.verify_consistency(8, 20, proof, old_root=old_root, root=root)
    rewritten = merkle.root(log.leaves[:8])
    merkle.verify_consistency(8, 20, proof, old_root=rewritten, root=root)


async def test_a_size_beyond_the_newest_checkpoint_is_waited_for(
    log: StaticLog, source: TileSource
) -> None:
    log.grow(5)
    with pytest.raises(SourceUnavailableError, match="covers 5, not 6"):
        await source.consistency_proof(2, 6)


async def test_a_checkpoint_that_misses_the_policy_is_not_used(log: StaticLog, url: str) -> None:
    log.grow(5)
    stranger = Ed25519Signer(ORIGIN, b"\x08" * 32).vkey
    witness = MLDSA44Signer("witness.test", b"\x09" * 32).vkey
    for lines in (
        f"log {stranger}\nquorum none\n",
        f"log {SIGNER.vkey}\nwitness w {witness}\nquorum w\n",
    ):
        async with tile_source(url, Policy.parse(lines.encode()), ORIGIN) as source:
            with pytest.raises(SourceUnavailableError, match="/checkpoint"):
                await source.latest()
