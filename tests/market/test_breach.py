"""Breach, cure, suspension, rescission and expiry: who may, and when."""

from typing import Any

import pytest

import steps_market
from dataexchange.asset.grant import Grant, grant_key
from dataexchange.asset.title import Asset
from dataexchange.market.licence import Licence
from dataexchange.rules import Role
from steps_market import Deal, agreed_licence, ended, finalised_licence
from steps_pipeline import Resource, development, digest, open_scenario, source
from world import World


@pytest.fixture
def world() -> World:
    return World()


def breach(deal: Deal, cure_days: int = 10) -> dict[str, Any]:
    return {
        "licence": deal.licence,
        "term": "转授第三方",
        "evidence": digest("evidence"),
        "cure_days": cure_days,
    }


def breached(world: World) -> Deal:
    """Return a licence whose buyer is reported to have broken it."""
    deal = finalised_licence(world)
    world.do(deal.provider, "licence.breached@1", **breach(deal))
    return deal


def over(deal: Deal) -> dict[str, Any]:
    return {"licence": deal.licence, "asset": deal.product.asset}


def grant(world: World, deal: Deal) -> Grant:
    return world.state(Grant, grant_key(deal.product.asset, deal.licence))


def status(world: World, deal: Deal) -> str:
    return world.state(Licence, deal.licence).status


def test_a_breach_is_cured(world: World) -> None:
    deal = breached(world)
    world.refuses("party.not_concerned", deal.buyer, "licence.cured@1", **ended(deal))
    world.do(deal.provider, "licence.cured@1", **ended(deal))
    assert status(world, deal) == "finalised"


def test_a_breach_not_cured_in_time_lets_the_other_party_rescind(world: World) -> None:
    deal = breached(world)
    world.refuses("licence.cure_running", deal.provider, "licence.rescinded@1", **ended(deal))
    world.advance(days=11)
    world.refuses("party.not_concerned", deal.buyer, "licence.rescinded@1", **ended(deal))
    world.do(deal.provider, "licence.rescinded@1", **ended(deal))
    assert status(world, deal) == "terminated"
    assert grant(world, deal).ended
    assert world.state(Asset, deal.product.asset).licences_active == 0


def test_a_buyer_that_is_not_served_may_rescind_and_have_its_money_back(world: World) -> None:
    deal = finalised_licence(world)
    world.do(deal.buyer, "licence.breached@1", **breach(deal))
    world.advance(days=11)
    world.do(deal.buyer, "licence.rescinded@1", **ended(deal))
    world.do(deal.buyer, "escrow.refunded@1", **steps_market.refund(deal))


def test_a_stranger_reports_no_breach_and_no_negotiation_is_broken(world: World) -> None:
    deal = finalised_licence(world)
    world.refuses(
        "party.not_concerned", world.join(Role.BUYER), "licence.breached@1", **breach(deal)
    )
    early = agreed_licence(world)
    world.refuses("aggregate.wrong_status", early.buyer, "licence.breached@1", **breach(early))


def test_without_a_breach_nothing_is_rescinded(world: World) -> None:
    deal = finalised_licence(world)
    world.refuses("aggregate.wrong_status", deal.buyer, "licence.rescinded@1", **ended(deal))


def test_the_provider_suspends_for_the_buyers_breach_only(world: World) -> None:
    deal = finalised_licence(world)
    world.refuses("aggregate.wrong_status", deal.provider, "licence.suspended@1", **ended(deal))
    world.do(deal.buyer, "licence.breached@1", **breach(deal))
    world.refuses("event.mismatch", deal.provider, "licence.suspended@1", **ended(deal))


def test_a_suspended_licence_grants_nothing_until_it_is_resumed(world: World) -> None:
    deal = breached(world)
    world.do(deal.provider, "licence.suspended@1", **ended(deal))
    assert grant(world, deal).ended
    world.refuses("aggregate.wrong_status", deal.provider, "licence.cured@1", **ended(deal))
    world.do(deal.provider, "licence.resumed@1", **ended(deal))
    assert status(world, deal) == "breached"
    assert not grant(world, deal).ended


def test_a_suspended_breach_may_be_rescinded(world: World) -> None:
    deal = breached(world)
    world.do(deal.provider, "licence.suspended@1", **ended(deal))
    world.advance(days=11)
    world.do(deal.provider, "licence.rescinded@1", **ended(deal))
    assert status(world, deal) == "terminated"


def test_an_authority_suspends_by_order_and_the_provider_cannot_resume(world: World) -> None:
    deal = finalised_licence(world)
    world.refuses("licence.order_missing", world.regulator, "licence.suspended@1", **ended(deal))
    world.do(world.regulator, "licence.suspended@1", order_number="2026-7", **ended(deal))
    world.refuses("party.not_concerned", deal.provider, "licence.resumed@1", **ended(deal))
    world.refuses("licence.no_breach", deal.provider, "licence.rescinded@1", **ended(deal))
    world.do(world.regulator, "licence.resumed@1", **ended(deal))
    assert status(world, deal) == "finalised"


