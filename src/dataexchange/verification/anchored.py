"""An anchor receipt as the verifier tells of it."""

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from dataexchange.ledger.merkle import SIZE_MAX

# How far a receipt was checked: against the log only; its authorisation by the anchor key; a
# block's evidence too; the chain itself.
Shown: TypeAlias = Literal["compared", "authorised", "included", "confirmed"]
Hash: TypeAlias = Annotated[str, Meta(pattern="^0x[0-9a-f]{64}\\Z")]
# The size, in 20 digits so that names sort as sizes do, and the start of the block's hash.
RECEIPT_NAME: Final = re.compile(r"[0-9]{20}-[0-9a-f]{16}\.json")
Size: TypeAlias = Annotated[int, Meta(ge=0, le=SIZE_MAX)]


class Anchored(msgspec.Struct, frozen=True):
    """What a receipt says, as far as the log can be asked about it; other fields are the judge's.

    Sizes are numbers of entries.
    """

    origin: str
    chain_id: int
    contract: Annotated[str, Meta(pattern="^0x[0-9a-fA-F]{40}\\Z")]
    size: Annotated[int, Meta(ge=1, le=SIZE_MAX)]
    root: Hash
    previous_size: Size
    previous_root: Hash
    block_number: int
    block_hash: Hash
    block_time: str

    @property
    def name(self) -> str:
        """The name of the receipt's file."""
        return f"{self.size:020d}-{self.block_hash[2:18]}.json"


@dataclass(frozen=True, slots=True)
class JudgedAnchors:
    """The receipts of a sound bundle, by size, each with how much it shows."""

    anchors: tuple[tuple[Anchored, Shown], ...]
    warnings: list[tuple[str, str]]


def anchored_size(name: str) -> int:
    """Return the number of entries that a receipt's file name says were anchored."""
    return int(name[:20])
