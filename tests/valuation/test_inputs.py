"""Inputs: paths, bounds, and the card's ranges."""

from decimal import Decimal

import pytest

from dataexchange.valuation.card import Range
from dataexchange.valuation.cost import CostInputs
from dataexchange.valuation.income import IncomeInputs
from dataexchange.valuation.inputs import (
    fault_of,
    leaves,
    read_inputs,
    top_of,
    values_at,
    widest,
)
from dataexchange.valuation.library import value
from dataexchange.valuation.refusal import ValuationRefusedError

GOOD = {"costs": [{"item": "direct", "amount": "1.50"}], "adjustment": 1}


def test_every_leaf_of_a_model_has_a_path() -> None:
    assert set(leaves(CostInputs)) == {
        "costs[].item", "costs[].amount", "costs[].index_then", "costs[].index_now",
        "costs[].incurred_on", "costs[].currency", "costs[].note", "overhead", "profit",
        "wear.used_months", "wear.remaining_months", "adjustment",
    }  # fmt: skip


def test_the_bounds_of_the_code_are_found_behind_optional_and_list() -> None:
    paths = leaves(IncomeInputs)
    assert widest(paths["tax_rate"]) == Range(min=Decimal(0), max=Decimal(1))
    assert widest(paths["rate"]) == Range(above=Decimal(-1))


def test_a_path_finds_every_value_that_it_names() -> None:
    inputs = read_inputs(CostInputs, GOOD)
    assert list(values_at(inputs, "costs[].amount")) == [Decimal("1.50")]
    assert list(values_at(inputs, "wear.used_months")) == []
    assert top_of("costs[].amount") == "costs"


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"adjustment": None}, "input_malformed", "adjustment"),
        ({"adjustment": 0.85}, "input_malformed", "adjustment"),
        ({"adjustment": "NaN"}, "input_malformed", "adjustment"),
        ({"adjustment": "1e30"}, "input_malformed", "adjustment"),
        ({"adjustment": "-1"}, "input_out_of_range", "adjustment"),
        ({"extra": 1}, "input_unknown", "extra"),
        ({"costs": [{"item": "direct"}]}, "input_missing", "costs[0].amount"),
        ({"costs": [{"item": "luck", "amount": 1}]}, "input_out_of_range", "costs[0].item"),
        ({"costs": [{"item": "direct", "amount": True}]}, "input_malformed", "costs[0].amount"),
        ({"wear": {"used_months": "1.5", "remaining_months": 1}}, "input_malformed",
         "wear.used_months"),
        ({"costs": [{"item": "direct", "amount": 1, "incurred_on": 20260630}]},
         "input_malformed", "costs[0].incurred_on"),
    ],
)  # fmt: skip
def test_each_fault_names_its_place_and_its_code(
    change: dict[str, object], code: str, path: str
) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        read_inputs(CostInputs, GOOD | change)
    assert (refused.value.code, refused.value.facts["input"]) == (f"valuation.{code}", path)


def test_amounts_in_another_currency_are_refused_wherever_the_currency_is_written() -> None:
    for amount in ({"amount": 1, "currency": "USD"}, {"amount": 1}):
        with pytest.raises(ValuationRefusedError):
            read_inputs(CostInputs, GOOD | {"costs": [{"item": "direct", "amount": amount}]})
    stated = {"amount": "1.50", "currency": "CNY"}
    inputs = read_inputs(CostInputs, GOOD | {"costs": [{"item": "direct", "amount": stated}]})
    assert inputs.costs[0].amount == Decimal("1.50")


@pytest.mark.parametrize(
    ("value", "limits", "fault"),
    [
        (Decimal(1), Range(min=Decimal(0), max=Decimal(1)), None),
        (Decimal(0), Range(above=Decimal(0)), "> 0"),
        (Decimal(1), Range(below=Decimal(1)), "< 1"),
        (Decimal(2), Range(max=Decimal(1)), "≤ 1"),
        ("x", Range(choices=("y",)), "∈ {y}"),
        (True, Range(max=Decimal(0)), None),
    ],
)
def test_a_range_takes_its_closed_ends_and_not_its_open_ones(
    value: object, limits: Range, fault: str | None
) -> None:
    assert fault_of(value, limits) == fault


def test_a_bound_is_told_as_a_plain_figure() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        value("cost", {"costs": [], "adjustment": "-0.1"})
    assert refused.value.en.endswith("is out of range: ≥ 0")
