"""A real local chain with the anchor contract and the library's harness on it."""

import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from eth_typing import ChecksumAddress
from hexbytes import HexBytes
from web3.contract import AsyncContract

from dataexchange.anchoring.deployment import Deployment, deploy
from dataexchange.anchoring.local_chain import (
    LocalChain,
    find_anvil,
    local_account,
    local_chain,
)
from dataexchange.anchoring.transaction import transact

CONTRACTS = Path(__file__).parents[2] / "contracts"
ORIGIN = "example.org/log"


@pytest.fixture(scope="session")
def node() -> str:
    """Node.js, with the compiler installed."""
    found = shutil.which("node")
    if found is None or not (CONTRACTS / "node_modules" / "solc").is_dir():
        pytest.skip("contracts/node_modules or node is absent: run `npm ci` in contracts/")
    return found


@pytest.fixture
def anvil_options() -> list[str]:
    return []


@pytest.fixture
async def chain(anvil_options: list[str]) -> AsyncIterator[LocalChain]:
    binary = find_anvil(CONTRACTS)
    if binary is None:
        pytest.skip("contracts/node_modules is absent: run `npm ci` in contracts/")
    async with local_chain(binary, *anvil_options) as running:
        yield running


@pytest.fixture
async def deployment(chain: LocalChain) -> Deployment:
    key = local_account(1)
    return await deploy(chain.chain, local_account(0), origin=ORIGIN, anchor_key=key.address)


def compile_harness(node: str, name: str) -> dict[str, Any]:
    """Return the artifact of a test contract."""
    output = subprocess.run(
        [node, "compile.mjs", "--harness", name], cwd=CONTRACTS, check=True, capture_output=True
    )
    artifact: dict[str, Any] = json.loads(output.stdout)
    return artifact


async def deploy_harness(chain: LocalChain, artifact: dict[str, Any]) -> AsyncContract:
    receipt = await transact(chain.chain, local_account(0), data=HexBytes(artifact["bytecode"]))
    address: ChecksumAddress | None = receipt["contractAddress"]
    assert address is not None
    return chain.chain.w3.eth.contract(address=address, abi=artifact["abi"])


@pytest.fixture(scope="session")
def harness_artifact(node: str) -> dict[str, Any]:
    return compile_harness(node, "RFC9162Harness")


@pytest.fixture
async def harness(chain: LocalChain, harness_artifact: dict[str, Any]) -> AsyncContract:
    return await deploy_harness(chain, harness_artifact)


@pytest.fixture
async def signer_harness(chain: LocalChain, node: str) -> AsyncContract:
    return await deploy_harness(chain, compile_harness(node, "SignerHarness"))
