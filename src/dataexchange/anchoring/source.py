"""Where the worker gets the log's checkpoints and consistency proofs."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class TreeHead(NamedTuple):
    """The size of a tree and its 32-byte RFC 9162 root."""

    size: int
    root: bytes


class CheckpointSource(Protocol):
    """The log, as far as anchoring sees it. Answers are checked before anything is signed."""

    async def latest(self) -> TreeHead:
        """Return the newest published checkpoint; size 0 while there is none."""
        ...

    async def consistency_proof(self, old_size: int, size: int) -> Sequence[bytes]:
        """Return the RFC 9162 proof from `old_size` to `size`, 0 < old_size ≤ size."""
        ...
