"""The demonstration: it comes out, leaves its papers, and what it leaves can be checked."""

import subprocess
import sys
from pathlib import Path

PROGRAM = "from dataexchange.cli import main; main()"


def verify(out: Path, *options: str) -> int:
    command = [sys.executable, "-c", PROGRAM, "verify", str(out / "bundle.zip"), *options]
    return subprocess.run(command, capture_output=True, check=False).returncode


def test_the_demonstration_leaves_its_papers(demo_output: Path) -> None:
    for name in ("bundle.zip", "checkpoint", "policy", "summary.md"):
        assert (demo_output / name).stat().st_size > 0
    summary = (demo_output / "summary.md").read_text("utf-8")
    for code in ("pledge.ltv_exceeded", "asset.encumbered", "delivery.wrong_content"):
        assert code in summary


def test_its_bundle_is_sound_with_the_policy_and_unusable_without(demo_output: Path) -> None:
    policy = ("--policy", str(demo_output / "policy"))
    known = ("--known-checkpoint", str(demo_output / "checkpoint"))
    assert verify(demo_output, *policy, *known) == 0
    assert verify(demo_output) == 2


def test_the_keys_it_makes_are_for_their_owner_alone(demo_output: Path) -> None:
    keys = [*(demo_output / "keys").iterdir(), demo_output / "exchange" / "log.key"]
    assert len(keys) > 10
    assert all(key.stat().st_mode & 0o077 == 0 for key in keys)
