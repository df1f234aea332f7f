"""Auctions: bids in time, seals that hold, the right price, deposits that go where they must."""

from datetime import timedelta
from typing import Any

import pytest

import steps_market
from dataexchange.client.signing import Actor
from dataexchange.ledger.statement import format_time
from dataexchange.market.auction import Bidding, auction_key, sealed_bid
from dataexchange.rules import Role
from steps_accounts import assert_books_balance, balance_fen, fund
from steps_market import Deal, opened_deal, request
from steps_pipeline import digest
from world import World

DEPOSIT_FEN = 500


@pytest.fixture
def world() -> World:
    return World()


def price(world: World, form: str, **changes: Any) -> dict[str, Any]:
    closes = world.now + timedelta(days=20)
    opened = closes + timedelta(days=2) if form == "second_price_sealed" else closes
    return {
        "model": "auction",
        "form": form,
        "start_fen": 5_000,
        "increment_fen": 100,
        "reserve_fen": 10_000,
        "deposit_fen": DEPOSIT_FEN,
        "closes_at": format_time(closes),
        "opened_by": format_time(opened),
        **changes,
    }


def auction(world: World, form: str, **changes: Any) -> Deal:
    """Return the deal that an auction may lead to; its buyer is the first bidder."""
    product = steps_market.ready_product(world)
    buyer = steps_market.funded_buyer(world)
    return opened_deal(world, product, buyer, price=price(world, form, **changes))


def bid(world: World, deal: Deal, bidder: Actor, amount_fen: int) -> None:
    world.do(bidder, "bid.placed@1", listing=deal.listing, amount_fen=amount_fen)


def salt(bidder: Actor) -> str:
    return digest(bidder.party)


def sealing(deal: Deal, bidder: Actor, amount_fen: int) -> dict[str, Any]:
    commitment = sealed_bid(deal.listing, bidder.party, amount_fen=amount_fen, salt=salt(bidder))
    return {"listing": deal.listing, "commitment": commitment}


def opening(deal: Deal, bidder: Actor, amount_fen: int) -> dict[str, Any]:
    return {"listing": deal.listing, "amount_fen": amount_fen, "salt": salt(bidder)}


def sealed_auction(world: World, *amounts_fen: int) -> tuple[Deal, list[Actor]]:
    """Return an auction past its close, one sealed bid for each amount, none opened yet."""
    deal = auction(world, "second_price_sealed")
    bidders = [deal.buyer, *(steps_market.funded_buyer(world) for _ in amounts_fen[1:])]
    for bidder, amount_fen in zip(bidders, amounts_fen, strict=True):
        world.do(bidder, "bid.sealed@1", **sealing(deal, bidder, amount_fen))
    world.advance(days=20)
    return deal, bidders


def outcome(world: World, deal: Deal) -> tuple[str, str | None, int | None]:
    world.do(world.operator, "auction.closed@1", listing=deal.listing)
    held = world.state(Bidding, auction_key(deal.listing))
    return held.status, held.best, held.hammer_fen


def deposit(deal: Deal, bidder: Actor, **more: Any) -> dict[str, Any]:
    return {"listing": deal.listing, "party": bidder.party, **more}


def lump(fee_fen: int) -> dict[str, Any]:
    return {"kind": "lump_sum", "fee_fen": fee_fen}


def test_the_highest_open_bid_wins_at_its_price(world: World) -> None:
    deal = auction(world, "english")
    rival = steps_market.funded_buyer(world)
    bid(world, deal, deal.buyer, 9_000)
    bid(world, deal, rival, 12_000)
    bid(world, deal, deal.buyer, 12_100)
    world.advance(days=20)
    assert outcome(world, deal) == ("sold", deal.buyer.party, 12_100)


def test_a_bid_raises_by_the_increment(world: World) -> None:
    deal = auction(world, "english")
    low = {"listing": deal.listing, "amount_fen": 4_999}
    world.refuses("valuation.bid_below_start", deal.buyer, "bid.placed@1", **low)
    bid(world, deal, deal.buyer, 9_000)
    low = {"listing": deal.listing, "amount_fen": 9_099}
    world.refuses("valuation.bid_too_low", deal.buyer, "bid.placed@1", **low)


def test_below_the_reserve_nothing_is_sold(world: World) -> None:
    deal = auction(world, "english")
    bid(world, deal, deal.buyer, 9_999)
    world.advance(days=20)
    assert outcome(world, deal)[0] == "unsold"


def test_no_bid_comes_after_the_close_and_no_close_before_its_time(world: World) -> None:
    deal = auction(world, "english")
    world.refuses("auction.not_the_time", world.operator, "auction.closed@1", listing=deal.listing)
    world.advance(days=20)
    late = {"listing": deal.listing, "amount_fen": 20_000}
    world.refuses("auction.not_the_time", deal.buyer, "bid.placed@1", **late)


def test_an_auction_closes_once(world: World) -> None:
    deal = auction(world, "english")
    world.advance(days=20)
    outcome(world, deal)
    world.refuses(
        "aggregate.wrong_status", world.operator, "auction.closed@1", listing=deal.listing
    )


