"""Public data are opened by type, after governance, as planned."""

from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.asset.title import Asset
from dataexchange.pipeline.opening import Opening, opening_key
from dataexchange.rules import Role
from world import World


def opened(resource: steps.Resource, opening: str = "unconditional", **more: Any) -> dict[str, Any]:
    return {"asset": resource.asset, "version": resource.version, "opening": opening, **more}


def test_a_governed_resource_opens_without_conditions() -> None:
    world = World()
    resource = steps.opened_resource(world)
    assert world.state(Asset, resource.asset).opening == "unconditional"
    assert world.state(Opening, opening_key(resource.asset)).version == 1


def test_a_conditional_opening_states_its_conditions() -> None:
    world = World()
    resource = steps.governed_resource(world)
    world.refuses(
        "opening.terms_missing",
        resource.provider,
        "opening.published@1",
        **opened(resource, "conditional"),
    )
    steps.open_resource(world, resource, "conditional")
    assert world.state(Opening, opening_key(resource.asset)).terms == "限科研用途"


def test_an_unassessed_version_is_not_opened() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.classify(world, resource)
    world.refuses("gate.not_assessed", resource.provider, "opening.published@1", **opened(resource))


def test_the_version_that_opens_is_the_one_that_was_assessed() -> None:
    world = World()
    resource = steps.governed_resource(world)
    world.do(
        resource.provider,
        "resource.version_added@1",
        asset=resource.asset,
        number=2,
        content=steps.content(2),
    )
    world.refuses(
        "gate.not_assessed", resource.provider, "opening.published@1",
        **opened(resource) | {"version": 2},
    )  # fmt: skip


def test_a_low_score_does_not_open() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.assess(world, resource.asset, score="0.59")
    steps.classify(world, resource)
    world.refuses(
        "gate.score_too_low", resource.provider, "opening.published@1", **opened(resource)
    )


def test_unclassified_data_are_not_opened() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.assess(world, resource.asset)
    world.refuses(
        "gate.not_classified", resource.provider, "opening.published@1", **opened(resource)
    )


@pytest.mark.parametrize("opening", ["unconditional", "conditional"])
def test_core_data_never_open(opening: str) -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.assess(world, resource.asset)
    steps.classify(world, resource, "core")
    world.refuses(
        "gate.core_data",
        resource.provider,
        "opening.published@1",
        **opened(resource, opening, terms="限政府部门"),
    )
    world.refuses(
        "gate.core_data",
        world.regulator,
        "opening.approved@1",
        asset=resource.asset,
        number="FJ-1",
        conditions="无",
    )
    steps.open_resource(world, resource, "refused")
    assert world.state(Asset, resource.asset).opening == "refused"


def test_important_data_open_conditionally_with_approval_and_controls() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.assess(world, resource.asset)
    steps.classify(world, resource, "important")
    conditional = opened(resource, "conditional", terms="限科研用途")
    world.refuses("gate.controls_missing", resource.provider, "opening.published@1", **conditional)
    steps.set_controls(world, resource)
    world.refuses("opening.not_approved", resource.provider, "opening.published@1", **conditional)
    approval = {"asset": resource.asset, "number": "FJ-1", "conditions": "限科研用途"}
    world.refuses("role.missing", resource.provider, "opening.approved@1", **approval)
    world.do(world.regulator, "opening.approved@1", **approval)
    world.refuses(
        "opening.only_conditional", resource.provider, "opening.published@1", **opened(resource)
    )
    world.do(resource.provider, "opening.published@1", **conditional)
    held = world.state(Opening, opening_key(resource.asset))
    assert (held.opening, held.approval) == ("conditional", "FJ-1")


def test_level_4_public_data_do_not_open_without_conditions() -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.assess(world, resource.asset)
    steps.classify(world, resource, public_level="L4")
    world.refuses(
        "opening.only_conditional", resource.provider, "opening.published@1", **opened(resource)
    )


def test_personal_data_open_once_deidentified() -> None:
    world = World()
    resource = steps.governed_resource(world)
    payload = steps.grading(resource)
    payload["fields"][0]["personal"] = True
    world.do(resource.provider, "classification.assigned@1", **payload)
    world.refuses(
        "gate.personal_data", resource.provider, "opening.published@1", **opened(resource)
    )
    steps.deidentify(world, resource)
    steps.open_resource(world, resource)


def test_a_version_that_failed_its_review_is_not_opened() -> None:
    world = World()
    resource = steps.governed_resource(world)
    steps.review(world, resource.asset, outcome="failed")
    world.refuses(
        "gate.not_compliant", resource.provider, "opening.published@1", **opened(resource)
    )


def test_enterprise_data_are_not_public_data() -> None:
    world = World()
    resource = steps.governed_resource(world, world.join(Role.PROVIDER), level="enterprise")
    world.refuses(
        "opening.not_public", resource.provider, "opening.published@1", **opened(resource)
    )


def test_only_the_holder_opens() -> None:
    world = World()
    resource = steps.governed_resource(world)
    world.refuses(
        "asset.not_holder", steps.government(world), "opening.published@1", **opened(resource)
    )


def test_an_opening_is_withdrawn_with_its_approval() -> None:
    world = World()
    resource = steps.opened_resource(world)
    ended = {"asset": resource.asset, "reason": "质量问题"}
    stranger = steps.government(world)
    world.refuses("asset.not_holder", stranger, "opening.withdrawn@1", **ended)
    world.do(world.regulator, "opening.withdrawn@1", **ended)
    asset = world.state(Asset, resource.asset)
    assert (asset.opening, asset.opening_approved) == (None, False)
    world.refuses("aggregate.wrong_status", resource.provider, "opening.withdrawn@1", **ended)


@pytest.mark.parametrize("grade", ["important", "core"])
def test_what_turns_out_to_be_important_or_core_is_open_no_longer(grade: str) -> None:
    world = World()
    resource = steps.opened_resource(world)
    steps.classify(world, resource, grade)
    assert world.state(Asset, resource.asset).opening is None
    assert world.state(Opening, opening_key(resource.asset)).status == "withdrawn"


def test_an_approval_does_not_undo_what_is_published() -> None:
    world = World()
    resource = steps.governed_resource(world)
    steps.open_resource(world, resource, "conditional")
    approval = {"asset": resource.asset, "number": "FJ-1", "conditions": "限科研用途"}
    world.do(world.regulator, "opening.approved@1", **approval)
    held = world.state(Opening, opening_key(resource.asset))
    assert (held.status, held.opening, held.approval) == ("published", "conditional", "FJ-1")
    steps.set_controls(world, resource)
    steps.classify(world, resource, "important")
    assert world.state(Asset, resource.asset).opening == "conditional"
