"""Anchor receipts in a bundle, compared with the log; no chain and no web3 is needed."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from anchor_receipts import BLOCK, SPOILED, receipt, root

from bundles import POLICY, SIGNER, bundle_of
from dataexchange.rules import Role
from dataexchange.verification import UnsoundError, Verdict, verify_bundle
from dataexchange.verification.anchor_pass import UNJUDGED, AnchorFindings, AnchorJudge, Roots
from world import ORIGIN, World


@pytest.fixture(scope="module")
def bodies() -> list[bytes]:
    """A log of seven entries."""
    world = World(log_keys=(SIGNER.vkey,))
    for _ in range(3):
        world.join(Role.PROVIDER)
    return [appended.body for appended in world.entries]


def judged(
    bodies: list[bytes],
    folder: Path,
    said: Mapping[str, Any] | bytes,
    name: str | None = None,
    *,
    judge: AnchorJudge | None = None,
) -> Verdict:
    data = said if isinstance(said, bytes) else json.dumps(said).encode()
    size = 5 if isinstance(said, bytes) else int(said["size"])
    member = name or f"anchors/{size:020d}-{BLOCK[:16]}.json"
    path = bundle_of(bodies).having({member: data}).write(folder / "bundle.zip")
    return verify_bundle(path, POLICY, anchors=judge)


def test_a_receipt_of_the_logs_own_roots_is_told_as_compared(
    bodies: list[bytes], tmp_path: Path
) -> None:
    verdict = judged(bodies, tmp_path, receipt(bodies))
    ((anchored, shown),) = verdict.anchors
    assert (anchored.size, anchored.block_number, shown) == (5, 9, "compared")
    assert UNJUDGED in verdict.warnings


def test_a_first_anchor_has_none_before_it(bodies: list[bytes], tmp_path: Path) -> None:
    first = {"previous_size": 0, "previous_root": "0x" + "00" * 32}
    assert judged(bodies, tmp_path, receipt(bodies, **first)).anchors
    first["previous_root"] = root(bodies, 2)
    with pytest.raises(UnsoundError, match=r"anchor\.consistency"):
        judged(bodies, tmp_path, receipt(bodies, **first))


@pytest.mark.parametrize(("code", "changes"), SPOILED)
def test_a_receipt_that_disagrees_with_the_log_is_unsound_and_says_how(
    bodies: list[bytes], tmp_path: Path, code: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(UnsoundError) as caught:
        judged(bodies, tmp_path, receipt(bodies, **changes))
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["root", "previous_root", "contract"])
def test_a_receipt_that_breaks_the_line_after_a_value_is_no_receipt(
    bodies: list[bytes], tmp_path: Path, name: str
) -> None:
    said = receipt(bodies)
    with pytest.raises(UnsoundError):
        judged(bodies, tmp_path, {**said, name: f"{said[name]}\n"})


def test_a_receipt_for_more_entries_shows_that_the_tail_was_dropped(
    bodies: list[bytes], tmp_path: Path
) -> None:
    with pytest.raises(UnsoundError) as caught:
        judged(bodies[:6], tmp_path, receipt(bodies, 7))
    assert (caught.value.code, caught.value.index) == ("log.tail_dropped", 6)


@pytest.mark.parametrize("data", [b"", b"null", b"{}", b"\xff", b"[" * 100_000])
def test_a_file_that_is_no_receipt_is_unsound(
    bodies: list[bytes], tmp_path: Path, data: bytes
) -> None:
    with pytest.raises(UnsoundError, match=r"anchor\.form"):
        judged(bodies, tmp_path, data)


@pytest.mark.parametrize(
    "name",
    [
        "anchors/notes.txt",
        "anchors/5.json",
        f"anchors/x/{5:020d}-{BLOCK[:16]}.json",
        f"anchors/{5:020d}-{BLOCK[:16].upper()}.json",
        f"anchors/{5:020d}-{BLOCK[:16]}.json\n",
    ],
)
def test_a_member_of_another_name_belongs_to_nothing(
    bodies: list[bytes], tmp_path: Path, name: str
) -> None:
    with pytest.raises(UnsoundError, match="unknown_member"):
        judged(bodies, tmp_path, receipt(bodies), name)


def test_a_receipt_under_the_name_of_another_size_is_unsound(
    bodies: list[bytes], tmp_path: Path
) -> None:
    with pytest.raises(UnsoundError, match=r"anchor\.name"):
        judged(bodies, tmp_path, receipt(bodies), f"anchors/{4:020d}-{BLOCK[:16]}.json")


def test_the_judge_gets_receipts_and_the_logs_own_roots(
    bodies: list[bytes], tmp_path: Path
) -> None:
    def judge(origin: str, receipts: Mapping[str, bytes], roots: Roots) -> AnchorFindings:
        assert origin == ORIGIN
        assert roots.holds(4, bytes.fromhex(root(bodies, 4)[2:]))
        assert not roots.holds(4, bytes(32))
        return AnchorFindings(dict.fromkeys(receipts, "included"), [("甲", "a")])

    verdict = judged(bodies, tmp_path, receipt(bodies), judge=judge)
    assert [shown for _, shown in verdict.anchors] == ["included"]
    assert ("甲", "a") in verdict.warnings
    assert UNJUDGED not in verdict.warnings
