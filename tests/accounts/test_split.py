"""A split leaves no fen over and takes none from nowhere."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.accounts.split import shares, split_fen

weight_lists = st.lists(
    st.fractions(min_value=0, max_value=10**6, max_denominator=10**6), min_size=1, max_size=40
).filter(any)
totals = st.integers(min_value=-(10**15), max_value=10**15)


@given(totals, weight_lists)
def test_the_residual_is_always_zero(total_fen: int, weights: list[Fraction]) -> None:
    assert sum(split_fen(total_fen, weights)) == total_fen


@given(totals, weight_lists)
def test_every_part_is_within_one_fen_of_its_exact_share(
    total_fen: int, weights: list[Fraction]
) -> None:
    for part, share in zip(split_fen(total_fen, weights), shares(weights), strict=True):
        assert abs(part - total_fen * share) < 1


@given(totals, weight_lists, st.integers(min_value=1, max_value=10**9))
def test_only_the_proportions_of_the_weights_matter(
    total_fen: int, weights: list[Fraction], factor: int
) -> None:
    assert split_fen(total_fen, weights) == split_fen(total_fen, [w * factor for w in weights])


@given(totals, weight_lists)
def test_a_weight_of_zero_gets_nothing(total_fen: int, weights: list[Fraction]) -> None:
    assert split_fen(total_fen, [*weights, 0])[-1] == 0


def test_equal_remainders_are_served_in_the_order_given() -> None:
    assert split_fen(100, [1, 1, 1]) == (34, 33, 33)
    assert split_fen(101, [1, 1, 1]) == (34, 34, 33)


def test_the_largest_remainder_gets_the_fen_left_over() -> None:
    assert split_fen(10, [Decimal("0.62"), Decimal("0.38")]) == (6, 4)
    assert split_fen(10, [Decimal("0.66"), Decimal("0.34")]) == (7, 3)


def test_a_reversal_mirrors_the_split_it_reverses() -> None:
    assert split_fen(-100, [1, 1, 1]) == (-34, -33, -33)


@pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [Decimal("NaN")]])
def test_weights_that_name_no_proportion_are_an_error(weights: list[int]) -> None:
    with pytest.raises(ValueError, match=r"weight|finite"):
        split_fen(100, weights)


@pytest.mark.parametrize(("total", "weights"), [(1.5, [1]), (True, [1]), (100, [0.5]), (1, [True])])
def test_floats_and_booleans_are_no_money(total: int, weights: list[int]) -> None:
    with pytest.raises(TypeError):
        split_fen(total, weights)
