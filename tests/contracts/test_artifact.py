"""The committed artifact is what the sources give, and the build names no host."""

import json
import subprocess
from pathlib import Path

from hexbytes import HexBytes

from dataexchange.anchoring import contract

CONTRACTS = Path(__file__).parents[2] / "contracts"


def test_the_sources_compile_to_the_committed_artifact(node: str) -> None:
    done = subprocess.run(
        [node, "compile.mjs", "--check"], check=False, cwd=CONTRACTS, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_settings_leave_nothing_to_chance() -> None:
    compiler = contract.artifact()["compiler"]
    assert compiler["version"].startswith("0.8.37+")
    assert compiler["settings"] == {
        "evmVersion": "paris",
        "optimizer": {"enabled": True, "runs": 10000},
        "metadata": {"bytecodeHash": "none", "appendCBOR": False},
    }


def test_the_lock_pins_what_the_manifest_asks_and_names_no_host() -> None:
    text = (CONTRACTS / "package-lock.json").read_text()
    assert "://" not in text
    lock = json.loads(text)["packages"]
    manifest = json.loads((CONTRACTS / "package.json").read_text())
    wanted = manifest["devDependencies"] | manifest["optionalDependencies"]
    assert wanted == {"solc": "0.8.37", "@foundry-rs/anvil-linux-amd64": "1.7.1"}
    for name, version in wanted.items():
        assert lock[f"node_modules/{name}"]["version"] == version
    installed = [package for path, package in lock.items() if path]
    assert all(package["integrity"].startswith("sha512-") for package in installed)


def test_code_is_ours_whatever_its_immutable_values_and_no_other_is() -> None:
    code = bytearray(HexBytes(contract.artifact()["deployedBytecode"]))
    spot = contract.artifact()["immutableSpots"][0]
    code[spot["start"] : spot["start"] + spot["length"]] = b"\x11" * spot["length"]
    assert contract.is_our_code(bytes(code))
    code[0] ^= 1
    assert not contract.is_our_code(bytes(code))
    assert not contract.is_our_code(b"")
