"""Checkpoints, read strictly (C2SP tlog-checkpoint)."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.ledger import checkpoint as module
from dataexchange.ledger import note
from dataexchange.ledger.checkpoint import Checkpoint, CheckpointError
from dataexchange.ledger.merkle import EMPTY_ROOT
from dataexchange.ledger.note import Ed25519Signer, Ed25519Verifier, NoteError, VerifierKey

ORIGIN = "exchange.example/log"
ROOT = bytes(range(32))
LOG = Ed25519Signer(ORIGIN, b"\x01" * 32)
OTHER = Ed25519Signer("other.example", b"\x02" * 32)
CHECKPOINT = Checkpoint(ORIGIN, 20_852_163, ROOT)


def verifier_of(signer: note.Signer) -> Ed25519Verifier:
    return Ed25519Verifier(VerifierKey.parse(signer.vkey))


def test_the_text_is_origin_size_and_root() -> None:
    root = base64.b64encode(ROOT).decode()
    assert CHECKPOINT.text().decode() == f"{ORIGIN}\n20852163\n{root}\n"


@given(
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1),
    st.integers(1, 2**63 - 1),
    st.binary(min_size=32, max_size=32),
)
def test_a_checkpoint_survives_its_text(origin: str, size: int, root: bytes) -> None:
    checkpoint = Checkpoint(origin, size, root)
    assert Checkpoint.parse(checkpoint.text()) == checkpoint


def test_an_empty_log_has_a_checkpoint() -> None:
    empty = Checkpoint(ORIGIN, 0, EMPTY_ROOT)
    assert Checkpoint.parse(empty.text()) == empty


ENCODED = base64.b64encode(ROOT).decode()
URL_SAFE = base64.urlsafe_b64encode(b"\xff" * 32).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        f"{ORIGIN}\n1\n",
        f"{ORIGIN}\n1\n{ENCODED}",  # no newline at the end
        f"{ORIGIN}\n1\n{ENCODED}\n\n",
        f"{ORIGIN}\n1\n{ENCODED}\nan extension\n",
        f"\n1\n{ENCODED}\n",
        f"{ORIGIN}\n\n{ENCODED}\n",
        f"{ORIGIN}\n01\n{ENCODED}\n",
        f"{ORIGIN}\n+1\n{ENCODED}\n",
        f"{ORIGIN}\n-1\n{ENCODED}\n",
        f"{ORIGIN}\n 1\n{ENCODED}\n",
        f"{ORIGIN}\n1 \n{ENCODED}\n",
        f"{ORIGIN}\n1_0\n{ENCODED}\n",
        f"{ORIGIN}\n1.0\n{ENCODED}\n",
        f"{ORIGIN}\n0x1\n{ENCODED}\n",
        f"{ORIGIN}\n١\n{ENCODED}\n",  # an Arabic digit, which int() takes
        f"{ORIGIN}\n1١\n{ENCODED}\n",
        f"{ORIGIN}\n{2**63}\n{ENCODED}\n",
        f"{ORIGIN}\n{'9' * 5000}\n{ENCODED}\n",
        f"{ORIGIN}\n0\n{ENCODED}\n",  # nothing has this root
        f"{ORIGIN}\n1\n{ENCODED[:-1]}\n",
        f"{ORIGIN}\n1\n{ENCODED} \n",
        f"{ORIGIN}\n1\n{base64.b64encode(ROOT[:31]).decode()}\n",
        f"{ORIGIN}\n1\n{base64.b64encode(ROOT + b'0').decode()}\n",
        f"{ORIGIN}\n1\n{URL_SAFE}\n",
        f"{ORIGIN}\r\n1\r\n{ENCODED}\r\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(CheckpointError):
        Checkpoint.parse(text.encode())


def test_extension_lines_are_read_only_where_they_are_asked_for() -> None:
    extended = Checkpoint(ORIGIN, 7, ROOT, ("one", "two words"))
    assert Checkpoint.parse_extended(extended.text()) == extended
    assert Checkpoint.parse_extended(CHECKPOINT.text()) == CHECKPOINT
    with pytest.raises(CheckpointError):
        Checkpoint.parse(extended.text())
    for text in (extended.text() + b"\n", CHECKPOINT.text() + b"\nlate\n", extended.text()[:-1]):
        with pytest.raises(CheckpointError):
            Checkpoint.parse_extended(text)


def test_bytes_that_are_no_text_are_no_checkpoint() -> None:
    with pytest.raises(CheckpointError):
        Checkpoint.parse(b"\xff" + CHECKPOINT.text())


def test_a_signed_checkpoint_opens_with_the_logs_key() -> None:
    opened = module.open_checkpoint(module.sign_checkpoint(CHECKPOINT, LOG), verifier_of(LOG))
    assert opened.checkpoint == CHECKPOINT
    assert opened.note.text == CHECKPOINT.text()


def test_only_the_log_signs_for_its_origin() -> None:
    with pytest.raises(CheckpointError, match="does not sign"):
        module.sign_checkpoint(CHECKPOINT, OTHER)


def test_a_trusted_key_of_another_name_does_not_make_a_checkpoint() -> None:
    # The other log's key is good, and signs a checkpoint that bears this log's name.
    data = note.sign_note(CHECKPOINT.text(), [OTHER])
    with pytest.raises(CheckpointError, match="not of other"):
        module.open_checkpoint(data, verifier_of(OTHER))


def test_a_cosigner_does_not_stand_in_for_the_log() -> None:
    data = note.sign_note(CHECKPOINT.text(), [OTHER])
    with pytest.raises(CheckpointError, match="did not sign"):
        module.open_checkpoint(data, verifier_of(LOG), [verifier_of(OTHER)])


def test_a_checkpoint_that_the_log_did_not_sign_is_rejected() -> None:
    forged = module.sign_checkpoint(CHECKPOINT, LOG).replace(b"20852163", b"20852164")
    with pytest.raises(NoteError):
        module.open_checkpoint(forged, verifier_of(LOG))


def test_a_signed_text_that_is_no_checkpoint_is_rejected() -> None:
    data = note.sign_note(CHECKPOINT.text() + b"extension\n", [LOG])
    with pytest.raises(CheckpointError):
        module.open_checkpoint(data, verifier_of(LOG))
