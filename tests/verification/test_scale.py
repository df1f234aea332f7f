"""Verification in parts: by any executor, from where it last ended, in bounded memory."""

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import distributed
import pytest

from bundles import POLICY, SIGNER, Forger, bundle_of, checkpoint
from dataexchange.client.typeid import new_id
from dataexchange.rules import Role
from dataexchange.verification import UnsoundError, UnusableError, Verdict, replay, verify_bundle
from dataexchange.verification.examination import Examined
from steps_pipeline import elements
from world import World

SIZE = 700


@pytest.fixture(scope="module")
def world() -> World:
    world = World(log_keys=[SIGNER.vkey])
    members = [world.join(Role.PROVIDER) for _ in range(3)]
    while len(world.entries) < SIZE:
        said = {"asset": new_id("asset"), "level": "enterprise", "elements": elements()}
        world.do(members[len(world.entries) % 3], "resource.registered@1", **said)
    return world


@pytest.fixture(scope="module")
def bodies(world: World) -> list[bytes]:
    return [one.body for one in world.entries]


def plain(verdict: Verdict) -> Verdict:
    return replace(verdict, warnings=[])


def test_any_executor_gives_the_same_verdict(bodies: list[bytes], tmp_path: Path) -> None:
    path = bundle_of(bodies).write(tmp_path / "bundle.zip")
    alone = verify_bundle(path, POLICY)
    assert alone.size == SIZE
    executors: Sequence[Executor] = (
        ThreadPoolExecutor(2),
        ProcessPoolExecutor(1, get_context("spawn")),
    )
    for executor in executors:
        with executor:
            assert verify_bundle(path, POLICY, executor=executor) == alone


def test_a_dask_cluster_drops_in(bodies: list[bytes], tmp_path: Path) -> None:
    path = bundle_of(bodies).write(tmp_path / "bundle.zip")
    options = {"processes": False, "dashboard_address": None, "n_workers": 1}
    with distributed.Client(**options) as client, client.get_executor() as executor:
        assert verify_bundle(path, POLICY, executor=executor) == verify_bundle(path, POLICY)


def test_the_first_fault_is_named_whoever_finds_it(bodies: list[bytes], tmp_path: Path) -> None:
    forged = Forger.of(bodies)
    forged = forged.change(600, signature=forged.entries[599].signature)
    late = bundle_of(forged.bodies()).write(tmp_path / "late.zip")
    # A statement that the rules refuse, before one whose signature is false.
    earlier = Forger(forged.entries[:300] + forged.entries[301:])
    both = bundle_of(earlier.change(300, statement=earlier.entries[10].statement).bodies())
    with ThreadPoolExecutor(2) as executor:
        for run in (None, executor):
            with pytest.raises(UnsoundError) as caught:
                verify_bundle(late, POLICY, executor=run)
            assert (caught.value.code, caught.value.index) == ("signature.bad", 600)
            with pytest.raises(UnsoundError) as caught:
                verify_bundle(both.write(tmp_path / "both.zip"), POLICY, executor=run)
            assert caught.value.index == 300


def test_what_is_held_in_memory_is_bounded(
    bodies: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bundle_of(bodies).write(tmp_path / "bundle.zip")
    whole = verify_bundle(path, POLICY)
    monkeypatch.setattr(replay, "HELD_MAX", 10)
    assert verify_bundle(path, POLICY) == whole


def test_a_verification_goes_on_from_the_last_one(
    bodies: list[bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, resume = tmp_path / "bundle.zip", tmp_path / "verified"
    replayed: list[int] = []
    taken = replay.Replay.take

    def counted(self: replay.Replay, part: Examined, body: Callable[[int], bytes]) -> list[bytes]:
        replayed.append(len(part.entries))
        return taken(self, part, body)

    monkeypatch.setattr(replay.Replay, "take", counted)
    for size, before in ((300, 0), (300, 300), (512, 300), (SIZE, 512)):
        replayed.clear()
        bundle_of(bodies[:size]).write(path)
        verdict = verify_bundle(path, POLICY, resume=resume)
        assert sum(replayed) == size - before
        assert plain(verdict) == plain(verify_bundle(path, POLICY))
    # An older bundle is judged whole, and does not undo what was verified.
    bundle_of(bodies[:300]).write(path)
    assert verify_bundle(path, POLICY, resume=resume).size == 300
    replayed.clear()
    verify_bundle(bundle_of(bodies).write(path), POLICY, resume=resume)
    assert sum(replayed) == 0


def test_what_was_verified_before_cannot_be_rewritten(
    bodies: list[bytes], world: World, tmp_path: Path
) -> None:
    path, resume = tmp_path / "bundle.zip", tmp_path / "verified"
    verify_bundle(bundle_of(bodies[:400]).write(path), POLICY, resume=resume)
    other = Forger.of([body for index, body in enumerate(bodies) if index != 350]).bodies()
    with pytest.raises(UnsoundError):
        verify_bundle(bundle_of(other).write(path), POLICY, resume=resume)
    late = checkpoint(bodies[:200])
    bundle_of(bodies).write(path)
    assert verify_bundle(path, POLICY, resume=resume, known_checkpoint=late).known_size == 200
    fork = checkpoint(other[:360])
    with pytest.raises(UnsoundError, match=r"log\.forked"):
        verify_bundle(path, POLICY, resume=resume, known_checkpoint=fork)


def test_a_resumed_log_of_the_same_length_but_another_history_is_a_fork(
    bodies: list[bytes], tmp_path: Path
) -> None:
    path, resume = tmp_path / "bundle.zip", tmp_path / "verified"
    other = Forger.of([*bodies[:350], *bodies[351:401]]).bodies()
    verify_bundle(bundle_of(bodies[:400]).write(path), POLICY, resume=resume)
    with pytest.raises(UnsoundError, match=r"log\.forked"):
        verify_bundle(bundle_of(other).write(path), POLICY, resume=resume)


def test_a_statement_from_before_is_not_taken_again(bodies: list[bytes], tmp_path: Path) -> None:
    path, resume = tmp_path / "bundle.zip", tmp_path / "verified"
    verify_bundle(bundle_of(bodies[:300]).write(path), POLICY, resume=resume)
    forged = Forger.of(bodies[:300])
    forged.entries.append(forged.entries[200])
    with pytest.raises(UnsoundError) as caught:
        verify_bundle(bundle_of(forged.bodies()).write(path), POLICY, resume=resume)
    assert (caught.value.code, caught.value.index) == ("statement.twice", 300)


def test_a_file_that_is_no_record_of_a_verification_is_refused(
    bodies: list[bytes], tmp_path: Path
) -> None:
    path, resume = bundle_of(bodies[:10]).write(tmp_path / "bundle.zip"), tmp_path / "verified"
    resume.write_bytes(b"something else entirely, long enough to be no empty database")
    with pytest.raises(UnusableError):
        verify_bundle(path, POLICY, resume=resume)
