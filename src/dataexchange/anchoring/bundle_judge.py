"""Judge the anchor receipts of a bundle: offline by themselves, or with the chain's word.

Given to `verification.verify_bundle`, which has compared the receipts with the log before.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from eth_typing import ChecksumAddress

from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.chain import opened_chain
from dataexchange.anchoring.deployment import anchor_keys
from dataexchange.anchoring.errors import AnchorProofError
from dataexchange.anchoring.receipt import read_receipt
from dataexchange.anchoring.source import TreeHead
from dataexchange.anchoring.verify import (
    ROOT,
    ExpectedAnchor,
    Strength,
    require_sound_site,
    verify_on_chain,
    verify_receipt,
)
from dataexchange.verification.anchor_pass import AnchorFindings, Roots
from dataexchange.verification.anchored import Shown
from dataexchange.verification.verdict import UnsoundError

SHOWN: Final[Mapping[Strength, Shown]] = {
    Strength.AUTHORISED: "authorised",
    Strength.INCLUDED: "included",
    Strength.CONFIRMED: "confirmed",
}
SELF_SAID: Final = (
    "合约或锚定密钥未由你指定，以凭证自称为准：任何人都能造出这样的凭证",
    "the receipts' own word for contract or keys was taken: name them, for anyone can make such",
)
OFFLINE: Final = (
    "离线只能验到区块自身：请用任一节点或浏览器核对区块哈希，或用 --rpc",
    "offline, a block only vouches for itself: compare its hash with any node, or give --rpc",
)


@dataclass(frozen=True, slots=True)
class OfflineJudge:
    """Judges receipts by themselves, as far as the verifier knows what to expect.

    `account` is the contract's CAIP-10 account, `keys` the anchor keys by epoch; what is not given
    is the receipts' own word.
    """

    account: str | None = None
    keys: Sequence[ChecksumAddress] = ()

    def __call__(self, origin: str, receipts: Mapping[str, bytes], _roots: Roots) -> AnchorFindings:
        """Return how much each receipt shows; `UnsoundError` where one does not hold."""
        with _unsound():
            shown = {name: SHOWN[self._verify(origin, data)] for name, data in receipts.items()}
        findings = AnchorFindings(shown)
        if shown:
            findings.warnings.append(OFFLINE)
        if shown and not (self.account and self.keys):
            findings.warnings.append(SELF_SAID)
        return findings

    def _verify(self, origin: str, data: bytes) -> Strength:
        receipt = read_receipt(data)
        site = AnchorSite.parse(self.account, origin) if self.account else receipt.site
        keys = dict(enumerate(self.keys)) or {receipt.epoch: receipt.anchor_key}
        return verify_receipt(receipt, ExpectedAnchor(site, keys))


@dataclass(frozen=True, slots=True)
class ChainJudge:
    """Judges receipts, and the log itself, by what the contract holds now.

    Where no keys are given, those that the contract ever had are the expected ones.
    """

    account: str
    rpc: Sequence[str]
    keys: Sequence[ChecksumAddress] = ()
    confirmations: int | None = None

    def __call__(self, origin: str, receipts: Mapping[str, bytes], roots: Roots) -> AnchorFindings:
        """Return that the chain confirms each receipt; `UnsoundError` where it does not."""
        site = AnchorSite.parse(self.account, origin)
        with _unsound():
            return asyncio.run(self._ask(site, receipts, roots))

    async def _ask(
        self, site: AnchorSite, receipts: Mapping[str, bytes], roots: Roots
    ) -> AnchorFindings:
        async with opened_chain(self.rpc, self.confirmations) as chain:
            await require_sound_site(chain, site)
            keys = dict(enumerate(self.keys)) or await anchor_keys(chain, site)
            for data in receipts.values():
                await verify_on_chain(read_receipt(data), ExpectedAnchor(site, keys), chain)
            final = await chain.final_number(await chain.block_number())
            head = await chain.head_at(site, final)
        return AnchorFindings(dict.fromkeys(receipts, "confirmed"), _compare(head, roots))


def _compare(head: TreeHead, roots: Roots) -> list[tuple[str, str]]:
    """Compare the log with the contract's head; return warnings (zh, en)."""
    if head.size > roots.size:
        zh = f"合约已锚定 {head.size} 条，证据包只有 {roots.size} 条：它较早，或末尾被删去"
        en = f"the contract holds {head.size} entries: the bundle is older, or its tail was dropped"
        return [(zh, en)]
    if head.size and roots.holds(head.size, head.root) is False:
        raise ROOT(f"size {head.size}")
    if head.size < roots.size:
        zh = f"最终锚定覆盖前 {head.size} 条，其后的尚未锚定"
        en = f"the final anchor covers the first {head.size} entries; the rest are not anchored"
        return [(zh, en)]
    return []


@contextmanager
def _unsound() -> Iterator[None]:
    """Tell a receipt's fault as a bundle's."""
    try:
        yield
    except AnchorProofError as error:
        raise UnsoundError(error.code, error.zh, error.en) from error
