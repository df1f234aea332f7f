"""Build and sign transactions, and send those that nobody needs to babysit.

Deploying, rotating a key and recording a fork are rare acts that a person starts and watches:
`transact` sends once and waits. Anchoring has the worker instead.
"""

import asyncio
from typing import Any, NamedTuple

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3.types import TxParams, TxReceipt, Wei

from dataexchange.anchoring.chain import Chain, answering
from dataexchange.anchoring.errors import ContractRefusedError, PayerError, RpcUnavailableError
from dataexchange.anchoring.fees import FeePolicy, Fees, first_fees

# What gas estimation may be short by: the state may move before the transaction is executed.
GAS_MARGIN_PERCENT = 20


class SignedTransaction(NamedTuple):
    """A transaction ready to be sent, and the hash it will be known by."""

    hash: HexBytes
    raw: HexBytes


def with_fees(transaction: TxParams, fees: Fees, *, eip1559: bool) -> TxParams:
    """Return the transaction with what it offers; chains before EIP-1559 know one price only."""
    if not eip1559:
        return {**transaction, "gasPrice": Wei(fees.max_fee_wei)}
    return {
        **transaction,
        "maxFeePerGas": Wei(fees.max_fee_wei),
        "maxPriorityFeePerGas": Wei(fees.priority_fee_wei),
    }


def with_margin(gas: int) -> int:
    """Return a gas limit that leaves room above an estimate."""
    return gas * (100 + GAS_MARGIN_PERCENT) // 100


def sign_transaction(transaction: TxParams, payer: LocalAccount) -> SignedTransaction:
    """Return the transaction signed by the account that pays."""
    body: dict[str, Any] = {key: value for key, value in transaction.items() if key != "from"}
    signed = payer.sign_transaction(body)
    return SignedTransaction(HexBytes(signed.hash), HexBytes(signed.raw_transaction))


async def transact(
    chain: Chain,
    payer: LocalAccount,
    *,
    data: HexBytes,
    to: ChecksumAddress | None = None,
    policy: FeePolicy | None = None,
    timeout_seconds: float = 180.0,
) -> TxReceipt:
    """Send one transaction and return its receipt once it is mined.

    `ContractRefusedError` where the contract reverts, `PayerError` where the account cannot pay
    or the fees exceed the policy, `RpcUnavailableError` where no receipt came in time: it may
    still come, so look before sending again.
    """
    unsigned = await _prepare(chain, payer, data=data, to=to, policy=policy or FeePolicy())
    signed = sign_transaction(unsigned, payer)
    rejection = await chain.broadcast(signed.raw)
    if rejection is not None:
        raise RpcUnavailableError(f"transaction {signed.hash.to_0x_hex()}: {rejection}")
    receipt = await _await_receipt(chain, signed.hash, timeout_seconds)
    if receipt["status"] != 1:
        raise ContractRefusedError("reverted", (signed.hash.to_0x_hex(),))
    return receipt


async def _prepare(
    chain: Chain,
    payer: LocalAccount,
    *,
    data: HexBytes,
    to: ChecksumAddress | None,
    policy: FeePolicy,
) -> TxParams:
    async with answering():
        eth = chain.w3.eth
        chain_id, latest = await asyncio.gather(eth.chain_id, eth.get_block("latest"))
        nonce = await eth.get_transaction_count(payer.address, "pending")
        base_fee_wei = latest.get("baseFeePerGas")
        price_wei = await eth.gas_price if base_fee_wei is None else base_fee_wei
    fees = first_fees(price_wei, policy)
    if fees is None:
        raise PayerError(f"gas costs {price_wei} wei, over the limit of {policy.max_fee_wei}")
    draft: TxParams = {"chainId": chain_id, "nonce": nonce, "value": Wei(0), "data": data}
    if to is not None:
        draft["to"] = to
    gas = await chain.estimate_gas({**draft, "from": payer.address})
    return with_fees({**draft, "gas": with_margin(gas)}, fees, eip1559=base_fee_wei is not None)


async def _await_receipt(
    chain: Chain, transaction_hash: HexBytes, timeout_seconds: float
) -> TxReceipt:
    async with answering():
        return await chain.w3.eth.wait_for_transaction_receipt(
            transaction_hash, timeout=timeout_seconds, poll_latency=0.25
        )
