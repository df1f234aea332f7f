"""Anchor receipts before the second verifier: it says what ours says."""

import json
from pathlib import Path
from typing import Any

from anchor_receipts import BLOCK, SPOILED, receipt

from bundles import POLICY, SIGNER, Members, bundle_of
from dataexchange.rules import Role
from dataexchange.verification import UnsoundError, verify_bundle
from scripted import b64, run_cases
from world import World


def with_receipt(bodies: list[bytes], said: dict[str, Any] | bytes, size: int = 5) -> Members:
    data = said if isinstance(said, bytes) else json.dumps(said).encode()
    return bundle_of(bodies).having({f"anchors/{size:020d}-{BLOCK[:16]}.json": data})


def ours(path: Path) -> tuple[str, int | None]:
    try:
        verify_bundle(path, POLICY)
    except UnsoundError as fault:
        return fault.code, fault.index
    return "sound", None


def test_both_verifiers_say_the_same_of_every_receipt(tmp_path: Path) -> None:
    world = World(log_keys=(SIGNER.vkey,))
    for _ in range(3):
        world.join(Role.PROVIDER)
    bodies = [appended.body for appended in world.entries]
    first = {"previous_size": 0, "previous_root": "0x" + "00" * 32}
    bundles = [
        with_receipt(bodies, receipt(bodies)),
        with_receipt(bodies, receipt(bodies, **first)),
        with_receipt(bodies[:6], receipt(bodies, 7), 7),
        with_receipt(bodies, receipt(bodies), 4),
        *(with_receipt(bodies, data) for data in (b"", b"null", b"{}", b"\xff", b"[]", b"5")),
        *(with_receipt(bodies, receipt(bodies, **changes)) for _, changes in SPOILED),
    ]
    paths = [one.write(tmp_path / f"{at}.zip") for at, one in enumerate(bundles)]
    cases = [
        {"check": "bundle", "path": str(path), "policy": b64(POLICY), "known": ""} for path in paths
    ]
    theirs = [(said.get("code", said["verdict"]), said.get("index")) for said in run_cases(cases)]
    assert theirs == [ours(path) for path in paths]
    assert [code for code, _ in theirs[:3]] == ["sound", "sound", "log.tail_dropped"]
