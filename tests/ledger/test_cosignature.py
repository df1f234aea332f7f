"""Cosignatures of witnesses, types 04 and 06 (C2SP tlog-cosignature)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.ledger import cosignature, note
from dataexchange.ledger.checkpoint import Checkpoint, CheckpointError, sign_checkpoint
from dataexchange.ledger.cosignature import CosignatureVerifier, MLDSA44Signer
from dataexchange.ledger.merkle import EMPTY_ROOT
from dataexchange.ledger.note import Ed25519Signer, NoteError, Signature, SignatureType, VerifierKey

ORIGIN = "example.com/behind-the-sofa"
TIME_SECONDS = 1_679_315_147
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, bytes(range(32)))
LOG = Ed25519Signer(ORIGIN, b"\x01" * 32)
WITNESS = Ed25519Signer("witness.example/w1", b"\x02" * 32, SignatureType.COSIGNATURE)
QUANTUM = MLDSA44Signer("witness.example/w2", b"\x03" * 32)
WITNESSES = pytest.mark.parametrize("witness", [WITNESS, QUANTUM], ids=["ed25519", "ml-dsa-44"])


def key_of(signer: note.Signer) -> VerifierKey:
    return VerifierKey.parse(signer.vkey)


def verifier_of(signer: note.Signer) -> note.Verifier:
    return cosignature.verifier_for(key_of(signer))


def test_an_ed25519_cosignature_signs_two_lines_above_the_text() -> None:
    signature = cosignature.cosign(CHECKPOINT, WITNESS, TIME_SECONDS)
    message = b"cosignature/v1\ntime 1679315147\n" + CHECKPOINT.text()
    assert signature.value == TIME_SECONDS.to_bytes(8, "big") + WITNESS.sign(message)
    assert signature.key_id == key_of(WITNESS).key_id


def test_an_ml_dsa_44_cosignature_signs_a_structure_that_names_the_cosigner() -> None:
    class Recorder:
        name, vkey = QUANTUM.name, QUANTUM.vkey
        message = b""

        def sign(self, message: bytes) -> bytes:
            self.message = message
            return QUANTUM.sign(message)

    recorder = Recorder()
    cosignature.cosign(CHECKPOINT, recorder, TIME_SECONDS)
    assert recorder.message == (
        b"subtree/v1\n\0"
        + bytes([18])
        + b"witness.example/w2"
        + TIME_SECONDS.to_bytes(8, "big")
        + bytes([27])
        + b"example.com/behind-the-sofa"
        + bytes(8)
        + (20_852_163).to_bytes(8, "big")
        + bytes(range(32))
    )


@WITNESSES
def test_a_cosigned_checkpoint_opens_with_the_logs_and_the_witness_key(
    witness: note.Signer,
) -> None:
    signature = cosignature.cosign(CHECKPOINT, witness, TIME_SECONDS)
    data = note.add_signatures(sign_checkpoint(CHECKPOINT, LOG), [signature])
    opened = note.open_note(data, [verifier_of(LOG), verifier_of(witness)])
    assert [one.name for one in opened.signatures] == [ORIGIN, witness.name]
    assert cosignature.cosigned_at_seconds(opened.signatures[1]) == TIME_SECONDS


@WITNESSES
@pytest.mark.parametrize(
    "other",
    [
        Checkpoint("example.com/another", CHECKPOINT.size, CHECKPOINT.root),
        Checkpoint(ORIGIN, CHECKPOINT.size + 1, CHECKPOINT.root),
        Checkpoint(ORIGIN, CHECKPOINT.size, bytes(32)),
        Checkpoint(ORIGIN, 0, EMPTY_ROOT),
    ],
)
def test_a_cosignature_fits_no_other_checkpoint(witness: note.Signer, other: Checkpoint) -> None:
    value = cosignature.cosign(CHECKPOINT, witness, TIME_SECONDS).value
    assert verifier_of(witness).verify(CHECKPOINT.text(), value)
    assert not verifier_of(witness).verify(other.text(), value)


@WITNESSES
@given(data=st.data())
def test_no_changed_cosignature_verifies(witness: note.Signer, data: st.DataObject) -> None:
    value = bytearray(cosignature.cosign(CHECKPOINT, witness, TIME_SECONDS).value)
    bit = data.draw(st.integers(0, len(value) * 8 - 1))
    value[bit // 8] ^= 1 << bit % 8
    assert not verifier_of(witness).verify(CHECKPOINT.text(), bytes(value))


@WITNESSES
@pytest.mark.parametrize("cut", [0, 7, 8, 9, -1])
def test_a_shortened_cosignature_does_not_verify(witness: note.Signer, cut: int) -> None:
    value = cosignature.cosign(CHECKPOINT, witness, TIME_SECONDS).value
    assert not verifier_of(witness).verify(CHECKPOINT.text(), value[:cut])
    assert not verifier_of(witness).verify(CHECKPOINT.text(), value + b"\0")


def test_an_ml_dsa_44_cosignature_binds_the_cosigners_name() -> None:
    value = cosignature.cosign(CHECKPOINT, QUANTUM, TIME_SECONDS).value
    renamed = VerifierKey("another.example", SignatureType.ML_DSA_44, key_of(QUANTUM).public)
    assert not CosignatureVerifier(renamed).verify(CHECKPOINT.text(), value)


@WITNESSES
def test_a_text_that_is_no_checkpoint_is_not_cosigned(witness: note.Signer) -> None:
    value = cosignature.cosign(CHECKPOINT, witness, TIME_SECONDS).value
    assert not verifier_of(witness).verify(CHECKPOINT.text() + b"\nextension\n", value)
    message = b"cosignature/v1\ntime 5\nno checkpoint\n"
    value = (5).to_bytes(8, "big") + witness.sign(message)
    assert not verifier_of(witness).verify(b"no checkpoint\n", value)


def test_a_plain_signature_of_the_key_is_no_cosignature() -> None:
    value = TIME_SECONDS.to_bytes(8, "big") + WITNESS.sign(CHECKPOINT.text())
    assert not verifier_of(WITNESS).verify(CHECKPOINT.text(), value)


@pytest.mark.parametrize("time_seconds", [-1, 2**63, 2**64])
@WITNESSES
def test_a_time_beyond_posix_is_refused(witness: note.Signer, time_seconds: int) -> None:
    with pytest.raises(NoteError):
        cosignature.cosign(CHECKPOINT, witness, time_seconds)


def test_a_cosignature_that_states_a_time_beyond_posix_does_not_verify() -> None:
    time = 2**63
    message = b"cosignature/v1\ntime %d\n" % time + CHECKPOINT.text()
    value = time.to_bytes(8, "big") + WITNESS.sign(message)
    assert not verifier_of(WITNESS).verify(CHECKPOINT.text(), value)


def test_a_name_too_long_for_the_structure_is_refused() -> None:
    long = Checkpoint("o" * 256, 1, bytes(32))
    with pytest.raises(CheckpointError, match="255"):
        cosignature.cosign(long, QUANTUM, TIME_SECONDS)


def test_a_logs_plain_key_does_not_cosign() -> None:
    with pytest.raises(NoteError, match="04 or 06"):
        cosignature.cosign(CHECKPOINT, LOG, TIME_SECONDS)
    with pytest.raises(NoteError, match="04 or 06"):
        CosignatureVerifier(key_of(LOG))


def test_a_faulty_signers_cosignature_never_goes_out() -> None:
    class Faulty:
        name, vkey = WITNESS.name, WITNESS.vkey

        def sign(self, message: bytes) -> bytes:
            return WITNESS.sign(message + b" ")

    with pytest.raises(NoteError, match="not its key's"):
        cosignature.cosign(CHECKPOINT, Faulty(), TIME_SECONDS)


def test_a_signature_too_short_for_a_time_states_none() -> None:
    with pytest.raises(NoteError):
        cosignature.cosigned_at_seconds(Signature("w.example", b"abcd", bytes(8)))
