"""Signed notes: a text and the signature lines under it (C2SP signed-note).

    text, ending in a newline
    (an empty line)
    — key-name base64(key-id[4] ‖ signature)

A note is worth nothing until it is opened with the keys that the reader trusts: lines of unknown
keys are ignored, a line of a known key that fails spoils the whole note. This module signs and
checks type 01 (Ed25519 over the text); types 04 and 06, which sign more than the text, are in
`ledger.cosignature`.
"""

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final, Protocol

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dataexchange.errors import IntegrityError
from dataexchange.ledger.signature import decode_base64
from dataexchange.ledger.suites.ed25519 import is_usable_ed25519, verify_ed25519

# Bounds that the specification asks for and leaves open (16 signatures at least).
NOTE_SIZE_MAX: Final = 1_000_000
SIGNATURE_COUNT_MAX: Final = 100
KEY_ID_SIZE: Final = 4

_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
# Unicode spaces, plus, control characters, and lone surrogates, which no UTF-8 note can hold.
_NOT_IN_NAME = re.compile(r"[\s+\x00-\x1f\ud800-\udfff]")


class NoteError(IntegrityError):
    """Bytes that are not a signed note, or a note that the trusted keys did not sign."""


class SignatureType(IntEnum):
    """The signature types in use here, by their identifier byte."""

    ED25519 = 0x01
    COSIGNATURE = 0x04
    ML_DSA_44 = 0x06


