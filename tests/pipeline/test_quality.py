"""What is measured of a version, and who measured it."""

from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.asset.title import Asset
from dataexchange.asset.version import Version, version_key
from dataexchange.rules import Role
from world import World


def test_an_assessor_states_the_quality_of_a_version() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.assess(world, resource.asset, score="0.85")
    version = world.state(Version, version_key(resource.asset, 1))
    assert (version.quality_score, version.self_assessed) == ("0.85", False)
    assert version.assessor == steps.staff(world, Role.DATA_SERVICE).party
    asset = world.state(Asset, resource.asset)
    assert (asset.assessed_version, asset.quality_score) == (1, "0.85")


def test_a_holders_own_score_is_seen_as_such() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.assess(world, resource.asset, by=resource.provider)
    assert world.state(Version, version_key(resource.asset, 1)).self_assessed


def test_a_provider_cannot_assess_anothers_asset() -> None:
    world = World()
    resource = steps.registered_resource(world)
    other = steps.government(world)
    payload = steps.assessment(world, resource.asset)
    world.refuses("service.not_commissioned", other, "quality.assessed@1", **payload)


def test_the_newest_version_assessed_is_the_assets_score() -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.do(
        resource.provider,
        "resource.version_added@1",
        asset=resource.asset,
        number=2,
        content=steps.content(2),
    )
    steps.assess(world, resource.asset, 2, score="0.9")
    steps.assess(world, resource.asset, 1, score="0.7")
    assert world.state(Asset, resource.asset).quality_score == "0.9"
    assert world.state(Version, version_key(resource.asset, 1)).quality_score == "0.7"


@pytest.mark.parametrize(
    ("dimensions", "score"),
    [
        ({"accuracy": "0.333333", "consistency": "0.666667"}, "0.5"),
        ({"accuracy": "1", "consistency": "1", "timeliness": "0"}, "0.666667"),
        ({"normativity": "0.2", "completeness": None}, "0.2"),
    ],
)
def test_the_score_is_the_mean_of_what_was_assessed(dimensions: dict[str, Any], score: str) -> None:
    world = World()
    resource = steps.registered_resource(world)
    payload = steps.assessment(world, resource.asset) | {"dimensions": dimensions, "score": score}
    world.do(steps.staff(world, Role.DATA_SERVICE), "quality.assessed@1", **payload)
    assert world.state(Asset, resource.asset).quality_score == score


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("quality.score_wrong", {"score": "0.91"}),
        ("quality.nothing_assessed", {"dimensions": {}}),
        ("event.mismatch", {"content_root": "0" * 64}),
        ("aggregate.not_found", {"version": 2}),
    ],
)
def test_an_assessment_that_cannot_be_true_is_refused(code: str, changes: dict[str, Any]) -> None:
    world = World()
    resource = steps.registered_resource(world)
    payload = {**steps.assessment(world, resource.asset), **changes}
    assessor = steps.staff(world, Role.DATA_SERVICE)
    world.refuses(code, assessor, "quality.assessed@1", **payload)
