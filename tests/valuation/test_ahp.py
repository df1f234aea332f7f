"""AHP weights, reciprocity and consistency."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation import ValuationRefusedError, ahp_weights, consistency, value
from dataexchange.valuation.ahp import RANDOM_INDEX

THREE = [[1, "1/3", 5], [3, 1, 7], ["1/5", "1/7", 1]]
SCALE = [Fraction(1, k) for k in range(9, 1, -1)] + [Fraction(k) for k in range(1, 10)]


@st.composite
def judgements(draw: st.DrawFn) -> list[list[Fraction]]:
    size = draw(st.integers(2, 7))
    rows = [[Fraction(1)] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1, size):
            rows[i][j] = draw(st.sampled_from(SCALE))
            rows[j][i] = 1 / rows[i][j]
    return rows


@given(rows=judgements())
def test_the_eigenvector_is_the_one_that_numpy_finds(rows: list[list[Fraction]]) -> None:
    weights, lambda_max = ahp_weights(rows)
    values, vectors = np.linalg.eig(np.array(rows, dtype=float))
    first = int(np.argmax(values.real))
    vector = np.abs(vectors[:, first].real)
    assert np.allclose([float(w) for w in weights], vector / vector.sum(), atol=1e-12)
    assert abs(float(lambda_max) - values[first].real) < 1e-9


@given(weights=st.lists(st.integers(1, 9), min_size=3, max_size=9))
def test_judgements_that_follow_from_weights_are_perfectly_consistent(weights: list[int]) -> None:
    rows = [[Fraction(a, b) for b in weights] for a in weights]
    found, lambda_max = ahp_weights(rows)
    _, ratio = consistency(lambda_max, len(weights))
    assert abs(ratio) < Decimal("1e-30")
    assert all(abs(w - Decimal(a) / sum(weights)) < Decimal("1e-25")
               for w, a in zip(found, weights, strict=True))  # fmt: skip


def test_the_algorithm_makes_a_difference_and_is_recorded() -> None:
    exact = value("ahp", {"matrix": THREE})
    short = value("ahp", {"matrix": THREE, "algorithm": "column_average"})
    assert (round(exact["cr"], 6), round(short["cr"], 6)) == (
        Decimal("0.055938"),
        Decimal("0.083384"),
    )
    assert "column_average" in short.steps[0].en


def test_a_consistency_ratio_of_exactly_the_limit_is_refused() -> None:
    lambda_max = 3 + 2 * Decimal("0.058")
    assert consistency(lambda_max, 3)[1] == Decimal("0.1")
    cyclic = [[1, 3, "1/3"], ["1/3", 1, 3], [3, "1/3", 1]]
    with pytest.raises(ValuationRefusedError) as refused:
        value("ahp", {"matrix": cyclic})
    assert refused.value.code == "valuation.not_consistent"


@pytest.mark.parametrize(
    "matrix", [[[1, 3], ["1/2", 1]], [[2, 3], ["1/3", 1]], [[1, 2, 3], ["1/2", 1, 1], [1, 1, 1]]]
)
def test_judgements_that_contradict_themselves_are_refused(matrix: list[list[object]]) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        value("ahp", {"matrix": matrix})
    assert refused.value.code == "valuation.not_reciprocal"


def test_three_decimals_for_a_third_are_close_enough() -> None:
    assert value("ahp", {"matrix": [[1, 3], ["0.333", 1]]})["cr"] == 0


def test_a_table_that_is_not_square_is_refused() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        value("ahp", {"matrix": [[1, 3]]})
    assert refused.value.code == "valuation.input_inconsistent"


def test_more_criteria_than_the_random_index_covers_are_refused() -> None:
    size = len(RANDOM_INDEX) + 1
    with pytest.raises(ValuationRefusedError) as refused:
        value("ahp", {"matrix": [[1] * size] * size})
    assert refused.value.code == "valuation.too_many_criteria"
