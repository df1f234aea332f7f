"""What becomes of a registration after it was entered."""

from typing import Any

import steps_pipeline as steps
from dataexchange.asset.grant import Grant, granted
from dataexchange.asset.title import Asset, Lien, encumbered, transferred
from dataexchange.client.typeid import new_id
from dataexchange.pipeline.registration import Registration
from dataexchange.rules import Held, Role, State
from world import World


def put(world: World, *states: State) -> None:
    """Let the log hold states that only upper rooms make."""
    for state in states:
        held = world.tail.held.get(state.id)
        seq, head = (held.seq, held.head) if held else (1, "0" * 64)
        world.tail.held[state.id] = Held(seq, head, state)


def registered(world: World) -> tuple[steps.Resource, str, dict[str, Any]]:
    resource = steps.governed_resource(world)
    registration = steps.register_rights(world, resource)
    return resource, registration, {"registration": registration, "asset": resource.asset}


def test_a_registration_is_amended() -> None:
    world = World()
    _, registration, named = registered(world)
    changed = {"basis": "受让取得", "evidence": [steps.digest("contract")], "reason": "更正"}
    registrar = steps.staff(world, Role.REGISTRAR)
    world.do(registrar, "rights.amended@1", **named, **changed)
    held = world.state(Registration, registration)
    assert (held.basis, held.amendments) == ("受让取得", 1)


def test_a_renewal_counts_a_new_term_from_now() -> None:
    world = World()
    resource, registration, named = registered(world)
    before = world.state(Registration, registration).valid_until or ""
    world.advance(days=1_000)
    registrar = steps.staff(world, Role.REGISTRAR)
    world.do(registrar, "rights.renewed@1", **named, certificate="FJ2")
    held = world.state(Registration, registration)
    assert (held.valid_until or "") > before
    right = world.state(Asset, resource.asset).rights["holding"]
    assert (right.certificate, right.until) == ("FJ2", held.valid_until)


def test_an_expired_registration_is_not_renewed() -> None:
    world = World()
    _, _, named = registered(world)
    world.advance(days=1_100)
    registrar = steps.staff(world, Role.REGISTRAR)
    world.refuses("rights.expired", registrar, "rights.renewed@1", **named, certificate="FJ2")


def test_core_data_are_not_registered_for_another_term() -> None:
    world = World()
    resource, _, named = registered(world)
    steps.classify(world, resource, "core")
    registrar = steps.staff(world, Role.REGISTRAR)
    world.refuses("gate.core_data", registrar, "rights.renewed@1", **named, certificate="FJ2")


def test_nothing_is_amended_under_an_objection() -> None:
    world = World()
    _, _, named = registered(world)
    raised = {"objection": new_id("objection"), "grounds": "异议", "evidence": [steps.digest("e")]}
    world.do(world.join(Role.BUYER), "rights.objected@1", **named, **raised)
    registrar = steps.staff(world, Role.REGISTRAR)
    world.refuses(
        "rights.objection_open", registrar, "rights.renewed@1", **named, certificate="FJ2"
    )


def test_the_rights_follow_the_title() -> None:
    world = World()
    resource, registration, named = registered(world)
    buyer = world.join(Role.BUYER)
    registrar = steps.staff(world, Role.REGISTRAR)
    payload = {**named, "holder": buyer.party, "certificate": "FJ2"}
    world.refuses("event.mismatch", registrar, "rights.transferred@1", **payload)
    asset = world.state(Asset, resource.asset)
    put(world, transferred(asset, buyer.party, frozenset()))
    world.do(registrar, "rights.transferred@1", **payload)
    assert world.state(Registration, registration).claimant == buyer.party
    assert world.state(Asset, resource.asset).rights["holding"].holder == buyer.party


def test_a_right_from_an_authorisation_does_not_follow_the_title() -> None:
    world = World()
    resource = steps.governed_resource(world)
    operator = world.join(Role.PROVIDER)
    operation = steps.authorise(world, resource, operator)
    claimed = steps.claim(resource, ["operating"], operation=operation)
    world.do(operator, "rights.claimed@1", **claimed)
    world.advance(days=7)
    registrar = steps.staff(world, Role.REGISTRAR)
    named = {"registration": claimed["registration"], "asset": resource.asset}
    world.do(registrar, "rights.registered@1", **named, version=1, certificate="FJ1")
    world.refuses(
        "rights.not_transferable",
        registrar,
        "rights.transferred@1",
        **named,
        holder=resource.provider.party,
        certificate="FJ2",
    )


def test_a_running_licence_is_recorded_with_the_registration() -> None:
    world = World()
    resource, registration, named = registered(world)
    licence = new_id("licence")
    registrar = steps.staff(world, Role.REGISTRAR)
    world.refuses("grant.ended", registrar, "rights.licensed@1", **named, licence=licence)
    grant: Grant = granted(
        resource.asset, licence, party=registrar.party, derivation=False, until=None
    )
    put(world, grant)
    world.do(registrar, "rights.licensed@1", **named, licence=licence)
    assert world.state(Registration, registration).licences == 1


def test_the_claimant_cancels_and_the_rights_are_gone() -> None:
    world = World()
    resource, registration, named = registered(world)
    stranger = steps.government(world)
    world.refuses("party.not_concerned", stranger, "rights.cancelled@1", **named, reason="放弃")
    world.do(resource.provider, "rights.cancelled@1", **named, reason="放弃")
    assert world.state(Registration, registration).status == "cancelled"
    assert world.state(Asset, resource.asset).rights == {}


def test_a_registration_behind_a_lien_is_not_cancelled() -> None:
    world = World()
    resource, _, named = registered(world)
    lien = Lien(by=new_id("pledge"), holder=new_id("party"), secured_fen=1, registered_index=9)
    put(world, encumbered(world.state(Asset, resource.asset), lien))
    world.refuses(
        "rights.encumbered", resource.provider, "rights.cancelled@1", **named, reason="放弃"
    )


def test_a_regulator_revokes_a_registration() -> None:
    world = World()
    resource, registration, named = registered(world)
    world.refuses("role.missing", resource.provider, "rights.revoked@1", **named, reason="骗取登记")
    world.do(world.regulator, "rights.revoked@1", **named, reason="骗取登记")
    assert world.state(Registration, registration).status == "revoked"
    assert world.state(Asset, resource.asset).rights == {}
