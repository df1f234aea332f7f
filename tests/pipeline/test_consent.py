"""A person's consent is a commitment; it covers purposes for a time, and can be taken back."""

from datetime import timedelta
from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.ledger.statement import format_time
from dataexchange.pipeline.consent import Consent
from world import World


def given(world: World) -> tuple[steps.Resource, Actor, dict[str, Any]]:
    resource, giver = steps.registered_resource(world), steps.government(world)
    payload = {
        "consent": new_id("consent"),
        "asset": resource.asset,
        "commitment": steps.digest("salt and consent"),
        "purposes": ["credit_check"],
        "until": format_time(world.now + timedelta(days=90)),
    }
    world.do(giver, "consent.given@1", **payload)
    return resource, giver, {"consent": payload["consent"], "asset": resource.asset}


def use(named: dict[str, Any], purpose: str = "credit_check") -> dict[str, Any]:
    return {**named, "purpose": purpose, "receipt": steps.digest("receipt")}


def test_a_use_under_a_consent_leaves_a_receipt() -> None:
    world = World()
    resource, _, named = given(world)
    world.do(resource.provider, "consent.used@1", **use(named))
    assert world.state(Consent, named["consent"]).uses == 1


def test_a_consent_does_not_cover_another_purpose() -> None:
    world = World()
    resource, _, named = given(world)
    payload = use(named, "marketing")
    world.refuses("consent.purpose_outside", resource.provider, "consent.used@1", **payload)


def test_a_consent_ends_with_its_time() -> None:
    world = World()
    resource, _, named = given(world)
    world.advance(days=91)
    world.refuses("consent.ended", resource.provider, "consent.used@1", **use(named))


def test_a_consent_is_not_given_for_the_past() -> None:
    world = World()
    resource = steps.registered_resource(world)
    world.refuses(
        "consent.ended",
        resource.provider,
        "consent.given@1",
        consent=new_id("consent"),
        asset=resource.asset,
        commitment=steps.digest("consent"),
        purposes=["credit_check"],
        until=format_time(world.now - timedelta(days=1)),
    )


def test_only_the_holder_uses_data_under_a_consent() -> None:
    world = World()
    _, _, named = given(world)
    world.refuses("asset.not_holder", steps.government(world), "consent.used@1", **use(named))


def test_a_withdrawal_ends_all_use_and_calls_for_erasure() -> None:
    world = World()
    resource, giver, named = given(world)
    erasure = {**named, "proof": steps.digest("erasure")}
    world.refuses("aggregate.wrong_status", resource.provider, "consent.erased@1", **erasure)
    taken = {"consent": named["consent"]}
    world.refuses("party.not_concerned", resource.provider, "consent.withdrawn@1", **taken)
    world.do(giver, "consent.withdrawn@1", **taken)
    world.refuses("aggregate.wrong_status", resource.provider, "consent.used@1", **use(named))
    world.refuses("asset.not_holder", giver, "consent.erased@1", **erasure)
    world.do(resource.provider, "consent.erased@1", **erasure)
    consent = world.state(Consent, named["consent"])
    assert (consent.status, consent.erasure_proof) == ("erased", erasure["proof"])


@pytest.mark.parametrize("event", ["consent.used@1", "consent.erased@1"])
def test_a_consent_is_not_named_with_another_asset(event: str) -> None:
    world = World()
    _, _, named = given(world)
    other = steps.registered_resource(world)
    more = {"proof": steps.digest("e")} if event.startswith("consent.erased") else {}
    payload = use(named) if not more else {**named, **more}
    world.refuses("event.mismatch", other.provider, event, **payload | {"asset": other.asset})


def test_a_consent_is_withdrawn_once() -> None:
    world = World()
    _, giver, named = given(world)
    taken = {"consent": named["consent"]}
    world.do(giver, "consent.withdrawn@1", **taken)
    world.refuses("aggregate.wrong_status", giver, "consent.withdrawn@1", **taken)
