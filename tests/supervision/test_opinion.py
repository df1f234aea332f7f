"""Opinions of expert panels: independent, and no other than the votes."""

from typing import Any

import pytest

from dataexchange.client.typeid import new_id
from dataexchange.rules import Role
from dataexchange.supervision.opinion import Opinion
from steps_pipeline import ready_product, registered_resource, staff
from steps_supervision import opinion
from steps_valuation import issued_valuation
from world import World


@pytest.fixture
def world() -> World:
    return World()


def test_a_panel_gives_its_opinion_on_what_the_log_says_now(world: World) -> None:
    resource = registered_resource(world)
    said = opinion(resource.asset)
    head = world.head(resource.asset)
    world.do(staff(world, Role.APPRAISER), "opinion.given@1", **said)
    held = world.state(Opinion, said["opinion"])
    assert (held.subject_head, held.supporting) == (head, 4)


def test_who_has_a_part_in_it_gives_no_opinion_on_it(world: World) -> None:
    valuation, appraiser = issued_valuation(world, ready_product(world))
    said = opinion(valuation)
    world.refuses("opinion.not_independent", appraiser, "opinion.given@1", **said)
    world.do(staff(world, Role.APPRAISER), "opinion.given@1", **said)


@pytest.mark.parametrize(
    "changes",
    [
        {"supporting": 6},
        {"supporting": 2},
        {"experts": 4, "supporting": 2, "conclusion": "conditional"},
        {"supporting": 3, "conclusion": "opposed"},
    ],
)
def test_a_conclusion_is_the_majoritys(world: World, changes: dict[str, Any]) -> None:
    said = opinion(registered_resource(world).asset, **changes)
    world.refuses("opinion.votes_differ", world.regulator, "opinion.given@1", **said)


def test_an_opinion_is_on_something_that_the_log_holds_and_by_who_may(world: World) -> None:
    missing = opinion(new_id("claim"))
    world.refuses("aggregate.not_found", world.regulator, "opinion.given@1", **missing)
    said = opinion(registered_resource(world).asset, supporting=1, conclusion="opposed")
    world.refuses("role.missing", world.join(Role.BUYER), "opinion.given@1", **said)
    world.do(world.regulator, "opinion.given@1", **said)
    world.refuses("aggregate.exists", world.regulator, "opinion.given@1", **said)
