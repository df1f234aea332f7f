"""Who may have what: important data for cleared bodies, conditional data for named scenarios."""

from datetime import timedelta
from typing import Any

import pytest

import steps_market
import steps_pipeline
from dataexchange.asset.title import Asset
from dataexchange.client.signing import Actor
from dataexchange.identity.party import PartyKind
from dataexchange.ledger.statement import format_time
from dataexchange.registry.tail import Held
from dataexchange.rules import Role
from steps_market import Deal, agreement, opened_deal, request, requested_licence
from world import World


@pytest.fixture
def world() -> World:
    return World()


def marked(world: World, asset: str, **changes: Any) -> None:
    """Change an asset as the pipeline would have left it."""
    held = world.tail.held[asset]
    state = world.state(Asset, asset).but(**changes)
    world.tail.held[asset] = Held(held.seq, held.head, state)


def important(world: World, buyer: Actor | None = None) -> Deal:
    """Return a deal over important data, for a scenario, with every safeguard in its terms."""
    product = steps_pipeline.ready_product(world)
    marked(world, product.asset, grade="important", controls_level=3)
    terms = steps_market.terms(scenarios=[product.scenario])
    return opened_deal(world, product, buyer, terms=terms, negotiable=True)


def clear(world: World, party: Actor, days: int = 100) -> None:
    world.do(
        world.operator,
        "clearance.granted@1",
        party=party.party,
        until=format_time(world.now + timedelta(days=days)),
        assessment=steps_pipeline.digest("risk"),
    )


def asked(deal: Deal, **terms: Any) -> dict[str, Any]:
    agreed = steps_market.terms(scenarios=[deal.product.scenario], **terms)
    return request(deal, terms=agreed)


def test_important_data_go_to_cleared_buyers_only(world: World) -> None:
    deal = important(world)
    world.refuses("clearance.missing", deal.buyer, "licence.requested@1", **asked(deal))
    clear(world, deal.buyer)
    world.do(deal.buyer, "licence.requested@1", **asked(deal))


def test_a_clearance_runs_out(world: World) -> None:
    deal = important(world)
    clear(world, deal.buyer, days=1)
    world.advance(days=2)
    world.refuses("clearance.missing", deal.buyer, "licence.requested@1", **asked(deal))


def test_a_withdrawn_clearance_stops_an_agreement(world: World) -> None:
    deal = important(world)
    clear(world, deal.buyer)
    world.do(deal.buyer, "licence.requested@1", **asked(deal))
    world.do(world.operator, "clearance.withdrawn@1", party=deal.buyer.party, reason="风险")
    world.refuses("clearance.missing", deal.provider, "licence.agreed@1", **agreement(world, deal))


def test_natural_persons_are_not_cleared(world: World) -> None:
    person = world.actor()
    profile = world.profile(person, Role.BUYER, kind=PartyKind.NATURAL_PERSON)
    del profile["name"], profile["credit_code"]
    world.do(person, "party.applied@1", **profile)
    world.do(world.operator, "party.admitted@1", party=person.party, roles=["buyer"])
    world.refuses(
        "clearance.bodies_only",
        world.operator,
        "clearance.granted@1",
        party=person.party,
        until=format_time(world.now + timedelta(days=1)),
        assessment=steps_pipeline.digest("risk"),
    )
    deal = important(world, person)
    world.refuses("clearance.bodies_only", person, "licence.requested@1", **asked(deal))


@pytest.mark.parametrize("terms", [{"redistribution": True}, {"deletion_days": None}])
def test_important_data_stay_with_the_licensee(world: World, terms: dict[str, Any]) -> None:
    deal = important(world)
    clear(world, deal.buyer)
    world.refuses("terms.important_data", deal.buyer, "licence.requested@1", **asked(deal, **terms))


@pytest.mark.parametrize("changes", [{"opening": "conditional"}, {"grade": "important"}])
def test_limited_data_are_licensed_for_named_scenarios(
    world: World, changes: dict[str, Any]
) -> None:
    deal = opened_deal(world)
    marked(world, deal.product.asset, **changes)
    world.refuses("terms.scenario_missing", deal.buyer, "licence.requested@1", **request(deal))


def test_data_made_from_personal_data_are_deleted_in_the_end(world: World) -> None:
    terms = steps_market.terms(deletion_days=None)
    deal = opened_deal(world, terms=terms)
    marked(world, deal.product.asset, personal_data=True)
    payload = request(deal, terms=terms)
    world.refuses("terms.deletion_missing", deal.buyer, "licence.requested@1", **payload)


def test_data_that_became_core_are_not_agreed_on(world: World) -> None:
    deal = requested_licence(world)
    marked(world, deal.product.asset, grade="core")
    world.refuses("gate.core_data", deal.provider, "licence.agreed@1", **agreement(world, deal))


def test_only_active_parties_are_cleared(world: World) -> None:
    buyer = world.join(Role.BUYER)
    world.do(
        world.operator,
        "party.suspended@1",
        party=buyer.party,
        reason="核查",
        order_number="2026-1",
    )
    world.refuses(
        "aggregate.wrong_status",
        world.operator,
        "clearance.granted@1",
        party=buyer.party,
        until=format_time(world.now + timedelta(days=1)),
        assessment=steps_pipeline.digest("risk"),
    )


def test_a_clearance_is_withdrawn_once(world: World) -> None:
    buyer = world.join(Role.BUYER)
    clear(world, buyer)
    payload = {"party": buyer.party, "reason": "风险"}
    world.do(world.regulator, "clearance.withdrawn@1", **payload)
    world.refuses("aggregate.wrong_status", world.regulator, "clearance.withdrawn@1", **payload)
