"""Proofs that stand alone, and everything that must not pass for one (C2SP tlog-proof)."""

import base64

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dataexchange.errors import IntegrityError
from dataexchange.ledger import cosignature, merkle, note
from dataexchange.ledger.checkpoint import Checkpoint, sign_checkpoint
from dataexchange.ledger.merkle import ProofError
from dataexchange.ledger.note import Ed25519Signer, NoteError, SignatureType
from dataexchange.ledger.policy import Policy, UnmetPolicyError
from dataexchange.ledger.proof import TlogProof, verify_entry

ORIGIN = "exchange.example/log"
LOG = Ed25519Signer(ORIGIN, b"\x01" * 32)
OTHER_LOG = Ed25519Signer("other.example/log", b"\x02" * 32)
WITNESS = Ed25519Signer("witness.example", b"\x03" * 32, SignatureType.COSIGNATURE)
POLICY = Policy.parse(
    f"log {LOG.vkey}\nlog {OTHER_LOG.vkey}\nwitness W {WITNESS.vkey}\nquorum W\n".encode()
)
ENTRIES = [b"entry %d" % index for index in range(100)]
LEAVES = [merkle.leaf_hash(entry) for entry in ENTRIES]


def checkpoint_of(size: int, log: Ed25519Signer = LOG) -> Checkpoint:
    return Checkpoint(log.name, size, merkle.root(LEAVES[:size]))


def signed(checkpoint: Checkpoint, log: Ed25519Signer = LOG) -> bytes:
    cosigned = cosignature.cosign(checkpoint, WITNESS, 5)
    return note.add_signatures(sign_checkpoint(checkpoint, log), [cosigned])


def proof_of(index: int, size: int, extra: bytes = b"") -> TlogProof:
    path = merkle.inclusion_proof(LEAVES[:size], index)
    return TlogProof(index, tuple(path), signed(checkpoint_of(size)), extra)


PROOF = proof_of(73, 100)
DATA = PROOF.encode()