_PUBLIC_KEY_SIZE: Final = {
    SignatureType.ED25519: 32,
    SignatureType.COSIGNATURE: 32,
    SignatureType.ML_DSA_44: 1_312,
}


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name and the signature type that it signs notes under."""

    name: str
    type: SignatureType
    public: bytes

    def __post_init__(self) -> None:
        require_name(self.name)
        if len(self.public) != _PUBLIC_KEY_SIZE[self.type]:
            raise NoteError(f"{len(self.public)} bytes are no key of type {self.type:02x}")
        if self.type is not SignatureType.ML_DSA_44 and not is_usable_ed25519(self.public):
            raise NoteError(f"the key of {self.name} is not a usable Ed25519 point")

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that name this key in a signature line, together with its name."""
        named = b"%b\n%c%b" % (self.name.encode(), self.type, self.public)
        return sha256(named).digest()[:KEY_ID_SIZE]

    @property
    def vkey(self) -> str:
        """The key as text: `name+hex(key id)+base64(type ‖ public key)`."""
        encoded = base64.b64encode(bytes([self.type]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, vkey: str) -> "VerifierKey":
        """Return the key that `vkey` is; `NoteError` where it is not one of a known type."""
        # The base64 part may hold '+' itself; the name may not.
        match vkey.split("+", 2):
            case [name, key_id, encoded]:
                key = cls._from_parts(name, encoded)
            case _:
                raise NoteError("a vkey has three parts joined by '+'")
        if key_id.lower() != key.key_id.hex():
            raise NoteError(f"the key id of {name} is not that of its key")
        return key

    @classmethod
    def _from_parts(cls, name: str, encoded: str) -> "VerifierKey":
        try:
            typed = decode_base64(encoded)
            return cls(name, SignatureType(typed[0]), typed[1:])
        except (ValueError, IndexError) as error:
            raise NoteError(f"the key of {name!r} is not base64 of a known type") from error


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line; `value` is what follows the key id."""

    name: str
    key_id: bytes
    value: bytes

    def line(self) -> str:
        """Return the line, with its newline."""
        return f"— {self.name} {base64.b64encode(self.key_id + self.value).decode()}\n"

    @classmethod
    def parse(cls, line: str) -> "Signature":
        """Return the signature that one line, without its newline, is."""
        match line.split(" "):
            case ["—", name, encoded]:
                require_name(name)
            case _:
                raise NoteError("a signature line is '— name base64'")
        try:
            data = decode_base64(encoded)
        except ValueError as error:
            raise NoteError(f"the signature of {name} is not canonical base64") from error
        if len(data) <= KEY_ID_SIZE:
            raise NoteError(f"the signature of {name} is empty")
        return cls(name, data[:KEY_ID_SIZE], data[KEY_ID_SIZE:])


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signatures: all of them as parsed, the verified ones as opened."""

    text: bytes
    signatures: tuple[Signature, ...]

    def encode(self) -> bytes:
        """Return the bytes of the note."""
        _require_text(self.text)
        if not 0 < len(self.signatures) <= SIGNATURE_COUNT_MAX:
            raise NoteError(f"a note has 1 to {SIGNATURE_COUNT_MAX} signatures")
        lines = "".join(signature.line() for signature in self.signatures)
        return self.text + b"\n" + lines.encode()

    @classmethod
    def parse(cls, data: bytes) -> "Note":
        """Return the note that `data` is, with nothing verified."""
        _require_characters(data)
        # The text may hold empty lines; the last one separates it from the signatures.
        at = data.rfind(b"\n\n")
        if at < 0:
            raise NoteError("no empty line separates a text from signatures")
        return cls(data[: at + 1], parse_signatures(data[at + 2 :]))


class Verifier(Protocol):
    """Something that checks the signatures of one key."""

    @property
    def key(self) -> VerifierKey:
        """The key whose signatures this checks."""

    def verify(self, text: bytes, value: bytes) -> bool:
        """Tell whether `value`, without its key id, is the key's signature on the note `text`."""


class Signer(Protocol):
    """Something that holds a private key: a file, a signing service, a hardware module."""

    @property
    def name(self) -> str:
        """The key's name."""

    @property
    def vkey(self) -> str:
        """The public key, as `VerifierKey.vkey` writes it."""

    def sign(self, message: bytes) -> bytes:
        """Return the bare signature on `message`."""


@dataclass(frozen=True, slots=True)
class Ed25519Verifier:
    """Checks type 01: Ed25519 over the text."""

    key: VerifierKey

    def __post_init__(self) -> None:
        if self.key.type is not SignatureType.ED25519:
            raise NoteError(f"{self.key.name} is not a key of type 01")

    def verify(self, text: bytes, value: bytes) -> bool:
        """Tell whether `value` is the key's signature on `text`."""
        return verify_ed25519(self.key.public, text, value)


class Ed25519Signer:
    """Signs with an Ed25519 key in memory, as type 01 or 04."""

    def __init__(
        self, name: str, seed: bytes, signature_type: SignatureType = SignatureType.ED25519
    ) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        public = self._private.public_key().public_bytes_raw()
        self._key = VerifierKey(name, signature_type, public)

    @property
    def name(self) -> str:
        """The key's name."""
        return self._key.name

    @property
    def vkey(self) -> str:
        """The public key."""
        return self._key.vkey

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte signature on `message`."""
        return self._private.sign(message)


def sign_note(text: bytes, signers: Sequence[Signer]) -> bytes:
    """Return a note of `text`, signed by each of `signers` as type 01, in their order."""
    _require_text(text)
    return Note(text, tuple(sign_text(text, signer) for signer in signers)).encode()


def sign_text(text: bytes, signer: Signer) -> Signature:
    """Return the signature of `signer`, of type 01, over the text of a note."""
    verifier = Ed25519Verifier(signer_key(signer))
    value = signer.sign(text)
    # A signature that a faulty signer got wrong must not go out: it can tell the private key.
    if not verifier.verify(text, value):
        raise NoteError(f"{signer.name} returned a signature that is not its key's")
    return Signature(signer.name, verifier.key.key_id, value)


def open_note(data: bytes, verifiers: Iterable[Verifier]) -> Note:
    """Return the note that `data` is, with only the signatures that `verifiers` verified.

    `NoteError` where a known key's signature fails, or no known key signed.
    """
    known = _by_name_and_id(verifiers)
    parsed = Note.parse(data)
    verified = []
    for signature in parsed.signatures:
        verifier = known.get((signature.name, signature.key_id))
        if verifier is None:
            continue
        if not verifier.verify(parsed.text, signature.value):
            raise NoteError(f"the signature of {signature.name} does not verify")
        verified.append(signature)
    if not verified:
        raise NoteError("no trusted key signed this note")
    return Note(parsed.text, tuple(verified))


def add_signatures(data: bytes, signatures: Iterable[Signature]) -> bytes:
    """Return the note `data` with `signatures` added below, except those it has already."""
    parsed = Note.parse(data)
    return Note(parsed.text, tuple(dict.fromkeys((*parsed.signatures, *signatures)))).encode()


def parse_signatures(data: bytes) -> tuple[Signature, ...]:
    """Return the signatures of one or more lines, as a note or a witness's answer holds them."""
    _require_characters(data)
    if not data.endswith(b"\n"):
        raise NoteError("a signature line ends in a newline")
    lines = data.decode()[:-1].split("\n")
    if len(lines) > SIGNATURE_COUNT_MAX:
        raise NoteError(f"{len(lines)} signatures, {SIGNATURE_COUNT_MAX} at most")
    return tuple(Signature.parse(line) for line in lines)


def signer_key(signer: Signer) -> VerifierKey:
    """Return the public key of `signer`; `NoteError` where its name is not the key's."""
    key = VerifierKey.parse(signer.vkey)
    if key.name != signer.name:
        raise NoteError(f"the signer is named {signer.name}, its key {key.name}")
    return key


def _by_name_and_id(verifiers: Iterable[Verifier]) -> dict[tuple[str, bytes], Verifier]:
    known: dict[tuple[str, bytes], Verifier] = {}
    for verifier in verifiers:
        key = verifier.key
        other = known.setdefault((key.name, key.key_id), verifier)
        if other.key != key:
            raise NoteError(f"two keys are named {key.name} and share an id")
    return known


def require_name(name: str) -> None:
    """Refuse what no key, and so no log, can be named."""
    if not name or _NOT_IN_NAME.search(name):
        raise NoteError(f"{name!r} is no key name: it is empty or holds a space or '+'")


def _require_text(text: bytes) -> None:
    _require_characters(text)
    if not text.endswith(b"\n"):
        raise NoteError("the text of a note ends in a newline")


def _require_characters(data: bytes) -> None:
    if len(data) > NOTE_SIZE_MAX:
        raise NoteError(f"{len(data)} bytes, {NOTE_SIZE_MAX} at most")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise NoteError("a note is UTF-8") from error
    if _CONTROL.search(text):
        raise NoteError("a note holds no control character but the newline")
