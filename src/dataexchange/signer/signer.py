"""Whoever holds the log's keys signs: with the keys in this process, or by asking another."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Protocol, TypeAlias

from dataexchange.errors import DataExchangeError, IntegrityError
from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.log_key import sign_by_all
from dataexchange.ledger.note import Signer
from dataexchange.witness.judgement import require_continues
from dataexchange.witness.memory import Memory
from dataexchange.witness.protocol import origin_hash

Prove: TypeAlias = Callable[[int], Awaitable[Sequence[bytes]]]


class SignerError(DataExchangeError):
    """The signer cannot be reached, or does not sign."""


class AheadError(IntegrityError):
    """The signer has signed a larger log: this one was set back, or another process is faster."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(
            f"签名进程已签到 {size} 条，超过本账本"
            f" / the signer has signed {size} entries, more than this log has"
        )


class CheckpointSigner(Protocol):
    """What the publisher asks for signatures."""

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The keys that it signs with."""

    async def sign(self, checkpoint: Checkpoint, vkeys: Collection[str], prove: Prove, /) -> bytes:
        """Return the note of `checkpoint` signed by the keys `vkeys`.

        `prove(size)` gives the consistency proof from a smaller `size`, where one is asked for.
        """


class LocalSigner:
    """Signs with keys in this process; it remembers nothing, as the database does."""

    def __init__(self, signers: Sequence[Signer]) -> None:
        self._signers = tuple(signers)

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The keys that it signs with."""
        return tuple(signer.vkey for signer in self._signers)

    async def sign(self, checkpoint: Checkpoint, vkeys: Collection[str], _prove: Prove) -> bytes:
        """Return the note of `checkpoint` signed by the keys `vkeys`."""
        return sign_by_all(checkpoint, chosen(self._signers, vkeys))


class CautiousSigner:
    """Signs what continues the checkpoint that it signed last, which its memory keeps on disk."""

    def __init__(self, origin: str, signers: Sequence[Signer], memory: Memory) -> None:
        self.origin = origin
        self._signers = tuple(signers)
        self._memory = memory

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The keys that it signs with."""
        return tuple(signer.vkey for signer in self._signers)

    def sign(
        self, checkpoint: Checkpoint, vkeys: Collection[str], *, old: int, proof: Sequence[bytes]
    ) -> bytes:
        """Return the note of `checkpoint`; raise as a witness does where it continues nothing.

        `proof` starts from `old`, the size signed last. What is signed is on disk before the
        signature leaves.
        """
        signers = chosen(self._signers, vkeys)

        def decide(last: Checkpoint | None) -> bytes:
            require_continues(old, proof, checkpoint=checkpoint, last=last)
            return sign_by_all(checkpoint, signers)

        return self._memory.update(self.origin, decide)

    def last(self) -> str | None:
        """Return the note that was signed last."""
        note = self._memory.note(origin_hash(self.origin))
        return note.decode() if note is not None else None


def chosen(signers: Sequence[Signer], vkeys: Collection[str]) -> list[Signer]:
    """Return the signers of `vkeys`, all of which must be there."""
    found = [signer for signer in signers if signer.vkey in vkeys]
    if not found or len(found) != len(set(vkeys)):
        raise SignerError(
            "没有所要的检查点密钥 / a key of checkpoints that is asked for is not here"
        )
    return found
