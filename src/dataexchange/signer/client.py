"""Ask the signer process for signatures; believe none that does not verify."""

import asyncio
from collections.abc import Collection
from pathlib import Path
from typing import Self

import msgspec

from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.log_key import require_signed_by
from dataexchange.ledger.note import Note, VerifierKey
from dataexchange.signer.protocol import (
    ANSWER,
    LINE_BYTES_MAX,
    Answer,
    Ask,
    AskKeys,
    AskSign,
    Conflict,
    Keys,
    Signed,
    line,
)
from dataexchange.signer.signer import AheadError, Prove, SignerError

ANSWER_SECONDS_MAX = 10.0
ATTEMPTS_MAX = 3


class SocketSigner:
    """Signs by asking the process that listens on a Unix socket."""

    def __init__(self, path: Path, vkeys: tuple[str, ...]) -> None:
        self._path = path
        self.vkeys = vkeys
        self._last_size = 0

    @classmethod
    async def connect(cls, path: Path, origin: str) -> Self:
        """Return the signer at `path`, which must be that of the log `origin`."""
        found = await _ask(path, AskKeys())
        if not isinstance(found, Keys) or found.origin != origin:
            raise SignerError(f"{path} 不为 {origin} 签名 / does not sign for {origin}")
        return cls(path, found.vkeys)

    async def last(self) -> Checkpoint | None:
        """Return the checkpoint that the process signed last."""
        found = await _ask(self._path, AskKeys())
        if not isinstance(found, Keys):
            raise SignerError(f"{self._path} 答非所问 / the signer does not say its keys")
        last = found.last
        return Checkpoint.parse(Note.parse(last.encode()).text) if last is not None else None

    async def sign(self, checkpoint: Checkpoint, vkeys: Collection[str], prove: Prove) -> bytes:
        """Return the note of `checkpoint` signed by the keys `vkeys`.

        `AheadError` where the signer has signed a larger log, `SignerError` where it refuses.
        """
        for _ in range(ATTEMPTS_MAX):
            found = await self._ask(checkpoint, vkeys, prove)
            if isinstance(found, Signed):
                note = found.note.encode()
                require_signed_by(note, checkpoint, [VerifierKey.parse(one) for one in vkeys])
                self._last_size = checkpoint.size
                return note
            # Another process asked in between, or this one has just begun.
            self._last_size = found.size
        raise SignerError("签名进程另有更快的用户 / others keep the signer busy")

    async def _ask(
        self, checkpoint: Checkpoint, vkeys: Collection[str], prove: Prove
    ) -> Signed | Conflict:
        old = self._last_size
        if old > checkpoint.size:
            raise AheadError(old)
        proof = await prove(old) if 0 < old < checkpoint.size else ()
        asked = AskSign(checkpoint.size, checkpoint.root, tuple(vkeys), old, tuple(proof))
        found = await _ask(self._path, asked)
        if isinstance(found, Signed | Conflict):
            return found
        reason = getattr(found, "reason", "no answer to the question")
        raise SignerError(f"签名进程拒签 / the signer refuses: {reason}")


async def _ask(path: Path, ask: Ask) -> Answer:
    try:
        async with asyncio.timeout(ANSWER_SECONDS_MAX):
            reader, writer = await asyncio.open_unix_connection(path, limit=LINE_BYTES_MAX)
            try:
                writer.write(line(ask))
                await writer.drain()
                answer: Answer = ANSWER.decode(await reader.readline())
                return answer
            finally:
                writer.close()
    except (OSError, ValueError, msgspec.DecodeError) as error:
        raise SignerError(f"签名进程没有应答 / the signer at {path} does not answer") from error
