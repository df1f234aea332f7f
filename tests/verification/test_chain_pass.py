"""The first look: bytes, chain, root and tiles, and plainly no more."""

from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from bundles import POLICY, SIGNER, Forger, bundle_of, checkpoint
from dataexchange.client.typeid import new_id
from dataexchange.rules import Role
from dataexchange.verification import UnsoundError, Verdict, verify_bundle
from dataexchange.verification.verify import NOT_REPLAYED
from steps_pipeline import elements
from world import World

SIZE = 600  # the third part is not full


@pytest.fixture(scope="module")
def bodies() -> list[bytes]:
    world = World(log_keys=[SIGNER.vkey])
    member = world.join(Role.PROVIDER)
    while len(world.entries) < SIZE:
        said = {"asset": new_id("asset"), "level": "enterprise", "elements": elements()}
        world.do(member, "resource.registered@1", **said)
    return [one.body for one in world.entries]


def first_look(bodies: list[bytes], folder: Path, **options: object) -> Verdict:
    path = bundle_of(bodies).write(folder / "bundle.zip")
    return verify_bundle(path, POLICY, rules=False, **options)  # type: ignore[arg-type]


def test_a_first_look_says_what_it_did_not_check(bodies: list[bytes], tmp_path: Path) -> None:
    verdict = first_look(bodies, tmp_path, known_checkpoint=checkpoint(bodies[:300]))
    assert (verdict.size, verdict.known_size, verdict.rules_replayed) == (SIZE, 300, False)
    assert NOT_REPLAYED in verdict.warnings
    assert verify_bundle(tmp_path / "bundle.zip", POLICY).rules_replayed


def test_a_first_look_in_processes_sees_the_same(bodies: list[bytes], tmp_path: Path) -> None:
    with ProcessPoolExecutor(2, get_context("spawn")) as executor:
        assert first_look(bodies, tmp_path, executor=executor) == first_look(bodies, tmp_path)
        damaged = [*bodies[:-1], b""]
        with pytest.raises(UnsoundError, match=r"log\.chain_broken") as caught:
            first_look(damaged, tmp_path, executor=executor)
        assert caught.value.index == SIZE - 1


@pytest.mark.parametrize("index", [0, 1, 255, 256, 257, 511, 512, SIZE - 1])
def test_an_entry_that_does_not_follow_the_one_before_it_is_named(
    bodies: list[bytes], tmp_path: Path, index: int
) -> None:
    moved = Forger(Forger.of(bodies).entries[:index]).bodies() + bodies[index + 1 :]
    if index + 1 < SIZE:
        with pytest.raises(UnsoundError, match=r"log\.chain_broken") as caught:
            first_look(moved, tmp_path)
        assert caught.value.index == index
    other = bodies[index].replace(b'"prev":"', b'"prev":"f', 1)
    with pytest.raises(UnsoundError, match=r"log\.chain_broken") as caught:
        first_look([*bodies[:index], other, *bodies[index + 1 :]], tmp_path)
    assert caught.value.index == index


def test_what_only_rules_and_signatures_show_passes_a_first_look(
    bodies: list[bytes], tmp_path: Path
) -> None:
    forged = Forger.of(bodies)
    forged = forged.change(300, signature=forged.entries[299].signature)
    assert not first_look(forged.bodies(), tmp_path).rules_replayed
    with pytest.raises(UnsoundError, match=r"signature\.bad"):
        verify_bundle(tmp_path / "bundle.zip", POLICY)


def test_an_altered_entry_or_tile_does_not_pass(bodies: list[bytes], tmp_path: Path) -> None:
    honest = bundle_of(bodies)
    path = tmp_path / "bundle.zip"
    last = honest.members["tile/entries/002.p/88"]
    altered = {"tile/entries/002.p/88": last.replace(b'"v":1}', b'"v":2}')}
    for changes, code in (
        (altered, "log."),
        ({"tile/0/001": bytes(32 * 256)}, "tile.differs"),
        ({"tile/entries/000": None}, "bundle.missing_member"),
        ({"tile/entries/000": b"\0\1x"}, "bundle.damaged"),
    ):
        honest.having(changes).write(path)
        with pytest.raises(UnsoundError) as caught:
            verify_bundle(path, POLICY, rules=False)
        assert caught.value.code.startswith(code)
