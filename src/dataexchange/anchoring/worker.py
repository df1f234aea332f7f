"""Anchor the log's checkpoints, one step at a time, whatever the chain does meanwhile.

A step looks at the chain, keeps what has become final, and then does what `plan` says:

1. observe the chain at one block, and which of our roots are final;
2. set aside receipts that the chain no longer supports;
3. make receipts of what has become final, and forget what cannot matter any more;
4. send a transaction, or offer those under way again, or wait.

What is signed is written down before it is sent, and nothing is signed unless it extends both the
last root that was signed and the root that is anchored: the worker is a witness of its own log.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from msgspec.structs import replace
from web3.types import Nonce, TxParams, Wei

from dataexchange.anchoring.authorisation import AnchorSite, checkpoint_message, sign
from dataexchange.anchoring.chain import Chain
from dataexchange.anchoring.errors import (
    ContractRefusedError,
    ForkedLogError,
    WrongContractError,
)
from dataexchange.anchoring.fees import Fees, first_fees, replacement_fees
from dataexchange.anchoring.plan import (
    Reason,
    Schedule,
    Send,
    View,
    Wait,
    forget_final,
    plan,
)
from dataexchange.anchoring.receipt import AnchorReceipt, make_receipt, read_event
from dataexchange.anchoring.source import CheckpointSource, TreeHead
from dataexchange.anchoring.state import (
    Attempt,
    FinalAnchor,
    SignedRoot,
    WorkerState,
    fresh_state,
)
from dataexchange.anchoring.store import AnchorStore
from dataexchange.anchoring.transaction import sign_transaction, with_fees, with_margin
from dataexchange.errors import UnavailableError
from dataexchange.ledger.merkle import ProofError, verify_consistency

logger = logging.getLogger(__name__)

# A re-org may put a transaction into a lower block than the one that was newest when it was signed.
REORG_BLOCKS_MAX: Final = 256
BACKOFF_MAX: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did: why, what it sent, how the node took it, what became final."""

    reason: Reason
    view: View
    sent: Attempt | None = None
    rejection: str | None = None
    receipts: tuple[AnchorReceipt, ...] = ()
    orphaned: tuple[AnchorReceipt, ...] = ()


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who authorises roots, and who pays for gas. They may be one."""

    anchor: LocalAccount
    payer: LocalAccount


def utc_now() -> datetime:
    """Return the time, in UTC."""
    return datetime.now(UTC)


class AnchorWorker:
    """Anchors one log at one site. Run one per store; the store's lease sees to it."""

    def __init__(
        self,
        chain: Chain,
        site: AnchorSite,
        *,
        accounts: Accounts,
        source: CheckpointSource,
        store: AnchorStore,
        schedule: Schedule | None = None,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        self._chain = chain
        self._site = site
        self._accounts = accounts
        self._source = source
        self._store = store
        self._schedule = schedule or Schedule()
        self._now = now
        self._state = fresh_state(site)
        self._ready = False

    @property
    def state(self) -> WorkerState:
        """What the worker remembers."""
        return self._state

    async def run(self, stop: asyncio.Event) -> None:
        """Step until `stop` is set.

        What may pass (`UnavailableError`) is tried again, through the next endpoint, ever more
        slowly; a log that contradicts itself ends the run.
        """
        failures = 0
        async with self._store.lease():
            while not stop.is_set():
                try:
                    report = await self.step()
                    failures = 0
                    _log_step(report)
                except UnavailableError as error:
                    failures += 1
                    self._change_endpoint()
                    logger.warning("anchoring waits: %s: %s", type(error).__name__, error)
                await _pause(stop, _delay(self._schedule.poll, failures))

    async def step(self) -> Step:
        """Do the next thing and say what it was. The caller holds the store's lease."""
        await self._prepare()
        view = await self._observe()
        orphaned = await self._orphan_undone(view)
        receipts = await self._settle(view)
        await self._save(forget_final(self._state, view))
        order = plan(self._state, view, now=self._now(), schedule=self._schedule)
        match order:
            case Wait():
                act = await self._offer_again(order)
            case Send():
                act = await self._send(order, view)
        return Step(act.reason, view, act.sent, act.rejection, receipts, orphaned)

    async def _prepare(self) -> None:
        """Once, and after each change of endpoint: load the state, check chain and contract."""
        if self._ready:
            return
        loaded = await self._store.load()
        if loaded is not None:
            if loaded.site != self._site:
                raise WrongContractError(f"the store belongs to {loaded.site}")
            self._state = loaded
        await self._chain.require_site(self._site)
        self._ready = True

    def _change_endpoint(self) -> None:
        self._chain.next_endpoint()
        self._ready = False

    async def _save(self, state: WorkerState) -> None:
        if state != self._state:
            await self._store.save(state)
            self._state = state

    async def _observe(self) -> View:
        state = self._state
        sizes = {signed.size for signed in state.signed}
        if state.last_final is not None:
            sizes.add(state.last_final.size)
        view = await self._chain.observe(self._site, self._accounts.payer.address, sizes)
        if view.anchor_key != self._accounts.anchor.address:
            raise WrongContractError(
                f"the contract's anchor key is {view.anchor_key}, not ours: was it rotated?"
            )
        return view

    async def _orphan_undone(self, view: View) -> tuple[AnchorReceipt, ...]:
        """Set aside receipts of blocks that left the chain although they counted as final."""
        last = self._state.last_final
        # An endpoint that lags has not seen the block yet; that undoes nothing.
        if last is None or view.final_number < last.block_number:
            return ()
        if view.final_roots.get(last.size) == last.root:
            return ()
        undone, kept = await self._undone_receipts(view)
        for receipt in undone:
            await self._store.orphan_receipt(receipt)
            logger.error("anchor of size %d was undone after it was final", receipt.size)
        await self._save(replace(self._state, last_final=kept and _final(kept)))
        return tuple(undone)

    async def _undone_receipts(
        self, view: View
    ) -> tuple[list[AnchorReceipt], AnchorReceipt | None]:
        """Return the newest receipts that the chain does not support, and the newest it does."""
        undone: list[AnchorReceipt] = []
        for receipt in reversed(await self._store.receipts()):
            roots = await self._chain.roots_at(self._site, [receipt.size], view.final_number)
            if roots.get(receipt.size) == receipt.root:
                return undone, receipt
            undone.append(receipt)
        return undone, None

    async def _settle(self, view: View) -> tuple[AnchorReceipt, ...]:
        """Make and keep receipts of the roots that are final; the state forgets them after."""
        receipts: list[AnchorReceipt] = []
        for size in sorted({signed.size for signed in self._state.signed} & set(view.final_roots)):
            receipt = await self._receipt(size, view)
            if receipt is None:
                continue
            await self._store.add_receipt(receipt)
            rest = tuple(s for s in self._state.signed if s.size != size)
            await self._save(replace(self._state, signed=rest, last_final=_final(receipt)))
            receipts.append(receipt)
        return tuple(receipts)

    async def _receipt(self, size: int, view: View) -> AnchorReceipt | None:
        candidates = [signed for signed in self._state.signed if signed.size == size]
        for signed in candidates:
            if signed.root != view.final_roots[size]:
                raise ForkedLogError(f"another root than the one we signed is anchored at {size}")
        first = min(signed.block_number for signed in candidates) - REORG_BLOCKS_MAX
        log = await self._chain.locate(self._site, size, first=first, last=view.final_number)
        if log is None:
            return None
        epoch = read_event(log["data"]).epoch
        ours = next((signed for signed in candidates if signed.epoch == epoch), None)
        if ours is None:
            return None
        return await make_receipt(self._chain, self._source, log=log, signed=ours, site=self._site)

    async def _offer_again(self, order: Wait) -> "_Act":
        """Hand to the node what it has lost, lowest nonce first."""
        rejection = None
        for attempt in order.again:
            if not await self._chain.knows(attempt.transaction_hash):
                rejection = await self._chain.broadcast(attempt.raw) or rejection
        return _Act(order.reason, rejection=rejection)

    async def _send(self, order: Send, view: View) -> "_Act":
        fees = self._fees(order, view)
        if fees is None:
            return _Act(Reason.FEES_TOO_HIGH)
        head = await self._head_to_anchor(order, view)
        last = self._state.last_signed
        if head.size < max(view.head.size, last.size if last else 0):
            # A replica that lags, or a log restored from an old backup.
            return _Act(Reason.LOG_BEHIND)
        proof = await self._prove(head, view)
        if head.size == view.head.size:
            return _Act(Reason.NOTHING_NEW)
        signed = await self._sign(head, view)
        draft = self._draft(signed, proof, nonce=order.nonce)
        try:
            gas = await self._chain.estimate_gas(draft)
        except ContractRefusedError as error:
            # Somebody was faster, or the chain moved; the next view will show it.
            return _Act(Reason.REFUSED, rejection=str(error))
        priced = with_fees({**draft, "gas": with_margin(gas)}, fees, eip1559=view.eip1559)
        attempt = self._attempt(priced, signed, fees, view)
        await self._save(self._state.with_attempt(attempt))
        rejection = await self._chain.broadcast(attempt.raw)
        return _Act(order.reason, sent=attempt, rejection=rejection)

    def _fees(self, order: Send, view: View) -> Fees | None:
        policy = self._schedule.fees
        if order.replaces is None:
            return first_fees(view.base_fee_wei, policy)
        return replacement_fees(order.replaces.fees, view.base_fee_wei, policy)

    async def _head_to_anchor(self, order: Send, view: View) -> TreeHead:
        """Return the newest checkpoint, or the one signed last while that is neither old nor done.

        So a chain that keeps failing does not make us sign a new root at every try.
        """
        last = self._state.last_signed
        if last is None or order.reason is Reason.DUE or last.size <= view.head.size:
            return await self._source.latest()
        if self._now() - last.signed_at >= self._schedule.interval:
            return await self._source.latest()
        return last.head

    async def _prove(self, head: TreeHead, view: View) -> list[bytes]:
        """Return the proof from the anchored root, after `head` has met all that is known."""
        last = self._state.last_signed
        if last is not None:
            await self._consistency(last.head, head)
        return await self._consistency(view.head, head) if view.head.size else []

    async def _consistency(self, old: TreeHead, new: TreeHead) -> list[bytes]:
        if old.size == new.size:
            proof: list[bytes] = []
        else:
            proof = list(await self._source.consistency_proof(old.size, new.size))
        try:
            verify_consistency(old.size, new.size, proof, old_root=old.root, root=new.root)
        except ProofError as error:
            raise ForkedLogError(
                f"the log of size {new.size} does not extend what was published at {old.size}"
            ) from error
        return proof

    async def _sign(self, head: TreeHead, view: View) -> SignedRoot:
        """Return the authorisation of `head`; it is written down before anyone can see it."""
        known = self._state.signature_for(head, view.epoch)
        if known is not None:
            return known
        message = checkpoint_message(self._site, epoch=view.epoch, size=head.size, root=head.root)
        signed = SignedRoot(
            head.size,
            HexBytes(head.root),
            view.epoch,
            sign(message, self._accounts.anchor),
            self._now(),
            view.block_number,
        )
        await self._save(self._state.with_signed(signed))
        return signed

    def _draft(self, signed: SignedRoot, proof: list[bytes], *, nonce: int) -> TxParams:
        data = self._chain.contract(self._site).encode_abi(
            "anchor", [signed.size, signed.root, proof, signed.signature]
        )
        return {
            "chainId": self._site.chain_id,
            "from": self._accounts.payer.address,
            "to": self._site.contract,
            "nonce": Nonce(nonce),
            "value": Wei(0),
            "data": data,
        }

    def _attempt(
        self, transaction: TxParams, signed: SignedRoot, fees: Fees, view: View
    ) -> Attempt:
        sent = sign_transaction(transaction, self._accounts.payer)
        return Attempt(
            nonce=int(transaction["nonce"]),
            size=signed.size,
            previous_size=view.head.size,
            epoch=view.epoch,
            transaction_hash=sent.hash,
            raw=sent.raw,
            max_fee_wei=fees.max_fee_wei,
            priority_fee_wei=fees.priority_fee_wei,
            sent_at=self._now(),
        )


@dataclass(frozen=True, slots=True)
class _Act:
    reason: Reason
    sent: Attempt | None = None
    rejection: str | None = None


def _final(receipt: AnchorReceipt) -> FinalAnchor:
    return FinalAnchor(receipt.size, receipt.root, receipt.block_number)


def _delay(poll: timedelta, failures: int) -> timedelta:
    slower: timedelta = poll * (1 << min(failures, 10))
    return min(slower, max(BACKOFF_MAX, poll))


async def _pause(stop: asyncio.Event, delay: timedelta) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), delay.total_seconds())


def _log_step(step: Step) -> None:
    for receipt in step.receipts:
        logger.info("anchored size %d in block %d", receipt.size, receipt.block_number)
    if step.sent is not None:
        logger.info("sent size %d (%s)", step.sent.size, step.reason.value)
    if step.rejection is not None:
        logger.warning("not taken (%s): %s", step.reason.value, step.rejection)
