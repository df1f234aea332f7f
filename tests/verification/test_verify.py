"""The regulator's check: honest bundles are sound, mutated ones never are."""

from pathlib import Path

import pytest
from mutations import Mutant, mutants

from bundles import POLICY, SIGNER, bundle_of, checkpoint
from dataexchange.verification import UnsoundError, UnusableError, verify_bundle
from whole_story import told

MUTANTS_MIN = 200


@pytest.fixture(scope="module")
def bodies() -> list[bytes]:
    """The entries of the whole story, told in memory."""
    return [one.body for one in told(log_keys=[SIGNER.vkey]).entries]


def test_an_honest_bundle_is_sound(bodies: list[bytes], tmp_path: Path) -> None:
    path = bundle_of(bodies).write(tmp_path / "bundle.zip")
    verdict = verify_bundle(path, POLICY, known_checkpoint=checkpoint(bodies))
    assert verdict.size == len(bodies)
    assert verdict.balance_fen == 0
    assert not verdict.warnings


def test_an_earlier_known_checkpoint_is_a_prefix(bodies: list[bytes], tmp_path: Path) -> None:
    path = bundle_of(bodies).write(tmp_path / "bundle.zip")
    for size in (1, 2, len(bodies) // 2, len(bodies) - 1):
        known = checkpoint(bodies[:size])
        assert verify_bundle(path, POLICY, known_checkpoint=known).known_size == size


def test_without_a_policy_nothing_can_be_judged(bodies: list[bytes], tmp_path: Path) -> None:
    path = bundle_of(bodies).write(tmp_path / "bundle.zip")
    with pytest.raises(UnusableError):
        verify_bundle(path, None)
    with pytest.raises(UnusableError):
        verify_bundle(path, b"nonsense")
    (tmp_path / "not.zip").write_bytes(b"PK")
    with pytest.raises(UnusableError):
        verify_bundle(tmp_path / "not.zip", POLICY)


def test_a_dropped_tail_shows_only_against_a_known_checkpoint(
    bodies: list[bytes], tmp_path: Path
) -> None:
    path = bundle_of(bodies[:-3]).write(tmp_path / "bundle.zip")
    assert verify_bundle(path, POLICY).warnings
    with pytest.raises(UnsoundError, match="tail_dropped"):
        verify_bundle(path, POLICY, known_checkpoint=checkpoint(bodies))


def test_no_mutated_bundle_is_ever_sound(bodies: list[bytes], tmp_path: Path) -> None:
    path, count, wrong = tmp_path / "mutant.zip", 0, []
    for mutant in mutants(bodies, seed=20_261_124):
        count += 1
        fault = _fault(mutant, path)
        if fault is None or (mutant.index is not None and _index(fault) != mutant.index):
            wrong.append((mutant.name, mutant.index, fault))
    assert count >= MUTANTS_MIN
    assert wrong == []


def _fault(mutant: Mutant, path: Path) -> UnsoundError | UnusableError | None:
    mutant.members.write(path)
    try:
        verify_bundle(path, POLICY, known_checkpoint=mutant.known)
    except (UnsoundError, UnusableError) as fault:
        return fault
    return None


def _index(fault: UnsoundError | UnusableError) -> int | None:
    return fault.index if isinstance(fault, UnsoundError) else None
