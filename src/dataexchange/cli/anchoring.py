"""What the `anchor` commands do: keys from files, a chain, a log's address, and one act."""

import asyncio
import logging
import os
import signal
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import typer
from eth_account.signers.local import LocalAccount
from eth_typing import ChecksumAddress
from hexbytes import HexBytes

from dataexchange.anchoring import deployment
from dataexchange.anchoring import status as standing
from dataexchange.anchoring.authorisation import AnchorSite, read_address
from dataexchange.anchoring.chain import Chain, answering, opened_chain
from dataexchange.anchoring.deployment import Deployment, ShownRoot
from dataexchange.anchoring.errors import SourceUnavailableError, WrongContractError
from dataexchange.anchoring.fees import GWEI, FeePolicy
from dataexchange.anchoring.keyfile import load_key
from dataexchange.anchoring.plan import Reason, Schedule
from dataexchange.anchoring.source import TreeHead
from dataexchange.anchoring.state import decode
from dataexchange.anchoring.status import AnchorStatus
from dataexchange.anchoring.store import FileStore
from dataexchange.anchoring.tile_source import TileSource, tile_source
from dataexchange.anchoring.worker import Accounts, AnchorWorker
from dataexchange.errors import DataExchangeError
from dataexchange.ledger.merkle import leaf_hash
from dataexchange.ledger.policy import Policy

PASSPHRASE = "DATAEXCHANGE_ANCHOR_PASSPHRASE"  # noqa: S105 - the variable's name


class SignedRootFile(msgspec.Struct):
    """What `report-fork` needs of a receipt, or of any JSON that says as much."""

    size: int
    root: HexBytes
    epoch: int
    signature: HexBytes


@dataclass(frozen=True, slots=True)
class Place:
    """The contract, and the nodes that are asked about it."""

    site: AnchorSite
    rpc: Sequence[str]
    confirmations: int | None = None

    def chain(self) -> AbstractAsyncContextManager[Chain]:
        """Provide the chain."""
        return opened_chain(self.rpc, self.confirmations)


@dataclass(frozen=True, slots=True)
class LogAddress:
    """Where the log shows its tiles, and what its checkpoints must meet."""

    url: str
    policy: Policy

    def source(self, origin: str) -> AbstractAsyncContextManager[TileSource]:
        """Provide the log's checkpoints."""
        return tile_source(self.url, self.policy, origin)


def place(contract: str, log: str, rpc: Sequence[str], confirmations: int | None = None) -> Place:
    """Return the place that the options name."""
    try:
        return Place(AnchorSite.parse(contract, log), rpc, confirmations)
    except ValueError as error:
        raise typer.BadParameter(f"--contract: {error}") from error


def log_address(url: str, policy: Path) -> LogAddress:
    """Return the address that the options name."""
    try:
        return LogAddress(url, Policy.parse(policy.read_bytes()))
    except OSError as error:
        raise typer.BadParameter(f"--policy: {error}") from error


def fee_policy(max_fee_gwei: int) -> FeePolicy:
    """Return the policy with a cap in gwei per gas."""
    return FeePolicy(max_fee_wei=max_fee_gwei * GWEI)


async def deploy(
    rpc: Sequence[str], *, chain_id: int, log: str, keys: tuple[Path, Path], max_fee_gwei: int
) -> Deployment:
    """Deploy on the chain that is meant, and on no other."""
    accounts = _accounts(keys)
    async with opened_chain(rpc) as chain:
        found = await chain.chain_id()
        if found != chain_id:
            raise WrongContractError(f"chain id is {found}, not {chain_id}")
        return await deployment.deploy(
            chain,
            accounts.payer,
            origin=log,
            anchor_key=accounts.anchor.address,
            policy=fee_policy(max_fee_gwei),
        )


