"""A real log anchored on a real chain: its receipts in a bundle, offline and against the chain."""

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from bundles import Members
from dataexchange.anchoring.local_chain import local_account
from dataexchange.rules import Role
from local_evm import CHAIN_ID, running_chain, write_key
from world import ORIGIN

if TYPE_CHECKING:
    from served import Served

Run = Callable[..., Any]
PATIENCE = ("--interval-minutes", 0, "--poll-seconds", 0.2)


@dataclass
class Anchored:
    """A served log, its contract, and the commands that a test gives."""

    served: "Served"
    rpc: str
    contract: str
    run: Run

    @property
    def policy(self) -> Path:
        path = self.served.folder / "policy"
        vkey = httpx.get(f"{self.served.url}/v1/log").json()["vkeys"][0]
        path.write_text(f"log {vkey}\nquorum none\n")
        return path

    @property
    def known(self) -> tuple[object, ...]:
        """What a verifier knows beforehand."""
        return (
            *("--policy", self.policy, "--anchor-contract", self.contract),
            *("--anchor-key", local_account(1).address),
        )

    def anchor(self) -> None:
        ran = self.run(
            *("anchor", "run", "--once", "--rpc", self.rpc, "--contract", self.contract),
            *("--log", ORIGIN, "--policy", self.policy, "--url", self.served.url, *PATIENCE),
            *("--anchor-key", self.served.folder / "evm-1.key"),
            *("--payer-key", self.served.folder / "evm-2.key"),
            *("--folder", self.served.folder / "anchors"),
        )
        assert ran.status == 0, ran.err

    def apply(self) -> None:
        """Append an entry, covered by a checkpoint."""
        size = httpx.get(f"{self.served.url}/v1/log").json()["size"]
        actor = self.served.world.actor()
        payload = self.served.folder / "apply.json"
        payload.write_text(json.dumps(self.served.world.profile(actor, Role.PROVIDER)))
        key = self.served.key_file(actor, actor.party)
        ran = self.run("submit", "party.applied@1", payload, "--key", key, "--url", self.served.url)
        assert ran.status == 0, ran.err
        self.served.until_checkpoint(size + 1)

    def export(self, *options: object) -> Path:
        bundle = self.served.folder / "bundle.zip"
        key = self.served.key_file(self.served.world.operator, "operator")
        ran = self.run(
            *("export", "--key", key, "--out", bundle, "--url", self.served.url, *options)
        )
        assert ran.status == 0, ran.err
        return bundle


@pytest.fixture
def anchored(opened: "Served", run: Run) -> Iterator[Anchored]:
    """A log of two entries; both are anchored, in two anchors."""
    keys = [write_key(opened.folder, index) for index in range(3)]
    with running_chain(opened.folder) as rpc:
        ran = run(
            *("anchor", "deploy", "--rpc", rpc, "--chain-id", CHAIN_ID, "--log", ORIGIN),
            *("--anchor-key", keys[1], "--payer-key", keys[0]),
        )
        one = Anchored(opened, rpc, json.loads(ran.out)["contract"], run)
        opened.until_checkpoint(1)
        one.anchor()
        one.apply()
        one.anchor()
        yield one


def members(bundle: Path) -> Members:
    with zipfile.ZipFile(bundle) as archive:
        return Members({name: archive.read(name) for name in archive.namelist()})


def test_receipts_travel_with_the_bundle_and_are_checked(anchored: Anchored) -> None:
    anchored.apply()
    bundle = anchored.export()
    names = [name for name in members(bundle).members if name.startswith("anchors/")]
    assert [int(name[8:28]) for name in names] == [1, 2]
    unknown = anchored.run("verify", bundle, "--policy", anchored.policy)
    assert unknown.status == 0, unknown.err
    assert "own word" in unknown.out
    ran = anchored.run("verify", bundle, *anchored.known)
    assert ran.status == 0, ran.err
    assert ran.out.count("in a block") == 2
    assert "compare its hash with any node" in ran.out
    assert "own word" not in ran.out
    online = anchored.run("verify", bundle, *anchored.known, "--rpc", anchored.rpc)
    assert online.status == 0, online.err
    assert online.out.count("confirmed by the chain") == 2
    assert "covers the first 2 entries" in online.out
    spoil_and_verify(anchored, bundle)
    from_folder = anchored.export("--anchors", anchored.served.folder / "anchors")
    assert members(from_folder) == members(bundle)


def spoil_and_verify(anchored: Anchored, bundle: Path) -> None:
    """Each spoilt receipt is unsound, and the fault has a name."""
    whole = members(bundle)
    name = max(name for name in whole.members if name.startswith("anchors/"))
    receipt = json.loads(whole.members[name])
    stranger = local_account(7).address
    spoilt = bundle.with_name("spoilt.zip")
    for code, changes in (
        ("anchor.signature", {"signature": "0x" + "00" * 65}),
        ("anchor.signature", {"anchor_key": stranger}),
        ("anchor.site", {"contract": stranger}),
        ("anchor.header", {"block_time": "2026-01-01T00:00:00Z"}),
        ("anchor.event", {"evidence": {**receipt["evidence"], "nodes": []}}),
        ("anchor.consistency", {"consistency": []}),
        ("anchor.root", {"root": "0x" + "01" * 32}),
        ("anchor.form", {"extra": 1}),
    ):
        changed = json.dumps({**receipt, **changes}).encode()
        whole.having({name: changed}).write(spoilt)
        ran = anchored.run("verify", spoilt, *anchored.known)
        assert ran.status == 1, code
        assert code in ran.err
    ran = anchored.run("verify", bundle, *anchored.known[:-1], stranger)
    assert (ran.status, "anchor.signature" in ran.err) == (1, True)


def test_the_contract_knows_more_than_an_old_bundle(anchored: Anchored) -> None:
    bundle = anchored.export()
    anchored.apply()
    anchored.anchor()
    ran = anchored.run("verify", bundle, *anchored.known, "--rpc", anchored.rpc)
    assert ran.status == 0, ran.err
    assert "the contract holds 3 entries" in ran.out
    ran = anchored.run("verify", bundle, "--policy", anchored.policy, "--rpc", anchored.rpc)
    assert ran.status == 2
    assert "--anchor-contract" in ran.err


def test_a_dead_node_leaves_the_chain_unasked(anchored: Anchored) -> None:
    bundle = anchored.export()
    ran = anchored.run("verify", bundle, *anchored.known, "--rpc", "http://127.0.0.1:9")
    assert ran.status == 2
