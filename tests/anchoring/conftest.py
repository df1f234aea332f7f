"""A real local chain, a log that grows, and a worker whose clock the test turns."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dataexchange.anchoring.authorisation import AnchorSite
from dataexchange.anchoring.chain import Chain
from dataexchange.anchoring.deployment import deploy
from dataexchange.anchoring.local_chain import (
    LocalChain,
    find_anvil,
    local_account,
    local_chain,
)
from dataexchange.anchoring.plan import Schedule
from dataexchange.anchoring.source import TreeHead
from dataexchange.anchoring.store import FileStore
from dataexchange.anchoring.worker import Accounts, AnchorWorker, Step
from dataexchange.ledger import merkle

CONTRACTS = Path(__file__).parents[2] / "contracts"
ORIGIN = "example.org/log"
SLOTS_IN_AN_EPOCH = 2
# Anvil's `finalized` is two epochs behind its newest block.
FINAL_DEPTH = 2 * SLOTS_IN_AN_EPOCH


class GrowingLog:
    """A log of leaves, as a checkpoint source."""

    def __init__(self) -> None:
        self.leaves: list[bytes] = []

    def grow(self, count: int) -> TreeHead:
        start = len(self.leaves)
        self.leaves += [merkle.leaf_hash(b"entry %d" % i) for i in range(start, start + count)]
        return self.head()

    def head(self) -> TreeHead:
        return TreeHead(len(self.leaves), merkle.root(self.leaves))

    def root_at(self, size: int) -> bytes | None:
        return merkle.root(self.leaves[:size]) if size <= len(self.leaves) else None

    async def latest(self) -> TreeHead:
        return self.head()

    async def consistency_proof(self, old_size: int, size: int) -> Sequence[bytes]:
        return merkle.consistency_proof(self.leaves[:size], old_size)


class Clock:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.time = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.time

    def turn(self, **units: float) -> None:
        self.time += timedelta(**units)


@dataclass
class Bench:
    """All that a test of the worker handles."""

    running: LocalChain
    site: AnchorSite
    folder: Path
    log: GrowingLog = field(default_factory=GrowingLog)
    clock: Clock = field(default_factory=Clock)
    accounts: Accounts = field(default_factory=lambda: Accounts(local_account(1), local_account(2)))
    schedule: Schedule = field(default_factory=Schedule)

    @property
    def chain(self) -> Chain:
        return self.running.chain

    @property
    def store(self) -> FileStore:
        return FileStore(self.folder)

    def worker(self, **choices: Any) -> AnchorWorker:
        """A worker as a fresh process would build it: all it knows is in the store."""
        return AnchorWorker(
            choices.get("chain", self.chain),
            self.site,
            accounts=choices.get("accounts", self.accounts),
            source=self.log,
            store=choices.get("store", self.store),
            schedule=choices.get("schedule", self.schedule),
            now=self.clock,
        )

    async def settle(self, worker: AnchorWorker) -> Step:
        """Mine until what is on the chain is final, and let the worker see it."""
        await self.running.mine(FINAL_DEPTH + 1)
        return await worker.step()

    async def mine(self, count: int = 1) -> None:
        await self.running.mine(count)

    async def head(self, count: int = 1) -> TreeHead:
        """The anchored head, after some blocks."""
        await self.running.mine(count)
        return await self.anchored()

    async def anchored(self) -> TreeHead:
        head = await self.chain.contract(self.site).functions.head().call()
        return TreeHead(*head)


@pytest.fixture
def anvil_options() -> list[str]:
    return []


@pytest.fixture
async def running(anvil_options: list[str]) -> AsyncIterator[LocalChain]:
    binary = find_anvil(CONTRACTS)
    if binary is None:
        pytest.skip("contracts/node_modules is absent: run `npm ci` in contracts/")
    epoch = ("--slots-in-an-epoch", str(SLOTS_IN_AN_EPOCH))
    async with local_chain(binary, *epoch, *anvil_options) as chain:
        yield chain


@pytest.fixture
async def bench(running: LocalChain, tmp_path: Path) -> Bench:
    """A contract that is deployed and final, and blocks that are mined only when a test says so."""
    made = await deploy(
        running.chain, local_account(0), origin=ORIGIN, anchor_key=local_account(1).address
    )
    await running.mine(FINAL_DEPTH)
    await running.request("evm_setAutomine", False)
    return Bench(running, made.site, tmp_path / "anchors")
