"""The worker on a real chain while all is well: schedule, finality, receipts, restarts."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.chain import Chain
from dataexchange.anchoring.deployment import anchor_keys, rotate_key
from dataexchange.anchoring.errors import (
    ForkedLogError,
    LeaseTakenError,
    PayerError,
    RpcUnavailableError,
    WrongContractError,
)
from dataexchange.anchoring.fees import FeePolicy
from dataexchange.anchoring.local_chain import local_account
from dataexchange.anchoring.plan import Reason, Schedule
from dataexchange.anchoring.state import WorkerState
from dataexchange.anchoring.status import status
from dataexchange.anchoring.verify import ExpectedAnchor, Strength, verify_on_chain
from dataexchange.anchoring.worker import Accounts, AnchorWorker
from dataexchange.ledger import merkle

if TYPE_CHECKING:
    from hexbytes import HexBytes
    from tests.anchoring.conftest import Bench
    from web3.types import TxParams


async def test_a_root_is_anchored_and_its_receipt_waits_for_finality(bench: Bench) -> None:
    top = bench.log.grow(5)
    worker = bench.worker()
    step = await worker.step()
    assert (step.reason, step.rejection) == (Reason.DUE, None)
    assert await bench.head() == top
    assert (await worker.step()).receipts == ()
    (receipt,) = (await bench.settle(worker)).receipts
    assert (receipt.size, bytes(receipt.root)) == top
    assert await bench.store.receipts() == [receipt]
    expected = ExpectedAnchor(bench.site, {0: bench.accounts.anchor.address})
    assert await verify_on_chain(receipt, expected, bench.chain) is Strength.CONFIRMED
    assert worker.state.signed == ()
    assert worker.state.attempts == ()


async def test_an_empty_log_is_not_anchored(bench: Bench) -> None:
    step = await bench.worker().step()
    assert (step.reason, step.sent) == (Reason.NOTHING_NEW, None)


async def test_the_next_root_waits_for_its_time_and_extends_the_last(bench: Bench) -> None:
    bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    await bench.mine()
    top = bench.log.grow(8)
    bench.clock.turn(minutes=59)
    assert (await worker.step()).reason is Reason.NOT_DUE
    bench.clock.turn(minutes=1)
    assert (await worker.step()).reason is Reason.DUE
    assert await bench.head() == top
    first, second = (await bench.settle(worker)).receipts
    assert (second.previous_size, second.previous_root) == (first.size, first.root)


async def test_nothing_is_sent_while_nothing_is_new(bench: Bench) -> None:
    bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    await bench.mine()
    bench.clock.turn(hours=2)
    step = await worker.step()
    assert (step.reason, step.sent) == (Reason.NOTHING_NEW, None)


async def test_one_transaction_at_a_time_is_under_way(bench: Bench) -> None:
    bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    bench.log.grow(5)
    step = await worker.step()
    assert (step.reason, step.sent) == (Reason.UNDERWAY, None)
    assert len(worker.state.attempts) == 1


async def test_a_restart_remembers_what_was_sent(bench: Bench) -> None:
    top = bench.log.grow(5)
    await bench.worker().step()
    restarted = bench.worker()
    assert (await restarted.step()).reason is Reason.UNDERWAY
    assert await bench.head() == top
    assert len((await bench.settle(bench.worker())).receipts) == 1


class CutOff(Chain):
    """A connection that breaks just before a transaction would leave."""

    async def broadcast(self, raw: HexBytes) -> str | None:
        raise RpcUnavailableError("cut off")


async def test_a_crash_before_sending_signs_no_second_root(bench: Bench) -> None:
    top = bench.log.grow(5)
    broken = bench.worker(chain=CutOff([bench.running.url]))
    with pytest.raises(RpcUnavailableError):
        await broken.step()
    (attempt,) = broken.state.attempts
    bench.log.grow(4)
    restarted = bench.worker()
    assert (await restarted.step()).reason is Reason.FORGOTTEN
    assert restarted.state.attempts == (attempt,)
    assert await bench.head() == top
    await broken._chain.close()


async def test_a_crash_between_signing_and_building_signs_the_same_root_again(
    bench: Bench,
) -> None:
    top = bench.log.grow(5)
    broken = bench.worker(chain=CutOff([bench.running.url]))
    with pytest.raises(RpcUnavailableError):
        await broken.step()
    await bench.store.save(replace(broken.state, attempts=()))
    bench.log.grow(4)
    restarted = bench.worker()
    step = await restarted.step()
    assert step.reason is Reason.LOST
    assert [signed.head for signed in restarted.state.signed] == [top]
    assert await bench.head() == top
    await broken._chain.close()


class Deaf(Chain):
    """A connection that breaks after the node has seen the call, signature and all."""

    async def estimate_gas(self, transaction: TxParams) -> int:
        await super().estimate_gas(transaction)
        raise RpcUnavailableError("deaf")


async def test_a_signature_is_on_disk_before_any_node_sees_it(bench: Bench) -> None:
    top = bench.log.grow(5)
    deaf = Deaf([bench.running.url])
    with pytest.raises(RpcUnavailableError):
        await bench.worker(chain=deaf).step()
    state = await loaded(bench)
    assert [signed.head for signed in state.signed] == [top]
    assert state.attempts == ()
    await deaf.close()


async def test_a_log_that_rewrites_what_was_signed_is_never_signed_again(bench: Bench) -> None:
    bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    await bench.mine()
    bench.log.leaves[2] = merkle.leaf_hash(b"rewritten")
    bench.log.grow(3)
    bench.clock.turn(hours=2)
    before = worker.state
    with pytest.raises(ForkedLogError):
        await worker.step()
    assert worker.state.signed == before.signed


async def test_another_root_of_the_same_size_is_a_fork(bench: Bench) -> None:
    bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    await bench.mine()
    bench.log.leaves[4] = merkle.leaf_hash(b"rewritten")
    bench.clock.turn(hours=2)
    with pytest.raises(ForkedLogError):
        await worker.step()


async def test_a_root_that_was_signed_and_never_anchored_binds_the_log_as_well(
    bench: Bench,
) -> None:
    bench.log.grow(5)
    await bench.worker().step()
    await bench.running.request("anvil_dropAllTransactions")
    bench.log.leaves[0] = merkle.leaf_hash(b"rewritten")
    bench.log.grow(3)
    bench.clock.turn(hours=1)
    await bench.store.save(replace(await loaded(bench), attempts=()))
    restarted = bench.worker()
    with pytest.raises(ForkedLogError):
        await restarted.step()
    assert [signed.size for signed in restarted.state.signed] == [5]


async def loaded(bench: Bench) -> WorkerState:
    state = await bench.store.load()
    assert state is not None
    return state


async def test_a_log_shorter_than_what_was_anchored_is_reported_and_waited_for(
    bench: Bench,
) -> None:
    bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    await bench.mine()
    lost = bench.log.leaves.pop()
    bench.clock.turn(hours=2)
    assert (await worker.step()).reason is Reason.LOG_BEHIND
    bench.log.leaves.append(lost)
    bench.log.grow(2)
    assert (await worker.step()).reason is Reason.DUE


async def test_a_store_that_lost_its_state_still_extends_what_is_anchored(bench: Bench) -> None:
    bench.log.grow(5)
    await bench.worker().step()
    await bench.mine()
    (bench.folder / "state.json").unlink()
    bench.log.leaves[0] = merkle.leaf_hash(b"rewritten")
    bench.log.grow(3)
    with pytest.raises(ForkedLogError):
        await bench.worker().step()


async def test_a_strangers_copy_of_our_transaction_still_makes_our_receipt(bench: Bench) -> None:
    top = bench.log.grow(5)
    worker = bench.worker()
    step = await worker.step()
    assert step.sent is not None
    await bench.running.request("anvil_dropTransaction", step.sent.transaction_hash.to_0x_hex())
    sent = await bench.chain.w3.eth.send_transaction(
        {
            "from": local_account(3).address,
            "to": bench.site.contract,
            "data": await call_data(bench, worker),
        }
    )
    assert await bench.head() == top
    receipts = (await bench.settle(worker)).receipts
    assert [receipt.transaction_hash for receipt in receipts] == [sent]
    bench.log.grow(1)
    bench.clock.turn(hours=1)
    assert (await worker.step()).reason is Reason.STALE
    assert (await bench.head()).size == 6


async def call_data(bench: Bench, worker: AnchorWorker) -> HexBytes:
    from hexbytes import HexBytes

    (signed,) = worker.state.signed
    arguments = [signed.size, signed.root, [], signed.signature]
    return HexBytes(bench.chain.contract(bench.site).encode_abi("anchor", arguments))


async def test_anchoring_goes_on_under_a_new_key(bench: Bench) -> None:
    bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    await bench.mine()
    new = local_account(5)
    await bench.running.request("evm_setAutomine", True)
    epoch = await rotate_key(
        bench.chain, local_account(0), site=bench.site, old_key=bench.accounts.anchor, new_key=new
    )
    await bench.running.request("evm_setAutomine", False)
    assert epoch == 1
    with pytest.raises(WrongContractError, match="rotated"):
        await worker.step()
    successor = bench.worker(accounts=Accounts(new, bench.accounts.payer))
    bench.log.grow(5)
    bench.clock.turn(hours=1)
    await successor.step()
    await bench.mine()
    receipts = (await bench.settle(successor)).receipts
    assert [(receipt.size, receipt.epoch) for receipt in receipts] == [(5, 0), (10, 1)]
    keys = await anchor_keys(bench.chain, bench.site)
    for receipt in receipts:
        await verify_on_chain(receipt, ExpectedAnchor(bench.site, keys), bench.chain)


async def test_a_root_signed_before_a_rotation_is_authorised_anew(bench: Bench) -> None:
    top = bench.log.grow(5)
    worker = bench.worker()
    step = await worker.step()
    assert step.sent is not None
    await bench.running.request("anvil_dropTransaction", step.sent.transaction_hash.to_0x_hex())
    new = local_account(5)
    await bench.running.request("evm_setAutomine", True)
    await rotate_key(
        bench.chain, local_account(0), site=bench.site, old_key=bench.accounts.anchor, new_key=new
    )
    await bench.running.request("evm_setAutomine", False)
    successor = bench.worker(accounts=Accounts(new, bench.accounts.payer))
    assert (await successor.step()).reason is Reason.STALE
    assert await bench.head() == top
    assert {signed.epoch for signed in successor.state.signed} == {0, 1}
    (receipt,) = (await bench.settle(successor)).receipts
    assert receipt.epoch == 1


async def test_two_workers_never_share_a_store(bench: Bench) -> None:
    async with bench.store.lease():
        with pytest.raises(LeaseTakenError):
            async with bench.store.lease():
                pass
    async with bench.store.lease():
        pass


async def test_the_wrong_chain_contract_or_log_is_refused(bench: Bench) -> None:
    site = bench.site
    for wrong in (
        AnchorSite(1, site.contract, site.origin),
        AnchorSite(site.chain_id, local_account(7).address, site.origin),
        AnchorSite(site.chain_id, site.contract, "example.org/other"),
    ):
        with pytest.raises(WrongContractError):
            await bench.chain.require_site(wrong)


async def test_a_store_of_another_site_is_refused(bench: Bench) -> None:
    bench.log.grow(1)
    worker = bench.worker()
    await worker.step()
    bench.site = AnchorSite(bench.site.chain_id, bench.site.contract, "example.org/other")
    with pytest.raises(WrongContractError, match="store"):
        await bench.worker().step()


async def test_an_account_without_money_is_named_as_the_fault(bench: Bench) -> None:
    top = bench.log.grow(5)
    payer = local_account(9)
    await bench.running.request("anvil_setBalance", payer.address, "0x1")
    poor = bench.worker(accounts=Accounts(bench.accounts.anchor, payer))
    with pytest.raises(PayerError):
        await poor.step()
    await bench.running.request("anvil_setBalance", payer.address, hex(10**18))
    assert (await poor.step()).rejection is None
    assert await bench.head() == top


async def test_status_tells_how_far_the_log_is_ahead(bench: Bench) -> None:
    top = bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    report = await status(bench.chain, bench.site, store=bench.store, latest=top)
    assert (report.head.size, report.log_ahead_count, report.outstanding_count) == (0, 5, 1)
    payer = bench.accounts.payer.address
    assert report.payer_balance_wei == await bench.chain.w3.eth.get_balance(payer)
    await bench.mine()
    await bench.settle(worker)
    bench.log.grow(2)
    report = await status(
        bench.chain,
        bench.site,
        store=bench.store,
        payer=bench.accounts.payer.address,
        latest=bench.log.head(),
    )
    assert (report.head, report.final_head) == (top, top)
    assert (report.log_ahead_count, report.receipt_count, report.outstanding_count) == (2, 1, 0)
    assert (report.epoch, report.fork_count) == (0, 0)


async def test_fees_over_the_limit_are_waited_out(bench: Bench) -> None:
    top = bench.log.grow(5)
    schedule = Schedule(fees=FeePolicy(max_fee_wei=20 * 10**9))
    worker = bench.worker(schedule=schedule)
    await bench.running.request("anvil_setNextBlockBaseFeePerGas", hex(50 * 10**9))
    await bench.mine()
    step = await worker.step()
    assert (step.reason, step.sent) == (Reason.FEES_TOO_HIGH, None)
    assert worker.state.signed == ()
    await bench.running.request("anvil_setNextBlockBaseFeePerGas", hex(10**9))
    await bench.mine()
    assert (await worker.step()).reason is Reason.DUE
    assert await bench.head() == top


async def test_a_transaction_that_fees_left_behind_is_replaced_at_the_same_nonce(
    bench: Bench,
) -> None:
    top = bench.log.grow(5)
    worker = bench.worker()
    first = (await worker.step()).sent
    assert first is not None
    await bench.running.request("anvil_setNextBlockBaseFeePerGas", hex(first.max_fee_wei * 2))
    assert (await bench.head()).size == 0
    bench.clock.turn(seconds=179)
    step = await worker.step()
    assert step.reason is Reason.FORGOTTEN
    assert step.rejection is not None
    assert (await worker.step()).reason is Reason.UNDERWAY
    bench.clock.turn(seconds=1)
    step = await worker.step()
    assert (step.reason, step.rejection) == (Reason.SLOW, None)
    assert step.sent is not None
    assert (step.sent.nonce, step.sent.size) == (first.nonce, 5)
    assert step.sent.max_fee_wei > first.max_fee_wei
    assert await bench.head() == top
    assert len(worker.state.signed) == 1


async def test_the_interval_is_kept_across_a_restart(bench: Bench) -> None:
    bench.log.grow(5)
    await bench.worker().step()
    await bench.settle(bench.worker())
    bench.log.grow(5)
    schedule = Schedule(interval=timedelta(minutes=10))
    assert (await bench.worker(schedule=schedule).step()).reason is Reason.NOT_DUE
    bench.clock.turn(minutes=10)
    assert (await bench.worker(schedule=schedule).step()).reason is Reason.DUE
