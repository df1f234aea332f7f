"""`anchor` on a real local chain, beside a log that is nothing but files on a web server."""

import asyncio
import json
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bundles import POLICY
from dataexchange.anchoring.authorisation import AnchorSite, checkpoint_message, sign
from dataexchange.anchoring.chain import Chain
from dataexchange.anchoring.local_chain import local_account
from dataexchange.anchoring.store import read_receipts
from dataexchange.ledger import merkle
from local_evm import CHAIN_ID, running_chain, write_key
from static_log import StaticLog, serving_files
from world import ORIGIN

Run = Callable[..., Any]
PROGRAM = (sys.executable, "-c", "from dataexchange.cli import main; main()")


@dataclass
class Anchoring:
    """A deployed contract, a log's files, and the options that name them."""

    rpc: str
    url: str
    folder: Path
    log: StaticLog
    contract: str

    @property
    def site(self) -> AnchorSite:
        return AnchorSite.parse(self.contract, ORIGIN)

    @property
    def where(self) -> tuple[object, ...]:
        """The options of every command."""
        return ("--rpc", self.rpc, "--contract", self.contract, "--log", ORIGIN)

    @property
    def source(self) -> tuple[object, ...]:
        return ("--policy", self.folder / "policy", "--url", self.url)

    @property
    def running(self) -> tuple[object, ...]:
        """The arguments of `run`."""
        keys = ("--anchor-key", self.folder / "evm-1.key", "--payer-key", self.folder / "evm-2.key")
        often = ("--interval-minutes", 0, "--poll-seconds", 0.2)
        return ("anchor", "run", *self.where, *self.source, *keys, *often, *self.store)

    @property
    def store(self) -> tuple[object, ...]:
        return ("--folder", self.folder / "anchors")

    def receipts(self) -> list[Any]:
        return read_receipts(self.folder / "anchors" / "receipts")


@pytest.fixture
def anchoring(tmp_path: Path, run: Run) -> Iterator[Anchoring]:
    """A contract deployed at the command line."""
    log = StaticLog(tmp_path / "log")
    log.folder.mkdir()
    (tmp_path / "policy").write_bytes(POLICY)
    keys = [write_key(tmp_path, index) for index in range(4)]
    with running_chain(tmp_path) as rpc, serving_files(log.folder) as url:
        ran = run(
            *("anchor", "deploy", "--rpc", rpc, "--chain-id", CHAIN_ID, "--log", ORIGIN),
            *("--anchor-key", keys[1], "--payer-key", keys[0]),
        )
        assert ran.status == 0, ran.err
        made = json.loads(ran.out)
        assert made["anchor_key"] == local_account(1).address
        yield Anchoring(rpc, url, tmp_path, log, made["contract"])


def test_a_contract_is_deployed_on_the_chain_that_is_meant_only(tmp_path: Path, run: Run) -> None:
    keys = [write_key(tmp_path, index) for index in range(2)]
    with running_chain(tmp_path) as rpc:
        ran = run(
            *("anchor", "deploy", "--rpc", rpc, "--chain-id", 1, "--log", ORIGIN),
            *("--anchor-key", keys[1], "--payer-key", keys[0]),
        )
    assert ran.status == 2
    assert "链或合约并非所指 / chain id is 31337, not 1" in ran.err


