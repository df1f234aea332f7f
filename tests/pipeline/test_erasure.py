"""Who may have what erased: the sealer, a controller after a withdrawal, a regulator by order."""

from typing import Any

import pytest

import steps_pipeline as steps
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.ledger.statement import format_time, time_after
from dataexchange.pipeline.consent import Consent
from dataexchange.pipeline.erasure import Erasure, erasure_key
from dataexchange.rules import Role
from world import World

ERASED = "opening.erased@1"


def erasure(sealer: Actor, index: int = 5, **changes: Any) -> dict[str, Any]:
    return {
        "index": index,
        "sealed_by": sealer.party,
        "field": "document",
        "ground": "purpose_ended",
        **changes,
    }


def consent(world: World) -> tuple[steps.Resource, Actor, dict[str, str], int]:
    """Return a resource, who consented to its use, the ids of both, and the entry's index."""
    resource, giver = steps.registered_resource(world), world.join(Role.BUYER)
    named = {"consent": new_id("consent"), "asset": resource.asset}
    world.do(
        giver,
        "consent.given@1",
        **named,
        commitment=steps.digest("salt and consent"),
        purposes=["statistics"],
        until=format_time(time_after(world.now, 86_400)),
    )
    return resource, giver, named, len(world.entries) - 1


def test_the_sealer_erases_once() -> None:
    world = World()
    sealer = world.join(Role.BUYER)
    world.do(sealer, ERASED, **erasure(sealer))
    held = world.state(Erasure, erasure_key(sealer.party, "5/document"))
    assert (held.by, held.ground) == (sealer.party, "purpose_ended")
    world.refuses("aggregate.exists", sealer, ERASED, **erasure(sealer))
    world.do(sealer, ERASED, **erasure(sealer, field="person"))


def test_nobody_else_erases_what_one_sealed() -> None:
    world = World()
    sealer = world.join(Role.BUYER)
    for other in (world.join(Role.PROVIDER), world.operator, world.regulator):
        world.refuses("party.not_concerned", other, ERASED, **erasure(sealer))


def test_a_regulator_orders_an_erasure_by_number_and_nobody_else_does() -> None:
    world = World()
    sealer = world.join(Role.BUYER)
    ordered = erasure(sealer, ground="ordered", order_number="2026-7")
    world.refuses("erasure.order_unfit", sealer, ERASED, **ordered)
    world.refuses("erasure.order_unfit", world.operator, ERASED, **ordered)
    unnumbered = erasure(sealer, ground="ordered")
    world.refuses("erasure.order_unfit", world.regulator, ERASED, **unnumbered)
    numbered = erasure(sealer, order_number="2026-7")
    world.refuses("erasure.order_unfit", sealer, ERASED, **numbered)
    world.do(world.regulator, ERASED, **ordered)


def test_a_controller_erases_a_sealed_consent_after_its_withdrawal() -> None:
    world = World()
    resource, giver, named, index = consent(world)
    asked = erasure(giver, index, ground="consent_withdrawn", **named)
    world.refuses("aggregate.wrong_status", resource.provider, ERASED, **asked)
    world.do(giver, "consent.withdrawn@1", consent=named["consent"])
    for changes, code in (
        ({"index": index - 1}, "event.mismatch"),
        ({"sealed_by": world.operator.party}, "event.mismatch"),
        ({"asset": steps.registered_resource(world).asset}, "event.mismatch"),
        ({"consent": new_id("consent")}, "aggregate.not_found"),
    ):
        world.refuses(code, resource.provider, ERASED, **{**asked, **changes})
    world.refuses("asset.not_holder", world.operator, ERASED, **asked)
    world.do(resource.provider, ERASED, **asked)
    assert world.state(Consent, named["consent"]).status == "withdrawn"


def test_a_party_erases_its_own_content_as_often_as_it_put_it_in() -> None:
    world = World()
    party = world.join(Role.PROVIDER)
    content = steps.digest("personal")
    for _ in range(2):
        world.do(party, "content.erased@1", content=content, ground="purpose_ended")
    ordered = {"content": content, "ground": "ordered", "order_number": "2026-7"}
    world.refuses("erasure.order_unfit", party, "content.erased@1", **ordered)
    world.do(world.regulator, "content.erased@1", **ordered)


@pytest.mark.parametrize("field", ["", "A", "../x", "a/b", "x" * 41])
def test_a_field_is_named_as_fields_are(field: str) -> None:
    world = World()
    sealer = world.join(Role.BUYER)
    world.refuses("event.payload_invalid", sealer, ERASED, **erasure(sealer, field=field))
