"""Reconciliation of methods."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation import ValuationRefusedError, reconciled_value, spread, value

COST = {"approach": "cost", "method": "cost", "value": 1000000, "weight": "0.4", "reason": "audit"}
INCOME = COST | {"approach": "income", "method": "income", "value": 1400000, "weight": "0.6"}
REJECTED = [{"approach": "income", "reason": "a"}, {"approach": "market", "reason": "b"}]


def refusal_of(inputs: dict[str, Any]) -> str:
    with pytest.raises(ValuationRefusedError) as refused:
        value("reconciliation", inputs)
    return refused.value.code


def test_two_methods_are_weighted_and_their_range_is_shown() -> None:
    result = value("reconciliation", {"results": [COST, INCOME]})
    shown = [result.figure(name).shown[0] for name in ("value", "low", "high", "spread")]
    assert shown == ["1240000.00", "1000000.00", "1400000.00", "0.400000"]


def test_one_method_is_refused_where_two_apply() -> None:
    alone = COST | {"weight": 1}
    assert refusal_of({"results": [alone]}) == "valuation.one_method"
    assert refusal_of({"results": [alone], "rejected": REJECTED}) == "valuation.one_method"
    assert refusal_of({"results": [alone], "only_method_norm": "x"}) == "valuation.one_method"


def test_one_method_passes_with_its_norm_and_the_reasons_against_the_others() -> None:
    inputs = {
        "results": [COST | {"weight": 1}],
        "rejected": REJECTED,
        "only_method_norm": "norm and clause",
    }
    assert value("reconciliation", inputs).yuan == "1000000.00"


def test_a_second_method_of_no_weight_does_not_count() -> None:
    results = [COST | {"weight": 1}, INCOME | {"weight": 0}]
    assert refusal_of({"results": results}) == "valuation.one_method"


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([COST, INCOME | {"weight": "0.5"}], "valuation.weights_not_one"),
        ([COST, INCOME | {"reason": " "}], "valuation.input_out_of_range"),
        ([COST, INCOME | {"value": 1500001}], "valuation.range_unexplained"),
        ([COST, INCOME | {"method": "cost"}], "valuation.input_inconsistent"),
        ([COST | {"value": 0}, INCOME], "valuation.range_unexplained"),
        ([COST, INCOME | {"currency": "USD"}], "valuation.mixed_currency"),
        ([COST, INCOME | {"value": "-1"}], "valuation.input_out_of_range"),
    ],
)
def test_each_fault_of_the_results_has_its_own_refusal(
    results: list[dict[str, Any]], code: str
) -> None:
    assert refusal_of({"results": results}) == code


def test_a_wide_range_passes_once_it_is_explained() -> None:
    results = [COST, INCOME | {"value": 9000000}]
    explained = {"results": results, "difference_explained": "the cost misses the network effect"}
    assert value("reconciliation", explained).yuan == "5800000.00"


@given(values=st.lists(st.integers(0, 10**12), min_size=1, max_size=6))
def test_the_conclusion_lies_within_the_range_of_the_methods(values: list[int]) -> None:
    weights = [Decimal(1) / len(values)] * len(values)
    conclusion = reconciled_value(values, weights)
    speck = Decimal("1e-12")
    assert min(values) - speck <= conclusion <= max(values) + speck


def test_the_spread_is_measured_on_the_lowest() -> None:
    assert spread([100, 150]) == Decimal("0.5")
