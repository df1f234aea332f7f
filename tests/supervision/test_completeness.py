"""The map as an event: committed by the operator, made again by every verifier, confirmed."""

import pytest

from dataexchange.rules import Role
from dataexchange.supervision.completeness import (
    MapConfirmation,
    commitment_key,
    confirmation_key,
)
from dataexchange.verification import UnsoundError
from dataexchange.verification.map_pass import map_sizes
from dataexchange.verification.replay import Replay
from steps_map import commit, root_at
from world import ORIGIN, World


def replay(world: World) -> Replay:
    bodies = [one.body for one in world.entries]
    done = Replay(ORIGIN, map_sizes(bodies))
    done.extend(bodies)
    done.finish()
    return done


def test_committed_maps_are_made_again_by_the_verifier() -> None:
    world = World()
    world.join(Role.PROVIDER)
    covers = world.tail.size
    world.join(Role.BUYER)  # appends go on while the map is made
    first = commit(world, covers)
    world.join(Role.BUYER)
    second = commit(world)
    maps = replay(world).maps
    assert maps is not None
    assert [(one.index, one.covers) for one in maps.verified] == [
        (first.index, covers),
        (second.index, second.index),
    ]


@pytest.mark.parametrize("off_by", [-1, 1])
def test_a_map_of_another_moment_is_called_unsound_at_its_entry(off_by: int) -> None:
    world = World()
    for _ in range(3):
        world.join(Role.PROVIDER)
    covers = world.tail.size - 2
    wrong = commit(world, covers, root=root_at(world, covers + off_by))
    world.join(Role.BUYER)
    with pytest.raises(UnsoundError) as caught:
        replay(world)
    assert (caught.value.code, caught.value.index) == ("map.differs", wrong.index)


def test_a_map_covers_no_entry_that_does_not_exist_and_only_ever_more() -> None:
    world = World()
    size = world.tail.size
    world.refuses(
        "map.covers_the_future", world.operator, "map.committed@1", covers=size + 1, root="0" * 64
    )
    commit(world, size)
    for covers in (size, size - 1) if size > 1 else (size,):
        world.refuses(
            "map.not_growing", world.operator, "map.committed@1", covers=covers, root="0" * 64
        )
    assert commit(world).index == size + 1


def test_only_the_operator_commits_and_only_regulators_confirm() -> None:
    world = World()
    committed = commit(world)
    said = confirmation(world, committed.index)
    provider = world.join(Role.PROVIDER)
    world.refuses("role.missing", provider, "map.committed@1", covers=2, root="0" * 64)
    world.refuses("role.missing", world.operator, "map.confirmed@1", **said)


def test_a_confirmation_names_the_very_entry_and_root_and_is_given_once() -> None:
    world = World()
    committed = commit(world)
    later = commit(world)
    said = confirmation(world, committed.index)
    for wrong in ({"map": later.leaf.hex()}, {"root": "0" * 64}):
        world.refuses("event.mismatch", world.regulator, "map.confirmed@1", **{**said, **wrong})
    world.refuses(
        "aggregate.not_found", world.regulator, "map.confirmed@1", **{**said, "covers": 9}
    )
    world.do(world.regulator, "map.confirmed@1", **said)
    kept = world.state(MapConfirmation, confirmation_key(said["covers"], world.regulator.party))
    assert kept.map == committed.leaf.hex()
    world.refuses("aggregate.exists", world.regulator, "map.confirmed@1", **said)
    assert world.head(commitment_key(said["covers"])) == committed.leaf.hex()


def confirmation(world: World, index: int) -> dict[str, object]:
    """What a regulator says of the map committed at `index`."""
    entry = world.entries[index]
    said = entry.submission.payload.model_dump(mode="json")
    return {**said, "map": entry.leaf.hex()}


def test_a_log_without_maps_is_only_searched() -> None:
    world = World()
    world.join(Role.PROVIDER)
    done = replay(world)
    assert done.maps is not None
    assert done.maps.verified == []
    assert map_sizes([b"", b'"event":"map.committed@1"']) == frozenset()
