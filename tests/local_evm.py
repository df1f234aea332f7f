"""A local EVM chain for tests of commands, which bring event loops of their own."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dataexchange.anchoring.local_chain import MNEMONIC, find_anvil, local_account

CONTRACTS = Path(__file__).parents[1] / "contracts"
PATIENCE_SECONDS = 20
CHAIN_ID = 31337


@contextmanager
def running_chain(folder: Path, *, block_seconds: int = 1) -> Iterator[str]:
    """Run anvil with a block every `block_seconds`, final two blocks later; provide its address."""
    binary = find_anvil(CONTRACTS)
    if binary is None:
        pytest.skip("contracts/node_modules is absent: run `npm ci` in contracts/")
    said = folder / "anvil.txt"
    options = ["--port", "0", "--host", "127.0.0.1", "--mnemonic", MNEMONIC]
    options += ["--block-time", str(block_seconds), "--slots-in-an-epoch", "1"]
    with said.open("wb") as file:
        process = subprocess.Popen([binary, *options], stdin=subprocess.DEVNULL, stdout=file)
    try:
        yield _address(said)
    finally:
        process.kill()
        process.wait()


def write_key(folder: Path, index: int) -> Path:
    """Return a key file of an account that the chain funds."""
    path = folder / f"evm-{index}.key"
    path.touch(mode=0o600)
    path.write_text(local_account(index).key.hex())
    return path


def _address(said: Path) -> str:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        for line in said.read_text().splitlines():
            if line.startswith("Listening on "):
                return f"http://{line.removeprefix('Listening on ')}"
        time.sleep(0.05)
    raise TimeoutError("anvil did not start")
