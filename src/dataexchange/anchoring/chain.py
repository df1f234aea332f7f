"""Ask an EVM chain over JSON-RPC, and hand transactions to it.

Whatever is observed together is read at one block, named by its hash (EIP-1898), so that a re-org
between two questions cannot mix two histories. Several endpoints may be given: after a failure the
next one is asked. Endpoints' addresses may hold secrets and never appear in messages.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from json import JSONDecodeError
from typing import Any

from aiohttp import ClientError, ClientResponseError, ClientTimeout
from eth_typing import BlockNumber, ChecksumAddress
from hexbytes import HexBytes
from web3 import AsyncHTTPProvider, AsyncWeb3
from web3.contract import AsyncContract
from web3.exceptions import (
    BadFunctionCallOutput,
    ContractLogicError,
    MethodUnavailable,
    TransactionNotFound,
    Web3Exception,
    Web3RPCError,
)
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import BlockData, LogReceipt, TxParams

from dataexchange.anchoring import contract
from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.errors import (
    PayerError,
    RpcUnavailableError,
    WrongContractError,
)
from dataexchange.anchoring.plan import View
from dataexchange.anchoring.source import TreeHead

# Providers bound how many blocks one `eth_getLogs` may span.
LOG_SPAN_MAX_BLOCKS = 1000


class Chain:
    """One chain, seen through one or more endpoints.

    `confirmations` is the depth at which a block counts as final; None asks for the chain's own
    `finalized` tag.
    """

    def __init__(
        self,
        rpc_urls: Sequence[str],
        *,
        confirmations: int | None = None,
        timeout_seconds: float = 15.0,
    ) -> None:
        if not rpc_urls:
            raise ValueError("no RPC endpoint")
        self.confirmations = confirmations
        timeout = ClientTimeout(total=timeout_seconds)
        self._clients = [_client(url, timeout) for url in rpc_urls]
        self._at = 0

    @property
    def w3(self) -> AsyncWeb3[AsyncHTTPProvider]:
        """The client of the endpoint that is asked now."""
        return self._clients[self._at]

    def next_endpoint(self) -> None:
        """Ask another endpoint from now on."""
        self._at = (self._at + 1) % len(self._clients)

    async def close(self) -> None:
        """Close the connections."""
        for client in self._clients:
            await client.provider.disconnect()

    async def chain_id(self) -> int:
        """Return the chain's id (EIP-155)."""
        async with answering():
            return await self.w3.eth.chain_id

    async def require_site(self, site: AnchorSite) -> None:
        """Raise `WrongContractError` unless our contract for this log is at the site."""
        async with answering():
            found = await self.w3.eth.chain_id
            code = await self.w3.eth.get_code(site.contract)
        if found != site.chain_id:
            raise WrongContractError(f"chain id is {found}, not {site.chain_id}")
        if not contract.is_our_code(code):
            raise WrongContractError(f"the code at {site.contract} is not {contract.NAME}")
        async with answering():
            origin = await self.contract(site).functions.origin().call()
        if origin != site.origin_hash:
            raise WrongContractError(f"{site.contract} anchors another log than {site.origin}")

    def contract(self, site: AnchorSite) -> AsyncContract:
        """Return the contract at the site, to be called through the present endpoint."""
        return self.w3.eth.contract(address=site.contract, abi=contract.abi())

    async def observe(self, site: AnchorSite, payer: ChecksumAddress, sizes: Iterable[int]) -> View:
        """Return the chain's state at its newest block, and the roots at `sizes` that are final."""
        async with answering():
            latest = await self.w3.eth.get_block("latest")
            final_number = await self.final_number(latest["number"])
            at, reader = latest["hash"], self.contract(site)
            nonce, balance, head, epoch, key = await asyncio.gather(
                self.w3.eth.get_transaction_count(payer, at),
                self.w3.eth.get_balance(payer, at),
                reader.functions.head().call(block_identifier=at),
                reader.functions.epoch().call(block_identifier=at),
                reader.functions.anchorKey().call(block_identifier=at),
            )
            final_nonce = await self.w3.eth.get_transaction_count(payer, final_number)
            final_head = await self.head_at(site, final_number)
            final_roots = await self.roots_at(site, sizes, final_number)
            base_fee_wei = latest.get("baseFeePerGas")
            price_wei = await self.w3.eth.gas_price if base_fee_wei is None else base_fee_wei
        return View(
            block_number=latest["number"],
            base_fee_wei=price_wei,
            eip1559=base_fee_wei is not None,
            nonce=nonce,
            balance_wei=balance,
            head=TreeHead(*head),
            epoch=epoch,
            anchor_key=key,
            final_number=final_number,
            final_nonce=final_nonce,
            final_head=final_head,
            final_roots=final_roots,
        )

    async def block_number(self) -> int:
        """Return the height of the chain."""
        async with answering():
            return await self.w3.eth.block_number

    async def final_number(self, latest_number: int) -> BlockNumber:
        """Return the number of the newest block that counts as final."""
        if self.confirmations is not None:
            return BlockNumber(max(0, latest_number - self.confirmations))
        async with answering():
            return (await self.w3.eth.get_block("finalized"))["number"]

    async def head(self, site: AnchorSite) -> TreeHead:
        """Return the anchored head as of the newest block."""
        return await self.head_at(site, BlockNumber(await self.block_number()))

    async def head_at(self, site: AnchorSite, number: BlockNumber) -> TreeHead:
        """Return the anchored head as of a block; empty before the contract was deployed."""
        async with answering():
            try:
                head = await self.contract(site).functions.head().call(block_identifier=number)
            except BadFunctionCallOutput:
                return TreeHead(0, bytes(32))
        return TreeHead(*head)

    async def roots_at(
        self, site: AnchorSite, sizes: Iterable[int], number: BlockNumber
    ) -> dict[int, bytes]:
        """Return the roots anchored at `sizes` as of a block; sizes without a root are left out."""
        roots: dict[int, bytes] = {}
        root_at = self.contract(site).functions.rootAt
        async with answering():
            for size in sorted(set(sizes)):
                try:
                    root = await root_at(size).call(block_identifier=number)
                except BadFunctionCallOutput:
                    return {}
                if any(root):
                    roots[size] = root
        return roots

    async def key_at(self, site: AnchorSite, epoch: int) -> ChecksumAddress:
        """Return the anchor key of an epoch."""
        async with answering():
            key: ChecksumAddress = await self.contract(site).functions.keyAt(epoch).call()
        return key

    async def locate(
        self, site: AnchorSite, size: int, *, first: int, last: int
    ) -> LogReceipt | None:
        """Return the event `Anchored` for `size` in the blocks `first` to `last`, newest first."""
        topics = [contract.anchored_topic(), HexBytes(size.to_bytes(32, "big"))]
        while last >= max(first, 0):
            start = max(first, 0, last - LOG_SPAN_MAX_BLOCKS + 1)
            async with answering():
                logs = await self.w3.eth.get_logs(
                    {
                        "address": site.contract,
                        "topics": topics,
                        "fromBlock": BlockNumber(start),
                        "toBlock": BlockNumber(last),
                    }
                )
            if logs:
                return logs[-1]
            last = start - 1
        return None

    async def block(self, number: int) -> BlockData:
        """Return the header at a height, with its transactions' hashes."""
        async with answering():
            return await self.w3.eth.get_block(BlockNumber(number))

    async def receipts(self, number: int) -> list[Any]:
        """Return the receipts of all transactions of a block, in order."""
        async with answering():
            try:
                return list(await self.w3.eth.get_block_receipts(BlockNumber(number)))
            except MethodUnavailable:
                block = await self.w3.eth.get_block(BlockNumber(number))
                hashes = [
                    HexBytes(item) for item in block["transactions"] if isinstance(item, bytes)
                ]
                return [await self.w3.eth.get_transaction_receipt(item) for item in hashes]

    async def block_of(self, transaction_hash: HexBytes) -> HexBytes | None:
        """Return the hash of the block that holds a transaction; None where none does."""
        async with answering():
            try:
                transaction = await self.w3.eth.get_transaction(transaction_hash)
            except TransactionNotFound:
                return None
        return transaction.get("blockHash")

    async def knows(self, transaction_hash: HexBytes) -> bool:
        """Whether the node has the transaction, mined or waiting."""
        async with answering():
            try:
                await self.w3.eth.get_transaction(transaction_hash)
            except TransactionNotFound:
                return False
        return True

    async def estimate_gas(self, transaction: TxParams) -> int:
        """Return the gas it would use now; `ContractRefusedError` if it would revert."""
        async with answering():
            return await self.w3.eth.estimate_gas(transaction)

    async def broadcast(self, raw: HexBytes) -> str | None:
        """Hand a signed transaction to the node; return why it was not taken, if it was not.

        `already known` and `nonce too low` are such answers: the next observation tells.
        """
        async with answering():
            try:
                await self.w3.eth.send_raw_transaction(raw)
            except Web3RPCError as error:
                message = _rpc_message(error)
                if "insufficient funds" in message.lower():
                    raise PayerError(message) from None
                return message
        return None


