"""Fuzzy comprehensive evaluation."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation import ValuationRefusedError, fuzzy_evaluation, graded_score

WEIGHTS = ["0.4", "0.35", "0.25"]
ROWS = [["0.5", "0.3", "0.2", 0], ["0.3", "0.4", "0.2", "0.1"], ["0.2", "0.3", "0.4", "0.1"]]


def test_the_worked_evaluation_gives_its_membership_and_score() -> None:
    membership = fuzzy_evaluation(WEIGHTS, ROWS)
    assert [str(one.normalize()) for one in membership] == ["0.355", "0.335", "0.25", "0.06"]
    assert graded_score(membership, [95, 85, 70, 50]) == Decimal("82.7")


@pytest.mark.parametrize(
    ("weights", "rows", "code"),
    [
        (["0.5", "0.4"], [["0.5", "0.5"]] * 2, "valuation.weights_not_one"),
        ([1], [["0.5", "0.4"]], "valuation.membership_not_one"),
        (["0.5", "0.5"], [[1, 0], [1]], "valuation.input_inconsistent"),
        (["1.5", "-0.5"], [[1, 0]] * 2, "valuation.input_out_of_range"),
        ([1], [["1.5", "-0.5"]], "valuation.input_out_of_range"),
    ],
)
def test_weights_and_memberships_that_are_no_shares_are_refused(
    weights: list[str], rows: list[list[str]], code: str
) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        fuzzy_evaluation(weights, rows)
    assert refused.value.code == code


@given(st.lists(st.lists(st.integers(1, 9), min_size=3, max_size=3), min_size=1, max_size=5))
def test_the_memberships_of_the_whole_sum_to_one(counts: list[list[int]]) -> None:
    rows = [[Decimal(one) / sum(row) for one in row] for row in counts]
    weights = [Decimal(1) / len(rows)] * len(rows)
    assert abs(sum(fuzzy_evaluation(weights, rows)) - 1) < Decimal("1e-20")
