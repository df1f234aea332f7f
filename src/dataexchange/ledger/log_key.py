"""The keys that sign a log's checkpoints: Ed25519 and, beside it, ML-DSA-44.

A log's key bears the log's name. Type 01 signs the text of the note; type 06 signs as a cosigner
does, stating no time (C2SP signed-note, tlog-cosignature). Both stand in one note, so a checkpoint
holds as long as either scheme does, for whoever asks for both.

A private key is one line, as Go's note tools write it:

    PRIVATE+KEY+name+hex(key id)+base64(type ‖ seed)
"""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from dataexchange.ledger.checkpoint import Checkpoint, CheckpointError
from dataexchange.ledger.cosignature import MLDSA44Signer, cosign, verifier_for
from dataexchange.ledger.note import (
    Ed25519Signer,
    Note,
    NoteError,
    Signature,
    SignatureType,
    Signer,
    VerifierKey,
    open_note,
    sign_text,
    signer_key,
)
from dataexchange.ledger.policy import LOG_TYPES
from dataexchange.ledger.signature import decode_base64

SEED_SIZE: Final = 32
NO_TIME: Final = 0

_PREFIX = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKey:
    """A note-signing key: its name, its type, and the 32-byte seed of either scheme."""

    name: str
    type: SignatureType
    seed: bytes

    @classmethod
    def generate(cls, name: str, signature_type: SignatureType) -> "PrivateKey":
        """Return a new key from the system's randomness."""
        return cls(name, signature_type, secrets.token_bytes(SEED_SIZE))

    @classmethod
    def parse(cls, text: str) -> "PrivateKey":
        """Return the key that a line is; `NoteError` otherwise, which never quotes it."""
        try:
            name, _, encoded = text.removeprefix(_PREFIX).split("+", 2)
            typed = decode_base64(encoded)
            key = cls(name, SignatureType(typed[0]), typed[1:])
            matches = key.encode() == text
        except (ValueError, IndexError, NoteError):
            raise NoteError("not a private key of a note, PRIVATE+KEY+…") from None
        if not matches:
            raise NoteError("a private key whose id or form is another's")
        return key

    def signer(self) -> Signer:
        """Return the signer with this key; `NoteError` where the name or seed is none."""
        if len(self.seed) != SEED_SIZE:
            raise NoteError("a private key has a seed of 32 bytes")
        if self.type is SignatureType.ML_DSA_44:
            return MLDSA44Signer(self.name, self.seed)
        return Ed25519Signer(self.name, self.seed, self.type)

    def encode(self) -> str:
        """Return the key as one line, without a newline."""
        key_id = signer_key(self.signer()).key_id.hex()
        secret = base64.b64encode(bytes([self.type]) + self.seed).decode()
        return f"{_PREFIX}{self.name}+{key_id}+{secret}"


def parse_log_key(vkey: str, origin: str) -> VerifierKey:
    """Return the key that `vkey` is; `NoteError` unless it can sign checkpoints of `origin`."""
    key = VerifierKey.parse(vkey)
    if key.type not in LOG_TYPES:
        raise NoteError(f"a key of type {key.type:02x} does not sign checkpoints")
    if key.name != origin:
        raise NoteError(f"the key is named {key.name}, the log {origin}")
    return key


def sign_by_all(checkpoint: Checkpoint, signers: Sequence[Signer]) -> bytes:
    """Return the note of `checkpoint`, signed by each of the log's keys."""
    signatures = tuple(_sign(checkpoint, signer) for signer in signers)
    return Note(checkpoint.text(), signatures).encode()


def require_signed_by(note: bytes, checkpoint: Checkpoint, keys: Sequence[VerifierKey]) -> None:
    """Raise `NoteError` unless `note` is `checkpoint` signed by each of `keys`, and no other."""
    opened = open_note(note, map(verifier_for, keys))
    parsed = Note.parse(note)
    named = {(one.name, one.key_id) for one in opened.signatures}
    if opened.text != checkpoint.text() or len(opened.signatures) != len(parsed.signatures):
        raise NoteError("the note is of another checkpoint, or signed by another key")
    if named != {(key.name, key.key_id) for key in keys}:
        raise NoteError("a key did not sign")


def _sign(checkpoint: Checkpoint, signer: Signer) -> Signature:
    if signer.name != checkpoint.origin:
        raise CheckpointError(f"{signer.name} does not sign for {checkpoint.origin}")
    if signer_key(signer).type is SignatureType.ML_DSA_44:
        return cosign(checkpoint, signer, NO_TIME)
    return sign_text(checkpoint.text(), signer)
