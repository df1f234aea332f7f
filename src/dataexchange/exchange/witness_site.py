"""One witness as the exchange knows it: where it answers, what it holds, when to ask again."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import httpx

from dataexchange.ledger.checkpoint import Checkpoint
from dataexchange.ledger.cosignature import verifier_for
from dataexchange.ledger.note import Note, Signature, Verifier
from dataexchange.ledger.policy import Policy, PolicyError
from dataexchange.witness import AddCheckpoint, SizeConflictError, WitnessError
from dataexchange.witness.client import WitnessUnreachableError, add_checkpoint

# With the log's own signatures a note must stay within what every verifier accepts.
WITNESS_COUNT_MAX = 64
ASK_SECONDS_MAX = 5.0
ASK_TIMES_MAX = 3
PAUSE_SECONDS_MAX = 60.0

Prove: TypeAlias = Callable[[int, int], Awaitable[Sequence[bytes]]]


class WitnessAheadError(WitnessError):
    """The witness holds `size` entries of the log, more than the checkpoint that it was sent."""

    def __init__(self, size: int) -> None:
        self.size = size
        super().__init__(f"the witness holds {size} entries")


@dataclass(eq=False)
class WitnessSite:
    """A witness of the policy. `known` is the size that it holds, as far as was heard.

    `cosigned` is the size that it cosigned for this process, −1 until it has been asked.
    """

    name: str
    url: str
    verifier: Verifier
    known: int = 0
    cosigned: int = -1
    trouble: str = ""
    task: "asyncio.Task[None] | None" = field(default=None, repr=False)
    _failures: int = 0
    _retry_at: float = 0.0

    @property
    def vkey(self) -> str:
        """The key that it cosigns with."""
        return self.verifier.key.vkey

    def is_due(self, size: int) -> bool:
        """Whether to ask it now to cosign a checkpoint of `size`."""
        idle = self.task is None or self.task.done()
        return idle and self.cosigned < size and time.monotonic() >= self._retry_at

    async def cosign(self, http: httpx.AsyncClient, note: bytes, prove: Prove) -> Signature:
        """Return its verified cosignature on the checkpoint `note`, which `prove` proves.

        `WitnessAheadError` where it holds more, `InconsistentError` where it holds another
        history of `known` entries, `WitnessUnreachableError` where it does not answer in time.
        """
        size = Checkpoint.parse(Note.parse(note).text).size
        for _ in range(ASK_TIMES_MAX):
            if self.known > size:
                raise WitnessAheadError(self.known)
            request = AddCheckpoint(self.known, tuple(await prove(self.known, size)), note)
            try:
                async with asyncio.timeout(ASK_SECONDS_MAX):
                    (signature, *_) = await add_checkpoint(http, self.url, request, [self.verifier])
            except SizeConflictError as conflict:
                self.known = conflict.size
            except TimeoutError as error:
                raise WitnessUnreachableError(f"no answer in {ASK_SECONDS_MAX:.0f} s") from error
            else:
                self.known = size
                return signature
        raise WitnessUnreachableError("the size that it names keeps changing")

    def succeeded(self, size: int) -> None:
        """Note that it cosigned."""
        self.cosigned, self._failures, self.trouble = size, 0, ""

    def failed(self, error: Exception) -> None:
        """Note that it did not, and wait longer each time before it is asked again."""
        self._failures += 1
        self.trouble = str(error) or type(error).__name__
        self._retry_at = time.monotonic() + min(2.0**self._failures / 2, PAUSE_SECONDS_MAX)


def sites_of(policy: Policy) -> list[WitnessSite]:
    """Return the witnesses of `policy`; `PolicyError` where one has no address."""
    if len(policy.witnesses) > WITNESS_COUNT_MAX:
        raise PolicyError(f"{len(policy.witnesses)} witnesses, {WITNESS_COUNT_MAX} at most")
    missing = sorted(policy.witnesses.keys() - policy.urls.keys())
    if missing:
        raise PolicyError(f"witness {missing[0]} has no URL on its line")
    return [
        WitnessSite(name, policy.urls[name], verifier_for(key))
        for name, key in policy.witnesses.items()
    ]
