"""The witness itself: examine, decide and remember in one transaction, then answer."""

from collections.abc import Callable, Sequence

from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.cosignature import cosign
from dataexchange.ledger.note import Note, Signer
from dataexchange.witness.judgement import Logs, Submitted, examine, require_continues
from dataexchange.witness.memory import Memory
from dataexchange.witness.protocol import AddCheckpoint


class Witness:
    """Cosigns for `logs` with `signers`, each of which adds a line; `now` gives POSIX seconds."""

    def __init__(
        self, signers: Sequence[Signer], logs: Logs, memory: Memory, now: Callable[[], int]
    ) -> None:
        self._signers = signers
        self._logs = logs
        self._memory = memory
        self._now = now

    def add_checkpoint(self, body: bytes) -> bytes:
        """Return the cosignature lines for a request's body; `WitnessError` where refused."""
        request = AddCheckpoint.parse(body)
        submitted = examine(request, self._logs)
        lines = b""

        def decide(last: Checkpoint | None) -> bytes:
            nonlocal lines
            require_continues(
                request.old_size, request.proof, checkpoint=submitted.checkpoint, last=last
            )
            note, lines = self._cosigned(submitted)
            return note

        self._memory.update(submitted.checkpoint.origin, decide)
        return lines

    def last_note(self, origin_hash: str) -> bytes | None:
        """Return the note cosigned last for a log: the log's signatures, then the witness's."""
        return self._memory.note(origin_hash)

    def _cosigned(self, submitted: Submitted) -> tuple[bytes, bytes]:
        """Return the note with the witness's signatures, and their lines alone."""
        now = self._now()
        added = tuple(cosign(submitted.checkpoint, signer, now) for signer in self._signers)
        note = Note(submitted.note.text, (*submitted.note.signatures, *added))
        return note.encode(), "".join(one.line() for one in added).encode()
