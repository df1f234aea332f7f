"""A bundle shows chosen sealed fields: each opens a commitment of its log, or it is unsound."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from bundles import POLICY, SIGNER, bundle_of
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.ledger.sealing import SALT_BYTES, Opening, seal
from dataexchange.registry import submission
from dataexchange.rules import Role
from dataexchange.verification import UnsoundError, Verdict, verify_bundle
from scripted import b64, run_cases
from steps_pipeline import registered_resource
from world import World


@dataclass
class Story:
    """A world with an entry at `index` that seals two fields."""

    world: World
    reporter: Actor
    index: int
    details: Opening
    contact: Opening

    def verdict(self, folder: Path, members: dict[str, bytes]) -> Verdict:
        bundle = bundle_of([entry.body for entry in self.world.entries])
        return verify_bundle(bundle.having(members).write(folder / "bundle.zip"), POLICY)

    def fault(self, folder: Path, members: dict[str, bytes]) -> tuple[str, int | None]:
        with pytest.raises(UnsoundError) as caught:
            self.verdict(folder, members)
        return caught.value.code, caught.value.index


def shown(*openings: Opening) -> dict[str, bytes]:
    return {f"sealed/{one.commitment}": one.preimage for one in openings}


@pytest.fixture
def story() -> Story:
    world = World(log_keys=[SIGNER.vkey])
    asset, reporter = registered_resource(world).asset, world.join(Role.BUYER)
    details = seal("details", {"zh": "车速偏高", "rows": [1, 2]}, bytes(range(32)))
    contact = seal("contact", "0591-1", bytes(range(32, 64)))
    stated = reporter.state(
        "data.error_reported@1",
        {
            "correction": new_id("correction"),
            "asset": asset,
            "version": 1,
            "description": "speeds are too high",
        },
        at=world.now,
        sealed={one.field: one.commitment for one in (details, contact)},
    )
    read = submission.read(stated, reporter.sign(stated))
    world.entries.append(world.tail.append(read, world.now))
    return Story(world, reporter, len(world.entries) - 1, details, contact)


def test_a_bundle_shows_none_some_or_all_of_what_is_sealed(story: Story, tmp_path: Path) -> None:
    assert story.verdict(tmp_path, {}).openings == 0
    assert story.verdict(tmp_path, shown(story.details)).openings == 1
    assert story.verdict(tmp_path, shown(story.details, story.contact)).openings == 2


def test_an_opening_of_another_value_or_salt_is_unsound_at_its_entry(
    story: Story, tmp_path: Path
) -> None:
    name, good = f"sealed/{story.details.commitment}", story.details.preimage
    for changed in (
        seal("details", "another", good[:SALT_BYTES]).preimage,
        good[1:SALT_BYTES] + good[:1] + good[SALT_BYTES:],
        story.contact.preimage,
    ):
        assert story.fault(tmp_path, {name: changed}) == ("opening.differs", story.index)
    for changed in (b"", good[:SALT_BYTES], good[:-1], good + b" ", good[:SALT_BYTES] + b"1.0"):
        assert story.fault(tmp_path, {name: changed}) == ("opening.malformed", story.index)
    assert story.fault(tmp_path, {name: bytes(100_000)})[0] == "bundle.too_large"


def test_an_opening_that_no_entry_commits_to_is_unsound(story: Story, tmp_path: Path) -> None:
    stray = seal("details", "nobody said so", bytes(32))
    assert story.fault(tmp_path, shown(stray)) == ("opening.unnamed", None)
    assert story.fault(tmp_path, shown(story.details, stray)) == ("opening.unnamed", None)
    # A hash that stands in an entry without being a commitment of it names no opening.
    leaf = story.world.entries[story.index].leaf.hex()
    assert story.fault(tmp_path, {f"sealed/{leaf}": stray.preimage}) == ("opening.unnamed", None)


@pytest.mark.parametrize("name", ["sealed/", "sealed/x", "sealed/12/details", f"sealed/{'A' * 64}"])
def test_a_member_with_another_name_is_unknown(story: Story, tmp_path: Path, name: str) -> None:
    assert story.fault(tmp_path, {name: b""})[0] == "bundle.unknown_member"


def test_an_opening_whose_erasure_the_log_orders_is_told_of(story: Story, tmp_path: Path) -> None:
    before = len(story.verdict(tmp_path, shown(story.details, story.contact)).warnings)
    order = {"index": story.index, "field": "details", "ground": "purpose_ended"}
    stranger = story.world.join(Role.BUYER)
    story.world.do(stranger, "opening.erased@1", **order, sealed_by=stranger.party)
    verdict = story.verdict(tmp_path, shown(story.details, story.contact))
    assert len(verdict.warnings) == before  # it named itself as another's sealer: no order
    story.world.do(story.reporter, "opening.erased@1", **order, sealed_by=story.reporter.party)
    verdict = story.verdict(tmp_path, shown(story.details, story.contact))
    assert verdict.openings == 2
    assert len(verdict.warnings) == before + 1
    assert f"details of entry {story.index}" in verdict.warnings[-1][1]
    assert len(story.verdict(tmp_path, shown(story.contact)).warnings) == before


def test_the_second_verifier_says_the_same(story: Story, tmp_path: Path) -> None:
    order = {"index": story.index, "field": "details", "ground": "purpose_ended"}
    story.world.do(story.reporter, "opening.erased@1", **order, sealed_by=story.reporter.party)
    name, good = f"sealed/{story.details.commitment}", story.details.preimage
    stray = seal("details", "nobody said so", bytes(32))
    sound = [{}, shown(story.contact), shown(story.details), shown(story.details, story.contact)]
    unsound = [{name: one} for one in (b"", good[:-1], good + b" ", story.contact.preimage)]
    unsound += [shown(stray), shown(story.details, stray), {"sealed/x": b""}]
    unsound.append({name: bytes(100_000)})
    bundle = bundle_of([entry.body for entry in story.world.entries])
    cases = [
        {
            "check": "bundle",
            "path": str(bundle.having(members).write(tmp_path / f"{number}.zip")),
            "policy": b64(POLICY),
        }
        for number, members in enumerate((*sound, *unsound))
    ]
    found = run_cases(cases)
    for members, said in zip(sound, found, strict=False):
        ours = story.verdict(tmp_path, members)
        assert (said["openings"], len(said["warnings"])) == (ours.openings, len(ours.warnings))
    said_unsound = [(said["code"], said["index"]) for said in found[len(sound) :]]
    assert said_unsound == [story.fault(tmp_path, members) for members in unsound]
