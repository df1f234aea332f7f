"""Entropy weights."""

import math
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dataexchange.valuation import ValuationRefusedError, entropy_weights, value

ROWS = [[80, "0.95", 12], [90, "0.90", 30], [70, "0.99", 18], [85, "0.92", 24]]


def test_the_worked_table_gives_its_weights_and_scores() -> None:
    weights, scores = entropy_weights(ROWS, ["benefit", "benefit", "cost"])
    assert [str(round(w, 6)) for w in weights] == ["0.285580", "0.385443", "0.328977"]
    assert str(round(scores[0], 6)) == "0.685902"


tables = st.integers(2, 6).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(-1000, 1000), min_size=width, max_size=width), min_size=2, max_size=8
    )
)


@given(rows=tables)
def test_weights_sum_to_one_and_no_score_leaves_its_range(rows: list[list[int]]) -> None:
    assume(any(len(set(column)) > 1 for column in zip(*rows, strict=True)))
    weights, scores = entropy_weights(rows, ["benefit"] * len(rows[0]))
    assert abs(sum(weights) - 1) < Decimal("1e-25")
    assert all(Decimal("-1e-25") <= score <= 1 + Decimal("1e-25") for score in scores)


@given(rows=tables)
def test_the_weights_agree_with_floating_point(rows: list[list[int]]) -> None:
    assume(any(len(set(column)) > 1 for column in zip(*rows, strict=True)))
    distances = [_distance(column) for column in zip(*rows, strict=True)]
    weights, _ = entropy_weights(rows, ["benefit"] * len(rows[0]))
    for weight, distance in zip(weights, distances, strict=True):
        assert math.isclose(float(weight), distance / sum(distances), abs_tol=1e-9)


def _distance(column: tuple[int, ...]) -> float:
    low, high = min(column), max(column)
    if low == high:
        return 0.0
    scaled = [(one - low) / (high - low) for one in column]
    shares = [one / sum(scaled) for one in scaled if one]
    return 1 + sum(share * math.log(share) for share in shares) / math.log(len(column))


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([[7]], "valuation.too_few_alternatives"),
        ([], "valuation.too_few_alternatives"),
        ([[7], [7]], "valuation.all_constant"),
        ([[7, 8], [9, 9]], "valuation.input_inconsistent"),
    ],
)
def test_a_table_that_tells_nothing_apart_is_refused(rows: list[list[int]], code: str) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        value("entropy", {"criteria": [{"name": "a", "direction": "benefit"}], "rows": rows})
    assert refused.value.code == code
