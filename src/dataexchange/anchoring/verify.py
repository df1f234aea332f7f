"""Check the receipts of anchors: offline from themselves, and against the chain.

Offline, each with its own code (0 is for files that are no receipts, and for other roots than
the log has):

1. the receipt names the expected chain, contract and log;
2. the expected key of its epoch signed the root for the size;
3. the root extends the anchor before, by its consistency proof;
4. the header hashes to the block's hash and bears its number and time;
5. the block's receipts hold the contract's event for just this size and root.

Against the chain:

6. chain, code and origin are the expected ones;
7. the block is on the chain, at its height, final, and holds the transaction;
8. the contract holds the root at the size, and its key of the epoch is the expected one;
9. no fork is on record.

What offline checks cannot show is that the block is on the chain that others see: a header is cheap
to make. Compare block hashes with any node or explorer, or ask the chain.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from eth_typing import ChecksumAddress

from dataexchange.anchoring import contract
from dataexchange.anchoring.authorisation import AnchorSite, checkpoint_message, recover
from dataexchange.anchoring.chain import Chain, answering
from dataexchange.anchoring.errors import AnchorFault, WrongContractError
from dataexchange.anchoring.evidence import BlockEvidence, EvidenceError, read_header, read_logs
from dataexchange.anchoring.receipt import FORM, AnchorReceipt, read_event
from dataexchange.ledger.merkle import HASH_SIZE, ProofError, verify_consistency

SITE: Final = AnchorFault(
    "anchor.site",
    1,
    zh="凭证属于其他链、合约或日志",
    en="the receipt is of another chain, contract or log",
)
SIGNATURE: Final = AnchorFault(
    "anchor.signature",
    2,
    zh="根哈希未经该时期的锚定密钥授权",
    en="the anchor key of this epoch did not authorise the root",
)
CONSISTENCY: Final = AnchorFault(
    "anchor.consistency",
    3,
    zh="根哈希未延续前一锚定",
    en="the root does not extend the anchor before",
)
HEADER: Final = AnchorFault(
    "anchor.header",
    4,
    zh="区块头与区块哈希、高度或时间不符",
    en="the header does not fit the block's hash, number or time",
)
EVENT: Final = AnchorFault(
    "anchor.event",
    5,
    zh="区块中没有该锚定事件",
    en="the block holds no such anchor event",
)
CONTRACT: Final = AnchorFault(
    "anchor.contract",
    6,
    zh="链或合约并非所期望者",
    en="the chain or the contract is not the expected one",
)
BLOCK: Final = AnchorFault(
    "anchor.block",
    7,
    zh="区块不在链上或尚未最终确定",
    en="the block is not on the chain, or not final",
)
STATE: Final = AnchorFault(
    "anchor.state",
    8,
    zh="合约所载的根哈希或密钥不同",
    en="the contract holds another root or key",
)
FORK: Final = AnchorFault(
    "anchor.fork",
    9,
    zh="合约上已记录分叉：同一规模签署过两个根哈希",
    en="the contract has a fork on record: two roots were signed for one size",
)
ROOT: Final = AnchorFault(
    "anchor.root",
    0,
    zh="锚定的根哈希与日志不符",
    en="the anchored root is not the log's",
)


class Strength(Enum):
    """How much a sound receipt shows.

    AUTHORISED: the operator committed to the root, but when is only said. INCLUDED: a block holds
    it, if the block's hash is right. CONFIRMED: the chain says so too.
    """

    AUTHORISED = 1
    INCLUDED = 2
    CONFIRMED = 3


@dataclass(frozen=True, slots=True)
class ExpectedAnchor:
    """What the verifier knows beforehand: the site, and the anchor key of each epoch."""

    site: AnchorSite
    keys: Mapping[int, ChecksumAddress]


def verify_receipt(receipt: AnchorReceipt, expected: ExpectedAnchor) -> Strength:
    """Return how much the receipt shows by itself; `AnchorProofError` where it is unsound."""
    _verify_form(receipt)
    _verify_authorisation(receipt, expected)
    _verify_consistency(receipt)
    if receipt.evidence is None:
        return Strength.AUTHORISED
    _verify_inclusion(receipt, receipt.evidence)
    return Strength.INCLUDED


async def verify_on_chain(
    receipt: AnchorReceipt, expected: ExpectedAnchor, chain: Chain
) -> Strength:
    """Return CONFIRMED if receipt and chain agree; `AnchorProofError` where they do not."""
    verify_receipt(receipt, expected)
    await require_sound_site(chain, expected.site)
    await _verify_block(receipt, chain)
    await _verify_state(receipt, chain)
    return Strength.CONFIRMED


async def require_sound_site(chain: Chain, site: AnchorSite) -> None:
    """Raise `AnchorProofError` unless our contract for this log is there and records no fork."""
    try:
        await chain.require_site(site)
    except WrongContractError as error:
        raise CONTRACT(str(error)) from error
    async with answering():
        forks = await chain.contract(site).functions.forkCount().call()
    if forks:
        raise FORK(f"{forks}")


def _verify_form(receipt: AnchorReceipt) -> None:
    hashes = (receipt.root, receipt.previous_root, receipt.block_hash, receipt.transaction_hash)
    if any(len(item) != HASH_SIZE for item in hashes):
        raise FORM("a hash is not 32 bytes")


def _verify_authorisation(receipt: AnchorReceipt, expected: ExpectedAnchor) -> None:
    if receipt.site != expected.site:
        raise SITE(str(receipt.site))
    key = expected.keys.get(receipt.epoch)
    message = checkpoint_message(
        expected.site, epoch=receipt.epoch, size=receipt.size, root=receipt.root
    )
    if key is None or recover(message, receipt.signature) != key or receipt.anchor_key != key:
        raise SIGNATURE(f"epoch {receipt.epoch}")


def _verify_consistency(receipt: AnchorReceipt) -> None:
    if receipt.previous_size == 0:
        if receipt.consistency or any(receipt.previous_root):
            raise CONSISTENCY("the first anchor has none before it")
        return
    if receipt.previous_size >= receipt.size:
        raise CONSISTENCY("the size does not grow")
    try:
        verify_consistency(
            receipt.previous_size,
            receipt.size,
            receipt.consistency,
            old_root=receipt.previous_root,
            root=receipt.root,
        )
    except ProofError as error:
        raise CONSISTENCY(str(error)) from error


def _verify_inclusion(receipt: AnchorReceipt, evidence: BlockEvidence) -> None:
    try:
        header = read_header(evidence)
    except EvidenceError as error:
        raise HEADER(str(error)) from error
    said = (receipt.block_hash, receipt.block_number, int(receipt.block_time.timestamp()))
    if (header.hash, header.number, header.timestamp) != said:
        raise HEADER(f"block {receipt.block_number}")
    _verify_event(receipt, evidence, header.receipts_root)


def _verify_event(receipt: AnchorReceipt, evidence: BlockEvidence, receipts_root: bytes) -> None:
    wanted = (contract.anchored_topic(), receipt.size.to_bytes(32, "big"), bytes(receipt.root))
    emitter = bytes.fromhex(receipt.contract[2:])
    try:
        logs = read_logs(evidence, receipts_root)
        events = [log for log in logs if (log.address, log.topics) == (emitter, wanted)]
        said = [read_event(log.data) for log in events]
    except EvidenceError as error:
        raise EVENT(str(error)) from error
    if [(event.previous_size, event.epoch) for event in said] != [
        (receipt.previous_size, receipt.epoch)
    ]:
        raise EVENT(f"size {receipt.size}")


async def _verify_block(receipt: AnchorReceipt, chain: Chain) -> None:
    final_number = await chain.final_number(await chain.block_number())
    if receipt.block_number > final_number:
        raise BLOCK(f"block {receipt.block_number}, final is {final_number}")
    block = await chain.block(receipt.block_number)
    if block["hash"] != receipt.block_hash:
        raise BLOCK(f"block {receipt.block_number} is another")
    if await chain.block_of(receipt.transaction_hash) != receipt.block_hash:
        raise BLOCK("it does not hold the transaction")


async def _verify_state(receipt: AnchorReceipt, chain: Chain) -> None:
    final_number = await chain.final_number(await chain.block_number())
    roots = await chain.roots_at(receipt.site, [receipt.size], final_number)
    if roots.get(receipt.size) != receipt.root:
        raise STATE(f"size {receipt.size}")
    if await chain.key_at(receipt.site, receipt.epoch) != receipt.anchor_key:
        raise STATE(f"epoch {receipt.epoch}")
