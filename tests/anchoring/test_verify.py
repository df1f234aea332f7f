"""Receipts of a real chain, verified offline and online, and every way to spoil them."""

from __future__ import annotations

import dataclasses
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hexbytes import HexBytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from dataexchange.anchoring.authorisation import AnchorSite, checkpoint_message, sign
from dataexchange.anchoring.chain import Chain
from dataexchange.anchoring.deployment import ShownRoot, deploy, record_fork
from dataexchange.anchoring.errors import AnchorFault, AnchorProofError
from dataexchange.anchoring.local_chain import local_account
from dataexchange.anchoring.receipt import AnchorReceipt, read_receipt
from dataexchange.anchoring.state import decode, encode
from dataexchange.anchoring.verify import (
    BLOCK,
    CONSISTENCY,
    CONTRACT,
    EVENT,
    FORK,
    HEADER,
    SIGNATURE,
    SITE,
    STATE,
    ExpectedAnchor,
    Strength,
    verify_on_chain,
    verify_receipt,
)
from dataexchange.ledger import merkle

if TYPE_CHECKING:
    from tests.anchoring.conftest import Bench

KEY, STRANGER = local_account(1), local_account(6)


@pytest.fixture
async def receipts(bench: Bench) -> list[AnchorReceipt]:
    """Two anchors: of 5 entries, then of 12."""
    worker = bench.worker()
    for count in (5, 7):
        bench.log.grow(count)
        await worker.step()
        await bench.mine()
        bench.clock.turn(hours=1)
    made = (await bench.settle(worker)).receipts
    assert [receipt.size for receipt in made] == [5, 12]
    return list(made)


@pytest.fixture
def expected(bench: Bench) -> ExpectedAnchor:
    return ExpectedAnchor(bench.site, {0: KEY.address})


def fault_of(receipt: AnchorReceipt, expected: ExpectedAnchor) -> AnchorFault:
    with pytest.raises(AnchorProofError) as caught:
        verify_receipt(receipt, expected)
    return caught.value.fault


def resigned(receipt: AnchorReceipt, **changes: Any) -> AnchorReceipt:
    """The receipt with changes, signed again by the anchor key: a lying operator's."""
    changed = replace(receipt, **changes)
    message = checkpoint_message(
        changed.site, epoch=changed.epoch, size=changed.size, root=changed.root
    )
    return replace(changed, signature=sign(message, KEY))


def test_receipts_are_sound_by_themselves(
    receipts: list[AnchorReceipt], expected: ExpectedAnchor
) -> None:
    for receipt in receipts:
        stored = decode(encode(receipt), AnchorReceipt)
        assert verify_receipt(stored, expected) is Strength.INCLUDED


def test_a_receipt_without_evidence_shows_only_the_authorisation(
    receipts: list[AnchorReceipt], expected: ExpectedAnchor
) -> None:
    bare = replace(receipts[0], evidence=None)
    assert verify_receipt(bare, expected) is Strength.AUTHORISED


@pytest.mark.parametrize(
    "change",
    [{"chain_id": 1}, {"contract": STRANGER.address}, {"origin": "example.org/other"}],
)
def test_a_receipt_of_another_site_is_refused(
    receipts: list[AnchorReceipt], expected: ExpectedAnchor, change: dict[str, Any]
) -> None:
    assert fault_of(resigned(receipts[0], **change), expected) is SITE


@pytest.mark.parametrize(
    "change",
    [
        {"signature": HexBytes(bytes(65))},
        {"epoch": 1},
        {"size": 6},
        {"root": HexBytes(b"\x01" * 32)},
        {"anchor_key": STRANGER.address},
    ],
)
def test_what_the_key_did_not_authorise_is_refused(
    receipts: list[AnchorReceipt], expected: ExpectedAnchor, change: dict[str, Any]
) -> None:
    assert fault_of(replace(receipts[0], **change), expected) is SIGNATURE


