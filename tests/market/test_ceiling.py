"""Public data are charged within what the price authority allows; welfare is free."""

from typing import Any

import pytest

import steps_market
import steps_pipeline
from dataexchange.identity.party import PartyKind
from dataexchange.market.ceiling import Ceiling, ceiling_key
from dataexchange.market.change import change_key
from dataexchange.rules import Role
from steps_market import Deal, agreement, ended, listing, opened_deal, request, requested_licence
from steps_pipeline import Ready
from world import World


@pytest.fixture
def world() -> World:
    return World()


def public_product(world: World) -> Ready:
    """Return a ready product of government data, made under an authorised operation."""
    maker = world.join(Role.PROVIDER, kind=PartyKind.STATE_OWNED)
    resource = steps_pipeline.governed_resource(world)
    steps_pipeline.open_resource(world, resource, "conditional")
    operation = steps_pipeline.authorise(world, resource, maker)
    product = steps_pipeline.operated_product(world, resource, maker, operation)
    steps_pipeline.assess(world, product.asset)
    steps_pipeline.classify(world, product, sources=[resource.asset])
    steps_pipeline.review(world, product.asset)
    return Ready(
        asset=product.asset,
        version=1,
        provider=maker,
        source=resource.asset,
        source_version=1,
        source_provider=resource.provider,
        scenario="",
    )


def set_ceiling(world: World, asset: str, fee_fen: int, version: int = 1, **more: Any) -> None:
    world.do(
        world.regulator,
        "fee_ceiling.set@1",
        asset=asset,
        version=version,
        fee_ceiling_fen=fee_fen,
        basis="闽发改价格〔2026〕1号",
        **more,
    )


def charged(world: World, deal: Deal) -> int:
    return world.state(Ceiling, ceiling_key(deal.product.asset)).charged_fen


def priced_deal(world: World, revenue_fen: int | None = None, **changes: Any) -> Deal:
    product = public_product(world)
    set_ceiling(world, product.asset, steps_market.FEE_FEN, revenue_ceiling_fen=revenue_fen)
    return opened_deal(world, product, **changes)


def test_public_data_without_a_ceiling_can_only_be_free(world: World) -> None:
    product = public_product(world)
    payload = listing(world, product)
    world.refuses("ceiling.missing", product.provider, "listing.published@1", **payload)
    free = listing(world, product, price={"model": "free"})
    world.do(product.provider, "listing.published@1", **free)


def test_a_price_above_the_ceiling_is_refused(world: World) -> None:
    product = public_product(world)
    set_ceiling(world, product.asset, steps_market.FEE_FEN - 1)
    payload = listing(world, product)
    world.refuses("ceiling.exceeded", product.provider, "listing.published@1", **payload)


def test_a_price_is_not_raised_above_the_ceiling(world: World) -> None:
    deal = priced_deal(world)
    world.refuses(
        "ceiling.exceeded",
        deal.provider,
        "listing.repriced@1",
        listing=deal.listing,
        asset=deal.product.asset,
        price={"model": "fixed", "fee_fen": steps_market.FEE_FEN + 1},
        reason="调价",
    )


def test_public_data_have_no_unbounded_price(world: World) -> None:
    product = public_product(world)
    set_ceiling(world, product.asset, 10**9)
    price = {"model": "revenue_share", "ratio": "0.1", "minimum_fen": 0}
    payload = listing(world, product, price=price)
    world.refuses("ceiling.price_unbounded", product.provider, "listing.published@1", **payload)


def test_a_negotiated_charge_stays_within_the_ceiling(world: World) -> None:
    deal = priced_deal(world, price={"model": "negotiated"}, negotiable=True)
    over = {"kind": "lump_sum", "fee_fen": steps_market.FEE_FEN + 1}
    world.refuses(
        "ceiling.exceeded", deal.buyer, "licence.requested@1", **request(deal, charge=over)
    )
    share = {"kind": "revenue_share", "ratio": "0.1", "minimum_fen": 0}
    world.refuses(
        "ceiling.price_unbounded",
        deal.buyer,
        "licence.requested@1",
        **request(deal, charge=share),
    )