@asynccontextmanager
async def opened_chain(
    rpc_urls: Sequence[str], confirmations: int | None = None
) -> AsyncIterator[Chain]:
    """Provide a chain, and close its connections in the end."""
    chain = Chain(rpc_urls, confirmations=confirmations)
    try:
        yield chain
    finally:
        await chain.close()


@asynccontextmanager
async def answering() -> AsyncIterator[None]:
    """Turn every way in which an endpoint can fail into one of our errors."""
    try:
        yield
    except ContractLogicError as error:
        data = error.data if isinstance(error.data, str) else "0x"
        raise contract.refusal(HexBytes(data)) from None
    except Web3RPCError as error:
        message = _rpc_message(error)
        if "insufficient funds" in message.lower():
            raise PayerError(message) from None
        raise RpcUnavailableError(message) from None
    except ClientResponseError as error:
        # Its text holds the whole URL, and many URLs hold a key.
        raise RpcUnavailableError(f"HTTP {error.status}") from None
    except (ClientError, OSError, TimeoutError, JSONDecodeError, Web3Exception) as error:
        raise RpcUnavailableError(type(error).__name__) from None


def _client(url: str, timeout: ClientTimeout) -> AsyncWeb3[AsyncHTTPProvider]:
    provider = AsyncHTTPProvider(
        url, request_kwargs={"timeout": timeout}, exception_retry_configuration=None
    )
    client = AsyncWeb3(provider)
    # Chains of named validators (Clique, IBFT, QBFT) carry seals where Ethereum allows 32 bytes.
    client.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
    return client


def _rpc_message(error: Web3RPCError) -> str:
    detail: object = (error.rpc_response or {}).get("error")
    message = detail.get("message") if isinstance(detail, dict) else detail
    return str(message or type(error).__name__)
