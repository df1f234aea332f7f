"""Rights are claimed, published for objections, and registered."""

from datetime import timedelta
from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.asset.title import Asset, frozen
from dataexchange.client.typeid import new_id
from dataexchange.pipeline.registration import Registration
from dataexchange.rules import Held, Role
from dataexchange.rules.time import end_of_day_after
from world import World


def registered(claimed: dict[str, Any], certificate: str = "FJ000001") -> dict[str, Any]:
    named = ("registration", "asset", "version")
    return {name: claimed[name] for name in named} | {"certificate": certificate}


def test_rights_are_registered_after_the_objection_window() -> None:
    world = World()
    resource = steps.governed_resource(world)
    registration = steps.register_rights(world, resource)
    asset = world.state(Asset, resource.asset)
    assert set(asset.rights) == {"holding", "processing", "operating"}
    right = asset.rights["operating"]
    assert (right.holder, right.registration) == (resource.provider.party, registration)
    assert asset.claim_open is None
    held = world.state(Registration, registration)
    assert held.status == "registered"
    assert held.is_in_force(world.now)
    assert not held.is_in_force(world.now + timedelta(days=1_200))


def test_rights_are_not_registered_before_the_last_day_of_the_window_has_ended() -> None:
    world = World()
    resource = steps.governed_resource(world)
    claimed = steps.claim(resource)
    world.do(resource.provider, "rights.claimed@1", **claimed)
    ends = end_of_day_after(world.now, 5)
    registrar = steps.staff(world, Role.REGISTRAR)
    world.now = ends - timedelta(seconds=1)
    world.refuses("rights.window_open", registrar, "rights.registered@1", **registered(claimed))
    world.now = ends
    world.do(registrar, "rights.registered@1", **registered(claimed))


def test_only_a_registrar_registers() -> None:
    world = World()
    resource = steps.governed_resource(world)
    claimed = steps.claim(resource)
    world.do(resource.provider, "rights.claimed@1", **claimed)
    world.advance(days=7)
    world.refuses("role.missing", resource.provider, "rights.registered@1", **registered(claimed))


def test_only_the_holder_claims_unless_it_is_authorised() -> None:
    world = World()
    resource = steps.governed_resource(world)
    other = world.join(Role.PROVIDER)
    world.refuses("asset.not_holder", other, "rights.claimed@1", **steps.claim(resource))


def test_an_authorised_operator_claims_processing_and_operating_but_not_holding() -> None:
    world = World()
    resource = steps.governed_resource(world)
    operator = world.join(Role.PROVIDER)
    operation = steps.authorise(world, resource, operator)
    all_three = steps.claim(resource, operation=operation)
    world.refuses("asset.not_holder", operator, "rights.claimed@1", **all_three)
    two = steps.claim(resource, ["processing", "operating"], operation=operation)
    world.do(operator, "rights.claimed@1", **two)
    world.advance(days=7)
    world.do(steps.staff(world, Role.REGISTRAR), "rights.registered@1", **registered(two))
    assert world.state(Asset, resource.asset).rights["operating"].holder == operator.party


def test_an_operator_of_something_else_claims_nothing() -> None:
    world = World()
    resource, other = steps.governed_resource(world), steps.governed_resource(world)
    operator = world.join(Role.PROVIDER)
    operation = steps.authorise(world, other, operator)
    payload = steps.claim(resource, ["operating"], operation=operation)
    world.refuses("operation.not_covered", operator, "rights.claimed@1", **payload)


def test_rights_in_unclassified_data_are_not_claimed() -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.refuses(
        "gate.not_classified", resource.provider, "rights.claimed@1", **steps.claim(resource)
    )


def test_rights_in_core_data_are_neither_claimed_nor_registered() -> None:
    world = World()
    resource = steps.governed_resource(world)
    claimed = steps.claim(resource)
    world.do(resource.provider, "rights.claimed@1", **claimed)
    steps.classify(world, resource, "core")
    world.advance(days=7)
    registrar = steps.staff(world, Role.REGISTRAR)
    world.refuses("gate.core_data", registrar, "rights.registered@1", **registered(claimed))
    other = steps.registered_resource(world)
    steps.classify(world, other, "core")
    world.refuses("gate.core_data", other.provider, "rights.claimed@1", **steps.claim(other))


