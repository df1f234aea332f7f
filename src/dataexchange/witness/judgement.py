"""May this checkpoint be cosigned? The checks of C2SP tlog-witness, in its order.

1. The request and its checkpoint are well formed. 2. The log is known. 3. A trusted key of the log
signed, and no signature of one fails. 4. The old size is not beyond the checkpoint's. 5. It is the
size cosigned last, or 0. 6. The checkpoint continues what was cosigned last. 1 to 4 rest on the
request alone; 5 and 6 on the memory, which must not change until the new checkpoint is in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from dataexchange.ledger.checkpoint import Checkpoint, CheckpointError, EmptyLogError
from dataexchange.ledger.cosignature import verifier_for
from dataexchange.ledger.merkle import ProofError, verify_consistency
from dataexchange.ledger.note import Note, NoteError, Verifier, VerifierKey, open_note
from dataexchange.witness.protocol import (
    AddCheckpoint,
    InconsistentError,
    MalformedRequestError,
    SizeConflictError,
    UnknownLogError,
    UntrustedCheckpointError,
)

Logs: TypeAlias = Mapping[str, Sequence[Verifier]]


@dataclass(frozen=True, slots=True)
class Submitted:
    """A checkpoint that its log signed, with the log's verified signatures and no others."""

    checkpoint: Checkpoint
    note: Note


def known_logs(keys: Iterable[VerifierKey]) -> Logs:
    """Return the logs by origin, which is the name of their keys; one may have several."""
    logs: dict[str, list[Verifier]] = {}
    for key in dict.fromkeys(keys):
        logs.setdefault(key.name, []).append(verifier_for(key))
    return logs


def examine(request: AddCheckpoint, logs: Logs) -> Submitted:
    """Return the checkpoint of `request` if its log signed it (steps 1 to 4)."""
    submitted = _open(request.checkpoint, logs)
    if request.old_size > submitted.checkpoint.size:
        raise MalformedRequestError(
            f"the old size {request.old_size} is beyond the checkpoint's,"
            f" {submitted.checkpoint.size}"
        )
    return submitted


def require_continues(
    old_size: int, proof: Sequence[bytes], *, checkpoint: Checkpoint, last: Checkpoint | None
) -> None:
    """Raise unless `checkpoint` continues `last`, the one signed before (steps 5 and 6)."""
    last_size = last.size if last is not None else 0
    if old_size != last_size:
        raise SizeConflictError(last_size)
    if last is None or last.size == 0:
        if proof:
            raise InconsistentError("a proof from size 0 is empty")
        return
    try:
        verify_consistency(
            last.size, checkpoint.size, proof, old_root=last.root, root=checkpoint.root
        )
    except ProofError as error:
        raise InconsistentError(str(error)) from error


def _open(data: bytes, logs: Logs) -> Submitted:
    try:
        origin = Note.parse(data).text.split(b"\n", 1)[0].decode()
    except NoteError as error:
        raise MalformedRequestError(str(error)) from error
    if origin not in logs:
        raise UnknownLogError(f"no log is known here by the name {origin[:255]}")
    try:
        note = open_note(data, logs[origin])
    except NoteError as error:
        raise UntrustedCheckpointError(str(error)) from error
    try:
        return Submitted(Checkpoint.parse_extended(note.text), note)
    except EmptyLogError as error:
        raise InconsistentError(str(error)) from error
    except CheckpointError as error:
        raise MalformedRequestError(str(error)) from error