def test_another_expected_key_refuses_the_receipt(
    receipts: list[AnchorReceipt], expected: ExpectedAnchor
) -> None:
    other = ExpectedAnchor(expected.site, {0: STRANGER.address})
    assert fault_of(receipts[0], other) is SIGNATURE


@pytest.mark.parametrize(
    "change",
    [
        {"consistency": ()},
        {"previous_size": 4},
        {"previous_size": 12},
        {"previous_root": HexBytes(b"\x01" * 32)},
        {"previous_size": 0},
        {"previous_size": 0, "consistency": ()},
    ],
)
def test_a_root_that_does_not_extend_the_one_before_is_refused(
    receipts: list[AnchorReceipt], expected: ExpectedAnchor, change: dict[str, Any]
) -> None:
    assert fault_of(replace(receipts[1], **change), expected) is CONSISTENCY


def test_a_header_that_does_not_fit_is_refused(
    receipts: list[AnchorReceipt], expected: ExpectedAnchor
) -> None:
    first, second = receipts
    for wrong in (
        replace(first, block_number=first.block_number + 1),
        replace(first, block_time=first.block_time + timedelta(seconds=1)),
        replace(first, block_hash=second.block_hash),
        replace(first, evidence=second.evidence),
    ):
        assert fault_of(wrong, expected) is HEADER


def test_an_event_that_the_block_does_not_hold_is_refused(
    receipts: list[AnchorReceipt], expected: ExpectedAnchor
) -> None:
    first, second = receipts
    block = {
        name: getattr(first, name)
        for name in ("block_number", "block_hash", "block_time", "evidence")
    }
    assert fault_of(replace(second, **block), expected) is EVENT
    other = merkle.root([merkle.leaf_hash(b"other")] * 5)
    assert fault_of(resigned(first, root=HexBytes(other)), expected) is EVENT
    assert first.evidence is not None
    cut = replace(first.evidence, nodes=())
    assert fault_of(replace(first, evidence=cut), expected) is EVENT


async def test_the_same_event_of_another_contract_is_refused(
    bench: Bench, expected: ExpectedAnchor
) -> None:
    await bench.running.request("evm_setAutomine", True)
    twin = await deploy(
        bench.chain, local_account(0), origin=bench.site.origin, anchor_key=KEY.address
    )
    bench.log.grow(5)
    elsewhere = dataclasses.replace(bench, site=twin.site, folder=bench.folder / "twin")
    worker = elsewhere.worker()
    await bench.mine(9)
    await worker.step()
    (receipt,) = (await elsewhere.settle(worker)).receipts
    assert verify_receipt(receipt, ExpectedAnchor(twin.site, expected.keys)) is Strength.INCLUDED
    assert fault_of(resigned(receipt, contract=bench.site.contract), expected) is EVENT


def test_each_fault_has_texts_in_both_languages(
    receipts: list[AnchorReceipt], expected: ExpectedAnchor
) -> None:
    with pytest.raises(AnchorProofError) as caught:
        verify_receipt(replace(receipts[0], epoch=9), expected)
    error = caught.value
    assert (error.code, error.fault.step) == ("anchor.signature", 2)
    assert error.zh == "根哈希未经该时期的锚定密钥授权（epoch 9）"
    assert error.en == "the anchor key of this epoch did not authorise the root (epoch 9)"


async def online_fault(
    receipt: AnchorReceipt, expected: ExpectedAnchor, chain: Chain
) -> AnchorFault:
    with pytest.raises(AnchorProofError) as caught:
        await verify_on_chain(receipt, expected, chain)
    return caught.value.fault


async def test_the_chain_confirms_sound_receipts(
    bench: Bench, receipts: list[AnchorReceipt], expected: ExpectedAnchor
) -> None:
    for receipt in receipts:
        assert await verify_on_chain(receipt, expected, bench.chain) is Strength.CONFIRMED


