"""Prices hold together; menus do not undersell themselves."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.errors import RefusedError
from dataexchange.market.price import (
    CallCharge,
    LumpSum,
    ShareCharge,
    calls_due_fen,
    escrow_fen,
    highest_fen,
    price_of,
    require_sound,
    share_due,
)

AUCTION: dict[str, Any] = {
    "model": "auction",
    "form": "second_price_sealed",
    "start_fen": 100,
    "increment_fen": 10,
    "reserve_fen": 200,
    "deposit_fen": 50,
    "closes_at": "2026-02-01T00:00:00.000000Z",
    "opened_by": "2026-02-02T00:00:00.000000Z",
}


def menu(*lines: tuple[str, int, int]) -> dict[str, Any]:
    tiers = [
        {"code": code, "version": 1, "accuracy": accuracy, "fee_fen": fee_fen}
        for code, accuracy, fee_fen in lines
    ]
    return {"model": "tiered", "tiers": tiers}


def code_of(price: dict[str, Any]) -> str:
    try:
        require_sound(price_of(price), negotiable=False)
    except RefusedError as refused:
        return refused.code
    return "sound"


def refusal(price: dict[str, Any], *, negotiable: bool = False) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        require_sound(price_of(price), negotiable=negotiable)
    return caught.value


def test_a_menu_that_undersells_its_best_tier_is_refused_with_the_cover() -> None:
    refused = refusal(menu(("low", 1, 100), ("mid", 2, 180), ("high", 4, 400)))
    assert refused.code == "listing.arbitrage"
    assert refused.facts == {"tier": "high", "fee_fen": 400, "cover_fen": 360}


def test_the_repaired_menu_is_sound() -> None:
    require_sound(
        price_of(menu(("low", 1, 100), ("mid", 2, 180), ("high", 4, 360))), negotiable=False
    )


def test_a_better_tier_may_not_be_cheaper() -> None:
    assert refusal(menu(("low", 1, 100), ("mid", 2, 90))).code == "listing.arbitrage"


@pytest.mark.parametrize("lines", [[("a", 1, 1), ("a", 2, 1)], [("a", 1, 1), ("b", 1, 1)]])
def test_tiers_do_not_share_codes_or_accuracies(lines: list[tuple[str, int, int]]) -> None:
    assert refusal(menu(*lines)).code == "listing.tiers_ambiguous"


@given(st.lists(st.tuples(st.integers(1, 1_000), st.integers(1, 10**9)), min_size=2, max_size=12))
def test_every_menu_of_whole_accuracies_is_checked_in_bounded_work(
    lines: list[tuple[int, int]],
) -> None:
    named = [(f"t{number}", *line) for number, line in enumerate(lines)]
    assert code_of(menu(*named)) in ("sound", "listing.arbitrage", "listing.tiers_ambiguous")


def test_a_negotiated_price_is_negotiable() -> None:
    assert refusal({"model": "negotiated"}).code == "listing.negotiable_unfit"


def test_an_auction_is_not_negotiable() -> None:
    assert refusal(AUCTION, negotiable=True).code == "listing.negotiable_unfit"


@pytest.mark.parametrize(
    "changes",
    [
        {"opened_by": AUCTION["closes_at"]},
        {"form": "english"},
        {"reserve_fen": 99},
    ],
)
def test_an_auction_whose_terms_do_not_fit_is_refused(changes: dict[str, Any]) -> None:
    assert refusal({**AUCTION, **changes}).code == "listing.auction_unfit"


def test_what_is_locked_is_the_most_that_can_fall_due_in_advance() -> None:
    assert escrow_fen(LumpSum(kind="lump_sum", fee_fen=7)) == 7
    assert escrow_fen(CallCharge(kind="per_call", call_fen=2, cap_fen=9)) == 9
    assert escrow_fen(ShareCharge(kind="revenue_share", ratio="0.1", minimum_fen=5)) == 5


def test_calls_cost_no_more_than_what_was_locked() -> None:
    charge = CallCharge(kind="per_call", call_fen=2, cap_fen=9)
    assert calls_due_fen(charge, calls=4, locked_fen=9) == 8
    assert calls_due_fen(charge, calls=5, locked_fen=9) == 9


def test_a_share_of_revenue_is_exact_before_it_is_rounded() -> None:
    charge = ShareCharge(kind="revenue_share", ratio="0.1", minimum_fen=0)
    assert share_due(charge, 15) == 1.5


@pytest.mark.parametrize(
    ("price", "highest"),
    [
        ({"model": "free"}, 0),
        ({"model": "fixed", "fee_fen": 5}, 5),
        (menu(("a", 1, 5), ("b", 2, 8)), 8),
        ({"model": "subscription", "fee_fen": 5, "period_days": 30, "periods_max": 12}, 60),
        ({"model": "per_call", "call_fen": 1, "cap_fen": 50}, 50),
        ({"model": "revenue_share", "ratio": "0.1", "minimum_fen": 5}, None),
        (AUCTION, None),
    ],
)
def test_the_most_that_a_licence_can_cost(price: dict[str, Any], highest: int | None) -> None:
    assert highest_fen(price_of(price)) == highest
