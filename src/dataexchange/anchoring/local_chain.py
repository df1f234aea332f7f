"""A private EVM chain on this machine, for tests and demonstrations: anvil.

The binary comes with `npm ci` in `contracts/`. Its accounts are public knowledge: worth nothing.
"""

import asyncio
import re
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from dataexchange.anchoring.chain import Chain, answering
from dataexchange.anchoring.errors import RpcUnavailableError

MNEMONIC: Final = "test test test test test test test test test test test junk"
START_SECONDS_MAX: Final = 20
_LISTENING: Final = re.compile(rb"Listening on (127\.0\.0\.1:\d+)")


@dataclass(frozen=True, slots=True)
class LocalChain:
    """A running chain: its address, its process, and a client."""

    url: str
    process: Process
    chain: Chain

    async def request(self, method: str, *parameters: object) -> Any:
        """Call a method of the node itself, such as `anvil_mine`, and return its result."""
        async with answering():
            response = await self.chain.w3.provider.make_request(method, list(parameters))
        if "error" in response:
            raise RpcUnavailableError(f"{method}: {response['error']}")
        return response.get("result")

    async def mine(self, count: int = 1) -> None:
        """Add blocks."""
        await self.request("anvil_mine", hex(count))

    async def reorganise(self, depth: int) -> None:
        """Replace the newest `depth` blocks by empty ones; their transactions are forgotten."""
        await self.request("anvil_reorg", depth, [])


def find_anvil(contracts: Path) -> Path | None:
    """Return the binary inside `contracts/node_modules`, or None before `npm ci`.

    The platform's own package is searched, not npm's launcher: killing that leaves the chain.
    """
    found = sorted((contracts / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil*"))
    return found[0] if found else None


def local_account(index: int = 0) -> LocalAccount:
    """Return an account that every local chain funds."""
    Account.enable_unaudited_hdwallet_features()
    account: LocalAccount = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}")
    return account


@asynccontextmanager
async def local_chain(binary: Path, *options: str) -> AsyncIterator[LocalChain]:
    """Run a chain on a free port of this machine while the context lasts."""
    process = await asyncio.create_subprocess_exec(
        binary, *_arguments(options), stdin=asyncio.subprocess.DEVNULL, stdout=PIPE
    )
    try:
        address = await asyncio.wait_for(_address(process), START_SECONDS_MAX)
        drain = asyncio.create_task(_drain(process))
        chain = Chain([f"http://{address}"])
        try:
            yield LocalChain(f"http://{address}", process, chain)
        finally:
            await chain.close()
            drain.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _arguments(options: Sequence[str]) -> list[str]:
    return ["--port", "0", "--host", "127.0.0.1", "--mnemonic", MNEMONIC, *options]


async def _address(process: Process) -> str:
    assert process.stdout is not None  # noqa: S101 - it was asked for
    async for line in process.stdout:
        if match := _LISTENING.search(line):
            return match[1].decode()
    raise RpcUnavailableError("the local chain did not start")


async def _drain(process: Process) -> None:
    """Read what the node prints: a full pipe would stop it."""
    assert process.stdout is not None  # noqa: S101
    async for _ in process.stdout:
        pass
