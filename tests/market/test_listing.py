"""A listing passes every gate; only its holder lists, and only what may be sold."""

from datetime import timedelta
from typing import Any

import pytest

import steps_market
import steps_pipeline
from dataexchange.asset.title import Asset, frozen
from dataexchange.client.typeid import new_id
from dataexchange.ledger.statement import format_time
from dataexchange.market.listing import Listing
from dataexchange.registry.tail import Held
from dataexchange.rules import Role
from steps_market import FIXED, listed, listing, opened_deal, request
from steps_pipeline import Ready, ready_product
from world import World


@pytest.fixture
def world() -> World:
    return World()


def freeze(world: World, asset: str) -> None:
    """Freeze an asset as an order of a regulator does, whose room lies above."""
    held = world.tail.held[asset]
    state = frozen(world.state(Asset, asset), "2026-1")
    world.tail.held[asset] = Held(held.seq, held.head, state)


def refuses(world: World, code: str, product: Ready, **changes: Any) -> None:
    payload = listing(world, product, **changes)
    world.refuses(code, product.provider, "listing.published@1", **payload)


def reason(key: str) -> dict[str, Any]:
    return {"listing": key, "reason": "调整"}


def test_a_product_that_passed_every_gate_is_listed(world: World) -> None:
    product, key = listed(world)
    held = world.state(Listing, key)
    assert (held.asset, held.provider, held.status) == (
        product.asset,
        product.provider.party,
        "published",
    )
    assert not held.public_data


def test_only_the_holder_lists(world: World) -> None:
    product = ready_product(world)
    other = world.join(Role.PROVIDER)
    world.refuses("asset.not_holder", other, "listing.published@1", **listing(world, product))


def test_an_unassessed_version_is_not_listed(world: World) -> None:
    resource, _ = steps_pipeline.developed_product(world)
    payload = listing(world, ready_product(world), asset=resource.asset)
    world.refuses("gate.not_assessed", resource.provider, "listing.published@1", **payload)


def test_a_frozen_product_is_not_listed(world: World) -> None:
    product = ready_product(world)
    freeze(world, product.asset)
    refuses(world, "asset.frozen", product)


def test_a_product_of_a_frozen_source_is_not_listed(world: World) -> None:
    product = ready_product(world)
    freeze(world, product.source)
    refuses(world, "asset.frozen", product)


def test_a_frozen_source_cannot_be_left_out(world: World) -> None:
    product = ready_product(world)
    freeze(world, product.source)
    refuses(world, "event.mismatch", product, sources=[])


def test_core_data_are_not_listed(world: World) -> None:
    product = ready_product(world)
    held = world.tail.held[product.asset]
    core = world.state(Asset, product.asset).but(grade="core")
    world.tail.held[product.asset] = Held(held.seq, held.head, core)
    refuses(world, "gate.core_data", product)


def test_an_asset_under_objection_is_not_listed(world: World) -> None:
    product = ready_product(world)
    held = world.tail.held[product.asset]
    doubted = world.state(Asset, product.asset).but(objections_open=1)
    world.tail.held[product.asset] = Held(held.seq, held.head, doubted)
    refuses(world, "asset.under_objection", product)


def test_every_version_of_a_menu_passes_the_gates(world: World) -> None:
    tiers = [
        {"code": "basic", "version": 1, "accuracy": 1, "fee_fen": 100},
        {"code": "full", "version": 2, "accuracy": 2, "fee_fen": 200},
    ]
    refuses(
        world,
        "aggregate.not_found",
        ready_product(world),
        price={"model": "tiered", "tiers": tiers},
    )


def test_a_menu_with_arbitrage_is_not_listed(world: World) -> None:
    tiers = [
        {"code": "basic", "version": 1, "accuracy": 1, "fee_fen": 100},
        {"code": "full", "version": 1, "accuracy": 2, "fee_fen": 201},
    ]
    price = {"model": "tiered", "tiers": tiers}
    refuses(world, "listing.arbitrage", ready_product(world), price=price)


def test_a_validity_that_has_passed_is_refused(world: World) -> None:
    product = ready_product(world)
    refuses(world, "listing.validity_past", product, valid_until=format_time(world.now))


def test_terms_are_bound_to_open_scenarios_only(world: World) -> None:
    product = ready_product(world)
    terms = steps_market.terms(scenarios=[new_id("scenario")])
    refuses(world, "aggregate.not_found", product, terms=terms)


