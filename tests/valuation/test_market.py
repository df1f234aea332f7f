"""The market method: adjusted comparables and their weights."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation import (
    ValuationRefusedError,
    adjusted_price,
    closeness_weights,
    value,
)


def dataset(*comparables: dict[str, Any]) -> dict[str, Any]:
    return {"datasets": [{"name": "A", "comparables": list(comparables)}]}


def refusal_of(inputs: dict[str, Any]) -> str:
    with pytest.raises(ValuationRefusedError) as refused:
        value("market", inputs)
    return refused.value.code


def test_a_price_is_adjusted_by_five_factors() -> None:
    assert adjusted_price(800000, ["1.05", "0.95", "1.02", "0.90", 1]) == Decimal(732564)


def test_the_closer_deal_weighs_more() -> None:
    nearer, farther = closeness_weights([["1.1"], ["0.7"]])
    assert (round(nearer, 20), round(farther, 20)) == (Decimal("0.75"), Decimal("0.25"))


def test_a_deal_that_is_wholly_alike_takes_all_the_weight() -> None:
    assert closeness_weights([[1, 1], ["1.1", 1]]) == [Decimal(1), Decimal(0)]


factors = st.lists(
    st.integers(50, 200).map(lambda percent: Decimal(percent) / 100), min_size=5, max_size=5
)


@given(rows=st.lists(factors, min_size=1, max_size=6))
def test_weights_always_sum_to_one(rows: list[list[Decimal]]) -> None:
    assert abs(sum(closeness_weights(rows)) - 1) < Decimal("1e-25")


def test_stated_weights_replace_closeness() -> None:
    inputs = dataset(
        {"price": 100, "quality": "1.1", "weight": "0.5"}, {"price": 300, "weight": "0.5"}
    )
    assert value("market", inputs).yuan == "205.00"


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        (dataset(), "valuation.no_comparable"),
        ({"datasets": []}, "valuation.input_out_of_range"),
        (dataset({"price": 100, "quality": 0}), "valuation.input_out_of_range"),
        (dataset({"price": 100, "other": "-1"}), "valuation.input_out_of_range"),
        (dataset({"price": 100, "index_deal": 100}), "valuation.input_inconsistent"),
        (dataset({"price": 1, "period": 1, "index_deal": 1, "index_base": 1}),
         "valuation.input_inconsistent"),
        (dataset({"price": 100, "origin": "ledger"}), "valuation.input_inconsistent"),
        (dataset({"price": 100, "related_parties": True}), "valuation.not_arms_length"),
        (dataset({"price": 1, "weight": "0.5"}, {"price": 1}), "valuation.input_inconsistent"),
        (dataset({"price": {"amount": 100, "currency": "USD"}}), "valuation.mixed_currency"),
    ],
)  # fmt: skip
def test_each_fault_of_the_comparables_has_its_own_refusal(
    inputs: dict[str, Any], code: str
) -> None:
    assert refusal_of(inputs) == code
