"""Headers and receipts tries: what they prove, on blocks that a real chain made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hexbytes import HexBytes
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from web3.types import Wei

from dataexchange.anchoring import contract
from dataexchange.anchoring.evidence import (
    BlockEvidence,
    EvidenceError,
    encode_header,
    make_evidence,
    read_header,
    read_logs,
)
from dataexchange.anchoring.local_chain import local_account

if TYPE_CHECKING:
    from tests.anchoring.conftest import Bench


async def crowded_block(bench: Bench, count: int) -> tuple[Any, list[Any], int]:
    """A block with our anchor among `count` other transactions: JSON, receipts, our position."""
    bench.log.grow(5)
    worker = bench.worker()
    eth = bench.chain.w3.eth
    for value in range(count):
        if value == count // 2:
            sent = (await worker.step()).sent
        await eth.send_transaction(
            {
                "from": local_account(3 + value % 5).address,
                "to": local_account(8).address,
                "value": Wei(value),
                "maxFeePerGas": Wei(3 * 10**9),
                "maxPriorityFeePerGas": Wei(10**9),
            }
        )
    await bench.mine()
    number = await bench.chain.block_number()
    block, receipts = await bench.chain.block(number), await bench.chain.receipts(number)
    assert sent is not None
    ours = [r["transactionIndex"] for r in receipts if r["logs"]]
    assert len(receipts) == count + 1
    return block, receipts, ours[0]


@pytest.mark.parametrize("count", [1, 20, 150])
async def test_every_receipt_of_a_block_is_proved_by_its_own_path(bench: Bench, count: int) -> None:
    block, receipts, ours = await crowded_block(bench, count)
    for index in {0, ours, count}:
        evidence = make_evidence(block, receipts, index)
        header = read_header(evidence)
        assert header.hash == block["hash"]
        assert (header.number, header.timestamp) == (block["number"], block["timestamp"])
        logs = list(read_logs(evidence, header.receipts_root))
        assert [log.topics[0] for log in logs] == [contract.anchored_topic()] * (index == ours)


async def test_a_path_to_another_position_proves_nothing_there(bench: Bench) -> None:
    block, receipts, ours = await crowded_block(bench, 20)
    evidence = make_evidence(block, receipts, ours)
    root = read_header(evidence).receipts_root
    for index in set(range(25)) - {ours}:
        with pytest.raises(EvidenceError):
            read_logs(replace(evidence, transaction_index=index), root)


async def test_a_header_that_differs_in_any_field_has_another_hash(bench: Bench) -> None:
    block = dict(await bench.chain.block(await bench.chain.block_number()))
    for name, value in {"number": 7, "timestamp": 1, "receiptsRoot": HexBytes(bytes(32))}.items():
        with pytest.raises(EvidenceError):
            encode_header(block | {name: value})
    with pytest.raises(EvidenceError):
        encode_header({name: value for name, value in block.items() if name != "mixHash"})


async def test_receipts_that_do_not_hash_to_the_header_make_no_evidence(bench: Bench) -> None:
    block, receipts, ours = await crowded_block(bench, 3)
    with pytest.raises(EvidenceError):
        make_evidence(block, receipts[:-1], ours)


async def test_a_failed_transaction_shows_no_events(bench: Bench) -> None:
    block, receipts, ours = await crowded_block(bench, 3)
    failed = [dict(receipt) | {"status": 0} for receipt in receipts]
    good = make_evidence(block, receipts, ours)
    with pytest.raises(EvidenceError):
        make_evidence(block, failed, ours)
    forged = trie_of(failed, ours)
    assert list(read_logs(replace(good, nodes=forged[1]), forged[0])) == []


def trie_of(receipts: list[Any], index: int) -> tuple[bytes, tuple[HexBytes, ...]]:
    import rlp  # type: ignore[import-untyped]
    from trie.hexary import HexaryTrie

    from dataexchange.anchoring.evidence import encode_receipt

    trie: Any = HexaryTrie({})
    for at, receipt in enumerate(receipts):
        trie.set(rlp.encode(at), encode_receipt(receipt))
    nodes = trie.get_proof(rlp.encode(index))
    return trie.root_hash, tuple(HexBytes(rlp.encode(node)) for node in nodes)


@pytest.mark.parametrize("anvil_options", [["--hardfork", "berlin"]], ids=["berlin"])
async def test_blocks_without_later_fields_are_proved_too(bench: Bench) -> None:
    bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    await bench.mine()
    (receipt,) = (await bench.settle(worker)).receipts
    assert receipt.evidence is not None
    assert read_header(receipt.evidence).hash == receipt.block_hash


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
async def test_no_mutation_of_evidence_says_anything_else(
    proved: tuple[BlockEvidence, bytes], data: st.DataObject
) -> None:
    evidence, block_hash = proved
    header = read_header(evidence)
    truth = list(read_logs(evidence, header.receipts_root))
    mutant = mutate(data, evidence)
    try:
        seen = read_header(mutant)
        logs = list(read_logs(mutant, seen.receipts_root))
    except EvidenceError:
        return
    assert seen.hash != block_hash or logs == truth


@pytest.fixture
async def proved(bench: Bench) -> tuple[BlockEvidence, bytes]:
    block, receipts, ours = await crowded_block(bench, 20)
    return make_evidence(block, receipts, ours), bytes(block["hash"])


def mutate(data: st.DataObject, evidence: BlockEvidence) -> BlockEvidence:
    kind = data.draw(st.sampled_from(["header", "node", "drop", "index", "noise"]))
    at = data.draw(st.integers(0, len(evidence.nodes) - 1))
    nodes = list(evidence.nodes)
    match kind:
        case "header":
            return replace(evidence, header=flip(data, evidence.header))
        case "node":
            nodes[at] = flip(data, nodes[at])
        case "drop":
            del nodes[at]
        case "index":
            return replace(evidence, transaction_index=data.draw(st.integers(0, 300)))
        case _:
            nodes[at] = HexBytes(data.draw(st.binary(max_size=80)))
    return replace(evidence, nodes=tuple(nodes))


def flip(data: st.DataObject, original: bytes) -> HexBytes:
    at = data.draw(st.integers(0, len(original) - 1))
    changed = original[at] ^ data.draw(st.integers(1, 255))
    return HexBytes(original[:at] + bytes([changed]) + original[at + 1 :])
