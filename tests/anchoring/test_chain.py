"""The client of the chain, against a real node and against nodes that can do less."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from eth_typing import BlockNumber
from web3 import AsyncHTTPProvider

from dataexchange.anchoring.chain import LOG_SPAN_MAX_BLOCKS, Chain
from dataexchange.anchoring.errors import RpcUnavailableError
from dataexchange.anchoring.evidence import EvidenceError, encode_header

if TYPE_CHECKING:
    from tests.anchoring.conftest import Bench


class OldNode(AsyncHTTPProvider):
    """A node that does not know `eth_getBlockReceipts`."""

    async def make_request(self, method: Any, params: Any) -> Any:
        if method == "eth_getBlockReceipts":
            error = {"code": -32601, "message": "the method does not exist"}
            return {"jsonrpc": "2.0", "id": 1, "error": error}
        return await super().make_request(method, params)


async def test_receipts_are_collected_one_by_one_where_the_node_cannot_list_them(
    bench: Bench,
) -> None:
    bench.log.grow(5)
    worker = bench.worker()
    await worker.step()
    await bench.mine()
    number = await bench.chain.block_number()
    listed = await bench.chain.receipts(number)
    old = Chain([bench.running.url])
    provider = old.w3.provider
    old.w3.provider = OldNode(bench.running.url)
    assert await old.receipts(number) == listed
    assert len(listed) == 1
    await old.close()
    await provider.disconnect()


async def test_events_are_found_across_more_blocks_than_one_question_may_span(
    bench: Bench,
) -> None:
    bench.log.grow(5)
    await bench.worker().step()
    await bench.mine()
    at = await bench.chain.block_number()
    await bench.mine(2 * LOG_SPAN_MAX_BLOCKS)
    last = await bench.chain.block_number()
    log = await bench.chain.locate(bench.site, 5, first=0, last=last)
    assert log is not None
    assert log["blockNumber"] == at
    assert await bench.chain.locate(bench.site, 5, first=at + 1, last=last) is None
    assert await bench.chain.locate(bench.site, 6, first=0, last=last) is None


async def test_before_the_contract_existed_nothing_was_anchored(bench: Bench) -> None:
    assert await bench.chain.head_at(bench.site, BlockNumber(0)) == (0, bytes(32))
    assert await bench.chain.roots_at(bench.site, [5], BlockNumber(0)) == {}


class SealedNode(AsyncHTTPProvider):
    """A node whose blocks carry the seals of named validators, longer than Ethereum allows."""

    async def make_request(self, method: Any, params: Any) -> Any:
        response = await super().make_request(method, params)
        if method == "eth_getBlockByNumber":
            response["result"]["extraData"] = "0x" + "5e" * 97
        return response


async def test_blocks_with_long_seals_can_be_read_but_not_proved(bench: Bench) -> None:
    sealed = Chain([bench.running.url])
    provider = sealed.w3.provider
    sealed.w3.provider = SealedNode(bench.running.url)
    block = await sealed.block(1)
    assert len(block["proofOfAuthorityData"]) == 97
    with pytest.raises(EvidenceError):
        encode_header(block)
    await sealed.close()
    await provider.disconnect()


async def test_an_error_never_shows_the_endpoint(bench: Bench) -> None:
    for url in (bench.running.url + "/v3/secret", "http://secret.invalid:1/secret"):
        chain = Chain([url], timeout_seconds=2)
        with pytest.raises(RpcUnavailableError) as caught:
            await chain.block(10**9)
        assert "secret" not in str(caught.value)
        assert caught.value.__suppress_context__
        await chain.close()