def test_the_highest_sealed_bid_pays_the_second_price(world: World) -> None:
    deal, bidders = sealed_auction(world, 12_000, 9_500, 11_000)
    for bidder, amount_fen in zip(bidders, (12_000, 9_500, 11_000), strict=True):
        world.do(bidder, "bid.opened@1", **opening(deal, bidder, amount_fen))
    world.advance(days=2)
    assert outcome(world, deal) == ("sold", bidders[0].party, 11_000)


def test_a_single_sealed_bid_pays_the_reserve(world: World) -> None:
    deal, (bidder,) = sealed_auction(world, 12_000)
    world.do(bidder, "bid.opened@1", **opening(deal, bidder, 12_000))
    world.advance(days=2)
    assert outcome(world, deal) == ("sold", bidder.party, 10_000)


def test_of_equal_sealed_bids_the_earlier_seal_wins_whatever_opens_first(world: World) -> None:
    deal, bidders = sealed_auction(world, 12_000, 12_000)
    for bidder in reversed(bidders):
        world.do(bidder, "bid.opened@1", **opening(deal, bidder, 12_000))
    world.advance(days=2)
    assert outcome(world, deal) == ("sold", bidders[0].party, 12_000)


def test_a_seal_opens_to_what_was_sealed_only_and_once(world: World) -> None:
    deal, (bidder,) = sealed_auction(world, 12_000)
    other = opening(deal, bidder, 11_000)
    world.refuses("auction.seal_broken", bidder, "bid.opened@1", **other)
    world.do(bidder, "bid.opened@1", **opening(deal, bidder, 12_000))
    world.refuses("auction.seal_broken", bidder, "bid.opened@1", **opening(deal, bidder, 12_000))


def test_a_seal_is_bound_to_its_bidder(world: World) -> None:
    deal, (bidder, thief) = sealed_auction(world, 12_000, 11_000)
    stolen = opening(deal, bidder, 12_000)
    world.refuses("auction.seal_broken", thief, "bid.opened@1", **stolen)


def test_a_sealed_bid_below_the_start_does_not_count(world: World) -> None:
    deal, (bidder,) = sealed_auction(world, 4_000)
    payload = opening(deal, bidder, 4_000)
    world.refuses("auction.below_start", bidder, "bid.opened@1", **payload)


def test_seals_are_opened_after_the_close_only(world: World) -> None:
    deal = auction(world, "second_price_sealed")
    world.do(deal.buyer, "bid.sealed@1", **sealing(deal, deal.buyer, 12_000))
    payload = opening(deal, deal.buyer, 12_000)
    world.refuses("auction.not_the_time", deal.buyer, "bid.opened@1", **payload)
    world.advance(days=23)
    world.refuses("auction.not_the_time", deal.buyer, "bid.opened@1", **payload)


def test_a_bidder_seals_once(world: World) -> None:
    deal = auction(world, "second_price_sealed")
    world.do(deal.buyer, "bid.sealed@1", **sealing(deal, deal.buyer, 12_000))
    again = sealing(deal, deal.buyer, 13_000)
    world.refuses("aggregate.exists", deal.buyer, "bid.sealed@1", **again)


def test_bids_take_the_form_of_their_auction(world: World) -> None:
    english, sealed = auction(world, "english"), auction(world, "second_price_sealed")
    payload = sealing(english, english.buyer, 12_000)
    world.refuses("auction.none", english.buyer, "bid.sealed@1", **payload)
    payload = {"listing": sealed.listing, "amount_fen": 12_000}
    world.refuses("auction.none", sealed.buyer, "bid.placed@1", **payload)
    fixed = opened_deal(world)
    payload = {"listing": fixed.listing, "amount_fen": 12_000}
    world.refuses("auction.none", fixed.buyer, "bid.placed@1", **payload)


def test_a_provider_does_not_bid_in_its_own_auction(world: World) -> None:
    both = world.join(Role.PROVIDER, Role.BUYER)
    product = steps_market.ready_product(world, both)
    fund(world, both, 1_000)
    deal = opened_deal(world, product, both, price=price(world, "english"))
    payload = {"listing": deal.listing, "amount_fen": 12_000}
    world.refuses("auction.own", both, "bid.placed@1", **payload)


def test_the_winner_alone_takes_the_licence_at_the_hammer_price(world: World) -> None:
    deal = auction(world, "english")
    rival = steps_market.funded_buyer(world)
    payload = request(deal, charge=lump(12_000))
    world.refuses("auction.not_the_winner", deal.buyer, "licence.requested@1", **payload)
    bid(world, deal, deal.buyer, 12_000)
    world.advance(days=20)
    outcome(world, deal)
    world.refuses("auction.not_the_winner", rival, "licence.requested@1", **payload)
    cheap = request(deal, charge=lump(11_999))
    world.refuses("offer.not_negotiable", deal.buyer, "licence.requested@1", **cheap)
    steps_market.finalised_licence(world, deal, charge=lump(12_000))
    won = deposit(deal, deal.buyer, licence=deal.licence)
    world.do(deal.buyer, "deposit.returned@1", **won)
    assert balance_fen(world, deal.listing) == 0
    assert_books_balance(world)


