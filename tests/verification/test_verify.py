"""The regulator's check: honest bundles are sound, mutated ones never are."""

from pathlib import Path

import pytest
from mutations import Judged

from bundles import bundle_of, checkpoint
from dataexchange.verification import UnsoundError, UnusableError, verify_bundle
from demonstrated import Demonstrated

MUTANTS_MIN = 200


def test_an_honest_bundle_is_sound(honest: Demonstrated) -> None:
    known = checkpoint(honest.bodies, honest.signer)
    verdict = verify_bundle(honest.path, honest.policy, known_checkpoint=known)
    assert verdict.size == len(honest.bodies)
    assert verdict.balance_fen == 0
    assert verdict.contents > 0
    assert not verdict.warnings


def test_an_earlier_known_checkpoint_is_a_prefix(honest: Demonstrated) -> None:
    for size in (1, 2, len(honest.bodies) // 2, len(honest.bodies) - 1):
        known = checkpoint(honest.bodies[:size], honest.signer)
        verdict = verify_bundle(honest.path, honest.policy, known_checkpoint=known)
        assert verdict.known_size == size


def test_without_a_policy_nothing_can_be_judged(honest: Demonstrated, tmp_path: Path) -> None:
    with pytest.raises(UnusableError):
        verify_bundle(honest.path, None)
    with pytest.raises(UnusableError):
        verify_bundle(honest.path, b"nonsense")
    (tmp_path / "not.zip").write_bytes(b"PK")
    with pytest.raises(UnusableError):
        verify_bundle(tmp_path / "not.zip", honest.policy)


def test_a_dropped_tail_shows_only_against_a_known_checkpoint(
    honest: Demonstrated, tmp_path: Path
) -> None:
    path = bundle_of(honest.bodies[:-3], honest.signer).write(tmp_path / "bundle.zip")
    assert verify_bundle(path, honest.policy).warnings
    known = checkpoint(honest.bodies, honest.signer)
    with pytest.raises(UnsoundError, match="tail_dropped"):
        verify_bundle(path, honest.policy, known_checkpoint=known)


def test_no_mutated_bundle_is_ever_sound(judged_mutants: list[Judged]) -> None:
    wrong = [
        one
        for one in judged_mutants
        if one.fault is None or one.index not in (None, getattr(one.fault, "index", None))
    ]
    assert len(judged_mutants) >= MUTANTS_MIN
    assert wrong == []
