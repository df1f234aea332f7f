"""How anchoring stands: what the contract holds, and what the worker knows."""

from dataclasses import dataclass
from datetime import datetime

from eth_account import Account
from eth_typing import ChecksumAddress
from eth_utils.address import to_checksum_address

from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.chain import Chain, answering
from dataexchange.anchoring.plan import outstanding
from dataexchange.anchoring.source import TreeHead
from dataexchange.anchoring.state import WorkerState, fresh_state
from dataexchange.anchoring.store import AnchorStore


@dataclass(frozen=True, slots=True)
class AnchorStatus:
    """Sizes are numbers of entries.

    `log_ahead_count` entries are not yet in any anchored root, `exposed_count` not yet in a final
    one; None where the log is not known. `payer_balance_wei` is None where it is not known who
    pays. `gas_used` and `spent_wei` are those of the receipts.
    """

    site: AnchorSite
    head: TreeHead
    final_head: TreeHead
    epoch: int
    anchor_key: ChecksumAddress
    fork_count: int
    block_number: int
    final_number: int
    base_fee_wei: int
    payer_balance_wei: int | None
    receipt_count: int
    outstanding_count: int
    last_signed_at: datetime | None
    log_ahead_count: int | None
    exposed_count: int | None
    gas_used: int
    spent_wei: int


async def status(
    chain: Chain,
    site: AnchorSite,
    *,
    store: AnchorStore,
    payer: ChecksumAddress | None = None,
    latest: TreeHead | None = None,
) -> AnchorStatus:
    """Return how anchoring stands now; needs no key, no lease, and changes nothing.

    `latest` is the log's newest checkpoint, where the caller knows it. `payer` is by default who
    signed the transactions that are under way.
    """
    await chain.require_site(site)
    state = await store.load() or fresh_state(site)
    receipts = await store.receipts()
    payer = payer or _sender(state)
    # Where nothing is under way the nonce is of no interest, whoever is asked about.
    view = await chain.observe(site, payer or site.contract, ())
    async with answering():
        fork_count = await chain.contract(site).functions.forkCount().call()
    return AnchorStatus(
        site=site,
        head=view.head,
        final_head=view.final_head,
        epoch=view.epoch,
        anchor_key=view.anchor_key,
        fork_count=fork_count,
        block_number=view.block_number,
        final_number=view.final_number,
        base_fee_wei=view.base_fee_wei,
        payer_balance_wei=view.balance_wei if payer else None,
        receipt_count=len(receipts),
        outstanding_count=len(outstanding(state, view)),
        last_signed_at=None if state.last_signed is None else state.last_signed.signed_at,
        log_ahead_count=_ahead_count(latest, view.head),
        exposed_count=_ahead_count(latest, view.final_head),
        gas_used=sum(receipt.gas_used for receipt in receipts),
        spent_wei=sum(receipt.gas_used * receipt.gas_price_wei for receipt in receipts),
    )


def _sender(state: WorkerState) -> ChecksumAddress | None:
    """Return who signed the newest transaction that is not yet final."""
    if not state.attempts:
        return None
    raw = max(state.attempts, key=lambda attempt: attempt.nonce).raw
    return to_checksum_address(Account.recover_transaction(raw))


def _ahead_count(latest: TreeHead | None, head: TreeHead) -> int | None:
    return None if latest is None else max(0, latest.size - head.size)
