"""A guarantor's limits are measured on weighted balances, household by household."""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.guarantee.exposure import (
    Commitment,
    Guarantor,
    ObligorKind,
    check_exposure,
    commitment_weight,
    exposure_of,
    loss_reserve_addition_fen,
    unearned_premium_reserve_fen,
)
from dataexchange.rules.refusal import RefusedError

MILLION = 100_000_000
"""One million 元 in fen."""
GUARANTOR = Guarantor(net_assets_fen=500 * MILLION, stakes_in_guarantors_fen=20 * MILLION)


def many(kind: ObligorKind, total_millions: int, each_millions: int) -> Iterable[Commitment]:
    for index in range(total_millions // each_millions):
        rated = kind is ObligorKind.BOND
        yield Commitment(f"{kind}{index}", each_millions * MILLION, kind, "", rated)


BOOK = [
    *many(ObligorKind.SMALL_FIRM, 2000, 5),
    *many(ObligorKind.FARMER, 400, 2),
    *many(ObligorKind.OTHER, 1200, 40),
    *many(ObligorKind.BOND, 500, 50),
]


def refused_code(guarantor: Guarantor, *commitments: Commitment) -> str:
    with pytest.raises(RefusedError) as refused:
        check_exposure(guarantor, commitments)
    assert refused.value.zh
    assert "{" not in refused.value.zh + refused.value.en + refused.value.remedy_en
    return refused.value.code


def test_the_worked_book_comes_to_seven_times_net_assets() -> None:
    exposure = check_exposure(GUARANTOR, BOOK)
    assert exposure.balance_fen == 3400 * MILLION
    assert abs(exposure.multiple(GUARANTOR) - Fraction("7.0833333333")) < Fraction(1, 10**6)


def test_limits_rest_on_net_assets_less_stakes_in_guarantors() -> None:
    assert GUARANTOR.obligor_limit_fen == 48 * MILLION
    assert GUARANTOR.group_limit_fen == 72 * MILLION
    assert GUARANTOR.balance_limit_fen == 4800 * MILLION


@pytest.mark.parametrize(
    ("kind", "total_fen", "weight"),
    [
        (ObligorKind.SMALL_FIRM, 5 * MILLION, "0.75"),
        (ObligorKind.SMALL_FIRM, 5 * MILLION + 1, "1"),
        (ObligorKind.FARMER, 2 * MILLION, "0.75"),
        (ObligorKind.FARMER, 2 * MILLION + 1, "1"),
        (ObligorKind.OTHER, 1, "1"),
        (ObligorKind.BOND, 1, "1"),
    ],
)
def test_a_favoured_weight_ends_at_its_threshold(
    kind: ObligorKind, total_fen: int, weight: str
) -> None:
    assert commitment_weight(Commitment("a", 1, kind), total_fen) == Decimal(weight)


def test_only_a_well_rated_bond_is_weighted_less() -> None:
    rated = Commitment("a", 1, ObligorKind.BOND, bond_rated_aa_plus=True)
    assert commitment_weight(rated, 1) == Decimal("0.8")


def test_crossing_the_threshold_reweights_the_whole_household() -> None:
    first = Commitment("a", 4 * MILLION, ObligorKind.SMALL_FIRM)
    second = Commitment("a", 2 * MILLION, ObligorKind.SMALL_FIRM)
    assert exposure_of([first]).balance_fen == 3 * MILLION
    assert exposure_of([first, second]).balance_fen == 6 * MILLION


def test_an_obligor_at_ten_percent_passes_and_one_fen_more_is_refused() -> None:
    check_exposure(GUARANTOR, [Commitment("a", 48 * MILLION)])
    over = Commitment("a", 48 * MILLION + 1)
    assert refused_code(GUARANTOR, over) == "guarantee.obligor_exceeded"


def test_affiliates_together_at_fifteen_percent_pass_and_one_fen_more_is_refused() -> None:
    first = Commitment("a", 36 * MILLION, group="g")
    check_exposure(GUARANTOR, [first, Commitment("b", 36 * MILLION, group="g")])
    over = Commitment("b", 36 * MILLION + 1, group="g")
    assert refused_code(GUARANTOR, first, over) == "guarantee.group_exceeded"


def test_a_balance_over_ten_times_net_assets_is_refused_unless_focused() -> None:
    small = Guarantor(net_assets_fen=10 * MILLION)
    focused = Guarantor(net_assets_fen=10 * MILLION, focused=True)
    book = [Commitment(str(index), MILLION) for index in range(101)]
    check_exposure(small, book[:100])
    check_exposure(focused, book)
    assert refused_code(small, *book) == "guarantee.balance_exceeded"


def test_the_controlling_shareholder_is_never_guaranteed() -> None:
    with pytest.raises(RefusedError) as refused:
        check_exposure(
            GUARANTOR, [Commitment("owner", 1)], controlling_shareholders=frozenset({"owner"})
        )
    assert refused.value.code == "guarantee.controlling_shareholder"


def test_a_guarantor_whose_net_assets_are_all_staked_elsewhere_is_refused() -> None:
    spent = Guarantor(net_assets_fen=5, stakes_in_guarantors_fen=5)
    assert refused_code(spent, Commitment("a", 1)) == "guarantee.net_assets_spent"


amounts = st.lists(st.integers(0, 10**10), min_size=1, max_size=10)


@given(amounts)
def test_every_weighted_balance_lies_between_three_quarters_and_the_whole(
    amounts_fen: list[int],
) -> None:
    book = [
        Commitment(str(index % 3), fen, ObligorKind.SMALL_FIRM)
        for index, fen in enumerate(amounts_fen)
    ]
    balance_fen = exposure_of(book).balance_fen
    assert sum(amounts_fen) * 3 <= balance_fen * 4
    assert balance_fen <= sum(amounts_fen)


@given(amounts, st.integers(1, 10**10))
def test_one_more_commitment_never_lowers_the_balance(amounts_fen: list[int], more: int) -> None:
    book = [Commitment("a", fen, ObligorKind.FARMER) for fen in amounts_fen]
    grown = [*book, Commitment("a", more, ObligorKind.FARMER)]
    assert exposure_of(grown).balance_fen >= exposure_of(book).balance_fen


def test_half_of_the_years_fees_is_unearned() -> None:
    assert unearned_premium_reserve_fen(3_000_001) == 1_500_001


@pytest.mark.parametrize(
    ("held_millions", "addition_millions"), [(0, 34), (300, 34), (320, 20), (340, 0), (400, 0)]
)
def test_the_loss_reserve_grows_by_one_percent_until_it_holds_ten(
    held_millions: int, addition_millions: int
) -> None:
    addition_fen = loss_reserve_addition_fen(3400 * MILLION, held_millions * MILLION)
    assert addition_fen == addition_millions * MILLION


def test_a_commitment_below_zero_is_an_error() -> None:
    with pytest.raises(RefusedError, match="0 or more"):
        Commitment("a", -1)
