"""Turn what has become final into receipts, and set aside receipts that the chain took back."""

import logging
from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.chain import Chain
from dataexchange.anchoring.errors import ForkedLogError
from dataexchange.anchoring.memory import Memory
from dataexchange.anchoring.plan import View
from dataexchange.anchoring.receipt import AnchorReceipt, make_receipt, read_event
from dataexchange.anchoring.source import CheckpointSource
from dataexchange.anchoring.state import FinalAnchor, SignedRoot

logger = logging.getLogger(__name__)

# A re-org may put a transaction into a lower block than was newest when it was signed.
REORG_BLOCKS_MAX: Final = 256


class Settlement:
    """The worker's eye on finality."""

    def __init__(
        self, chain: Chain, site: AnchorSite, *, source: CheckpointSource, memory: Memory
    ) -> None:
        self._chain = chain
        self._site = site
        self._source = source
        self._memory = memory

    def sizes(self) -> set[int]:
        """Return the sizes whose final roots a view must show."""
        state = self._memory.state
        sizes = {signed.size for signed in state.signed}
        return sizes | ({state.last_final.size} if state.last_final else set())

    async def settle(self, view: View) -> tuple[AnchorReceipt, ...]:
        """Keep receipts of the roots that are final; the state forgets them after that."""
        receipts: list[AnchorReceipt] = []
        signed_sizes = {signed.size for signed in self._memory.state.signed}
        for size in sorted(signed_sizes & set(view.final_roots)):
            receipt = await self._receipt(size, view)
            if receipt is None:
                continue
            await self._memory.store.add_receipt(receipt)
            rest = tuple(s for s in self._memory.state.signed if s.size != size)
            state = replace(self._memory.state, signed=rest, last_final=_final(receipt))
            await self._memory.save(state)
            receipts.append(receipt)
        return tuple(receipts)

    async def orphan_undone(self, view: View) -> tuple[AnchorReceipt, ...]:
        """Set aside receipts of blocks that left the chain although they counted as final."""
        last = self._memory.state.last_final
        # An endpoint that lags has not seen the block yet; that undoes nothing.
        if last is None or view.final_number < last.block_number:
            return ()
        if view.final_roots.get(last.size) == last.root:
            return ()
        undone, kept = await self._undone(view)
        for receipt in undone:
            await self._memory.store.orphan_receipt(receipt)
            logger.error("the anchor of size %d was undone after it was final", receipt.size)
        last_final = None if kept is None else _final(kept)
        await self._memory.save(replace(self._memory.state, last_final=last_final))
        return tuple(undone)

    async def _undone(self, view: View) -> tuple[list[AnchorReceipt], AnchorReceipt | None]:
        """Return the newest receipts that the chain does not support, and the newest it does."""
        undone: list[AnchorReceipt] = []
        for receipt in reversed(await self._memory.store.receipts()):
            roots = await self._chain.roots_at(self._site, [receipt.size], view.final_number)
            if roots.get(receipt.size) == receipt.root:
                return undone, receipt
            undone.append(receipt)
        return undone, None

    async def _receipt(self, size: int, view: View) -> AnchorReceipt | None:
        """Return the receipt of what we signed at a size; None if its event cannot be found yet."""
        candidates = [signed for signed in self._memory.state.signed if signed.size == size]
        _require_ours(candidates, view.final_roots[size])
        first = min(signed.block_number for signed in candidates) - REORG_BLOCKS_MAX
        log = await self._chain.locate(self._site, size, first=first, last=view.final_number)
        if log is None:
            return None
        epoch = read_event(log["data"]).epoch
        ours = next((signed for signed in candidates if signed.epoch == epoch), None)
        if ours is None:
            return None
        return await make_receipt(self._chain, self._source, log=log, signed=ours, site=self._site)


def _require_ours(candidates: Sequence[SignedRoot], root: bytes) -> None:
    for signed in candidates:
        if signed.root != root:
            raise ForkedLogError(f"another root than the one we signed stands at {signed.size}")


def _final(receipt: AnchorReceipt) -> FinalAnchor:
    return FinalAnchor(receipt.size, receipt.root, receipt.block_number)
