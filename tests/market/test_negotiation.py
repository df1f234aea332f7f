"""Two parties find an agreement in the protocol's states; each answers the last offer."""

from dataclasses import replace
from typing import Any

import pytest

import steps_market
from dataexchange.asset.title import Asset
from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.market.licence import Licence
from dataexchange.registry.tail import Held
from dataexchange.rules import Role
from steps_accounts import balance_fen
from steps_market import (
    FEE_FEN,
    LUMP,
    Deal,
    agree,
    agreement,
    answer,
    ended,
    opened_deal,
    request,
    requested_licence,
)
from world import World

CHEAPER = {"kind": "lump_sum", "fee_fen": 60_000}
MIDDLE = {"kind": "lump_sum", "fee_fen": 80_000}


@pytest.fixture
def world() -> World:
    return World()


def status(world: World, deal: Deal) -> str:
    return world.state(Licence, deal.licence).status


def negotiable(world: World, **listing: Any) -> Deal:
    return opened_deal(world, negotiable=True, **listing)


def offer(world: World, deal: Deal, charge: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        **request(deal, charge=charge),
        "buyer": deal.buyer.party,
        "proposal": world.head(deal.licence),
        **changes,
    }


def counter(world: World, deal: Deal, charge: dict[str, Any]) -> dict[str, Any]:
    return {**request(deal, charge=charge), "proposal": world.head(deal.licence)}


def offered(world: World) -> Deal:
    deal = negotiable(world)
    world.do(deal.buyer, "licence.requested@1", **request(deal, charge=CHEAPER))
    world.do(deal.provider, "licence.offered@1", **offer(world, deal, LUMP))
    return deal


def accepted(world: World) -> Deal:
    deal = offered(world)
    world.do(deal.buyer, "licence.accepted@1", **answer(world, deal))
    return deal


def verified(world: World) -> Deal:
    deal = steps_market.agreed_licence(world)
    world.do(deal.buyer, "licence.verified@1", **answer(world, deal))
    return deal


def test_a_licence_goes_through_every_state_of_the_protocol(world: World) -> None:
    deal = negotiable(world)
    seen = []
    steps: list[tuple[Actor, str, Any]] = [
        (deal.buyer, "requested", lambda: request(deal, charge=CHEAPER)),
        (deal.provider, "offered", lambda: offer(world, deal, LUMP)),
        (deal.buyer, "countered", lambda: counter(world, deal, MIDDLE)),
        (deal.provider, "offered", lambda: offer(world, deal, MIDDLE)),
        (deal.buyer, "accepted", lambda: answer(world, deal)),
        (deal.provider, "agreed", lambda: agreement(world, deal)),
    ]
    for actor, verb, payload in steps:
        world.do(actor, f"licence.{verb}@1", **payload())
        seen.append(world.state(Licence, deal.licence).dsp_state)
    steps_market.lock(world, deal)
    world.do(deal.buyer, "licence.verified@1", **answer(world, deal))
    world.do(deal.provider, "licence.finalised@1", **answer(world, deal))
    assert seen == ["REQUESTED", "OFFERED", "REQUESTED", "OFFERED", "ACCEPTED", "AGREED"]
    held = world.state(Licence, deal.licence)
    assert held.dsp_state == "FINALIZED"
    assert held.locked_fen == 80_000


def test_a_provider_may_open_with_an_offer(world: World) -> None:
    deal = negotiable(world)
    payload = {**request(deal), "buyer": deal.buyer.party}
    world.do(deal.provider, "licence.offered@1", **payload)
    assert status(world, deal) == "offered"


def test_an_offer_goes_to_active_buyers_only(world: World) -> None:
    deal = negotiable(world)
    other = world.join(Role.PROVIDER)
    payload = {**request(deal), "buyer": other.party}
    world.refuses("licence.not_a_buyer", deal.provider, "licence.offered@1", **payload)


def test_nobody_licenses_from_itself(world: World) -> None:
    both = world.join(Role.PROVIDER, Role.BUYER)
    deal = opened_deal(world, steps_market.ready_product(world, both), both)
    world.refuses("licence.with_oneself", both, "licence.requested@1", **request(deal))