@given(st.integers(1, 100), st.data())
def test_every_entry_is_proven_by_its_own_proof(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    encoded = proof_of(index, size).encode()
    proven = verify_entry(ENTRIES[index], encoded, POLICY, origin=ORIGIN)
    assert (proven.entry, proven.index) == (ENTRIES[index], index)
    assert proven.verified.checkpoint == checkpoint_of(size)
    assert proven.verified.cosigned_at_seconds == {"W": 5}


def test_a_proof_file_is_spelt_as_the_specification_spells_it() -> None:
    proof = proof_of(2, 3, b"out of band")
    (sibling,) = proof.path
    assert proof.encode() == (
        b"c2sp.org/tlog-proof@v1\n"
        b"extra " + base64.b64encode(b"out of band") + b"\n"
        b"index 2\n" + base64.b64encode(sibling) + b"\n"
        b"\n" + signed(checkpoint_of(3))
    )


def test_a_log_of_one_needs_no_path() -> None:
    encoded = proof_of(0, 1).encode()
    assert encoded.startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\nexchange.example/log\n1\n")
    verify_entry(ENTRIES[0], encoded, POLICY, origin=ORIGIN)


@given(
    st.integers(0, 2**63 - 2),
    st.lists(st.binary(min_size=32, max_size=32), max_size=63),
    st.binary(max_size=100),
)
def test_a_proof_survives_its_bytes(index: int, path: list[bytes], extra: bytes) -> None:
    proof = TlogProof(index, tuple(path), signed(checkpoint_of(3)), extra)
    assert TlogProof.parse(proof.encode()) == proof


def test_a_proof_proves_no_other_entry() -> None:
    # sigstore/cosign#4623: a proof that verifies, of an entry that is not the one in hand.
    for entry in (ENTRIES[72], b"", ENTRIES[73] + b" "):
        with pytest.raises(ProofError):
            verify_entry(entry, DATA, POLICY, origin=ORIGIN)


def test_an_inner_node_passes_for_no_entry() -> None:
    node = LEAVES[0] + LEAVES[1]
    path = merkle.inclusion_proof(LEAVES[:4], 0)[1:]
    forged = TlogProof(0, tuple(path), signed(checkpoint_of(4)))
    with pytest.raises(ProofError):
        verify_entry(node, forged.encode(), POLICY, origin=ORIGIN)


@given(st.integers(0, 200))
def test_a_proof_proves_no_other_index(index: int) -> None:
    assume(index != PROOF.index)
    moved = TlogProof(index, PROOF.path, PROOF.checkpoint)
    with pytest.raises(ProofError):
        verify_entry(ENTRIES[73], moved.encode(), POLICY, origin=ORIGIN)


@given(st.integers(1, 99))
def test_a_path_fits_no_checkpoint_of_another_size(size: int) -> None:
    moved = TlogProof(PROOF.index, PROOF.path, signed(checkpoint_of(size)))
    with pytest.raises(ProofError):
        verify_entry(ENTRIES[73], moved.encode(), POLICY, origin=ORIGIN)


def test_a_proof_from_another_trusted_log_is_not_one_from_this_log() -> None:
    # The policy believes both logs; whoever shows the proof does not get to choose which.
    other = TlogProof(73, PROOF.path, signed(checkpoint_of(100, OTHER_LOG), OTHER_LOG)).encode()
    verify_entry(ENTRIES[73], other, POLICY, origin=OTHER_LOG.name)
    with pytest.raises(UnmetPolicyError, match="not of exchange"):
        verify_entry(ENTRIES[73], other, POLICY, origin=ORIGIN)


def test_a_checkpoint_without_its_witness_proves_nothing() -> None:
    alone = TlogProof(73, PROOF.path, sign_checkpoint(checkpoint_of(100), LOG))
    with pytest.raises(UnmetPolicyError, match="quorum"):
        verify_entry(ENTRIES[73], alone.encode(), POLICY, origin=ORIGIN)


def test_a_checkpoint_without_its_log_proves_nothing() -> None:
    cosigned = cosignature.cosign(checkpoint_of(100), WITNESS, 5)
    unsigned = note.Note(checkpoint_of(100).text(), (cosigned,)).encode()
    with pytest.raises(UnmetPolicyError, match="no key of the policy"):
        verify_entry(
            ENTRIES[73], TlogProof(73, PROOF.path, unsigned).encode(), POLICY, origin=ORIGIN
        )


def test_a_root_that_the_log_did_not_sign_proves_nothing() -> None:
    root = merkle.root([merkle.leaf_hash(b"forged")])
    signatures = PROOF.checkpoint.partition(b"\n\n")[2]
    forged = Checkpoint(ORIGIN, 1, root).text() + b"\n" + signatures
    with pytest.raises(NoteError, match="does not verify"):
        verify_entry(b"forged", TlogProof(0, (), forged).encode(), POLICY, origin=ORIGIN)


@given(st.integers(0, len(DATA) * 8 - 1))
def test_no_flipped_bit_leaves_a_proof_that_verifies(bit: int) -> None:
    changed = bytearray(DATA)
    changed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(IntegrityError):
        verify_entry(ENTRIES[73], bytes(changed), POLICY, origin=ORIGIN)


@given(st.integers(0, len(DATA) - 1))
def test_no_shortened_proof_verifies(cut: int) -> None:
    with pytest.raises(IntegrityError):
        verify_entry(ENTRIES[73], DATA[:cut], POLICY, origin=ORIGIN)


def test_extra_data_is_carried_and_proves_nothing() -> None:
    for extra in (b"one", b"another"):
        encoded = TlogProof(73, PROOF.path, PROOF.checkpoint, extra).encode()
        assert TlogProof.parse(encoded).extra == extra
        proven = verify_entry(ENTRIES[73], encoded, POLICY, origin=ORIGIN)
        assert not hasattr(proven, "extra")


HEAD = b"c2sp.org/tlog-proof@v1\n"
HASH = base64.b64encode(LEAVES[0])
REST = b"\n" + PROOF.checkpoint


@pytest.mark.parametrize(
    "data",
    [
        b"",
        HEAD,
        HEAD + b"index 0\n",
        HEAD + b"index 0",
        HEAD + REST,
        b"c2sp.org/tlog-proof@v2\nindex 0\n" + REST,
        b"\n" + HEAD + b"index 0\n" + REST,
        b" " + HEAD + b"index 0\n" + REST,
        b"index 0\n" + REST,
        HEAD + b"index\n" + REST,
        HEAD + b"index \n" + REST,
        HEAD + b"index  0\n" + REST,
        HEAD + b"index 0 \n" + REST,
        HEAD + b"index 00\n" + REST,
        HEAD + b"index 01\n" + REST,
        HEAD + b"index -1\n" + REST,
        HEAD + b"index +1\n" + REST,
        HEAD + b"index 1_0\n" + REST,
        HEAD + "index ١\n".encode() + REST,
        HEAD + b"index 9223372036854775807\n" + REST,
        HEAD + b"index " + b"9" * 5_000 + b"\n" + REST,
        HEAD + b"Index 0\n" + REST,
        HEAD + b"index 0\nindex 0\n" + REST,
        HEAD + b"index 0\nextra YQ==\n" + REST,
        HEAD + b"extra YQ==\nextra YQ==\nindex 0\n" + REST,
        HEAD + b"extra YQ==\n" + REST,
        HEAD + b"extra \nindex 0\n" + REST,
        HEAD + b"extra\nindex 0\n" + REST,
        HEAD + b"extra YQ\nindex 0\n" + REST,
        HEAD + b"extra YR==\nindex 0\n" + REST,
        HEAD + b"extra " + base64.b64encode(bytes(65_536)) + b"\nindex 0\n" + REST,
        HEAD + b"index 0\n" + HASH[:-1] + b"\n" + REST,
        HEAD + b"index 0\n" + HASH + b" \n" + REST,
        HEAD + b"index 0\n " + HASH + b"\n" + REST,
        HEAD + b"index 0\n" + base64.b64encode(LEAVES[0][:-1]) + b"\n" + REST,
        HEAD + b"index 0\n" + base64.b64encode(LEAVES[0] + b"0") + b"\n" + REST,
        HEAD + b"index 0\n" + (HASH + b"\n") * 64 + REST,
        HEAD.replace(b"\n", b"\r\n") + b"index 0\r\n" + REST,
        HEAD + b"index 0\n" + REST + b"a" * 2_000_000,
    ],
)
def test_what_is_no_proof_is_refused(data: bytes) -> None:
    with pytest.raises(ProofError):
        TlogProof.parse(data)


def test_a_proof_is_not_made_of_what_cannot_be_written() -> None:
    for index, path in ((-1, ()), (2**63, ()), (0, (b"short",)), (0, (bytes(32),) * 64)):
        with pytest.raises(ProofError):
            TlogProof(index, path, PROOF.checkpoint)
