"""The Merkle tree against RFC 9162 and the transparency-dev probes."""

import base64
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dataexchange.ledger import merkle
from dataexchange.ledger.merkle import Frontier, ProofError

PROBES = Path(__file__).parents[2] / ".." / "shared" / "vectors" / "merkle"
SIZE_MAX = 130


def leaves(size: int) -> list[bytes]:
    return [merkle.leaf_hash(b"entry %d" % index) for index in range(size)]


LEAVES = leaves(SIZE_MAX)
ROOTS = [merkle.root(LEAVES[:size]) for size in range(SIZE_MAX + 1)]


def defined_root(leaf_hashes: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, as it is defined."""
    size = len(leaf_hashes)
    if size == 0:
        return sha256(b"").digest()
    if size == 1:
        return leaf_hashes[0]
    split = 1 << ((size - 1).bit_length() - 1)
    left, right = defined_root(leaf_hashes[:split]), defined_root(leaf_hashes[split:])
    return sha256(b"\x01" + left + right).digest()


def defined_path(leaf_hashes: list[bytes], index: int) -> list[bytes]:
    """PATH of RFC 9162 section 2.1.3.1."""
    size = len(leaf_hashes)
    if size == 1:
        return []
    split = 1 << ((size - 1).bit_length() - 1)
    left, right = leaf_hashes[:split], leaf_hashes[split:]
    if index < split:
        return [*defined_path(left, index), defined_root(right)]
    return [*defined_path(right, index - split), defined_root(left)]


def defined_subproof(leaf_hashes: list[bytes], old: int, *, known: bool) -> list[bytes]:
    """SUBPROOF of RFC 9162 section 2.1.4.1."""
    size = len(leaf_hashes)
    if old == size:
        return [] if known else [defined_root(leaf_hashes)]
    split = 1 << ((size - 1).bit_length() - 1)
    left, right = leaf_hashes[:split], leaf_hashes[split:]
    if old <= split:
        return [*defined_subproof(left, old, known=known), defined_root(right)]
    return [*defined_subproof(right, old - split, known=False), defined_root(left)]


def probes(kind: str) -> list[Any]:
    found = sorted((PROBES / kind).rglob("*.json"))
    return [
        pytest.param(json.loads(path.read_text()), id=f"{path.parent.name}/{path.stem}")
        for path in found
    ] or [
        pytest.param(None, marks=pytest.mark.skip(reason=f"no probes beside the project: {kind}"))
    ]


def decoded(text: str) -> bytes:
    return base64.b64decode(text)


def decoded_path(probe: dict[str, Any]) -> list[bytes]:
    return [decoded(text) for text in probe["proof"] or []]


@pytest.mark.parametrize("probe", probes("inclusion"))
def test_the_inclusion_probes_are_decided_as_transparency_dev_decides_them(
    probe: dict[str, Any],
) -> None:
    def verify() -> None:
        merkle.verify_inclusion(
            decoded(probe["leafHash"]),
            probe["leafIdx"],
            probe["treeSize"],
            decoded_path(probe),
            root=decoded(probe["root"]),
        )

    if probe["wantErr"]:
        with pytest.raises(ProofError):
            verify()
    else:
        verify()


@pytest.mark.parametrize("probe", probes("consistency"))
def test_the_consistency_probes_are_decided_as_transparency_dev_decides_them(
    probe: dict[str, Any],
) -> None:
    def verify() -> None:
        merkle.verify_consistency(
            probe["size1"],
            probe["size2"],
            decoded_path(probe),
            old_root=decoded(probe["root1"]),
            root=decoded(probe["root2"]),
        )

    if probe["wantErr"]:
        with pytest.raises(ProofError):
            verify()
    else:
        verify()


def test_all_196_probes_are_there_when_any_is() -> None:
    if not PROBES.is_dir():
        pytest.skip("no probes beside the project")
    assert sum(1 for _ in PROBES.rglob("*.json")) == 196


def test_hashes_carry_the_prefixes_that_keep_leaves_and_nodes_apart() -> None:
    # The hash of an empty leaf, as every RFC 6962 log has it.
    assert merkle.leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    left, right = LEAVES[:2]
    assert merkle.node_hash(left, right) == sha256(b"\x01" + left + right).digest()
    assert merkle.node_hash(left, right) != merkle.leaf_hash(left + right)


def test_the_root_is_as_rfc_9162_defines_it_for_every_small_size() -> None:
    for size in range(SIZE_MAX + 1):
        assert ROOTS[size] == defined_root(LEAVES[:size])


def test_repeating_the_last_leaf_makes_another_root() -> None:
    # CVE-2012-2459: where an odd last node is paired with itself these are equal.
    assert merkle.root(LEAVES[:3]) != merkle.root([*LEAVES[:3], LEAVES[2]])


def test_every_leaf_of_every_small_tree_is_proved_and_verified() -> None:
    for size in range(1, SIZE_MAX + 1):
        for index in range(size):
            path = merkle.inclusion_proof(LEAVES[:size], index)
            merkle.verify_inclusion(LEAVES[index], index, size, path, root=ROOTS[size])


def test_every_growth_of_every_small_tree_is_proved_and_verified() -> None:
    for size in range(1, SIZE_MAX + 1):
        for old in range(1, size + 1):
            proof = merkle.consistency_proof(LEAVES[:size], old)
            merkle.verify_consistency(old, size, proof, old_root=ROOTS[old], root=ROOTS[size])


def test_proofs_are_as_rfc_9162_defines_them() -> None:
    for size in range(1, 40):
        tree = LEAVES[:size]
        for index in range(size):
            assert merkle.inclusion_proof(tree, index) == defined_path(tree, index)
        for old in range(1, size + 1):
            expected = defined_subproof(tree, old, known=True)
            assert merkle.consistency_proof(tree, old) == expected


@st.composite
def inclusion_cases(draw: st.DrawFn) -> tuple[int, int, list[bytes]]:
    size = draw(st.integers(1, SIZE_MAX))
    index = draw(st.integers(0, size - 1))
    return size, index, merkle.inclusion_proof(LEAVES[:size], index)


@given(inclusion_cases(), st.data())
def test_no_changed_path_verifies(case: tuple[int, int, list[bytes]], data: st.DataObject) -> None:
    size, index, path = case
    changed = data.draw(changed_hashes(path))
    with pytest.raises(ProofError):
        merkle.verify_inclusion(LEAVES[index], index, size, changed, root=ROOTS[size])


@given(inclusion_cases(), st.integers(0, SIZE_MAX))
def test_no_other_leaf_verifies_at_an_index(case: tuple[int, int, list[bytes]], other: int) -> None:
    size, index, path = case
    leaf = merkle.leaf_hash(b"entry %d" % (index + 1 + other))
    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaf, index, size, path, root=ROOTS[size])


@given(inclusion_cases(), st.integers(-2, SIZE_MAX + 2))
def test_no_other_index_verifies_with_a_path(
    case: tuple[int, int, list[bytes]], other: int
) -> None:
    size, index, path = case
    assume(other != index)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(LEAVES[index], other, size, path, root=ROOTS[size])


@st.composite
def consistency_cases(draw: st.DrawFn) -> tuple[int, int, list[bytes]]:
    size = draw(st.integers(2, SIZE_MAX))
    old = draw(st.integers(1, size - 1))
    return old, size, merkle.consistency_proof(LEAVES[:size], old)


@given(consistency_cases(), st.data())
def test_no_changed_consistency_proof_verifies(
    case: tuple[int, int, list[bytes]], data: st.DataObject
) -> None:
    old, size, proof = case
    changed = data.draw(changed_hashes(proof))
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, size, changed, old_root=ROOTS[old], root=ROOTS[size])


@given(consistency_cases(), st.integers(0, SIZE_MAX), st.booleans())
def test_no_other_root_is_consistent(
    case: tuple[int, int, list[bytes]], other: int, change_old: bool
) -> None:
    old, size, proof = case
    assume(other != (old if change_old else size))
    old_root = ROOTS[other if change_old else old]
    root = ROOTS[size if change_old else other]
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, size, proof, old_root=old_root, root=root)


def changed_hashes(path: list[bytes]) -> st.SearchStrategy[list[bytes]]:
    """Every way to spoil a list of hashes: a flipped bit, one more, one fewer, two swapped."""
    more = st.integers(0, len(path)).map(lambda at: [*path[:at], LEAVES[0], *path[at:]])
    if not path:
        return more
    at = st.integers(0, len(path) - 1)
    flipped = st.tuples(at, st.integers(0, 255)).map(lambda spot: flip(path, *spot))
    fewer = at.map(lambda gone: path[:gone] + path[gone + 1 :])
    shorter = at.map(lambda cut: [*path[:cut], path[cut][:-1], *path[cut + 1 :]])
    spoilt = [flipped, fewer, shorter, more]
    if len(path) > 1:
        spoilt.append(st.just([path[1], path[0], *path[2:]]))
    return st.one_of(spoilt)


def flip(path: list[bytes], at: int, bit: int) -> list[bytes]:
    changed = bytearray(path[at])
    changed[bit // 8] ^= 1 << bit % 8
    return [*path[:at], bytes(changed), *path[at + 1 :]]


def test_hashes_of_other_lengths_are_refused_though_their_bytes_join_alike() -> None:
    left, right = LEAVES[:2]
    root = merkle.node_hash(left, right)
    with pytest.raises(ProofError, match="32 bytes"):
        merkle.root_from_inclusion(left + right[:1], 0, 2, [right[1:]])
    merkle.verify_inclusion(left, 0, 2, [right], root=root)


@given(inclusion_cases(), st.data())
def test_a_path_of_another_length_leads_to_no_root_at_all(
    case: tuple[int, int, list[bytes]], data: st.DataObject
) -> None:
    # Not even to the inner node that a shorter path would reach.
    size, index, path = case
    with pytest.raises(ProofError, match="too long"):
        merkle.root_from_inclusion(LEAVES[index], index, size, [*path, LEAVES[0]])
    if path:
        cut = data.draw(st.integers(0, len(path) - 1))
        with pytest.raises(ProofError, match="too short"):
            merkle.root_from_inclusion(LEAVES[index], index, size, path[:cut])


@given(consistency_cases(), st.data())
def test_a_consistency_proof_of_another_length_is_refused_for_its_length(
    case: tuple[int, int, list[bytes]], data: st.DataObject
) -> None:
    old, size, proof = case
    roots = {"old_root": ROOTS[old], "root": ROOTS[size]}
    with pytest.raises(ProofError, match="too long"):
        merkle.verify_consistency(old, size, [*proof, LEAVES[0]], **roots)
    cut = data.draw(st.integers(0, len(proof) - 1))
    with pytest.raises(ProofError, match="too short"):
        merkle.verify_consistency(old, size, proof[:cut], **roots)


@pytest.mark.parametrize("size", [0, 1, 7])
def test_trees_of_one_size_are_consistent_when_equal_and_unproved(size: int) -> None:
    merkle.verify_consistency(size, size, [], old_root=ROOTS[size], root=ROOTS[size])
    with pytest.raises(ProofError, match="no proof"):
        merkle.verify_consistency(size, size, [ROOTS[size]], old_root=ROOTS[size], root=ROOTS[size])
    with pytest.raises(ProofError, match="differ"):
        merkle.verify_consistency(size, size, [], old_root=ROOTS[size], root=ROOTS[8])


def test_an_empty_tree_has_no_other_root() -> None:
    with pytest.raises(ProofError):
        merkle.verify_consistency(0, 0, [], old_root=ROOTS[8], root=ROOTS[8])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 5), (5, 5), (0, -1)])
def test_a_leaf_outside_the_tree_has_no_proof(index: int, size: int) -> None:
    with pytest.raises(ProofError):
        merkle.inclusion_ranges(index, size)
    with pytest.raises(ProofError):
        merkle.root_from_inclusion(LEAVES[0], index, size, [])


@pytest.mark.parametrize(("old", "size"), [(-1, 4), (5, 4), (1, 0)])
def test_a_tree_cannot_shrink(old: int, size: int) -> None:
    with pytest.raises(ProofError):
        merkle.consistency_ranges(old, size)
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, size, [], old_root=LEAVES[0], root=LEAVES[0])


def test_an_empty_tree_is_consistent_with_itself_and_proves_nothing_else() -> None:
    empty = merkle.EMPTY_ROOT
    merkle.verify_consistency(0, 0, [], old_root=empty, root=empty)
    assert merkle.consistency_proof(LEAVES[:7], 0) == []
    with pytest.raises(ProofError):
        merkle.verify_consistency(0, 7, [], old_root=empty, root=ROOTS[7])


@given(st.integers(0, SIZE_MAX), st.lists(st.integers(0, 40), max_size=5))
def test_the_frontier_has_the_root_of_its_leaves_however_they_came(
    size: int, cuts: list[int]
) -> None:
    frontier, done = Frontier(), 0
    for cut in [*cuts, size]:
        upto = min(size, done + cut)
        frontier, done = frontier.extend(LEAVES[done:upto]), upto
    frontier = frontier.extend(LEAVES[done:size])
    assert frontier.size == size
    assert frontier.root() == ROOTS[size]


def test_appending_one_by_one_reaches_every_root() -> None:
    frontier = Frontier()
    for index, leaf in enumerate(LEAVES):
        assert frontier.root() == ROOTS[index]
        frontier = frontier.append(leaf)
    assert frontier.root() == ROOTS[SIZE_MAX]


@given(st.integers(0, SIZE_MAX))
def test_a_frontier_survives_its_bytes(size: int) -> None:
    frontier = Frontier().extend(LEAVES[:size])
    assert Frontier.from_bytes(frontier.to_bytes()) == frontier


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 7,
        b"\0" * 9,
        b"\0" * 40,  # a subtree that the size does not have
        (3).to_bytes(8, "big") + LEAVES[0],
        (1).to_bytes(8, "big") + LEAVES[0][:-1],
        (2**63).to_bytes(8, "big") + LEAVES[0],
    ],
)
def test_bytes_that_are_no_frontier_are_refused(data: bytes) -> None:
    with pytest.raises(ProofError):
        Frontier.from_bytes(data)


def test_a_frontier_refuses_what_is_not_a_hash() -> None:
    with pytest.raises(ProofError, match="32 bytes"):
        Frontier().append(b"an entry instead of its hash")
    with pytest.raises(ProofError, match="32 bytes"):
        Frontier(1, (b"short",))