def test_a_fixed_listing_is_taken_as_it_stands(world: World) -> None:
    deal = opened_deal(world)
    for change in ({"charge": CHEAPER}, {"terms": steps_market.terms(derivation=True)}):
        payload = request(deal, **change)
        world.refuses("offer.not_negotiable", deal.buyer, "licence.requested@1", **payload)


def test_what_is_not_on_the_menu_is_refused(world: World) -> None:
    deal = opened_deal(world)
    for change in ({"form": "api"}, {"tier": "gold"}, {"periods": 2}):
        payload = request(deal, **change)
        world.refuses("offer.not_on_the_menu", deal.buyer, "licence.requested@1", **payload)


def test_a_charge_fits_the_listings_price_model(world: World) -> None:
    deal = negotiable(world)
    charge = {"kind": "per_call", "call_fen": 1, "cap_fen": 100}
    payload = request(deal, charge=charge)
    world.refuses("offer.charge_unfit", deal.buyer, "licence.requested@1", **payload)


def test_a_subscription_costs_its_periods_and_lasts_as_long(world: World) -> None:
    price = {"model": "subscription", "fee_fen": 500, "period_days": 30, "periods_max": 12}
    deal = opened_deal(world, price=price)
    good = {
        "periods": 3,
        "charge": {"kind": "lump_sum", "fee_fen": 1_500},
        "terms": steps_market.terms(term_days=90),
    }
    payload = request(deal, **{**good, "terms": steps_market.terms(term_days=91)})
    world.refuses("offer.not_negotiable", deal.buyer, "licence.requested@1", **payload)
    requested_licence(world, deal, **good)


def test_a_tier_is_chosen_with_its_version_and_fee(world: World) -> None:
    tiers = [
        {"code": "basic", "version": 1, "accuracy": 1, "fee_fen": 100},
        {"code": "full", "version": 1, "accuracy": 2, "fee_fen": 150},
    ]
    deal = opened_deal(world, price={"model": "tiered", "tiers": tiers})
    world.refuses("offer.not_on_the_menu", deal.buyer, "licence.requested@1", **request(deal))
    cheap = request(deal, tier="full", charge={"kind": "lump_sum", "fee_fen": 100})
    world.refuses("offer.not_negotiable", deal.buyer, "licence.requested@1", **cheap)
    requested_licence(world, deal, tier="full", charge={"kind": "lump_sum", "fee_fen": 150})


def test_an_answer_names_the_offer_it_answers(world: World) -> None:
    deal = negotiable(world)
    world.do(deal.buyer, "licence.requested@1", **request(deal, charge=CHEAPER))
    first = world.head(deal.licence)
    world.do(deal.provider, "licence.offered@1", **offer(world, deal, LUMP))
    world.refuses("event.mismatch", deal.buyer, "licence.accepted@1", **answer(world, deal, first))


def test_only_the_receiver_answers_an_offer(world: World) -> None:
    deal = offered(world)
    world.refuses(
        "aggregate.wrong_status", deal.provider, "licence.agreed@1", **agreement(world, deal)
    )
    stranger = world.join(Role.BUYER)
    world.refuses("party.not_concerned", stranger, "licence.accepted@1", **answer(world, deal))


def test_an_own_request_is_not_accepted_by_its_maker(world: World) -> None:
    deal = requested_licence(world)
    world.refuses("aggregate.wrong_status", deal.buyer, "licence.accepted@1", **answer(world, deal))


def test_an_agreement_pins_the_parameters_of_its_day(world: World) -> None:
    deal = steps_market.agreed_licence(world)
    held = world.state(Licence, deal.licence)
    assert (held.policy_version, held.fee_ratio, held.acceptance_days) == (1, "0.02", 7)


def test_an_agreement_names_all_sources_and_the_version(world: World) -> None:
    deal = requested_licence(world)
    for changes in ({"sources": []}, {"version": 2}):
        payload = agreement(world, deal, **changes)
        code = "event.mismatch"
        world.refuses(code, deal.provider, "licence.agreed@1", **payload)


def test_a_new_holder_is_not_bound_by_an_open_negotiation(world: World) -> None:
    deal = requested_licence(world)
    heir = world.join(Role.PROVIDER)
    transfer = steps_market.proposed_transfer(world, deal.product, heir)
    world.do(
        heir,
        "title.transferred@1",
        transfer=transfer,
        asset=deal.product.asset,
        holder=deal.provider.party,
        proposal=world.head(transfer),
    )
    world.refuses("asset.not_holder", deal.provider, "licence.agreed@1", **agreement(world, deal))


