"""The worker while the chain takes back what it showed."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest
from web3.types import Wei

from dataexchange.anchoring.chain import Chain
from dataexchange.anchoring.errors import AnchorProofError
from dataexchange.anchoring.local_chain import local_account
from dataexchange.anchoring.plan import Reason
from dataexchange.anchoring.verify import (
    BLOCK,
    ExpectedAnchor,
    Strength,
    verify_on_chain,
)

if TYPE_CHECKING:
    from tests.anchoring.conftest import Bench

    from dataexchange.anchoring.worker import AnchorWorker


def expected(bench: Bench) -> ExpectedAnchor:
    return ExpectedAnchor(bench.site, {0: bench.accounts.anchor.address})


async def test_a_transaction_that_a_reorg_forgot_is_offered_again_unchanged(bench: Bench) -> None:
    top = bench.log.grow(5)
    worker = bench.worker()
    sent = (await worker.step()).sent
    assert await bench.head() == top
    await bench.running.reorganise(1)
    assert (await bench.anchored()).size == 0
    step = await worker.step()
    assert (step.reason, step.rejection) == (Reason.FORGOTTEN, None)
    assert [attempt.raw for attempt in worker.state.attempts] == [sent and sent.raw]
    assert await bench.head() == top
    (receipt,) = (await bench.settle(worker)).receipts
    assert await verify_on_chain(receipt, expected(bench), bench.chain) is Strength.CONFIRMED


async def test_all_transactions_that_a_deep_reorg_forgot_come_back_in_order(bench: Bench) -> None:
    worker = bench.worker()
    for _ in range(3):
        top = bench.log.grow(5)
        await worker.step()
        assert await bench.head() == top
        bench.clock.turn(hours=1)
    await bench.running.reorganise(3)
    assert (await bench.anchored()).size == 0
    assert (await worker.step()).reason is Reason.FORGOTTEN
    assert await bench.head() == top
    receipts = (await bench.settle(worker)).receipts
    assert [(receipt.previous_size, receipt.size) for receipt in receipts] == [
        (0, 5),
        (5, 10),
        (10, 15),
    ]


async def test_a_nonce_that_a_reorg_gave_to_another_transaction_is_not_waited_for(
    bench: Bench,
) -> None:
    top = bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    assert await bench.head() == top
    payer = bench.accounts.payer.address
    other = {"from": payer, "to": local_account(6).address, "value": "0x1"}
    await bench.running.request("anvil_reorg", 1, [[other, 0]])
    assert (await bench.anchored()).size == 0
    assert await bench.chain.w3.eth.get_transaction_count(payer) == 1
    step = await worker.step()
    assert step.reason is Reason.LOST
    assert step.sent is not None
    assert step.sent.nonce == 1
    assert await bench.head() == top


async def test_a_gap_that_a_reorg_tore_into_the_nonces_is_filled(bench: Bench) -> None:
    payer = bench.accounts.payer.address
    await bench.chain.w3.eth.send_transaction(
        {"from": payer, "to": local_account(6).address, "value": Wei(1)}
    )
    await bench.mine()
    bench.log.grow(5)
    worker = bench.worker()
    step = await worker.step()
    assert step.sent is not None
    assert step.sent.nonce == 1
    await bench.mine()
    await bench.running.reorganise(2)
    assert await bench.chain.w3.eth.get_transaction_count(payer) == 0
    step = await worker.step()
    assert step.reason is Reason.NONCE_GAP
    assert step.sent is not None
    assert step.sent.nonce == 0
    assert (await bench.head()).size == 5
    assert len((await bench.settle(worker)).receipts) == 1


async def test_no_receipt_is_made_before_a_block_is_final(bench: Bench) -> None:
    bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    await bench.mine()
    for _ in range(4):
        assert (await worker.step()).receipts == ()
        await bench.mine()
    assert len((await worker.step()).receipts) == 1


async def test_a_reorg_beyond_finality_orphans_the_receipt_and_anchors_again(
    bench: Bench,
) -> None:
    hasty = Chain([bench.running.url], confirmations=1)
    worker = bench.worker(chain=hasty)
    first = bench.log.grow(5)
    await worker.step()
    await bench.mine(2)
    (kept,) = (await worker.step()).receipts
    second = bench.log.grow(5)
    bench.clock.turn(hours=1)
    await worker.step()
    await bench.mine(2)
    (undone,) = (await worker.step()).receipts
    assert await bench.anchored() == second
    await bench.running.reorganise(3)
    assert await bench.anchored() == first
    step = await worker.step()
    assert step.orphaned == (undone,)
    assert list(await bench.store.receipts()) == [kept]
    with pytest.raises(AnchorProofError) as caught:
        await verify_on_chain(undone, expected(bench), hasty)
    assert caught.value.fault is BLOCK
    assert step.reason is Reason.LOST
    assert await bench.head(2) == second
    (again,) = (await worker.step()).receipts
    assert again.block_hash != undone.block_hash
    await verify_on_chain(again, expected(bench), hasty)
    await hasty.close()


async def test_an_endpoint_that_lags_orphans_nothing(bench: Bench) -> None:
    bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    await bench.mine()
    (receipt,) = (await bench.settle(worker)).receipts
    behind = Chain([bench.running.url], confirmations=await bench.chain.block_number() - 1)
    assert (await bench.worker(chain=behind).step()).orphaned == ()
    assert await bench.store.receipts() == [receipt]
    await behind.close()


async def test_a_mempool_that_forgets_is_reminded(bench: Bench) -> None:
    top = bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    await bench.running.request("anvil_dropAllTransactions")
    assert (await bench.head()).size == 0
    assert (await worker.step()).rejection is None
    assert await bench.head() == top


STORMS = range(6)


@pytest.mark.parametrize("seed", STORMS)
async def test_after_any_storm_the_log_is_anchored_and_nothing_was_signed_twice(
    bench: Bench, seed: int
) -> None:
    chance = random.Random(seed)
    signed: dict[int, set[bytes]] = {}
    worker = bench.worker()
    for _ in range(40):
        worker = await gust(bench, worker, chance)
        for one in worker.state.signed:
            signed.setdefault(one.size, set()).add(bytes(one.root))
    top = bench.log.grow(1)
    for _ in range(12):
        bench.clock.turn(hours=1)
        await worker.step()
        await bench.mine(2)
    assert await bench.anchored() == top
    await bench.settle(worker)
    assert all(len(roots) == 1 for roots in signed.values())
    assert worker.state.signed == ()
    receipts = await bench.store.receipts()
    assert receipts[-1].size == top.size
    for receipt in receipts:
        await verify_on_chain(receipt, expected(bench), bench.chain)


async def gust(bench: Bench, worker: AnchorWorker, chance: random.Random) -> AnchorWorker:
    """One thing that happens: to the log, the chain, the node, the worker, or the time."""
    match chance.choice(["log", "mine", "mine", "reorg", "forget", "fees", "restart", "step"]):
        case "log":
            bench.log.grow(chance.randrange(1, 9))
        case "mine":
            await bench.mine(chance.randrange(1, 3))
        case "reorg":
            # Never beyond what counts as final.
            await bench.running.reorganise(chance.randrange(1, 4))
        case "forget":
            await bench.running.request("anvil_dropAllTransactions")
        case "fees":
            price = chance.choice([1, 3, 9, 60]) * 10**9
            await bench.running.request("anvil_setNextBlockBaseFeePerGas", hex(price))
        case "restart":
            worker = bench.worker()
        case _:
            pass
    bench.clock.turn(minutes=chance.choice([0, 1, 5, 61]))
    await worker.step()
    return worker
