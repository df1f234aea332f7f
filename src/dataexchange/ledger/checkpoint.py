"""Checkpoints: what a log signs to say how large it is and what it holds (C2SP tlog-checkpoint).

    origin
    size
    base64(root)

Extension lines, which the specification discourages because nobody can audit them, may follow in
other logs' checkpoints, and a witness cosigns those too; readers of our log refuse them.
"""

import base64
import re
from collections.abc import Iterable
from dataclasses import dataclass

from dataexchange.ledger.merkle import EMPTY_ROOT, HASH_SIZE, SIZE_MAX
from dataexchange.ledger.note import Note, NoteError, Signer, Verifier, open_note, sign_note
from dataexchange.ledger.signature import decode_base64

_DECIMAL = re.compile("0|[1-9][0-9]{0,18}")


class CheckpointError(NoteError):
    """A text that is not a checkpoint, or not one of the log that was asked for."""


class EmptyLogError(CheckpointError):
    """A checkpoint of no entries with another root than that of nothing."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The size and the 32-byte root of the log named `origin`; `extensions` are opaque lines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.origin or "\n" in self.origin:
            raise CheckpointError("an origin is one line, and not empty")
        if not 0 <= self.size <= SIZE_MAX or len(self.root) != HASH_SIZE:
            raise CheckpointError("a checkpoint has a size and a root of 32 bytes")
        if self.size == 0 and self.root != EMPTY_ROOT:
            raise EmptyLogError("an empty log has the root of nothing")
        if any(not line or "\n" in line for line in self.extensions):
            raise CheckpointError("an extension is one line, and not empty")

    def text(self) -> bytes:
        """Return the lines that are signed: three, and the extensions."""
        root = base64.b64encode(self.root).decode()
        lines = (self.origin, str(self.size), root, *self.extensions)
        return "".join(f"{line}\n" for line in lines).encode()

    @classmethod
    def parse(cls, text: bytes) -> "Checkpoint":
        """Return the checkpoint of three lines that the text of a note is.

        `CheckpointError` where it is none, or has extension lines.
        """
        checkpoint = cls.parse_extended(text)
        if checkpoint.extensions:
            raise CheckpointError("a checkpoint of this log has no extension lines")
        return checkpoint

    @classmethod
    def parse_extended(cls, text: bytes) -> "Checkpoint":
        """Return the checkpoint, with any extension lines; `CheckpointError` where it is none."""
        try:
            origin, size, root, *extensions, end = text.decode().split("\n")
            if end:
                raise CheckpointError("a checkpoint ends in a newline")
            return cls(origin, parse_decimal(size), decode_base64(root), tuple(extensions))
        except ValueError as error:
            raise CheckpointError("a checkpoint is origin, size and base64 root") from error


@dataclass(frozen=True, slots=True)
class OpenedCheckpoint:
    """A checkpoint that its log signed, and the note with the signatures that verified."""

    checkpoint: Checkpoint
    note: Note


def sign_checkpoint(checkpoint: Checkpoint, signer: Signer) -> bytes:
    """Return the note of `checkpoint`, signed (type 01) by the log's key, which bears its name."""
    if signer.name != checkpoint.origin:
        raise CheckpointError(f"{signer.name} does not sign for {checkpoint.origin}")
    return sign_note(checkpoint.text(), [signer])


def open_checkpoint(
    data: bytes, log: Verifier, cosigners: Iterable[Verifier] = ()
) -> OpenedCheckpoint:
    """Return the checkpoint in the note `data`, which must be `log`'s own, signed by its key.

    Signatures of `cosigners` are checked where present and never stand in for the log's.
    """
    opened = open_note(data, [log, *cosigners])
    checkpoint = Checkpoint.parse(opened.text)
    if checkpoint.origin != log.key.name:
        raise CheckpointError(f"a checkpoint of {checkpoint.origin}, not of {log.key.name}")
    signed = {(signature.name, signature.key_id) for signature in opened.signatures}
    if (log.key.name, log.key.key_id) not in signed:
        raise CheckpointError(f"{checkpoint.origin} did not sign this checkpoint")
    return OpenedCheckpoint(checkpoint, opened)


def parse_decimal(text: str) -> int:
    """Return the number that ASCII digits without leading zeros are; ValueError otherwise."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError("not a decimal number without leading zeros")
    return int(text)
