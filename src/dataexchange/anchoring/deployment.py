"""Deploy the anchor contract, replace its key, put forks on record.

These are acts of an operator, or of anyone who caught the operator; each sends one transaction.
"""

from dataclasses import dataclass
from typing import NamedTuple

from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from hexbytes import HexBytes

from dataexchange.anchoring import contract
from dataexchange.anchoring.authorisation import AnchorSite, hash_origin, rotation_message, sign
from dataexchange.anchoring.chain import Chain, answering
from dataexchange.anchoring.errors import RpcUnavailableError
from dataexchange.anchoring.fees import FeePolicy
from dataexchange.anchoring.transaction import transact


@dataclass(frozen=True, slots=True)
class Deployment:
    """A new anchor contract: where it is, and the transaction that made it."""

    site: AnchorSite
    anchor_key: ChecksumAddress
    transaction_hash: HexBytes
    block_number: int
    gas_used: int


class ShownRoot(NamedTuple):
    """A root for some size, and the authorisation by the key of `epoch`."""

    epoch: int
    root: bytes
    signature: bytes


async def deploy(
    chain: Chain,
    payer: LocalAccount,
    *,
    origin: str,
    anchor_key: ChecksumAddress,
    policy: FeePolicy | None = None,
) -> Deployment:
    """Deploy a contract for the log `origin`, whose roots `anchor_key` authorises.

    The contract at the address that comes back has been read again and is ours.
    """
    maker = chain.w3.eth.contract(abi=contract.abi(), bytecode=contract.bytecode())
    unsigned = maker.constructor(hash_origin(origin), anchor_key).data_in_transaction
    receipt = await transact(chain, payer, data=HexBytes(unsigned), policy=policy)
    address = receipt["contractAddress"]
    if address is None:
        raise RpcUnavailableError("a deployment without an address")
    site = AnchorSite(await chain.chain_id(), address, origin)
    await chain.require_site(site)
    return Deployment(
        site, anchor_key, receipt["transactionHash"], receipt["blockNumber"], receipt["gasUsed"]
    )


async def rotate_key(
    chain: Chain,
    payer: LocalAccount,
    *,
    site: AnchorSite,
    old_key: LocalAccount,
    new_key: LocalAccount,
    policy: FeePolicy | None = None,
) -> int:
    """Let `new_key` authorise roots from now on; return the epoch it begins."""
    async with answering():
        next_epoch = 1 + await chain.contract(site).functions.epoch().call()
    message = rotation_message(site, next_epoch=next_epoch, new_key=new_key.address)
    signatures = [sign(message, old_key), sign(message, new_key)]
    data = chain.contract(site).encode_abi("rotateKey", [new_key.address, *signatures])
    await transact(chain, payer, data=HexBytes(data), to=site.contract, policy=policy)
    return int(next_epoch)


async def record_fork(
    chain: Chain,
    payer: LocalAccount,
    *,
    site: AnchorSite,
    size: int,
    shown: tuple[ShownRoot, ShownRoot],
    policy: FeePolicy | None = None,
) -> HexBytes:
    """Put two signed roots of one size on record; return the transaction's hash. Anyone may."""
    data = chain.contract(site).encode_abi("recordFork", [size, *map(tuple, shown)])
    receipt = await transact(chain, payer, data=HexBytes(data), to=site.contract, policy=policy)
    return receipt["transactionHash"]


async def anchor_keys(chain: Chain, site: AnchorSite) -> dict[int, ChecksumAddress]:
    """Return every key that the contract ever had, by epoch."""
    async with answering():
        last = await chain.contract(site).functions.epoch().call()
    return {epoch: await chain.key_at(site, epoch) for epoch in range(last + 1)}
