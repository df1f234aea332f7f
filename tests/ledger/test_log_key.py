"""The log's keys: dual signatures, files in the form of Go's note tools, public vectors."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

import wycheproof
from dataexchange.ledger import merkle
from dataexchange.ledger.checkpoint import Checkpoint, CheckpointError, sign_checkpoint
from dataexchange.ledger.cosignature import cosigned_at_seconds, verifier_for
from dataexchange.ledger.log_key import (
    PrivateKey,
    parse_log_key,
    require_signed_by,
    sign_by_all,
)
from dataexchange.ledger.note import Note, NoteError, SignatureType, VerifierKey, open_note

ORIGIN = "exchange.example/log"
CHECKPOINT = Checkpoint(ORIGIN, 7, bytes(range(32)))
ED25519 = PrivateKey(ORIGIN, SignatureType.ED25519, b"\x01" * 32)
ML_DSA = PrivateKey(ORIGIN, SignatureType.ML_DSA_44, b"\x02" * 32)
SIGNERS = [ED25519.signer(), ML_DSA.signer()]
KEYS = [VerifierKey.parse(signer.vkey) for signer in SIGNERS]
BOTH = sign_by_all(CHECKPOINT, SIGNERS)


def test_a_checkpoint_bears_both_signatures_and_each_verifies_alone() -> None:
    for key in KEYS:
        assert len(open_note(BOTH, [verifier_for(key)]).signatures) == 1
    assert len(open_note(BOTH, map(verifier_for, KEYS)).signatures) == 2
    require_signed_by(BOTH, CHECKPOINT, KEYS)


def test_the_ed25519_line_is_what_a_plain_client_expects() -> None:
    first, second = BOTH.decode().splitlines()[-2:]
    assert sign_checkpoint(CHECKPOINT, SIGNERS[0]).decode().endswith(f"\n{first}\n")
    assert first.split(" ")[1] == second.split(" ")[1] == ORIGIN


def test_the_ml_dsa_signature_states_no_time_and_has_its_length() -> None:
    (_, quantum) = Note.parse(BOTH).signatures
    assert cosigned_at_seconds(quantum) == 0
    assert len(quantum.value) == 8 + 2_420


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_changed_bit_of_either_signature_verifies(data: st.DataObject) -> None:
    parsed = Note.parse(BOTH)
    at = data.draw(st.integers(0, 1))
    signature = parsed.signatures[at]
    value = bytearray(signature.value)
    bit = data.draw(st.integers(0, len(value) * 8 - 1))
    value[bit // 8] ^= 1 << bit % 8
    changed = type(signature)(signature.name, signature.key_id, bytes(value))
    spoilt = Note(parsed.text, (*parsed.signatures[:at], changed, *parsed.signatures[at + 1 :]))
    with pytest.raises(NoteError):
        open_note(spoilt.encode(), map(verifier_for, KEYS))


def test_what_a_signer_returns_is_checked_whole() -> None:
    other = Checkpoint(ORIGIN, 8, CHECKPOINT.root)
    stranger = PrivateKey(ORIGIN, SignatureType.ED25519, b"\x03" * 32).signer()
    for note in (
        sign_by_all(other, SIGNERS),
        sign_by_all(CHECKPOINT, SIGNERS[:1]),
        sign_by_all(CHECKPOINT, [*SIGNERS, stranger]),
    ):
        with pytest.raises(NoteError):
            require_signed_by(note, CHECKPOINT, KEYS)


def test_a_key_signs_for_the_log_of_its_name_only() -> None:
    empty = Checkpoint("other.example", 0, merkle.EMPTY_ROOT)
    for signer in SIGNERS:
        with pytest.raises(CheckpointError):
            sign_by_all(empty, [signer])


@given(st.binary(min_size=32, max_size=32), st.sampled_from(list(SignatureType)))
@settings(max_examples=30, deadline=None)
def test_a_private_key_is_read_back_from_its_line(seed: bytes, kind: SignatureType) -> None:
    key = PrivateKey("交易所.example/日志", kind, seed)
    again = PrivateKey.parse(key.encode())
    assert again == key
    assert VerifierKey.parse(again.signer().vkey).type is kind
    assert seed.hex() not in repr(key)


def test_the_line_is_that_of_gos_note_tools() -> None:
    """The example key of golang.org/x/mod/sumdb/note."""
    line = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    key = PrivateKey.parse(line)
    assert key.signer().vkey == vkey
    assert key.encode() == line


@pytest.mark.parametrize(
    "line",
    [
        "",
        "PRIVATE+KEY+",
        ED25519.encode().replace("PRIVATE+KEY+", "", 1),
        ED25519.encode() + "\n",
        ED25519.encode()[:-4],
        ED25519.encode().replace(ORIGIN, "other.example"),
        "PRIVATE+KEY+a+00000000+" + "A" * 44,
        "00" * 32,
    ],
)
def test_what_is_no_private_key_is_refused_and_not_quoted(line: str) -> None:
    with pytest.raises(NoteError) as caught:
        PrivateKey.parse(line)
    assert caught.value.__cause__ is None
    assert len(line) < 30 or line[-20:] not in str(caught.value)


def test_a_key_of_another_name_or_type_is_no_log_key() -> None:
    cosigner = PrivateKey(ORIGIN, SignatureType.COSIGNATURE, bytes(32)).signer()
    for vkey, origin in ((SIGNERS[0].vkey, "other"), (cosigner.vkey, ORIGIN), ("x", ORIGIN)):
        with pytest.raises(NoteError):
            parse_log_key(vkey, origin)
    assert parse_log_key(SIGNERS[1].vkey, ORIGIN) == KEYS[1]


def test_ml_dsa_44_meets_wycheproof() -> None:
    judged = 0
    for group, test in wycheproof.cases("mldsa_44_verify_test"):
        try:
            key = MLDSA44PublicKey.from_public_bytes(bytes.fromhex(group["publicKey"]))
            key.verify(
                bytes.fromhex(test["sig"]),
                bytes.fromhex(test["msg"]),
                bytes.fromhex(test.get("ctx", "")),
            )
            accepted = True
        except (InvalidSignature, ValueError):
            accepted = False
        assert accepted == (test["result"] == "valid"), test["comment"]
        judged += 1
    assert judged >= 150
