"""The Solidity proofs, on a real EVM, against public vectors and against the Python proofs."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web3.contract import AsyncContract

from dataexchange.ledger import merkle

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "merkle"


def word(text: str | None) -> bytes:
    """A vector's hash as bytes32, which has no other length: shorter ones are filled with zeros."""
    return base64.b64decode(text or "").ljust(32, b"\x00")[:32]


def leaves(count: int) -> list[bytes]:
    return [merkle.leaf_hash(index.to_bytes(4, "big")) for index in range(count)]


async def verdict(harness: AsyncContract, probe: dict[str, Any]) -> bool:
    proof = [word(item) for item in probe["proof"] or []]
    if "leafIdx" in probe:
        call = harness.functions.includes(
            probe["leafIdx"], probe["treeSize"], word(probe["leafHash"]), word(probe["root"]), proof
        )
    else:
        sizes, roots = (
            (probe["size1"], probe["size2"]),
            (word(probe["root1"]), word(probe["root2"])),
        )
        call = harness.functions.isExtendedBy(*sizes, *roots, proof)
    return bool(await call.call())


@pytest.mark.skipif(not VECTORS.is_dir(), reason=f"the vectors are absent: {VECTORS.name}")
async def test_the_library_agrees_with_all_public_vectors(harness: AsyncContract) -> None:
    paths = sorted(VECTORS.rglob("*.json"))
    assert len(paths) == 196
    wrong = []
    for path in paths:
        probe = json.loads(path.read_text())
        if await verdict(harness, probe) is probe["wantErr"]:
            wrong.append(str(path.relative_to(VECTORS)))
    assert wrong == []


async def test_every_inclusion_proof_of_small_trees_holds_and_no_other_index_does(
    harness: AsyncContract,
) -> None:
    for size in range(1, 18):
        tree = leaves(size)
        root = merkle.root(tree)
        for index in range(size):
            proof = merkle.inclusion_proof(tree, index)
            held = [
                other
                for other in range(size + 1)
                if await harness.functions.includes(other, size, tree[index], root, proof).call()
            ]
            assert held == [index]


async def test_every_consistency_proof_of_small_trees_holds(harness: AsyncContract) -> None:
    check = harness.functions.isExtendedBy
    for size in range(1, 18):
        tree = leaves(size)
        for old_size in range(1, size + 1):
            roots = merkle.root(tree[:old_size]), merkle.root(tree)
            proof = merkle.consistency_proof(tree, old_size)
            assert await check(old_size, size, *roots, proof).call()
            assert not await check(old_size, size, *roots, [*proof, bytes(32)]).call()
            assert not await check(old_size, size, *roots[::-1], proof).call() or old_size == size
            if proof:
                assert not await check(old_size, size, *roots, proof[:-1]).call()


async def test_a_root_that_storage_never_held_proves_nothing(harness: AsyncContract) -> None:
    zero = bytes(32)
    assert not await harness.functions.includes(0, 1, zero, zero, []).call()
    assert not await harness.functions.isExtendedBy(1, 1, zero, zero, []).call()


async def test_a_proof_in_a_larger_tree_is_none_for_a_smaller_size(harness: AsyncContract) -> None:
    """Without the check of each step's size, a path could go on past the top of the tree."""
    tree, extra = leaves(4), merkle.leaf_hash(b"extra")
    above = merkle.node_hash(extra, tree[0])
    assert not await harness.functions.includes(0, 1, tree[0], above, [extra]).call()
    roots = [merkle.node_hash(extra, merkle.root(tree[:size])) for size in (3, 4)]
    path = [*merkle.consistency_proof(tree, 3), extra]
    assert not await harness.functions.isExtendedBy(3, 4, *roots, path).call()


async def test_growth_from_the_empty_tree_is_no_proof(harness: AsyncContract) -> None:
    tree = leaves(3)
    roots = merkle.EMPTY_ROOT, merkle.root(tree)
    assert not await harness.functions.isExtendedBy(0, 3, *roots, []).call()
    assert not await harness.functions.isExtendedBy(0, 0, roots[0], roots[0], []).call()


async def test_leaf_hashes_equal_pythons(harness: AsyncContract) -> None:
    for entry in (b"", b"\x00", b"entry", bytes(65_535)):
        assert await harness.functions.leafHash(entry).call() == merkle.leaf_hash(entry)


FUZZ = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@FUZZ
@given(data=st.data())
async def test_solidity_and_python_agree_on_mutated_consistency_proofs(
    harness: AsyncContract, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, 80))
    old_size = data.draw(st.integers(1, size))
    tree = leaves(size)
    proof = mutate(data, merkle.consistency_proof(tree, old_size))
    claimed = old_size + data.draw(st.integers(-1, 1)), size + data.draw(st.integers(-1, 1))
    roots = merkle.root(tree[:old_size]), merkle.root(tree)
    found = await harness.functions.isExtendedBy(
        max(claimed[0], 0), claimed[1], *roots, proof
    ).call()
    try:
        merkle.verify_consistency(
            max(claimed[0], 0), claimed[1], proof, old_root=roots[0], root=roots[1]
        )
    except merkle.ProofError:
        assert not found
    else:
        assert found


@FUZZ
@given(data=st.data())
async def test_solidity_and_python_agree_on_mutated_inclusion_proofs(
    harness: AsyncContract, data: st.DataObject
) -> None:
    size = data.draw(st.integers(1, 80))
    index = data.draw(st.integers(0, size - 1))
    tree = leaves(size)
    proof = mutate(data, merkle.inclusion_proof(tree, index))
    claimed = max(index + data.draw(st.integers(-1, 1)), 0), size + data.draw(st.integers(-1, 1))
    root = merkle.root(tree)
    found = await harness.functions.includes(*claimed, tree[index], root, proof).call()
    try:
        merkle.verify_inclusion(tree[index], *claimed, proof, root=root)
    except merkle.ProofError:
        assert not found
    else:
        assert found


def mutate(data: st.DataObject, proof: list[bytes]) -> list[bytes]:
    """The proof, or one with a node changed, dropped, doubled or moved."""
    kind = data.draw(st.sampled_from(["none", "none", "flip", "drop", "double", "swap"]))
    if not proof or kind == "none":
        return proof
    at = data.draw(st.integers(0, len(proof) - 1))
    changed = list(proof)
    match kind:
        case "flip":
            bit = data.draw(st.integers(0, 255))
            changed[at] = (int.from_bytes(proof[at], "big") ^ (1 << bit)).to_bytes(32, "big")
        case "drop":
            del changed[at]
        case "double":
            changed.insert(at, proof[at])
        case _:
            changed[at], changed[-1] = changed[-1], changed[at]
    return changed