def test_the_buyer_verifies_only_with_its_money_in_escrow(world: World) -> None:
    deal = requested_licence(world)
    agree(world, deal)
    world.refuses("licence.escrow_missing", deal.buyer, "licence.verified@1", **answer(world, deal))
    steps_market.lock(world, deal)
    world.do(deal.buyer, "licence.verified@1", **answer(world, deal))


def test_the_escrow_takes_exactly_what_was_agreed(world: World) -> None:
    deal = requested_licence(world)
    agree(world, deal)
    world.refuses(
        "escrow.locked_already",
        deal.buyer,
        "escrow.locked@1",
        licence=deal.licence,
        amount_fen=FEE_FEN - 1,
    )
    steps_market.lock(world, deal)
    assert balance_fen(world, deal.licence) == FEE_FEN
    world.refuses(
        "escrow.locked_already",
        deal.buyer,
        "escrow.locked@1",
        licence=deal.licence,
        amount_fen=FEE_FEN,
    )


def test_a_buyer_without_money_cannot_lock(world: World) -> None:
    deal = opened_deal(world, buyer=world.join(Role.BUYER))
    requested_licence(world, deal)
    agree(world, deal)
    world.refuses(
        "account.insufficient",
        deal.buyer,
        "escrow.locked@1",
        licence=deal.licence,
        amount_fen=FEE_FEN,
    )


def test_a_free_licence_needs_no_escrow(world: World) -> None:
    deal = opened_deal(world, buyer=world.join(Role.BUYER), price={"model": "free"})
    free = {"kind": "lump_sum", "fee_fen": 0}
    assert steps_market.finalised_licence(world, deal, charge=free)


@pytest.mark.parametrize(
    ("stage", "may", "may_not"),
    [
        (requested_licence, ("buyer", "provider"), ()),
        (offered, ("buyer", "provider"), ()),
        (accepted, ("provider",), ("buyer",)),
        (steps_market.agreed_licence, ("buyer",), ("provider",)),
        (verified, ("provider",), ("buyer",)),
    ],
)
def test_who_may_break_off_follows_the_diagram(
    stage: Any, may: tuple[str, ...], may_not: tuple[str, ...]
) -> None:
    for side in may_not:
        world = World()
        deal = stage(world)
        actor = getattr(deal, side)
        world.refuses("party.not_concerned", actor, "licence.terminated@1", **ended(deal))
    for side in may:
        world = World()
        deal = stage(world)
        world.do(getattr(deal, side), "licence.terminated@1", **ended(deal))
        assert world.state(Licence, deal.licence).dsp_state == "TERMINATED"
        assert world.state(Asset, deal.product.asset).licences_active == 0


def test_a_concluded_licence_is_not_broken_off(world: World) -> None:
    deal = steps_market.finalised_licence(world)
    for actor in (deal.buyer, deal.provider):
        world.refuses("aggregate.wrong_status", actor, "licence.terminated@1", **ended(deal))


def test_the_money_of_a_broken_off_agreement_goes_back(world: World) -> None:
    deal = steps_market.agreed_licence(world)
    before = balance_fen(world, deal.buyer.party)
    world.do(deal.buyer, "licence.terminated@1", **ended(deal))
    world.do(deal.buyer, "escrow.refunded@1", **steps_market.refund(deal))
    assert balance_fen(world, deal.buyer.party) == before + FEE_FEN


def test_a_negotiation_lapses_when_it_rested_too_long(world: World) -> None:
    deal = steps_market.agreed_licence(world)
    world.refuses("licence.not_idle", deal.provider, "licence.lapsed@1", **ended(deal))
    world.advance(days=31)
    world.do(deal.provider, "licence.lapsed@1", **ended(deal))
    assert status(world, deal) == "terminated"
    assert world.state(Asset, deal.product.asset).licences_active == 0


def test_a_running_licence_does_not_lapse(world: World) -> None:
    deal = steps_market.finalised_licence(world)
    world.advance(days=60)
    world.refuses("aggregate.wrong_status", deal.provider, "licence.lapsed@1", **ended(deal))


def exclusive_deal(world: World) -> Deal:
    return opened_deal(world, terms=steps_market.terms(exclusive=True))