def test_welfare_is_claimed_only_for_scenarios_of_public_interest(world: World) -> None:
    product = ready_product(world)
    terms = steps_market.terms(scenarios=[product.scenario], public_welfare=True)
    refuses(world, "terms.welfare_unbacked", product, terms=terms)


def test_an_exclusively_licensed_asset_is_not_listed_again(world: World) -> None:
    terms = steps_market.terms(exclusive=True)
    deal = steps_market.finalised_licence(world, opened_deal(world, terms=terms), terms=terms)
    refuses(world, "listing.exclusively_licensed", deal.product)


def test_a_price_may_change_within_its_model(world: World) -> None:
    product, key = listed(world)
    changed = {"model": "fixed", "fee_fen": 5}
    payload = {"listing": key, "asset": product.asset, "reason": "促销"}
    world.do(product.provider, "listing.repriced@1", price=changed, **payload)
    assert world.state(Listing, key).price == changed
    world.refuses(
        "event.mismatch", product.provider, "listing.repriced@1", price={"model": "free"}, **payload
    )


def test_only_the_provider_reprices(world: World) -> None:
    product, key = listed(world)
    world.refuses(
        "party.not_concerned",
        world.join(Role.PROVIDER),
        "listing.repriced@1",
        listing=key,
        asset=product.asset,
        price=FIXED,
        reason="促销",
    )


def test_a_paused_listing_takes_no_requests_until_it_is_resumed(world: World) -> None:
    deal = opened_deal(world)
    world.do(deal.provider, "listing.paused@1", **reason(deal.listing))
    world.refuses("aggregate.wrong_status", deal.buyer, "licence.requested@1", **request(deal))
    world.do(deal.provider, "listing.resumed@1", **reason(deal.listing))
    world.do(deal.buyer, "licence.requested@1", **request(deal))


def test_what_the_operator_paused_the_provider_does_not_resume(world: World) -> None:
    product, key = listed(world)
    world.do(world.operator, "listing.paused@1", **reason(key))
    world.refuses("party.not_concerned", product.provider, "listing.resumed@1", **reason(key))
    world.do(world.operator, "listing.resumed@1", **reason(key))


def test_a_withdrawn_listing_stays_withdrawn(world: World) -> None:
    product, key = listed(world)
    world.do(product.provider, "listing.withdrawn@1", **reason(key))
    for verb in ("paused", "resumed", "withdrawn"):
        world.refuses(
            "aggregate.wrong_status", product.provider, f"listing.{verb}@1", **reason(key)
        )


def test_a_listing_takes_no_requests_after_its_validity(world: World) -> None:
    deal = opened_deal(world, valid_until=format_time(world.now + timedelta(days=30)))
    world.advance(days=31)
    world.refuses("listing.over", deal.buyer, "licence.requested@1", **request(deal))


def tiered(*fees_fen: int, version: int = 1) -> dict[str, Any]:
    tiers = [
        {"code": f"t{number}", "version": version, "accuracy": number, "fee_fen": fee_fen}
        for number, fee_fen in enumerate(fees_fen, start=1)
    ]
    return {"model": "tiered", "tiers": tiers}


def test_a_new_price_is_as_sound_as_the_first(world: World) -> None:
    product, key = listed(world, price=tiered(100, 150))
    payload = {"listing": key, "asset": product.asset, "reason": "调价"}
    world.refuses(
        "listing.arbitrage",
        product.provider,
        "listing.repriced@1",
        price=tiered(100, 201),
        **payload,
    )
    world.refuses(
        "event.mismatch",
        product.provider,
        "listing.repriced@1",
        price=tiered(100, 150, version=2),
        **payload,
    )
    world.do(product.provider, "listing.repriced@1", price=tiered(100, 200), **payload)


def test_a_price_is_not_changed_in_the_name_of_another_asset(world: World) -> None:
    product, key = listed(world)
    other = ready_product(world)
    payload = {"listing": key, "asset": other.asset, "reason": "调价", "price": FIXED}
    world.refuses("event.mismatch", product.provider, "listing.repriced@1", **payload)


def test_a_withdrawn_listing_has_no_new_price(world: World) -> None:
    product, key = listed(world)
    world.do(product.provider, "listing.withdrawn@1", **reason(key))
    payload = {"listing": key, "asset": product.asset, "reason": "调价", "price": FIXED}
    world.refuses("aggregate.wrong_status", product.provider, "listing.repriced@1", **payload)
