"""The receipt of an anchor: what is kept, handed out in bundles, and checked by anyone.

It carries the authorisation, the proof that the root extends the anchor before, and, where the
chain allows, the evidence that a block holds the event.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from eth_abi.abi import decode as decode_abi
from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from msgspec import Meta
from web3.types import BlockData, LogReceipt

from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.chain import Chain
from dataexchange.anchoring.errors import AnchorFault
from dataexchange.anchoring.evidence import BlockEvidence, EvidenceError, make_evidence
from dataexchange.anchoring.source import CheckpointSource
from dataexchange.anchoring.state import SignedRoot, decode
from dataexchange.ledger.merkle import SIZE_MAX


class AnchorReceipt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One final anchor. `finality` is the rule it was held to: `finalized`, or a block depth.

    `transaction_hash`, `gas_used` and `gas_price_wei` (per gas) are for people: only the chain can
    confirm them.
    """

    origin: str
    chain_id: int
    contract: ChecksumAddress
    epoch: Annotated[int, Meta(ge=0, lt=2**32)]
    anchor_key: ChecksumAddress
    size: Annotated[int, Meta(ge=1, le=SIZE_MAX)]
    root: HexBytes
    signature: HexBytes
    previous_size: Annotated[int, Meta(ge=0, le=SIZE_MAX)]
    previous_root: HexBytes
    consistency: tuple[HexBytes, ...]
    transaction_hash: HexBytes
    block_number: int
    block_hash: HexBytes
    block_time: Annotated[datetime, Meta(tz=True)]
    gas_used: Annotated[int, Meta(ge=0, lt=2**53)]
    gas_price_wei: Annotated[int, Meta(ge=0, lt=2**53)]
    finality: str
    evidence: BlockEvidence | None = None
    v: Literal[1] = 1

    @property
    def site(self) -> AnchorSite:
        """Where it says it was anchored."""
        return AnchorSite(self.chain_id, self.contract, self.origin)


FORM: Final = AnchorFault(
    "anchor.form",
    0,
    zh="凭证的格式不正确",
    en="the receipt is not of the right form",
)


def read_receipt(data: bytes) -> AnchorReceipt:
    """Return the receipt that a file holds; `AnchorProofError` where it holds none."""
    try:
        return decode(data, AnchorReceipt)
    except msgspec.DecodeError as error:
        raise FORM(str(error)) from error


class AnchoredEvent(msgspec.Struct, frozen=True):
    """What the event `Anchored` says beside its size and root."""

    previous_size: int
    epoch: int


def read_event(data: bytes) -> AnchoredEvent:
    """Return the unindexed fields of an event `Anchored`."""
    previous_size, epoch = decode_abi(["uint64", "uint32"], data)
    return AnchoredEvent(previous_size, epoch)


async def make_receipt(
    chain: Chain,
    source: CheckpointSource,
    *,
    log: LogReceipt,
    signed: SignedRoot,
    site: AnchorSite,
) -> AnchorReceipt:
    """Return the receipt of a root that `log` shows anchored in a final block."""
    event = read_event(log["data"])
    block = await chain.block(log["blockNumber"])
    paid = await chain.receipts(log["blockNumber"])
    (ours,) = (one for one in paid if one["transactionHash"] == log["transactionHash"])
    # Read at a final block: nodes forget the state of old ones, and a root never changes.
    final_number = await chain.final_number(await chain.block_number())
    previous = await chain.roots_at(site, [event.previous_size], final_number)
    key = await chain.key_at(site, event.epoch)
    proof = (
        await source.consistency_proof(event.previous_size, signed.size)
        if event.previous_size
        else ()
    )
    return AnchorReceipt(
        origin=site.origin,
        chain_id=site.chain_id,
        contract=site.contract,
        epoch=event.epoch,
        anchor_key=key,
        size=signed.size,
        root=signed.root,
        signature=signed.signature,
        previous_size=event.previous_size,
        previous_root=HexBytes(previous.get(event.previous_size, bytes(32))),
        consistency=tuple(map(HexBytes, proof)),
        transaction_hash=log["transactionHash"],
        block_number=log["blockNumber"],
        block_hash=log["blockHash"],
        block_time=datetime.fromtimestamp(block["timestamp"], UTC),
        gas_used=ours["gasUsed"],
        gas_price_wei=ours.get("effectiveGasPrice", 0),
        finality="finalized" if chain.confirmations is None else str(chain.confirmations),
        evidence=_evidence(block, paid, log["transactionIndex"]),
    )


def _evidence(block: BlockData, receipts: Sequence[Any], index: int) -> BlockEvidence | None:
    try:
        return make_evidence(block, receipts, index)
    except EvidenceError:
        # Not this kind of chain; the receipt then needs the chain itself to be checked.
        return None