def test_an_exclusive_licence_excludes_others_from_agreement_on(world: World) -> None:
    deal = exclusive_deal(world)
    terms = steps_market.terms(exclusive=True)
    rival = requested_licence(world, steps_market.another(world, deal), terms=terms)
    steps_market.agreed_licence(world, deal, terms=terms)
    assert world.state(Asset, deal.product.asset).exclusive_licence == deal.licence
    world.refuses("licence.excluded", rival.provider, "licence.agreed@1", **agreement(world, rival))
    third = replace(rival, licence=new_id("licence"))
    world.refuses(
        "licence.excluded", third.buyer, "licence.requested@1", **request(third, terms=terms)
    )


def test_a_running_licence_stands_against_an_exclusive_one(world: World) -> None:
    first = steps_market.finalised_licence(world)
    deal = opened_deal(world, first.product, terms=steps_market.terms(exclusive=True))
    payload = request(deal, terms=steps_market.terms(exclusive=True))
    world.refuses("licence.others_licensed", deal.buyer, "licence.requested@1", **payload)


def test_an_exclusive_licence_broken_off_frees_the_asset(world: World) -> None:
    terms = steps_market.terms(exclusive=True)
    deal = steps_market.agreed_licence(world, exclusive_deal(world), terms=terms)
    world.do(deal.buyer, "licence.terminated@1", **ended(deal))
    asset = world.state(Asset, deal.product.asset)
    assert (asset.exclusive_licence, asset.licences_active) == (None, 0)


def test_only_the_listings_provider_offers(world: World) -> None:
    deal = negotiable(world)
    other = world.join(Role.PROVIDER)
    opening = {**request(deal), "buyer": deal.buyer.party}
    world.refuses("party.not_concerned", other, "licence.offered@1", **opening)
    world.do(deal.buyer, "licence.requested@1", **request(deal))
    world.refuses("party.not_concerned", other, "licence.offered@1", **offer(world, deal, LUMP))


def test_an_offer_stays_with_its_buyer_and_its_listing(world: World) -> None:
    deal = negotiable(world)
    world.do(deal.buyer, "licence.requested@1", **request(deal))
    rival = steps_market.funded_buyer(world)
    _, second = steps_market.listed(world, deal.product, negotiable=True)
    for changes in ({"buyer": rival.party}, {"listing": second}, {"proposal": "0" * 64}):
        payload = offer(world, deal, LUMP, **changes)
        world.refuses("event.mismatch", deal.provider, "licence.offered@1", **payload)


def test_a_provider_does_not_answer_its_own_offer(world: World) -> None:
    deal = offered(world)
    payload = offer(world, deal, MIDDLE)
    world.refuses("aggregate.wrong_status", deal.provider, "licence.offered@1", **payload)


def test_only_the_buyer_counters_and_only_an_offer(world: World) -> None:
    deal = negotiable(world)
    world.do(deal.buyer, "licence.requested@1", **request(deal))
    payload = counter(world, deal, MIDDLE)
    world.refuses("aggregate.wrong_status", deal.buyer, "licence.countered@1", **payload)
    world.do(deal.provider, "licence.offered@1", **offer(world, deal, LUMP))
    payload = counter(world, deal, MIDDLE)
    stranger = steps_market.funded_buyer(world)
    world.refuses("party.not_concerned", stranger, "licence.countered@1", **payload)
    stale = {**payload, "proposal": "0" * 64}
    world.refuses("event.mismatch", deal.buyer, "licence.countered@1", **stale)


def test_every_step_names_the_asset_of_its_licence(world: World) -> None:
    deal = opened_deal(world)
    other = steps_market.ready_product(world).asset
    payload = {**request(deal), "asset": other}
    world.refuses("event.mismatch", deal.buyer, "licence.requested@1", **payload)
    requested_licence(world, deal)
    payload = {**agreement(world, deal), "asset": other}
    world.refuses("event.mismatch", deal.provider, "licence.agreed@1", **payload)


