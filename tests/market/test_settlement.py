"""Escrow pays each its part, or goes back; the parts always add up."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import steps_market
import steps_pipeline
from dataexchange.asset.title import Asset
from dataexchange.client.typeid import new_id
from dataexchange.market.licence import Licence
from dataexchange.market.settlement import shares_fen
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen
from steps_market import (
    FEE_FEN,
    Deal,
    accepted_licence,
    completed_delivery,
    finalised_licence,
    refund,
    release,
    settled_licence,
    step,
)
from steps_pipeline import Ready
from world import World

ratios = st.decimals(min_value=0, max_value=1, places=4).map(str)


@pytest.fixture
def world() -> World:
    return World()


def licence(fee_ratio: str = "0.02", upstream_ratio: str = "0.1") -> Licence:
    return Licence(
        id="licence_x",
        listing="",
        asset="",
        provider="",
        buyer="",
        status="finalised",
        offer={},
        offered_by="",
        moved_at="",
        fee_ratio=fee_ratio,
        upstream_ratio=upstream_ratio,
    )


def reject(world: World, deal: Deal) -> None:
    payload = step(deal, content_root="0" * 64, reason="内容不符")
    world.do(deal.buyer, "delivery.rejected@1", **payload)


@given(
    st.integers(0, 10**15),
    ratios,
    ratios,
    st.lists(st.integers(1, 1_000).map(Decimal), max_size=16),
)
def test_the_residual_of_a_split_is_zero(
    due_fen: int, fee_ratio: str, upstream_ratio: str, weights: list[Decimal]
) -> None:
    parts = shares_fen(licence(fee_ratio, upstream_ratio), due_fen, weights)
    assert sum(parts) == due_fen
    assert all(part >= 0 for part in parts)
    assert len(parts) == len(weights) + 2


def test_the_fee_is_taken_first_then_the_sources_then_the_provider() -> None:
    assert shares_fen(licence(), 100_000, [Decimal("0.7"), Decimal("0.3")]) == (
        2_000,
        6_860,
        2_940,
        88_200,
    )


def test_halves_of_a_fen_round_up_for_the_fee() -> None:
    assert shares_fen(licence("0.5", "0"), 1, []) == (1, 0)


def test_without_sources_the_provider_has_the_rest() -> None:
    assert shares_fen(licence(), 100_000, []) == (2_000, 98_000)


def test_acceptance_makes_the_money_due_to_all(world: World) -> None:
    deal = settled_licence(world)
    assert balance_fen(world, "fees") == 2_000
    assert balance_fen(world, deal.product.source_provider.party) == 9_800
    assert balance_fen(world, deal.provider.party) == 88_200
    assert balance_fen(world, deal.licence) == 0
    assert_books_balance(world)


def test_anyone_concerned_may_submit_the_release_and_the_amounts_are_the_same(
    world: World,
) -> None:
    deal = accepted_licence(world)
    world.refuses(
        "party.not_concerned", world.join(Role.BUYER), "escrow.released@1", **release(deal)
    )
    world.do(world.operator, "escrow.released@1", **release(deal))
    assert balance_fen(world, deal.provider.party) == 88_200


def test_money_is_released_once(world: World) -> None:
    deal = settled_licence(world)
    world.refuses("escrow.nothing_due", deal.provider, "escrow.released@1", **release(deal))


def test_nothing_is_released_before_acceptance(world: World) -> None:
    deal = completed_delivery(world)
    world.refuses("escrow.nothing_due", deal.provider, "escrow.released@1", **release(deal))


def test_silence_is_acceptance(world: World) -> None:
    deal = completed_delivery(world)
    world.advance(days=8)
    world.do(deal.provider, "escrow.released@1", **release(deal))
    assert balance_fen(world, deal.provider.party) == 88_200


@pytest.mark.parametrize("sources", ["none", "stranger", "twice"])
def test_no_source_is_left_out_and_no_stranger_is_paid(world: World, sources: str) -> None:
    deal = accepted_licence(world)
    right = release(deal)["sources"][0]
    wrong: dict[str, list[Any]] = {
        "none": [],
        "stranger": [{**right, "holder": world.join(Role.PROVIDER).party}],
        "twice": [right, right],
    }
    payload = release(deal, sources=wrong[sources])
    world.refuses("event.mismatch", deal.provider, "escrow.released@1", **payload)


def test_each_source_is_paid_by_its_weight(world: World) -> None:
    resources = [steps_pipeline.opened_resource(world) for _ in range(3)]
    product, scenario = steps_pipeline.developed_product(world, resources)
    steps_pipeline.assess(world, product.asset)
    steps_pipeline.classify(world, product, sources=[one.asset for one in resources])
    steps_pipeline.review(world, product.asset)
    first = resources[0]
    ready = Ready(product.asset, 1, product.provider, first.asset, 1, first.provider, scenario)
    sources = [one.asset for one in resources]
    deal = steps_market.opened_deal(world, ready, sources=sources)
    world.do(deal.buyer, "licence.requested@1", **steps_market.request(deal))
    agreed = steps_market.agreement(world, deal, sources=sources)
    world.do(deal.provider, "licence.agreed@1", **agreed)
    steps_market.lock(world, deal)
    world.do(deal.buyer, "licence.verified@1", **steps_market.answer(world, deal))
    world.do(deal.provider, "licence.finalised@1", **steps_market.answer(world, deal))
    deal = accepted_licence(world, deal)
    named = [{"asset": one.asset, "holder": one.provider.party} for one in resources]
    world.do(deal.provider, "escrow.released@1", **release(deal, sources=named))
    weights = [Decimal(source.weight) for source in world.state(Asset, product.asset).sources]
    assert weights == [Decimal("0.34"), Decimal("0.33"), Decimal("0.33")]
    assert [balance_fen(world, one.provider.party) for one in resources] == [3_332, 3_234, 3_234]
    assert_books_balance(world)


def test_a_running_licence_is_not_refunded(world: World) -> None:
    for deal in (finalised_licence(world), completed_delivery(world), accepted_licence(world)):
        for actor in (deal.buyer, deal.provider):
            world.refuses("escrow.nothing_to_refund", actor, "escrow.refunded@1", **refund(deal))


def test_a_provider_may_refund_a_rejected_delivery_which_ends_the_licence(world: World) -> None:
    deal = completed_delivery(world)
    reject(world, deal)
    world.refuses("escrow.nothing_to_refund", deal.buyer, "escrow.refunded@1", **refund(deal))
    world.do(deal.provider, "escrow.refunded@1", **refund(deal))
    assert balance_fen(world, deal.buyer.party) == 10 * FEE_FEN
    held = world.state(Licence, deal.licence)
    assert (held.status, held.dsp_state) == ("terminated", "FINALIZED")
    assert world.state(Asset, deal.product.asset).licences_active == 0
    assert_books_balance(world)


def test_a_rejection_that_stood_its_time_is_refunded(world: World) -> None:
    deal = completed_delivery(world)
    reject(world, deal)
    world.advance(days=8)
    world.do(deal.buyer, "escrow.refunded@1", **refund(deal))
    assert balance_fen(world, deal.licence) == 0


def test_a_licence_that_ran_out_unserved_is_refunded(world: World) -> None:
    deal = finalised_licence(world)
    world.advance(days=366)
    over = {"licence": deal.licence, "asset": deal.product.asset}
    world.do(deal.buyer, "licence.expired@1", **over)
    world.do(deal.buyer, "escrow.refunded@1", **refund(deal))
    assert balance_fen(world, deal.buyer.party) == 10 * FEE_FEN


def test_an_end_does_not_cut_the_time_to_accept_short(world: World) -> None:
    deal = steps_market.opened_deal(world, terms=steps_market.terms(term_days=3))
    deal = finalised_licence(world, deal, terms=steps_market.terms(term_days=3))
    deal = completed_delivery(world, deal)
    world.advance(days=4)
    over = {"licence": deal.licence, "asset": deal.product.asset}
    world.do(deal.buyer, "licence.expired@1", **over)
    world.refuses("escrow.nothing_to_refund", deal.buyer, "escrow.refunded@1", **refund(deal))
    world.advance(days=5)
    world.refuses("escrow.nothing_to_refund", deal.buyer, "escrow.refunded@1", **refund(deal))
    world.do(deal.provider, "escrow.released@1", **release(deal))


def test_an_escrow_of_another_asset_is_not_touched(world: World) -> None:
    deal = accepted_licence(world)
    other = steps_pipeline.ready_product(world)
    payload = release(deal, asset=other.asset)
    world.refuses("event.mismatch", deal.provider, "escrow.released@1", **payload)
    payload = release(deal, provider=other.provider.party)
    world.refuses("event.mismatch", deal.provider, "escrow.released@1", **payload)


def test_an_unknown_licence_has_no_escrow(world: World) -> None:
    deal = accepted_licence(world)
    payload = release(deal, licence=new_id("licence"))
    world.refuses("aggregate.not_found", deal.provider, "escrow.released@1", **payload)


def test_only_the_buyer_locks_and_only_what_is_agreed(world: World) -> None:
    deal = steps_market.requested_licence(world)
    payload = {"licence": deal.licence, "amount_fen": FEE_FEN}
    world.refuses("aggregate.wrong_status", deal.buyer, "escrow.locked@1", **payload)
    steps_market.agree(world, deal)
    rich = steps_market.funded_buyer(world)
    world.refuses("party.not_concerned", rich, "escrow.locked@1", **payload)


def test_money_locked_for_an_agreement_is_not_released_before_it_takes_effect(
    world: World,
) -> None:
    deal = steps_market.agreed_licence(world)
    world.refuses("aggregate.wrong_status", deal.provider, "escrow.released@1", **release(deal))
    world.refuses("aggregate.wrong_status", deal.buyer, "escrow.refunded@1", **refund(deal))


def test_a_refund_goes_to_the_buyer_alone(world: World) -> None:
    deal = completed_delivery(world)
    reject(world, deal)
    other = world.join(Role.BUYER)
    payload = refund(deal, buyer=other.party)
    world.refuses("event.mismatch", deal.provider, "escrow.refunded@1", **payload)
