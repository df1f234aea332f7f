"""The income method in its four approaches."""

from decimal import Decimal
from typing import Any

import pytest

from dataexchange.valuation import (
    ValuationRefusedError,
    excess_flows,
    incremental_flows,
    present_value,
    share_flows,
    value,
)

ROYALTY: dict[str, Any] = {
    "approach": "share",
    "years": 5,
    "rate": "0.12",
    "revenue": [1000000, 1100000, 1200000, 1300000, 1400000],
    "share": "0.05",
    "tax_rate": "0.25",
    "flow_basis": "pre_tax",
    "amortisation_years": 5,
}
DIRECT: dict[str, Any] = {
    "approach": "direct",
    "years": 3,
    "rate": "0.1",
    "revenue": 100000,
    "flow_basis": "post_tax",
}


def refusal_of(inputs: dict[str, Any]) -> str:
    with pytest.raises(ValuationRefusedError) as refused:
        value("income", inputs)
    return refused.value.code


@pytest.mark.parametrize(("timing", "worth"), [("end", "194163.76"), ("mid", "208151.78")])
def test_relief_from_royalty_with_its_tax_shield(timing: str, worth: str) -> None:
    assert value("income", ROYALTY | {"timing": timing}).yuan == worth


def test_the_same_royalty_by_formula_alone() -> None:
    flows = share_flows(ROYALTY["revenue"], ["0.05"] * 5, tax_rate="0.25")
    assert round(present_value(flows, "0.12"), 2) == Decimal("159167.92")


def test_the_tax_life_may_be_longer_than_the_forecast() -> None:
    longer = value("income", ROYALTY | {"amortisation_years": 10})
    assert Decimal(1) < longer["tab"] < value("income", ROYALTY)["tab"]


def test_post_tax_charges_are_taken_after_the_tax() -> None:
    before = excess_flows([100], [20], tax_rate="0.25")
    after = excess_flows([100], [20], tax_rate="0.25", charges_basis="post_tax")
    assert (before, after) == ([Decimal(60)], [Decimal(55)])


def test_survival_acts_on_revenue_and_leaves_the_charges_whole() -> None:
    inputs = {
        "approach": "excess",
        "years": 1,
        "rate": 0,
        "revenue": 100,
        "survival": "0.5",
        "charges": [{"name": "workforce", "amounts": 20}],
        "charges_basis": "post_tax",
        "flow_basis": "post_tax",
    }
    assert value("income", inputs).yuan == "30.00"


def test_incremental_income_is_the_difference_that_the_data_makes() -> None:
    assert incremental_flows([130, 140], [100, 100]) == [Decimal(30), Decimal(40)]


def test_a_growing_row_is_the_row_written_out() -> None:
    grown = value("income", DIRECT | {"revenue": {"first": 100, "growth": "0.1"}, "years": 3})
    written = value("income", DIRECT | {"revenue": [100, 110, 121]})
    assert grown["value"] == written["value"]


def test_a_pre_tax_rate_fits_pre_tax_flows_without_taxing_them() -> None:
    pretax = DIRECT | {"rate_basis": "pre_tax", "flow_basis": "pre_tax", "tax_rate": "0.25"}
    assert value("income", pretax)["value"] == value("income", DIRECT)["value"]


def test_a_pre_tax_rate_on_post_tax_flows_is_refused() -> None:
    assert refusal_of(DIRECT | {"rate_basis": "pre_tax"}) == "valuation.tax_basis_mismatch"


def test_pre_tax_flows_under_a_post_tax_rate_need_the_tax_rate() -> None:
    assert refusal_of(DIRECT | {"flow_basis": "pre_tax"}) == "valuation.tax_basis_mismatch"


def test_a_tax_shield_on_a_pre_tax_rate_is_refused() -> None:
    inputs = ROYALTY | {"rate_basis": "pre_tax"}
    assert refusal_of(inputs) == "valuation.tax_basis_mismatch"


@pytest.mark.parametrize("change", [{"rate": -1}, {"rate": "-1.2"}, {"years": 0}, {"years": -3}])
def test_a_rate_of_minus_one_and_a_forecast_of_no_years_are_refused(change: dict[str, Any]) -> None:
    assert refusal_of(DIRECT | change) == "valuation.input_out_of_range"


def test_a_forecast_beyond_the_remaining_life_is_refused_and_a_stub_counts_as_its_fraction() -> (
    None
):
    assert refusal_of(DIRECT | {"life_years": "2.5"}) == "valuation.period_beyond_life"
    fitting = DIRECT | {"life_years": "2.5", "first_fraction": "0.5"}
    assert Decimal(value("income", fitting).yuan) > 0


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"approach": "share"}, "valuation.input_missing"),
        ({"share": "0.1"}, "valuation.input_unknown"),
        ({"approach": "share", "share": "1.1"}, "valuation.input_out_of_range"),
        ({"revenue": [1, 2]}, "valuation.input_inconsistent"),
        ({"revenue": [1, -2, 3]}, "valuation.input_out_of_range"),
        ({"rate": 0.1}, "valuation.input_malformed"),
        ({"rate": "NaN"}, "valuation.input_malformed"),
        ({"currency": "USD"}, "valuation.mixed_currency"),
        ({"approach": "share", "share": {"first": "0.9", "growth": "0.2"}},
         "valuation.input_out_of_range"),
    ],
)  # fmt: skip
def test_each_fault_of_the_inputs_has_its_own_refusal(change: dict[str, Any], code: str) -> None:
    assert refusal_of(DIRECT | change) == code


def test_a_negative_year_is_warned_of() -> None:
    inputs = {
        "approach": "incremental",
        "years": 2,
        "rate": "0.1",
        "revenue": [90, 200],
        "without": 100,
        "flow_basis": "post_tax",
    }
    codes = {warning.code for warning in value("income", inputs).warnings}
    assert "valuation.negative_flow" in codes


@pytest.mark.parametrize(
    "revenue",
    [
        {"amount": "100", "currency": "USD"},
        [{"amount": "100", "currency": "USD"}],
        {"first": {"amount": "100", "currency": "USD"}, "growth": "0"},
    ],
)
def test_a_row_in_another_currency_is_refused_as_mixed(revenue: Any) -> None:
    document = {"approach": "direct", "years": 1, "rate": "0.1", "revenue": revenue}
    with pytest.raises(ValuationRefusedError) as refused:
        value("income", document)
    assert refused.value.code == "valuation.mixed_currency"


def test_a_row_may_name_its_currency() -> None:
    revenue = {"amount": "110", "currency": "CNY"}
    document = {"approach": "direct", "years": 1, "rate": "0.1", "revenue": revenue}
    assert value("income", document).yuan == "100.00"