def test_one_claim_at_a_time_is_published() -> None:
    world = World()
    resource = steps.governed_resource(world)
    world.do(resource.provider, "rights.claimed@1", **steps.claim(resource, ["holding"]))
    world.refuses(
        "rights.claim_pending",
        resource.provider,
        "rights.claimed@1",
        **steps.claim(resource, ["operating"]),
    )


def test_a_right_has_one_holder_until_it_expires() -> None:
    world = World()
    resource = steps.governed_resource(world)
    steps.register_rights(world, resource, ["operating"])
    again = steps.claim(resource, ["operating"])
    world.refuses("rights.taken", resource.provider, "rights.claimed@1", **again)
    world.advance(days=1_100)
    world.do(resource.provider, "rights.claimed@1", **again)


def test_a_right_is_listed_once_in_a_claim() -> None:
    world = World()
    resource = steps.governed_resource(world)
    payload = steps.claim(resource, ["operating", "operating"])
    world.refuses("event.mismatch", resource.provider, "rights.claimed@1", **payload)


@pytest.mark.parametrize(
    ("event", "status"), [("rights.withdrawn@1", "withdrawn"), ("rights.refused@1", "refused")]
)
def test_a_claim_that_ends_early_leaves_the_asset_free(event: str, status: str) -> None:
    world = World()
    resource = steps.governed_resource(world)
    claimed = steps.claim(resource)
    world.do(resource.provider, "rights.claimed@1", **claimed)
    registrar = steps.staff(world, Role.REGISTRAR)
    actor = resource.provider if status == "withdrawn" else registrar
    named = {"registration": claimed["registration"], "asset": resource.asset}
    world.do(actor, event, **named, reason="材料不全")
    assert world.state(Registration, claimed["registration"]).status == status
    assert world.state(Asset, resource.asset).claim_open is None
    world.advance(days=7)
    world.refuses("aggregate.wrong_status", registrar, "rights.registered@1", **registered(claimed))


def test_only_the_claimant_withdraws_its_claim() -> None:
    world = World()
    resource = steps.governed_resource(world)
    claimed = steps.claim(resource)
    world.do(resource.provider, "rights.claimed@1", **claimed)
    world.refuses(
        "party.not_concerned",
        steps.government(world),
        "rights.withdrawn@1",
        registration=claimed["registration"],
        asset=resource.asset,
        reason="材料不全",
    )


def test_a_registration_is_not_named_with_another_asset() -> None:
    world = World()
    resource, other = steps.governed_resource(world), steps.governed_resource(world)
    claimed = steps.claim(resource)
    world.do(resource.provider, "rights.claimed@1", **claimed)
    world.advance(days=7)
    payload = registered(claimed) | {"asset": other.asset}
    registrar = steps.staff(world, Role.REGISTRAR)
    world.refuses("event.mismatch", registrar, "rights.registered@1", **payload)


def test_rights_in_a_frozen_asset_are_neither_claimed_nor_registered() -> None:
    world = World()
    resource = steps.governed_resource(world)
    claimed = steps.claim(resource)
    asset = world.state(Asset, resource.asset)
    held = world.tail.held[asset.id]
    world.tail.held[asset.id] = Held(held.seq, held.head, frozen(asset, new_id("order")))
    world.refuses("asset.frozen", resource.provider, "rights.claimed@1", **claimed)
    world.tail.held[asset.id] = held
    world.do(resource.provider, "rights.claimed@1", **claimed)
    world.advance(days=7)
    published = world.state(Asset, asset.id)
    world.tail.held[asset.id] = Held(9, held.head, frozen(published, new_id("order")))
    registrar = steps.staff(world, Role.REGISTRAR)
    world.refuses("asset.frozen", registrar, "rights.registered@1", **registered(claimed))
