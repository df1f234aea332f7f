"""An objection stands in the way until it is decided."""

from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.asset.title import Asset
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.pipeline.registration import Objection, Registration
from dataexchange.rules import Role
from world import World


def objection(asset: str, registration: str) -> dict[str, Any]:
    return {
        "objection": new_id("objection"),
        "registration": registration,
        "asset": asset,
        "grounds": "部分数据由本单位采集",
        "evidence": [steps.digest("collection record")],
    }


def decision(raised: dict[str, Any], outcome: str) -> dict[str, Any]:
    named = {name: raised[name] for name in ("objection", "registration", "asset")}
    return named | {"outcome": outcome, "reason": "经查", "decision": steps.digest("decision")}


def published(world: World) -> tuple[steps.Resource, dict[str, Any]]:
    resource = steps.governed_resource(world)
    claimed = steps.claim(resource)
    world.do(resource.provider, "rights.claimed@1", **claimed)
    return resource, claimed


def objected(world: World) -> tuple[steps.Resource, dict[str, Any], dict[str, Any], Actor]:
    resource, claimed = published(world)
    raised = objection(resource.asset, claimed["registration"])
    objector = world.join(Role.BUYER)
    world.do(objector, "rights.objected@1", **raised)
    return resource, claimed, raised, objector


def test_an_open_objection_stops_the_registration_even_after_the_window() -> None:
    world = World()
    resource, claimed, raised, _ = objected(world)
    world.advance(days=7)
    named = {"registration": claimed["registration"], "asset": resource.asset}
    registrar = steps.staff(world, Role.REGISTRAR)
    payload = {**named, "version": 1, "certificate": "FJ1"}
    world.refuses("rights.objection_open", registrar, "rights.registered@1", **payload)
    world.do(registrar, "objection.decided@1", **decision(raised, "dismissed"))
    world.do(registrar, "rights.registered@1", **payload)
    assert world.state(Asset, resource.asset).objections_open == 0


def test_an_asset_under_objection_is_neither_opened_nor_retired() -> None:
    world = World()
    resource, *_ = objected(world)
    opened = {"asset": resource.asset, "version": 1, "opening": "unconditional"}
    world.refuses("asset.under_objection", resource.provider, "opening.published@1", **opened)
    world.refuses(
        "asset.under_objection",
        resource.provider,
        "resource.retired@1",
        asset=resource.asset,
        reason="停止采集",
    )


def test_an_objection_upheld_in_the_window_ends_the_claim() -> None:
    world = World()
    resource, claimed, raised, _ = objected(world)
    world.do(
        steps.staff(world, Role.REGISTRAR), "objection.decided@1", **decision(raised, "upheld")
    )
    assert world.state(Registration, claimed["registration"]).status == "refused"
    assert world.state(Asset, resource.asset).claim_open is None
    assert world.state(Objection, raised["objection"]).status == "upheld"


def test_an_objection_upheld_against_a_registered_right_revokes_it() -> None:
    world = World()
    resource = steps.governed_resource(world)
    registration = steps.register_rights(world, resource)
    raised = objection(resource.asset, registration)
    world.do(world.join(Role.BUYER), "rights.objected@1", **raised)
    world.do(
        steps.staff(world, Role.REGISTRAR), "objection.decided@1", **decision(raised, "upheld")
    )
    assert world.state(Registration, registration).status == "revoked"
    assert world.state(Asset, resource.asset).rights == {}


def test_a_second_objection_is_closed_after_the_first_was_upheld() -> None:
    world = World()
    resource, claimed, raised, _ = objected(world)
    second = objection(resource.asset, claimed["registration"])
    world.do(world.join(Role.PROVIDER), "rights.objected@1", **second)
    registrar = steps.staff(world, Role.REGISTRAR)
    world.do(registrar, "objection.decided@1", **decision(raised, "upheld"))
    assert world.state(Asset, resource.asset).objections_open == 1
    world.do(registrar, "objection.decided@1", **decision(second, "upheld"))
    assert world.state(Asset, resource.asset).objections_open == 0
    assert world.state(Registration, claimed["registration"]).status == "refused"


def test_an_objector_takes_its_objection_back() -> None:
    world = World()
    resource, claimed, raised, objector = objected(world)
    named = {name: raised[name] for name in ("objection", "registration", "asset")}
    other = world.join(Role.BUYER)
    world.refuses("party.not_concerned", other, "objection.withdrawn@1", **named, reason="误会")
    world.do(objector, "objection.withdrawn@1", **named, reason="误会")
    assert world.state(Asset, resource.asset).objections_open == 0
    assert world.state(Registration, claimed["registration"]).objections_open == 0
    world.refuses(
        "aggregate.wrong_status", objector, "objection.withdrawn@1", **named, reason="误会"
    )


def test_a_claimant_does_not_object_to_itself() -> None:
    world = World()
    resource, claimed = published(world)
    payload = objection(resource.asset, claimed["registration"])
    world.refuses("rights.own_claim", resource.provider, "rights.objected@1", **payload)


def test_between_the_window_and_the_registration_nobody_objects() -> None:
    world = World()
    resource, claimed = published(world)
    world.advance(days=7)
    payload = objection(resource.asset, claimed["registration"])
    world.refuses("rights.window_closed", world.join(Role.BUYER), "rights.objected@1", **payload)


def test_an_objection_to_a_withdrawn_claim_is_refused() -> None:
    world = World()
    resource, claimed = published(world)
    world.do(
        resource.provider,
        "rights.withdrawn@1",
        registration=claimed["registration"],
        asset=resource.asset,
        reason="材料不全",
    )
    payload = objection(resource.asset, claimed["registration"])
    world.refuses("aggregate.wrong_status", world.join(Role.BUYER), "rights.objected@1", **payload)


@pytest.mark.parametrize("name", ["asset", "registration"])
def test_a_decision_names_what_the_objection_is_about(name: str) -> None:
    world = World()
    _, _, raised, _ = objected(world)
    other, claimed = published(world)
    changed = {"asset": other.asset, "registration": claimed["registration"]}[name]
    payload = decision(raised, "upheld") | {name: changed}
    registrar = steps.staff(world, Role.REGISTRAR)
    world.refuses("event.mismatch", registrar, "objection.decided@1", **payload)


def test_only_a_registrar_decides() -> None:
    world = World()
    _, _, raised, objector = objected(world)
    world.refuses("role.missing", objector, "objection.decided@1", **decision(raised, "upheld"))


def test_a_decision_does_not_reach_another_registration_of_the_asset() -> None:
    world = World()
    resource = steps.governed_resource(world)
    first = steps.register_rights(world, resource, ["holding"])
    second = steps.claim(resource, ["operating"])
    world.do(resource.provider, "rights.claimed@1", **second)
    raised = objection(resource.asset, first)
    world.do(world.join(Role.BUYER), "rights.objected@1", **raised)
    payload = decision(raised, "upheld") | {"registration": second["registration"]}
    registrar = steps.staff(world, Role.REGISTRAR)
    world.refuses("event.mismatch", registrar, "objection.decided@1", **payload)
