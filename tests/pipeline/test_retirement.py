"""A retired asset takes part in nothing new."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.ledger.statement import format_time
from dataexchange.rules import Role
from world import World

Step = tuple[Actor, str, dict[str, Any]]


def revise(world: World, resource: steps.Resource) -> Step:
    payload = {"asset": resource.asset, "elements": steps.elements(), "sharing": "unconditional"}
    return resource.provider, "resource.revised@1", payload


def assess(world: World, resource: steps.Resource) -> Step:
    return resource.provider, "quality.assessed@1", steps.assessment(world, resource.asset)


def classify(world: World, resource: steps.Resource) -> Step:
    return resource.provider, "classification.assigned@1", steps.grading(resource)


def control(world: World, resource: steps.Resource) -> Step:
    payload = {"level": 3, "controls": ["audit_log"], "evidence": steps.digest("evaluation")}
    return resource.provider, "security.control_set@1", {"asset": resource.asset, **payload}


def deidentify(world: World, resource: steps.Resource) -> Step:
    payload = {"version": 1, "methods": ["aggregation"], "report": steps.digest("report")}
    return resource.provider, "deidentification.recorded@1", {"asset": resource.asset, **payload}


def commission(world: World, resource: steps.Resource) -> Step:
    payload = {
        "asset": resource.asset,
        "party": steps.staff(world, Role.DATA_SERVICE).party,
        "services": ["quality"],
        "until": format_time(world.now + timedelta(days=30)),
    }
    return resource.provider, "service.commissioned@1", payload


def plan(world: World, resource: steps.Resource) -> Step:
    payload = {"asset": resource.asset, "opening": "unconditional", "by": "2026-12-31"}
    return resource.provider, "opening.planned@1", {"plan": new_id("plan"), **payload}


def approve(world: World, resource: steps.Resource) -> Step:
    payload = {"asset": resource.asset, "number": "FJ-1", "conditions": "限科研用途"}
    return world.regulator, "opening.approved@1", payload


def refuse_opening(world: World, resource: steps.Resource) -> Step:
    payload = {"asset": resource.asset, "version": 1, "opening": "refused", "terms": "涉密"}
    return resource.provider, "opening.published@1", payload


def consent(world: World, resource: steps.Resource) -> Step:
    payload = {
        "consent": new_id("consent"),
        "asset": resource.asset,
        "commitment": steps.digest("consent"),
        "purposes": ["credit_check"],
        "until": format_time(world.now + timedelta(days=30)),
    }
    return resource.provider, "consent.given@1", payload


STEPS = [
    revise,
    assess,
    classify,
    control,
    deidentify,
    commission,
    plan,
    approve,
    refuse_opening,
    consent,
]


@pytest.mark.parametrize("step", STEPS)
def test_nothing_new_is_said_of_a_retired_asset(
    step: Callable[[World, steps.Resource], Step],
) -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.do(resource.provider, "resource.retired@1", asset=resource.asset, reason="停止采集")
    actor, event, payload = step(world, resource)
    world.refuses("aggregate.wrong_status", actor, event, **payload)


@pytest.mark.parametrize("step", STEPS)
def test_what_is_refused_of_a_retired_asset_is_accepted_of_a_living_one(
    step: Callable[[World, steps.Resource], Step],
) -> None:
    world = World()
    actor, event, payload = step(world, steps.registered_resource(world))
    world.do(actor, event, **payload)
