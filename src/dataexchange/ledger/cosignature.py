"""Cosignatures: a witness's word that a checkpoint continues all it saw (C2SP tlog-cosignature).

A cosignature is a note signature over more than the note's text: its value is
`u64 time ‖ signature`, and what is signed is, for Ed25519 (type 04), two lines above the text and,
for ML-DSA-44 (type 06), a structure that also names the cosigner; extension lines of the checkpoint
are part of the first and not of the second. Time is POSIX seconds and given by the caller; 0 in
type 06 makes no statement about time.
"""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from dataexchange.ledger.checkpoint import Checkpoint, CheckpointError
from dataexchange.ledger.note import (
    Ed25519Verifier,
    NoteError,
    Signature,
    SignatureType,
    Signer,
    Verifier,
    VerifierKey,
    signer_key,
)
from dataexchange.ledger.suites.ed25519 import verify_ed25519

TIME_SECONDS_MAX: Final = 2**63 - 1
COSIGNATURE_TYPES: Final = (SignatureType.COSIGNATURE, SignatureType.ML_DSA_44)

_LABEL = b"subtree/v1\n\x00"
_U64 = Struct(">Q")
_HEADER = b"cosignature/v1\ntime %d\n"


@dataclass(frozen=True, slots=True)
class CosignatureVerifier:
    """Checks types 04 and 06."""

    key: VerifierKey

    def __post_init__(self) -> None:
        if self.key.type not in COSIGNATURE_TYPES:
            raise NoteError(f"{self.key.name} is not a cosigner's key, type 04 or 06")
        if self.key.type is SignatureType.ML_DSA_44:
            _ml_dsa_44(self.key.public)

    def verify(self, text: bytes, value: bytes) -> bool:
        """Tell whether `value` is the key's cosignature on the checkpoint `text`."""
        if len(value) <= _U64.size:
            return False
        try:
            message = _message(self.key, Checkpoint.parse_extended(text), _time_seconds(value))
        except NoteError:
            return False
        return _verify(self.key, message, value[_U64.size :])


class MLDSA44Signer:
    """Signs with an ML-DSA-44 key in memory, made from its 32-byte seed (FIPS 204)."""

    def __init__(self, name: str, seed: bytes) -> None:
        self._private = MLDSA44PrivateKey.from_seed_bytes(seed)
        public = self._private.public_key().public_bytes_raw()
        self._key = VerifierKey(name, SignatureType.ML_DSA_44, public)

    @property
    def name(self) -> str:
        """The key's name."""
        return self._key.name

    @property
    def vkey(self) -> str:
        """The public key."""
        return self._key.vkey

    def sign(self, message: bytes) -> bytes:
        """Return the 2,420-byte signature on `message`, with an empty context."""
        return self._private.sign(message)


def verifier_for(key: VerifierKey) -> Verifier:
    """Return what checks the signatures of `key`, of whatever type."""
    if key.type is SignatureType.ED25519:
        return Ed25519Verifier(key)
    return CosignatureVerifier(key)


def cosign(checkpoint: Checkpoint, signer: Signer, time_seconds: int) -> Signature:
    """Return `signer`'s cosignature on `checkpoint` at `time_seconds`.

    The caller has seen to it that the checkpoint continues all that this key ever cosigned, and
    has stored it, before it asks (C2SP tlog-witness).
    """
    key = signer_key(signer)
    verifier = CosignatureVerifier(key)
    message = _message(key, checkpoint, time_seconds)
    value = _U64.pack(time_seconds) + signer.sign(message)
    if not verifier.verify(checkpoint.text(), value):
        raise NoteError(f"{signer.name} returned a signature that is not its key's")
    return Signature(key.name, key.key_id, value)


def cosigned_at_seconds(signature: Signature) -> int:
    """Return the time that a cosignature states; it means nothing until the note is opened."""
    if len(signature.value) <= _U64.size:
        raise NoteError(f"the signature of {signature.name} is no cosignature")
    return _time_seconds(signature.value)


def _time_seconds(value: bytes) -> int:
    seconds: int = _U64.unpack_from(value)[0]
    return seconds


def _message(key: VerifierKey, checkpoint: Checkpoint, time_seconds: int) -> bytes:
    if not 0 <= time_seconds <= TIME_SECONDS_MAX:
        raise NoteError(f"{time_seconds} is no POSIX time")
    if key.type is SignatureType.COSIGNATURE:
        return _HEADER % time_seconds + checkpoint.text()
    return b"".join(
        (
            _LABEL,
            _short(key.name),
            _U64.pack(time_seconds),
            _short(checkpoint.origin),
            _U64.pack(0),
            _U64.pack(checkpoint.size),
            checkpoint.root,
        )
    )


def _short(text: str) -> bytes:
    """Return `opaque text<1..2^8-1>` (RFC 8446 section 3.4)."""
    encoded = text.encode()
    if len(encoded) > 255:
        raise CheckpointError(f"{text[:32]}… is longer than 255 bytes")
    return bytes([len(encoded)]) + encoded


def _verify(key: VerifierKey, message: bytes, signature: bytes) -> bool:
    if key.type is SignatureType.COSIGNATURE:
        return verify_ed25519(key.public, message, signature)
    try:
        _ml_dsa_44(key.public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _ml_dsa_44(public: bytes) -> MLDSA44PublicKey:
    try:
        return MLDSA44PublicKey.from_public_bytes(public)
    except UnsupportedAlgorithm as error:
        raise NoteError("the cryptography library here has no ML-DSA-44") from error
