"""The regulator's check: honest bundles are sound, mutated ones never are."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from mutations import Mutant, mutants

from bundles import Members, bundle_of, checkpoint
from dataexchange.demo.forgery import entries_of
from dataexchange.demo.stage import ORIGIN
from dataexchange.exchange.log_key import load
from dataexchange.ledger.note import Ed25519Signer
from dataexchange.verification import UnsoundError, UnusableError, verify_bundle

MUTANTS_MIN = 200


@dataclass(frozen=True)
class Honest:
    """The demonstration's bundle, its entries, and the key of its log."""

    path: Path
    bodies: list[bytes]
    signer: Ed25519Signer
    policy: bytes

    @property
    def members(self) -> Members:
        """The members of the bundle."""
        with zipfile.ZipFile(self.path) as archive:
            return Members({name: archive.read(name) for name in archive.namelist()})


@pytest.fixture(scope="module")
def honest(demo_output: Path) -> Honest:
    path = demo_output / "bundle.zip"
    signer = load(demo_output / "exchange" / "log.key", ORIGIN)
    return Honest(path, entries_of(path), signer, (demo_output / "policy").read_bytes())


def test_an_honest_bundle_is_sound(honest: Honest) -> None:
    known = checkpoint(honest.bodies, honest.signer)
    verdict = verify_bundle(honest.path, honest.policy, known_checkpoint=known)
    assert verdict.size == len(honest.bodies)
    assert verdict.balance_fen == 0
    assert verdict.contents > 0
    assert not verdict.warnings


def test_an_earlier_known_checkpoint_is_a_prefix(honest: Honest) -> None:
    for size in (1, 2, len(honest.bodies) // 2, len(honest.bodies) - 1):
        known = checkpoint(honest.bodies[:size], honest.signer)
        verdict = verify_bundle(honest.path, honest.policy, known_checkpoint=known)
        assert verdict.known_size == size


def test_without_a_policy_nothing_can_be_judged(honest: Honest, tmp_path: Path) -> None:
    with pytest.raises(UnusableError):
        verify_bundle(honest.path, None)
    with pytest.raises(UnusableError):
        verify_bundle(honest.path, b"nonsense")
    (tmp_path / "not.zip").write_bytes(b"PK")
    with pytest.raises(UnusableError):
        verify_bundle(tmp_path / "not.zip", honest.policy)


def test_a_dropped_tail_shows_only_against_a_known_checkpoint(
    honest: Honest, tmp_path: Path
) -> None:
    path = bundle_of(honest.bodies[:-3], honest.signer).write(tmp_path / "bundle.zip")
    assert verify_bundle(path, honest.policy).warnings
    known = checkpoint(honest.bodies, honest.signer)
    with pytest.raises(UnsoundError, match="tail_dropped"):
        verify_bundle(path, honest.policy, known_checkpoint=known)


def test_no_mutated_bundle_is_ever_sound(honest: Honest, tmp_path: Path) -> None:
    path, count, wrong = tmp_path / "mutant.zip", 0, []
    for mutant in mutants(honest.members, honest.bodies, honest.signer, seed=20_261_124):
        count += 1
        fault = _fault(mutant, path, honest.policy)
        if fault is None or (mutant.index is not None and _index(fault) != mutant.index):
            wrong.append((mutant.name, mutant.index, fault))
    assert count >= MUTANTS_MIN
    assert wrong == []


def _fault(mutant: Mutant, path: Path, policy: bytes) -> UnsoundError | UnusableError | None:
    mutant.members.write(path)
    try:
        verify_bundle(path, policy, known_checkpoint=mutant.known)
    except (UnsoundError, UnusableError) as fault:
        return fault
    return None


def _index(fault: UnsoundError | UnusableError) -> int | None:
    return fault.index if isinstance(fault, UnsoundError) else None
