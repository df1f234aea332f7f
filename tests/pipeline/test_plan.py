"""A plan commits its holder to an opening by a day."""

from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.client.typeid import new_id
from dataexchange.pipeline.plan import Plan
from dataexchange.rules import Role
from world import World


def opened(resource: steps.Resource, opening: str = "unconditional", **more: Any) -> dict[str, Any]:
    return {"asset": resource.asset, "version": resource.version, "opening": opening, **more}


def planned(world: World, resource: steps.Resource, by: str = "2026-01-31") -> str:
    plan = new_id("plan")
    payload = {"plan": plan, "asset": resource.asset, "opening": "unconditional", "by": by}
    world.do(resource.provider, "opening.planned@1", **payload)
    return plan


def test_an_opening_fulfils_its_plan_in_time() -> None:
    world = World()
    resource = steps.governed_resource(world)
    plan = planned(world, resource)
    world.do(resource.provider, "opening.published@1", **opened(resource, plan=plan))
    held = world.state(Plan, plan)
    assert (held.status, held.late) == ("fulfilled", False)


def test_an_opening_after_the_day_planned_is_late() -> None:
    world = World()
    resource = steps.governed_resource(world)
    plan = planned(world, resource)
    world.advance(days=30)
    world.do(resource.provider, "opening.published@1", **opened(resource, plan=plan))
    assert world.state(Plan, plan).late


def test_an_opening_of_another_type_does_not_fulfil_the_plan() -> None:
    world = World()
    resource = steps.governed_resource(world)
    plan = planned(world, resource)
    world.refuses(
        "event.mismatch",
        resource.provider,
        "opening.published@1",
        **opened(resource, "conditional", plan=plan, terms="限科研用途"),
    )


@pytest.mark.parametrize(
    ("code", "by", "grade"),
    [("opening.plan_past", "2026-01-01", "general"), ("gate.core_data", "2026-12-31", "core")],
)
def test_a_plan_that_cannot_be_kept_is_refused(code: str, by: str, grade: str) -> None:
    world = World()
    resource = steps.registered_resource(world)
    steps.classify(world, resource, grade)
    world.refuses(
        code,
        resource.provider,
        "opening.planned@1",
        plan=new_id("plan"),
        asset=resource.asset,
        opening="conditional",
        by=by,
    )


def test_only_the_planner_gives_a_plan_up() -> None:
    world = World()
    resource = steps.governed_resource(world)
    plan = planned(world, resource)
    given_up = {"plan": plan, "reason": "系统停用"}
    world.refuses(
        "party.not_concerned", steps.government(world), "opening.plan_withdrawn@1", **given_up
    )
    world.do(resource.provider, "opening.plan_withdrawn@1", **given_up)
    assert world.state(Plan, plan).status == "withdrawn"
    world.refuses(
        "aggregate.wrong_status",
        resource.provider,
        "opening.published@1",
        **opened(resource, plan=plan),
    )


def test_a_plan_is_made_by_the_holder_of_public_data() -> None:
    world = World()
    resource = steps.governed_resource(world)
    payload = {"plan": new_id("plan"), "asset": resource.asset, "opening": "refused"}
    world.refuses(
        "asset.not_holder",
        steps.government(world),
        "opening.planned@1",
        **payload,
        by="2026-12-31",
    )
    world.do(resource.provider, "opening.planned@1", **payload, by="2026-12-31")
    assert world.state(Plan, str(payload["plan"])).status == "planned"


def test_enterprise_data_are_in_no_opening_plan() -> None:
    world = World()
    resource = steps.governed_resource(world, world.join(Role.PROVIDER), level="enterprise")
    payload = {"plan": new_id("plan"), "asset": resource.asset, "opening": "unconditional"}
    world.refuses(
        "opening.not_public", resource.provider, "opening.planned@1", **payload, by="2026-12-31"
    )


def test_a_plan_is_fulfilled_once_and_by_its_own_asset() -> None:
    world = World()
    provider = steps.government(world)
    resource, other = (steps.governed_resource(world, provider) for _ in range(2))
    plan = planned(world, resource)
    world.refuses("event.mismatch", provider, "opening.published@1", **opened(other, plan=plan))
    world.do(provider, "opening.published@1", **opened(resource, plan=plan))
    world.refuses(
        "aggregate.wrong_status", provider, "opening.published@1", **opened(resource, plan=plan)
    )
    world.refuses(
        "aggregate.wrong_status", provider, "opening.plan_withdrawn@1", plan=plan, reason="完成"
    )
