"""Auctions: who wins, what is paid, and that truth is the best sealed bid."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation.auction import (
    Bid,
    EnglishTerms,
    Sale,
    english_sale,
    raise_bid,
    second_price_sale,
)
from dataexchange.valuation.library import value
from dataexchange.valuation.refusal import ValuationRefusedError

amounts = st.integers(1, 1000)
TERMS = EnglishTerms(start_fen=100, increment_fen=10, reserve_fen=150)


def sealed(*amounts_fen: int) -> list[Bid]:
    return [Bid(f"b{index}", amount_fen) for index, amount_fen in enumerate(amounts_fen)]


def test_the_winner_pays_the_reserve_where_it_exceeds_the_second_bid() -> None:
    assert second_price_sale(sealed(120, 95, 80), reserve_fen=100) == Sale("b0", 100)


def test_the_winner_pays_the_second_bid_where_it_exceeds_the_reserve() -> None:
    assert second_price_sale(sealed(95, 120, 80), reserve_fen=90) == Sale("b1", 95)


def test_nothing_is_sold_below_the_reserve_or_without_bids() -> None:
    assert second_price_sale(sealed(99), reserve_fen=100) is None
    assert second_price_sale([], reserve_fen=0) is None


def test_a_bid_at_the_reserve_buys_at_the_reserve() -> None:
    assert second_price_sale(sealed(100), reserve_fen=100) == Sale("b0", 100)


def test_of_equal_bids_the_earlier_wins_and_pays_the_tie() -> None:
    assert second_price_sale(sealed(80, 120, 120)) == Sale("b1", 120)


@given(st.lists(amounts, max_size=6), amounts, amounts, amounts)
def test_no_sealed_bid_serves_better_than_the_true_worth(
    others: list[int], worth: int, lie: int, reserve_fen: int
) -> None:
    def gain(amount_fen: int) -> int:
        bids = [*sealed(*others), Bid("me", amount_fen)]
        sale = second_price_sale(bids, reserve_fen=reserve_fen)
        return worth - sale.price_fen if sale and sale.buyer == "me" else 0

    assert gain(worth) >= gain(lie)


@given(st.lists(amounts, min_size=1, max_size=8), amounts, st.integers(1, 100))
def test_sealed_prices_scale_with_the_unit_of_money(
    offers: list[int], reserve_fen: int, unit: int
) -> None:
    sale = second_price_sale(sealed(*offers), reserve_fen=reserve_fen)
    scaled = second_price_sale(
        sealed(*(offer * unit for offer in offers)), reserve_fen=reserve_fen * unit
    )
    assert scaled == (sale and Sale(sale.buyer, sale.price_fen * unit))


def test_a_second_sealed_bid_of_one_bidder_is_refused() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        second_price_sale([Bid("a", 1), Bid("b", 2), Bid("a", 3)])
    assert refused.value.code == "valuation.bid_twice"


def test_the_last_standing_bid_buys_at_its_own_price() -> None:
    bids = [Bid("a", 100), Bid("b", 110), Bid("a", 150)]
    assert english_sale(TERMS, bids) == Sale("a", 150)


def test_an_english_auction_below_the_reserve_sells_nothing() -> None:
    assert english_sale(TERMS, [Bid("a", 149)]) is None
    assert english_sale(TERMS, []) is None


@pytest.mark.parametrize(
    ("standing", "amount_fen", "code"),
    [
        (None, 99, "valuation.bid_below_start"),
        (Bid("a", 100), 109, "valuation.bid_too_low"),
        (Bid("a", 100), 100, "valuation.bid_too_low"),
    ],
)
def test_a_bid_below_what_is_asked_is_refused(
    standing: Bid | None, amount_fen: int, code: str
) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        raise_bid(TERMS, standing, Bid("b", amount_fen))
    assert refused.value.code == code
    assert str(TERMS.least_fen(standing)) in refused.value.remedy_en


@given(st.lists(amounts, max_size=20))
def test_standing_bids_rise_by_at_least_the_increment(offers: list[int]) -> None:
    standing, accepted = None, []
    for bid in sealed(*offers):
        try:
            standing = raise_bid(TERMS, standing, bid)
        except ValuationRefusedError:
            continue
        accepted.append(bid.amount_fen)
    assert all(b - a >= TERMS.increment_fen for a, b in pairwise(accepted))


def test_an_increment_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="increment"):
        EnglishTerms(start_fen=1, increment_fen=0)


def test_a_bid_of_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="above zero"):
        Bid("a", 0)


def test_the_card_names_the_price_and_the_winning_bid() -> None:
    bids = [{"bidder": n, "amount": a} for n, a in [("a", "120"), ("b", "95"), ("c", "80")]]
    result = value("auction", {"kind": "second_price", "reserve": "100", "bids": bids})
    assert (result.fen, result["winning_bid"]) == (10_000, 1)


@pytest.mark.parametrize(
    ("amount", "increment", "code"),
    [
        ("0", "1", "valuation.input_inconsistent"),
        ("0.001", "1", "valuation.input_inconsistent"),
        ("1", "0", "valuation.input_inconsistent"),
        ("0.99", "1", "valuation.bid_below_start"),
    ],
)
def test_bids_and_terms_that_cannot_be_paid_are_refused(
    amount: str, increment: str, code: str
) -> None:
    inputs = {
        "kind": "english",
        "start": "1",
        "increment": increment,
        "bids": [{"bidder": "a", "amount": amount}],
    }
    with pytest.raises(ValuationRefusedError) as refused:
        value("auction", inputs)
    assert refused.value.code == code