async def run(
    at: Place,
    log: LogAddress,
    *,
    keys: tuple[Path, Path],
    folder: Path,
    schedule: Schedule,
    once: bool,
) -> bool:
    """Anchor until a signal stops it; return whether the log was last seen shorter than before."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with at.chain() as chain, log.source(at.site.origin) as source:
        worker = AnchorWorker(
            chain,
            at.site,
            accounts=_accounts(keys),
            source=source,
            store=FileStore(folder),
            schedule=schedule,
        )
        step = await worker.run(stop, once=once)
    return step is not None and step.reason is Reason.LOG_BEHIND


async def status(at: Place, log: LogAddress, *, payer: str | None, folder: Path) -> AnchorStatus:
    """Return how anchoring stands; of a log that does not answer, nothing is said."""
    latest: TreeHead | None = None
    async with log.source(at.site.origin) as source:
        with suppress(SourceUnavailableError):
            latest = await source.latest()
    async with at.chain() as chain:
        return await standing.status(
            chain, at.site, store=FileStore(folder), payer=_payer_address(payer), latest=latest
        )


async def prove(
    at: Place, log: LogAddress, index: int, body: bytes | None = None
) -> dict[str, Any]:
    """Ask the contract whether entry `index` is in the log as anchored last.

    Without the entry's bytes, the leaf hash that the tiles show is asked for.
    """
    async with at.chain() as chain, log.source(at.site.origin) as source:
        await chain.require_site(at.site)
        head = await chain.head(at.site)
        if index >= head.size:
            raise DataExchangeError(
                f"第 {index} 条尚未锚定，已锚定 {head.size} 条"
                f" / entry {index} is not anchored yet; {head.size} entries are"
            )
        leaf, path = await source.inclusion(index, head.size)
        reader = chain.contract(at.site).functions
        function = "verifyInclusion" if body is None else "verifyEntry"
        call = reader[function](head.size, index, leaf if body is None else body, path)
        async with answering():
            included, gas = await asyncio.gather(call.call(), call.estimate_gas())
    shown = leaf if body is None else leaf_hash(body)
    return {
        "index": index,
        "leaf": shown.hex(),
        "size": head.size,
        "root": head.root.hex(),
        "function": function,
        "included": included,
        "gas": gas,
    }


async def report_fork(
    at: Place, files: tuple[Path, Path], payer_key: Path, *, max_fee_gwei: int
) -> dict[str, Any]:
    """Put two signed roots of one size on record."""
    a, b = map(_signed_root, files)
    if a.size != b.size:
        raise DataExchangeError(
            f"两份凭证的条目数不同 / the two are of different sizes: {a.size}, {b.size}"
        )
    async with at.chain() as chain:
        await chain.require_site(at.site)
        recorded = await deployment.record_fork(
            chain,
            _key(payer_key),
            site=at.site,
            size=a.size,
            shown=(_shown(a), _shown(b)),
            policy=fee_policy(max_fee_gwei),
        )
    roots = [a.root.hex(), b.root.hex()]
    return {"size": a.size, "roots": roots, "transaction": recorded.to_0x_hex()}


async def rotate(
    at: Place, new: Path, *, keys: tuple[Path, Path], max_fee_gwei: int
) -> dict[str, Any]:
    """Let a new key authorise roots from now on."""
    accounts, new_key = _accounts(keys), _key(new)
    async with at.chain() as chain:
        await chain.require_site(at.site)
        epoch = await deployment.rotate_key(
            chain,
            accounts.payer,
            site=at.site,
            old_key=accounts.anchor,
            new_key=new_key,
            policy=fee_policy(max_fee_gwei),
        )
    return {"epoch": epoch, "anchor_key": new_key.address}


def _key(path: Path) -> LocalAccount:
    return load_key(path, passphrase=os.environ.get(PASSPHRASE))


def _accounts(keys: tuple[Path, Path]) -> Accounts:
    anchor, payer = keys
    return Accounts(_key(anchor), _key(payer))


def _payer_address(payer: str | None) -> ChecksumAddress | None:
    try:
        return None if payer is None else read_address(payer)
    except ValueError as error:
        raise typer.BadParameter(f"--payer: {error}") from error


def _signed_root(path: Path) -> SignedRootFile:
    try:
        return decode(path.read_bytes(), SignedRootFile)
    except (msgspec.DecodeError, OSError) as error:
        raise DataExchangeError(
            f"{path} 不是锚定密钥签署的根（凭证 JSON）；账本密钥签署的检查点本身即证据，合约不验"
            f" / {path} is no root that the anchor key signed (a receipt's JSON). Checkpoints"
            f" that the log's key signed are evidence by themselves; the contract cannot check"
            f" them: {error}"
        ) from error


def _shown(signed: SignedRootFile) -> ShownRoot:
    return ShownRoot(signed.epoch, signed.root, signed.signature)