def test_a_request_is_bound_to_open_scenarios(world: World) -> None:
    deal = negotiable(world)
    scenario = deal.product.scenario
    world.do(deal.provider, "scenario.closed@1", scenario=scenario, reason="结项")
    payload = request(deal, terms=steps_market.terms(scenarios=[scenario]))
    world.refuses("aggregate.wrong_status", deal.buyer, "licence.requested@1", **payload)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"freezes": ("2026-1",)}, "asset.frozen"),
        ({"objections_open": 1}, "asset.under_objection"),
        ({"incidents": ("incident_x",)}, "asset.incident_open"),
    ],
)
def test_what_befell_the_asset_since_its_listing_stops_a_request(
    world: World, changes: dict[str, Any], code: str
) -> None:
    deal = opened_deal(world)
    held = world.tail.held[deal.product.asset]
    state = world.state(Asset, deal.product.asset).but(**changes)
    world.tail.held[deal.product.asset] = Held(held.seq, held.head, state)
    world.refuses(code, deal.buyer, "licence.requested@1", **request(deal))


def test_only_the_provider_agrees_and_with_the_buyer_of_the_offer(world: World) -> None:
    deal = requested_licence(world)
    other = world.join(Role.PROVIDER, Role.BUYER)
    payload = agreement(world, deal)
    world.refuses("party.not_concerned", other, "licence.agreed@1", **payload)
    payload = agreement(world, deal, buyer=other.party)
    world.refuses("event.mismatch", deal.provider, "licence.agreed@1", **payload)


@pytest.mark.parametrize("verb", ["agreed", "verified", "finalised"])
def test_no_step_rests_on_another_offer(world: World, verb: str) -> None:
    deal = {"agreed": accepted, "verified": steps_market.agreed_licence, "finalised": verified}
    at = deal[verb](world)
    payload = agreement(world, at) if verb == "agreed" else answer(world, at)
    actor = at.buyer if verb == "verified" else at.provider
    wrong = {**payload, "proposal": world.head(at.listing)}
    world.refuses("event.mismatch", actor, f"licence.{verb}@1", **wrong)


def test_each_confirms_its_own_part_in_its_turn(world: World) -> None:
    deal = requested_licence(world)
    both = world.join(Role.PROVIDER, Role.BUYER)
    stage = world.head(deal.licence)
    payload = answer(world, deal, stage)
    world.refuses("aggregate.wrong_status", deal.buyer, "licence.verified@1", **payload)
    agree(world, deal)
    world.refuses(
        "aggregate.wrong_status", deal.provider, "licence.finalised@1", **answer(world, deal)
    )
    steps_market.lock(world, deal)
    world.refuses("party.not_concerned", both, "licence.verified@1", **answer(world, deal))
    world.do(deal.buyer, "licence.verified@1", **answer(world, deal))
    world.refuses("party.not_concerned", both, "licence.finalised@1", **answer(world, deal))


def test_strangers_do_not_announce_a_lapse_and_the_operator_may(world: World) -> None:
    deal = requested_licence(world)
    world.advance(days=31)
    world.refuses("party.not_concerned", world.join(Role.BUYER), "licence.lapsed@1", **ended(deal))
    world.do(world.operator, "licence.lapsed@1", **ended(deal))


def test_the_licensed_version_is_the_listed_one(world: World) -> None:
    deal = opened_deal(world)
    payload = request(deal, version=2)
    world.refuses("event.mismatch", deal.buyer, "licence.requested@1", **payload)


def test_what_is_free_stays_free_in_a_negotiation(world: World) -> None:
    deal = negotiable(world, price={"model": "free"})
    world.refuses("offer.not_negotiable", deal.buyer, "licence.requested@1", **request(deal))


def test_a_subscription_has_no_more_periods_than_listed(world: World) -> None:
    price = {"model": "subscription", "fee_fen": 500, "period_days": 30, "periods_max": 12}
    deal = negotiable(world, price=price)
    payload = request(deal, periods=13)
    world.refuses("offer.not_on_the_menu", deal.buyer, "licence.requested@1", **payload)


def test_a_tier_that_nobody_listed_is_not_licensed(world: World) -> None:
    tiers = [
        {"code": "basic", "version": 1, "accuracy": 1, "fee_fen": 100},
        {"code": "full", "version": 1, "accuracy": 2, "fee_fen": 150},
    ]
    deal = negotiable(world, price={"model": "tiered", "tiers": tiers})
    payload = request(deal, tier="gold")
    world.refuses("offer.not_on_the_menu", deal.buyer, "licence.requested@1", **payload)