def test_a_bidder_puts_up_one_deposit(world: World) -> None:
    deal = auction(world, "english")
    bid(world, deal, deal.buyer, 9_000)
    bid(world, deal, deal.buyer, 12_000)
    assert balance_fen(world, deal.listing) == DEPOSIT_FEN


def test_a_bidder_without_the_deposit_does_not_bid(world: World) -> None:
    deal = auction(world, "english")
    payload = {"listing": deal.listing, "amount_fen": 12_000}
    world.refuses("account.insufficient", world.join(Role.BUYER), "bid.placed@1", **payload)


def test_a_loser_has_its_deposit_back_once_after_the_close(world: World) -> None:
    deal = auction(world, "english")
    rival = steps_market.funded_buyer(world)
    bid(world, deal, rival, 11_000)
    bid(world, deal, deal.buyer, 12_000)
    world.refuses("auction.deposit_kept", rival, "deposit.returned@1", **deposit(deal, rival))
    world.advance(days=20)
    outcome(world, deal)
    world.do(rival, "deposit.returned@1", **deposit(deal, rival))
    world.refuses("auction.deposit_kept", rival, "deposit.returned@1", **deposit(deal, rival))
    world.refuses(
        "auction.deposit_kept", deal.buyer, "deposit.returned@1", **deposit(deal, deal.buyer)
    )
    assert balance_fen(world, deal.listing) == DEPOSIT_FEN


def test_all_deposits_go_back_when_the_auction_is_withdrawn(world: World) -> None:
    deal = auction(world, "english")
    bid(world, deal, deal.buyer, 12_000)
    world.do(deal.provider, "listing.withdrawn@1", listing=deal.listing, reason="撤回")
    world.do(deal.buyer, "deposit.returned@1", **deposit(deal, deal.buyer))
    assert balance_fen(world, deal.listing) == 0


def test_a_seal_never_opened_costs_its_deposit(world: World) -> None:
    deal, (bidder, silent) = sealed_auction(world, 12_000, 11_000)
    world.do(bidder, "bid.opened@1", **opening(deal, bidder, 12_000))
    world.advance(days=2)
    outcome(world, deal)
    world.refuses("auction.deposit_kept", silent, "deposit.returned@1", **deposit(deal, silent))
    world.do(deal.provider, "deposit.forfeited@1", **deposit(deal, silent))
    assert balance_fen(world, deal.provider.party) == DEPOSIT_FEN
    assert_books_balance(world)


def test_a_winner_that_does_not_conclude_in_time_loses_its_deposit(world: World) -> None:
    deal = auction(world, "english")
    bid(world, deal, deal.buyer, 12_000)
    world.advance(days=20)
    outcome(world, deal)
    payload = deposit(deal, deal.buyer)
    world.refuses("auction.deposit_safe", deal.provider, "deposit.forfeited@1", **payload)
    world.advance(days=31)
    world.do(deal.provider, "deposit.forfeited@1", **payload)
    assert balance_fen(world, deal.provider.party) == DEPOSIT_FEN


def test_a_losers_deposit_is_not_forfeit(world: World) -> None:
    deal = auction(world, "english")
    rival = steps_market.funded_buyer(world)
    bid(world, deal, rival, 11_000)
    bid(world, deal, deal.buyer, 12_000)
    world.advance(days=60)
    outcome(world, deal)
    payload = deposit(deal, rival)
    world.refuses("auction.deposit_safe", deal.provider, "deposit.forfeited@1", **payload)


def test_the_terms_of_an_auction_stand_once_announced(world: World) -> None:
    deal = auction(world, "english")
    world.refuses(
        "listing.auction_stands",
        deal.provider,
        "listing.repriced@1",
        listing=deal.listing,
        asset=deal.product.asset,
        price=price(world, "english", reserve_fen=20_000),
        reason="提价",
    )


def test_an_auction_ends_within_its_listings_validity(world: World) -> None:
    product = steps_market.ready_product(world)
    long = price(world, "english", closes_at=format_time(world.now + timedelta(days=90)))
    payload = steps_market.listing(world, product, price={**long, "opened_by": long["closes_at"]})
    world.refuses("listing.auction_unfit", product.provider, "listing.published@1", **payload)


def test_a_paused_auction_takes_no_bids(world: World) -> None:
    deal = auction(world, "english")
    world.do(world.operator, "listing.paused@1", listing=deal.listing, reason="核查")
    payload = {"listing": deal.listing, "amount_fen": 12_000}
    world.refuses("aggregate.wrong_status", deal.buyer, "bid.placed@1", **payload)


def test_only_the_provider_keeps_a_forfeited_deposit(world: World) -> None:
    deal, (bidder,) = sealed_auction(world, 12_000)
    world.advance(days=2)
    outcome(world, deal)
    other = world.join(Role.PROVIDER)
    payload = deposit(deal, bidder)
    world.refuses("party.not_concerned", other, "deposit.forfeited@1", **payload)