def test_use_for_public_welfare_is_free(world: World) -> None:
    deal = priced_deal(world, price={"model": "negotiated"}, negotiable=True)
    scenario = steps_market.welfare_scenario(world, deal.buyer)
    terms = steps_market.terms(scenarios=[scenario], public_welfare=True)
    world.refuses(
        "ceiling.welfare_is_free", deal.buyer, "licence.requested@1", **request(deal, terms=terms)
    )
    free = {"kind": "lump_sum", "fee_fen": 0}
    steps_market.finalised_licence(world, deal, terms=terms, charge=free)


def test_licences_add_up_to_no_more_than_the_allowed_revenue(world: World) -> None:
    deal = priced_deal(world, revenue_fen=steps_market.FEE_FEN)
    rival = requested_licence(world, steps_market.another(world, deal))
    steps_market.agreed_licence(world, deal)
    assert charged(world, deal) == steps_market.FEE_FEN
    world.refuses(
        "ceiling.revenue_exhausted", rival.provider, "licence.agreed@1", **agreement(world, rival)
    )


def test_a_broken_off_agreement_gives_its_charge_back(world: World) -> None:
    deal = steps_market.agreed_licence(world, priced_deal(world, steps_market.FEE_FEN))
    world.do(deal.buyer, "licence.terminated@1", **ended(deal))
    assert charged(world, deal) == 0


def test_a_charge_of_an_earlier_period_is_not_taken_from_the_new_one(world: World) -> None:
    deal = steps_market.agreed_licence(world, priced_deal(world))
    set_ceiling(world, deal.product.asset, steps_market.FEE_FEN, version=2)
    world.do(deal.buyer, "licence.terminated@1", **ended(deal))
    assert charged(world, deal) == 0


def test_ceilings_follow_each_other(world: World) -> None:
    product = public_product(world)
    set_ceiling(world, product.asset, 5)
    world.refuses(
        "ceiling.not_next",
        world.regulator,
        "fee_ceiling.set@1",
        asset=product.asset,
        version=1,
        fee_ceiling_fen=9,
        basis="依据",
    )


def test_only_a_regulator_sets_a_ceiling(world: World) -> None:
    product = public_product(world)
    world.refuses(
        "role.missing",
        product.provider,
        "fee_ceiling.set@1",
        asset=product.asset,
        version=1,
        fee_ceiling_fen=9,
        basis="依据",
    )


def test_what_is_made_of_unconditionally_open_data_is_priced_by_the_market(world: World) -> None:
    assert steps_market.listed(world)


def renewal(world: World, deal: Deal, fee_fen: int) -> dict[str, Any]:
    """Propose a renewal as the provider; return the payload of the buyer's consent."""
    world.do(
        deal.provider,
        "licence.renewal_proposed@1",
        licence=deal.licence,
        days=30,
        fee_fen=fee_fen,
    )
    return {
        "licence": deal.licence,
        "asset": deal.product.asset,
        "buyer": deal.buyer.party,
        "proposal": world.head(change_key(deal.licence)),
    }


def test_a_renewal_is_charged_within_the_ceiling_too(world: World) -> None:
    deal = steps_market.finalised_licence(world, priced_deal(world))
    payload = renewal(world, deal, steps_market.FEE_FEN + 1)
    world.refuses("ceiling.exceeded", deal.buyer, "licence.renewed@1", **payload)
    world.do(deal.buyer, "licence.renewed@1", **renewal(world, deal, steps_market.FEE_FEN))
    assert charged(world, deal) == 2 * steps_market.FEE_FEN


def test_a_free_licence_is_not_renewed_for_a_fee_that_nobody_approved(world: World) -> None:
    deal = opened_deal(world, public_product(world), price={"model": "free"})
    free = {"kind": "lump_sum", "fee_fen": 0}
    deal = steps_market.finalised_licence(world, deal, charge=free)
    payload = renewal(world, deal, 1)
    world.refuses("ceiling.missing", deal.buyer, "licence.renewed@1", **payload)
    world.do(deal.buyer, "licence.renewed@1", **renewal(world, deal, 0))
