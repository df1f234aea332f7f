"""An identifier stands for one thing for ever: what began with it cannot begin again."""

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


def claim(world: World) -> Step:
    resource = steps.governed_resource(world)
    return resource.provider, "rights.claimed@1", steps.claim(resource)


def objection(world: World) -> Step:
    provider, event, claimed = claim(world)
    world.do(provider, event, **claimed)
    payload = {
        "objection": new_id("objection"),
        "registration": claimed["registration"],
        "asset": claimed["asset"],
        "grounds": "部分数据由本单位采集",
        "evidence": [steps.digest("record")],
    }
    return world.join(Role.BUYER), "rights.objected@1", payload


def plan(world: World) -> Step:
    resource = steps.governed_resource(world)
    payload = {"plan": new_id("plan"), "opening": "unconditional", "by": "2026-12-31"}
    return resource.provider, "opening.planned@1", {"asset": resource.asset, **payload}


def operation(world: World) -> Step:
    resource, party = steps.governed_resource(world), world.join(Role.PROVIDER)
    payload = {
        "operation": new_id("operation"),
        "party": party.party,
        "assets": [{"asset": resource.asset, "version": 1}],
        "mode": "in_place",
        "scope": "开发交通类数据产品",
        "until": format_time(world.now + timedelta(days=30)),
        "agreement": steps.digest("agreement"),
    }
    return resource.provider, "operation.authorised@1", payload


def scenario(world: World) -> Step:
    payload = {
        "scenario": new_id("scenario"),
        "title": {"zh": "城市配送线路优化"},
        "description": "优化城市配送线路。",
        "sector": "G54",
        "purposes": ["route_planning"],
        "beneficiaries": "城市配送企业",
    }
    return world.join(Role.BUYER), "scenario.registered@1", payload


def product(world: World) -> Step:
    resource, maker = steps.opened_resource(world), world.join(Role.PROVIDER)
    sources = [steps.source(resource)]
    opened = steps.open_scenario(world, maker)
    return maker, "product.developed@1", steps.development(sources, opened)


def share(world: World) -> Step:
    resource = steps.governed_resource(world)
    payload = {
        "share": new_id("share"),
        "asset": resource.asset,
        "government_level": "city",
        "legal_basis": "道路交通安全法",
        "purpose": "事故处置",
    }
    return steps.government(world), "share.requested@1", payload


def correction(world: World) -> Step:
    resource = steps.registered_resource(world)
    payload = {"correction": new_id("correction"), "version": 1, "description": "车速为负。"}
    named = {"asset": resource.asset, **payload}
    return world.join(Role.BUYER), "data.error_reported@1", named


def incident(world: World) -> Step:
    resource = steps.registered_resource(world)
    payload = {
        "incident": new_id("incident"),
        "assets": [resource.asset],
        "cause": "loss",
        "severity": "general",
        "happened_at": format_time(world.now),
        "description": "磁盘损坏。",
    }
    return resource.provider, "incident.reported@1", payload


def consent(world: World) -> Step:
    resource = steps.registered_resource(world)
    payload = {
        "consent": new_id("consent"),
        "asset": resource.asset,
        "commitment": steps.digest("consent"),
        "purposes": ["credit_check"],
        "until": format_time(world.now + timedelta(days=30)),
    }
    return resource.provider, "consent.given@1", payload


def certificate(world: World) -> Step:
    payload = {
        "certificate": new_id("certificate"),
        "certificate_type": "business_licence",
        "subject": steps.digest("subject"),
        "credential": steps.digest("credential"),
    }
    return steps.government(world), "certificate.issued@1", payload


@pytest.mark.parametrize(
    "step",
    [
        claim,
        objection,
        plan,
        operation,
        scenario,
        product,
        share,
        correction,
        incident,
        consent,
        certificate,
    ],
)
def test_what_began_does_not_begin_again(step: Callable[[World], Step]) -> None:
    world = World()
    actor, event, payload = step(world)
    world.do(actor, event, **payload)
    world.refuses("aggregate.exists", actor, event, **payload)