async def test_the_chain_refuses_an_evidence_free_claim_of_what_it_never_held(
    bench: Bench, receipts: list[AnchorReceipt], expected: ExpectedAnchor
) -> None:
    lie = resigned(
        replace(receipts[0], evidence=None), root=HexBytes(merkle.root(bench.log.leaves[1:6]))
    )
    assert verify_receipt(lie, expected) is Strength.AUTHORISED
    assert await online_fault(lie, expected, bench.chain) is STATE


async def test_a_block_that_is_not_final_or_not_there_is_refused(
    bench: Bench, receipts: list[AnchorReceipt], expected: ExpectedAnchor
) -> None:
    patient = Chain([bench.running.url], confirmations=50)
    assert await online_fault(receipts[0], expected, patient) is BLOCK
    await patient.close()
    moved = replace(receipts[0], evidence=None, block_hash=HexBytes(b"\x01" * 32))
    assert await online_fault(moved, expected, bench.chain) is BLOCK
    earlier = replace(receipts[0], evidence=None, block_number=receipts[0].block_number - 1)
    assert await online_fault(earlier, expected, bench.chain) is BLOCK


async def test_a_contract_with_other_code_or_origin_is_refused(
    bench: Bench, receipts: list[AnchorReceipt], expected: ExpectedAnchor
) -> None:
    await bench.running.request("evm_setAutomine", True)
    other = await deploy(
        bench.chain, local_account(0), origin="example.org/other", anchor_key=KEY.address
    )
    for contract in (other.site.contract, STRANGER.address):
        site = AnchorSite(bench.site.chain_id, contract, bench.site.origin)
        bare = replace(receipts[0], evidence=None)
        wrong = resigned(bare, contract=contract)
        keys = ExpectedAnchor(site, expected.keys)
        assert await online_fault(wrong, keys, bench.chain) is CONTRACT


async def test_a_fork_on_record_spoils_every_receipt(
    bench: Bench, receipts: list[AnchorReceipt], expected: ExpectedAnchor
) -> None:
    await bench.running.request("evm_setAutomine", True)
    shown = [
        ShownRoot(0, root, sign(checkpoint_message(bench.site, epoch=0, size=9, root=root), KEY))
        for root in (b"\x01" * 32, b"\x02" * 32)
    ]
    await record_fork(bench.chain, STRANGER, site=bench.site, size=9, shown=(shown[0], shown[1]))
    assert await online_fault(receipts[0], expected, bench.chain) is FORK


async def test_a_transaction_that_the_block_does_not_hold_is_refused(
    bench: Bench, receipts: list[AnchorReceipt], expected: ExpectedAnchor
) -> None:
    for other in (receipts[1].transaction_hash, HexBytes(b"\x01" * 32)):
        wrong = replace(receipts[0], transaction_hash=other)
        assert await online_fault(wrong, expected, bench.chain) is BLOCK


# What only the chain, or nobody, can confirm.
UNPROVED = {"transaction_hash", "gas_used", "gas_price_wei", "finality"}
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.text(max_size=10),
    st.binary(max_size=70).map(lambda data: "0x" + data.hex()),
    st.lists(st.just("0x" + "01" * 32), max_size=3),
    st.just("2026-01-01T00:00:00"),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
async def test_no_spoilt_receipt_passes_or_crashes_the_verifier(
    receipts: list[AnchorReceipt], expected: ExpectedAnchor, data: st.DataObject
) -> None:
    document = json.loads(encode(receipts[1]))
    spoilt = document["evidence"] if data.draw(st.booleans()) else document
    name = data.draw(st.sampled_from(sorted(spoilt)))
    before = spoilt[name]
    spoilt[name] = data.draw(JUNK)
    try:
        verify_receipt(read_receipt(json.dumps(document).encode()), expected)
    except AnchorProofError:
        return
    assert name in UNPROVED | {"evidence"} or spoilt[name] == before
