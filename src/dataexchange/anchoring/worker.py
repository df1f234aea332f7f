"""Anchor the log's checkpoints, one step at a time, whatever the chain does meanwhile.

A step

1. observes the chain at one block, and which of our roots are final;
2. sets aside receipts that the chain no longer supports;
3. makes receipts of what has become final, and forgets what cannot matter any more;
4. looks which of our transactions the node has forgotten;
5. does what `plan` says: sends a transaction, offers some again, or waits.

What is signed or sent is written down first.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from eth_account.signers.local import LocalAccount
from msgspec.structs import replace
from web3.types import Nonce, TxParams, Wei

from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.chain import Chain
from dataexchange.anchoring.errors import ContractRefusedError, WrongContractError
from dataexchange.anchoring.fees import Fees, first_fees, replacement_fees
from dataexchange.anchoring.memory import Memory
from dataexchange.anchoring.plan import (
    Reason,
    Schedule,
    Send,
    View,
    Wait,
    forget_final,
    outstanding,
    plan,
)
from dataexchange.anchoring.receipt import AnchorReceipt
from dataexchange.anchoring.settlement import Settlement
from dataexchange.anchoring.source import CheckpointSource, TreeHead
from dataexchange.anchoring.state import Attempt, SignedRoot, WorkerState
from dataexchange.anchoring.store import AnchorStore
from dataexchange.anchoring.transaction import sign_transaction, with_fees, with_margin
from dataexchange.anchoring.witness import Witness
from dataexchange.errors import UnavailableError

logger = logging.getLogger(__name__)

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
        self._schedule = schedule or Schedule()
        self._now = now
        self._memory = Memory(store, site)
        self._witness = Witness(site, accounts.anchor, source=source, memory=self._memory, now=now)
        self._settlement = Settlement(chain, site, source=source, memory=self._memory)
        self._ready = False

    @property
    def state(self) -> WorkerState:
        """What the worker remembers."""
        return self._memory.state

    async def run(self, stop: asyncio.Event, *, once: bool = False) -> Step | None:
        """Step until `stop` is set, or, with `once`, nothing of ours is under way; return the last.

        What may pass (`UnavailableError`) is tried again, through the next endpoint, ever more
        slowly; a log that contradicts itself, or a strange contract, ends the run.
        """
        failures = 0
        step = None
        async with self._memory.store.lease():
            while not stop.is_set():
                try:
                    step = await self.step()
                    _log_step(step)
                    if once and self._is_idle(step):
                        break
                    failures = 0
                except UnavailableError as error:
                    failures += 1
                    self._change_endpoint()
                    logger.warning("anchoring waits: %s: %s", type(error).__name__, error)
                await _pause(stop, _delay(self._schedule.poll, failures))
        return step

    def _is_idle(self, step: Step) -> bool:
        """Whether nothing was sent, and nothing signed or sent waits to become final."""
        return step.sent is None and not self.state.signed and not self.state.attempts

    async def step(self) -> Step:
        """Do the next thing and say what it was. The caller holds the store's lease."""
        await self._prepare()
        view = await self._observe()
        orphaned = await self._settlement.orphan_undone(view)
        receipts = await self._settlement.settle(view)
        await self._memory.save(forget_final(self.state, view))
        view = await self._look_for_ours(view)
        order = plan(self.state, view, now=self._now(), schedule=self._schedule)
        match order:
            case Wait():
                act = await self._offer_again(order, view)
            case Send():
                act = await self._send(order, view)
        return Step(act.reason, view, act.sent, act.rejection, receipts, orphaned)

    async def _prepare(self) -> None:
        """Once, and after each change of endpoint: load the state, check chain and contract."""
        if not self._ready:
            await self._memory.load()
            await self._chain.require_site(self._site)
            self._ready = True

    def _change_endpoint(self) -> None:
        self._chain.next_endpoint()
        self._ready = False

    async def _observe(self) -> View:
        payer, sizes = self._accounts.payer.address, self._settlement.sizes()
        view = await self._chain.observe(self._site, payer, sizes)
        if view.anchor_key != self._accounts.anchor.address:
            raise WrongContractError(
                f"the contract's anchor key is {view.anchor_key}, not ours: was it rotated?"
            )
        return view

    async def _look_for_ours(self, view: View) -> View:
        """Return the view with what the node has forgotten of our transactions."""
        forgotten = [
            attempt.nonce
            for attempt in outstanding(self.state, view)
            if not await self._chain.knows(attempt.transaction_hash)
        ]
        return dataclasses.replace(view, forgotten=frozenset(forgotten))

    async def _offer_again(self, order: Wait, view: View) -> "_Act":
        """Hand to the node what it has lost, lowest nonce first."""
        rejections = [await self._offer(attempt, view) for attempt in order.again]
        return _Act(order.reason, rejection=next(filter(None, rejections), None))

    async def _offer(self, attempt: Attempt, view: View) -> str | None:
        """Hand a transaction to the node, having written down that it may be out."""
        offered = replace(
            attempt, sent_at=self._now(), block_number=view.block_number, refused=False
        )
        await self._memory.save(self.state.with_attempt(offered))
        rejection = await self._chain.broadcast(attempt.raw)
        if rejection is not None:
            # It keeps its old time, so that it is soon replaced by a better offer.
            await self._memory.save(self.state.with_attempt(replace(attempt, refused=True)))
        return rejection

    async def _send(self, order: Send, view: View) -> "_Act":
        fees = self._fees(order, view)
        if fees is None:
            return _Act(Reason.FEES_TOO_HIGH)
        head = await self._head_to_anchor(order, view)
        if self._is_behind(head, view):
            return _Act(Reason.LOG_BEHIND)
        proof = await self._witness.prove(head, view)
        if head.size == view.head.size:
            return _Act(Reason.NOTHING_NEW)
        signed = await self._witness.sign(head, view)
        draft = self._draft(signed, proof, nonce=order.nonce)
        try:
            gas = await self._chain.estimate_gas(draft)
        except ContractRefusedError as error:
            # Somebody was faster, or the chain moved; the next view will show it.
            return _Act(Reason.REFUSED, rejection=str(error))
        priced = with_fees({**draft, "gas": with_margin(gas)}, fees, eip1559=view.eip1559)
        attempt = self._attempt(priced, signed, fees, view)
        return _Act(order.reason, sent=attempt, rejection=await self._offer(attempt, view))

    def _fees(self, order: Send, view: View) -> Fees | None:
        policy = self._schedule.fees
        if order.replaces is None:
            return first_fees(view.base_fee_wei, policy)
        return replacement_fees(order.replaces.fees, view.base_fee_wei, policy)

    async def _head_to_anchor(self, order: Send, view: View) -> TreeHead:
        """Return the newest checkpoint, or the one signed last while that is neither old nor done.

        So a chain that keeps failing does not make us sign a new root at every try.
        """
        last = self.state.last_signed
        if last is None or order.reason is Reason.DUE or last.size <= view.head.size:
            return await self._source.latest()
        if self._now() - last.signed_at >= self._schedule.interval:
            return await self._source.latest()
        return last.head

    def _is_behind(self, head: TreeHead, view: View) -> bool:
        """Whether the log is shorter than it was: a lagging replica, or an old backup restored."""
        last = self.state.last_signed
        return head.size < max(view.head.size, last.size if last else 0)

    def _draft(self, signed: SignedRoot, proof: Sequence[bytes], *, nonce: int) -> TxParams:
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
            block_number=view.block_number,
        )


@dataclass(frozen=True, slots=True)
class _Act:
    reason: Reason
    sent: Attempt | None = None
    rejection: str | None = None


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
    if step.reason is Reason.LOG_BEHIND:
        logger.error("the log is shorter than what was signed or anchored")
