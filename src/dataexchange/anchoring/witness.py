"""Sign roots of one log, each only if it extends all that was signed or anchored before.

The rule of C2SP tlog-witness: check and write down before anyone sees the signature. So this key
never signs two histories, whatever the log behind it does.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes

from dataexchange.anchoring.authorisation import AnchorSite, checkpoint_message, sign
from dataexchange.anchoring.errors import ForkedLogError
from dataexchange.anchoring.memory import Memory
from dataexchange.anchoring.plan import View
from dataexchange.anchoring.source import CheckpointSource, TreeHead
from dataexchange.anchoring.state import SignedRoot
from dataexchange.ledger.merkle import ProofError, verify_consistency


class Witness:
    """The anchor key, with the memory that it must not be used without."""

    def __init__(
        self,
        site: AnchorSite,
        key: LocalAccount,
        *,
        source: CheckpointSource,
        memory: Memory,
        now: Callable[[], datetime],
    ) -> None:
        self._site = site
        self._key = key
        self._source = source
        self._memory = memory
        self._now = now

    async def prove(self, head: TreeHead, view: View) -> Sequence[bytes]:
        """Return the proof from the anchored root to `head`; empty where nothing is anchored.

        `ForkedLogError` unless `head` extends both the anchored root and the root signed last.
        """
        last = self._memory.state.last_signed
        if last is not None:
            await self._consistency(last.head, head)
        return await self._consistency(view.head, head) if view.head.size else ()

    async def sign(self, head: TreeHead, view: View) -> SignedRoot:
        """Return the authorisation of a head that `prove` let pass."""
        known = self._memory.state.signature_for(head, view.epoch)
        if known is not None:
            return known
        message = checkpoint_message(self._site, epoch=view.epoch, size=head.size, root=head.root)
        signed = SignedRoot(
            head.size,
            HexBytes(head.root),
            view.epoch,
            sign(message, self._key),
            self._now(),
            view.block_number,
        )
        await self._memory.save(self._memory.state.with_signed(signed))
        return signed

    async def _consistency(self, old: TreeHead, new: TreeHead) -> Sequence[bytes]:
        proof: Sequence[bytes] = ()
        if old.size != new.size:
            proof = await self._source.consistency_proof(old.size, new.size)
        try:
            verify_consistency(old.size, new.size, proof, old_root=old.root, root=new.root)
        except ProofError as error:
            raise ForkedLogError(
                f"the log of size {new.size} does not extend what was published at {old.size}"
            ) from error
        return proof