def test_a_key_is_made_once_and_for_its_owner_only(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "anchor.key"
    ran = run("anchor", "keygen", path)
    assert json.loads(ran.out)["address"].startswith("0x")
    assert path.stat().st_mode & 0o777 == 0o600
    assert run("anchor", "keygen", path).status == 2


def test_a_key_that_others_can_read_is_refused(anchoring: Anchoring, run: Run) -> None:
    (anchoring.folder / "evm-1.key").chmod(0o640)
    anchoring.log.grow(5)
    ran = run(*anchoring.running, "--once")
    assert ran.status == 2
    assert "chmod 600" in ran.err


@pytest.mark.parametrize(
    "contract",
    [
        "0x00",
        "eip155:0:0x1111111111111111111111111111111111111111",
        "eip155:1:0xFB6916095ca1df60bB79Ce92cE3Ea74c37c5d35A",  # not its checksum
    ],
)
def test_a_contract_that_is_misspelt_is_a_wrong_parameter(
    tmp_path: Path, run: Run, contract: str
) -> None:
    (tmp_path / "policy").write_bytes(POLICY)
    ran = run(
        *("anchor", "prove", 0, "--rpc", "http://127.0.0.1:9", "--contract", contract),
        *("--policy", tmp_path / "policy"),
    )
    assert ran.status == 2
    assert "--contract" in ran.err


def test_the_log_is_anchored_once_and_its_standing_is_told(anchoring: Anchoring, run: Run) -> None:
    anchoring.log.grow(300)
    ran = run(*anchoring.running, "--once")
    assert ran.status == 0, ran.err
    (receipt,) = anchoring.receipts()
    assert (receipt.size, receipt.previous_size) == (300, 0)
    anchoring.log.grow(7)
    (anchoring.folder / "evm-2.key").unlink()  # it only reads
    standing = ("anchor", "status", *anchoring.where, *anchoring.source, *anchoring.store)
    ran = run(*standing)
    assert ran.status == 0, ran.err
    told = dict(line.split(": ", 1) for line in ran.out.splitlines())
    assert told["已锚定 anchored"] == f"300  {receipt.root.hex()}"
    assert told["未锚定 not anchored"] == told["暴露 exposed (not final)"] == "7"
    spent_wei = receipt.gas_used * receipt.gas_price_wei
    assert told["已耗 spent"] == f"{receipt.gas_used} gas · {spent_wei} wei"
    assert spent_wei > 0
    assert told["余额 balance"] == "—"
    ran = run(*standing, "--payer", local_account(2).address)
    assert f"balance: {10_000 * 10**18 - spent_wei} wei" in ran.out
    assert run(*standing, "--payer", "evm-2.key").status == 2


def test_the_contract_answers_whether_an_entry_is_in_the_log(
    anchoring: Anchoring, run: Run
) -> None:
    anchoring.log.grow(300)
    assert run(*anchoring.running, "--once").status == 0
    anchoring.log.grow(7)
    asked = ("anchor", "prove", 270, *anchoring.where, *anchoring.source)
    answer = json.loads(run(*asked).out)
    assert answer["included"] is True
    assert (answer["size"], answer["leaf"]) == (300, anchoring.log.leaves[270].hex())
    assert 21_000 < answer["gas"] < 60_000
    entry = anchoring.folder / "entry"
    entry.write_bytes(b"entry 270")
    answer = json.loads(run(*asked, "--entry", entry).out)
    assert (answer["function"], answer["included"]) == ("verifyEntry", True)
    entry.write_bytes(b"entry 271")
    ran = run(*asked, "--entry", entry)
    assert (ran.status, json.loads(ran.out)["included"]) == (1, False)
    ran = run("anchor", "prove", 300, *anchoring.where, *anchoring.source)
    assert ran.status == 2
    assert "尚未锚定" in ran.err


def signed_root(anchoring: Anchoring, root: bytes, name: str) -> Path:
    message = checkpoint_message(anchoring.site, epoch=0, size=9, root=root)
    path = anchoring.folder / name
    signature = sign(message, local_account(1)).to_0x_hex()
    root_hex = "0x" + root.hex()
    path.write_text(json.dumps({"size": 9, "root": root_hex, "epoch": 0, "signature": signature}))
    return path


def test_a_fork_is_put_on_record_by_anyone_and_shows(anchoring: Anchoring, run: Run) -> None:
    files = [signed_root(anchoring, bytes([n]) * 32, f"{n}.json") for n in (1, 2)]
    report = ("anchor", "report-fork", *files, *anchoring.where)
    paid = ("--payer-key", anchoring.folder / "evm-3.key")
    ran = run(*report, *paid)
    assert ran.status == 0, ran.err
    assert json.loads(ran.out)["size"] == 9
    again = run(*report, *paid)
    assert again.status == 2
    assert "ForkAlreadyRecorded" in again.err
    ran = run("anchor", "status", *anchoring.where, *anchoring.source, *anchoring.store)
    assert ran.status == 1
    assert "账本无应答" in ran.out


def test_checkpoints_of_the_log_key_are_told_apart_from_anchored_roots(
    anchoring: Anchoring, run: Run
) -> None:
    anchoring.log.grow(9)
    note = anchoring.log.folder / "checkpoint"
    ran = run(
        *("anchor", "report-fork", note, note, *anchoring.where),
        *("--payer-key", anchoring.folder / "evm-3.key"),
    )
    assert ran.status == 2
    assert "evidence by themselves" in ran.err


def test_a_new_key_anchors_after_rotation(anchoring: Anchoring, run: Run) -> None:
    ran = run(
        *("anchor", "rotate-key", anchoring.folder / "evm-3.key", *anchoring.where),
        *("--anchor-key", anchoring.folder / "evm-1.key"),
        *("--payer-key", anchoring.folder / "evm-2.key"),
    )
    assert ran.status == 0, ran.err
    assert json.loads(ran.out) == {"epoch": 1, "anchor_key": local_account(3).address}
    anchoring.log.grow(5)
    assert run(*anchoring.running, "--once").status == 2
    renewed = ("--anchor-key", anchoring.folder / "evm-3.key")
    ran = run(*anchoring.running, *renewed, "--once")
    assert ran.status == 0, ran.err
    assert [receipt.epoch for receipt in anchoring.receipts()] == [1]


def test_a_log_that_is_shorter_than_anchored_ends_in_status_1(
    anchoring: Anchoring, run: Run
) -> None:
    anchoring.log.grow(9)
    assert run(*anchoring.running, "--once").status == 0
    del anchoring.log.leaves[5:]
    anchoring.log.publish()
    ran = run(*anchoring.running, "--once")
    assert ran.status == 1
    assert "账本比已锚定的短" in ran.err


def test_killed_at_any_moment_it_goes_on_and_pays_for_no_root_twice(anchoring: Anchoring) -> None:
    """SIGKILL as soon as a transaction is written down, and at random, while the log grows."""
    chosen = random.Random(20261124)
    command = [*PROGRAM, *map(str, anchoring.running)]
    state = anchoring.folder / "anchors" / "state.json"
    for _ in range(6):
        anchoring.log.grow(chosen.randint(1, 40))
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 15
        while time.monotonic() < until and not attempts(state):
            time.sleep(0.001)
        time.sleep(chosen.choice([0, 0, 0.01, 0.05, 1.5]))
        process.kill()
        process.wait()
    ended = subprocess.run([*command, "--once"], check=False, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    anchored, nonce, paid = asyncio.run(seen(anchoring))
    assert anchored == sorted(set(anchored))
    assert anchored[-1] == len(anchoring.log.leaves)
    assert nonce == len(anchored) == paid
    receipts = anchoring.receipts()
    assert [receipt.size for receipt in receipts] == anchored
    for receipt in receipts:
        assert receipt.root == merkle.root(anchoring.log.leaves[: receipt.size])


def attempts(state: Path) -> bool:
    return state.exists() and bool(json.loads(state.read_text())["attempts"])


async def seen(anchoring: Anchoring) -> tuple[list[int], int, int]:
    """The sizes that the contract anchored, and the payer's transactions: all, and successful."""
    chain = Chain([anchoring.rpc])
    try:
        events = await chain.contract(anchoring.site).events.Anchored().get_logs(from_block=0)
        sizes = [event["args"]["size"] for event in events]
        payer = local_account(2).address
        nonce = await chain.w3.eth.get_transaction_count(payer)
        hashes = {event["transactionHash"] for event in events}
        outcomes = [await chain.w3.eth.get_transaction_receipt(one) for one in hashes]
        ours = [one for one in outcomes if one["from"] == payer and one["status"] == 1]
        return sizes, nonce, len(ours)
    finally:
        await chain.close()