def test_a_licence_expires_by_its_term_and_frees_the_asset_when_that_is_announced(
    world: World,
) -> None:
    terms = steps_market.terms(exclusive=True)
    deal = finalised_licence(world, steps_market.opened_deal(world, terms=terms), terms=terms)
    world.refuses("licence.not_over", deal.buyer, "licence.expired@1", **over(deal))
    world.advance(days=366)
    world.refuses("party.not_concerned", world.join(Role.BUYER), "licence.expired@1", **over(deal))
    world.do(world.operator, "licence.expired@1", **over(deal))
    held = world.state(Licence, deal.licence)
    assert (held.status, held.ended_at) == ("expired", held.ends_at)
    assert world.state(Asset, deal.product.asset).exclusive_licence is None
    world.refuses("aggregate.wrong_status", deal.buyer, "licence.expired@1", **over(deal))


def test_a_term_counts_whole_days_of_china(world: World) -> None:
    deal = finalised_licence(world)
    held = world.state(Licence, deal.licence)
    assert (held.starts_at or "")[:10] == "2026-01-12"
    assert held.ends_at == "2027-01-12T16:00:00.000000Z"  # the end of 2027-01-12 in +08:00


def test_a_licence_that_allows_derivation_lets_the_buyer_make_a_product(world: World) -> None:
    terms = steps_market.terms(derivation=True)
    buyer = world.join(Role.BUYER, Role.PROVIDER)
    steps_market.fund(world, buyer, steps_market.FEE_FEN)
    deal = steps_market.opened_deal(world, buyer=buyer, terms=terms)
    deal = finalised_licence(world, deal, terms=terms)
    made_of = {**source(_licensed(deal)), "licence": deal.licence}
    world.do(buyer, "product.developed@1", **development([made_of], open_scenario(world, buyer)))
    world.advance(days=366)
    again = development([made_of], open_scenario(world, buyer))
    world.refuses("grant.ended", buyer, "product.developed@1", **again)


def test_a_licence_without_derivation_lets_nobody_make_a_product(world: World) -> None:
    buyer = world.join(Role.BUYER, Role.PROVIDER)
    steps_market.fund(world, buyer, steps_market.FEE_FEN)
    deal = finalised_licence(world, steps_market.opened_deal(world, buyer=buyer))
    made_of = {**source(_licensed(deal)), "licence": deal.licence}
    payload = development([made_of], open_scenario(world, buyer))
    world.refuses("grant.ended", buyer, "product.developed@1", **payload)


def _licensed(deal: Deal) -> Resource:
    return Resource(deal.product.asset, deal.product.version, deal.provider, "enterprise")


def test_steps_of_a_licence_name_its_asset(world: World) -> None:
    deal = breached(world)
    other = steps_market.ready_product(world).asset
    wrong = {**ended(deal), "asset": other}
    for verb in ("cured", "rescinded", "suspended"):
        world.refuses("event.mismatch", deal.provider, f"licence.{verb}@1", **wrong)
    world.do(deal.provider, "licence.suspended@1", **ended(deal))
    world.refuses("event.mismatch", deal.provider, "licence.resumed@1", **wrong)
    world.advance(days=366)
    payload = {"licence": deal.licence, "asset": other}
    world.refuses("event.mismatch", deal.buyer, "licence.expired@1", **payload)


def test_what_ran_out_is_neither_broken_nor_suspended(world: World) -> None:
    deal, other = breached(world), finalised_licence(world)
    world.advance(days=366)
    world.refuses("licence.term_over", other.buyer, "licence.breached@1", **breach(other))
    world.refuses("licence.term_over", deal.provider, "licence.suspended@1", **ended(deal))


def test_a_breach_is_reported_once(world: World) -> None:
    deal = breached(world)
    world.refuses("aggregate.wrong_status", deal.buyer, "licence.breached@1", **breach(deal))


def test_nothing_is_suspended_twice_nor_resumed_before(world: World) -> None:
    deal = finalised_licence(world)
    order = {"order_number": "2026-7", **ended(deal)}
    world.refuses("aggregate.wrong_status", world.regulator, "licence.resumed@1", **ended(deal))
    world.do(world.regulator, "licence.suspended@1", **order)
    world.refuses("aggregate.wrong_status", world.regulator, "licence.suspended@1", **order)


def test_another_provider_suspends_nothing(world: World) -> None:
    deal = breached(world)
    other = world.join(Role.PROVIDER)
    world.refuses("party.not_concerned", other, "licence.suspended@1", **ended(deal))
