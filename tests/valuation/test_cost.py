"""The cost method: replacement cost, depreciation, adjustment."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation.cost import cost_value, depreciation, replacement_cost
from dataexchange.valuation.library import value
from dataexchange.valuation.refusal import ValuationRefusedError

FOUR = [
    {"item": "preliminary", "amount": "150000"},
    {"item": "direct", "amount": "700000"},
    {"item": "indirect", "amount": "200000"},
    {"item": "opportunity", "amount": "150000"},
]


def test_four_classes_of_cost_times_the_coefficient_give_the_value() -> None:
    result = value("cost", {"costs": FOUR, "adjustment": "0.85"})
    assert (result.yuan, result.fen) == ("1020000.00", 102000000)


def test_an_indexed_and_partly_used_asset_is_worth_its_remaining_share() -> None:
    inputs = {
        "costs": [{"item": "direct", "amount": 2000000, "index_then": 100, "index_now": 106}],
        "wear": {"used_months": 18, "remaining_months": 42},
        "adjustment": "0.92",
    }
    assert value("cost", inputs).yuan == "1365280.00"


def test_the_functions_can_be_called_without_a_card() -> None:
    replacement = replacement_cost([(2000000, 100, 106)])
    assert replacement == 2120000
    assert cost_value(replacement, adjustment="0.92", depreciated=depreciation(18, 42)) == Decimal(
        1365280
    )


def test_a_coefficient_above_one_is_warned_of_and_not_refused() -> None:
    result = value("cost", {"costs": FOUR, "adjustment": "1.5"})
    assert "valuation.unusual_input" in {warning.code for warning in result.warnings}


@pytest.mark.parametrize("costs", [[], [{"item": "direct", "amount": 0}]])
def test_without_evidence_of_cost_the_method_is_refused(costs: list[dict[str, object]]) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        value("cost", {"costs": costs, "adjustment": "0.85"})
    assert refused.value.code == "valuation.no_cost_evidence"
    assert "17号" in refused.value.clause


def test_a_life_of_no_months_at_all_is_refused() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        depreciation(0, 0)
    assert refused.value.code == "valuation.no_life"


@given(amount=st.integers(0, 10**12), used=st.integers(0, 600), remaining=st.integers(1, 600))
def test_wear_never_raises_the_value(amount: int, used: int, remaining: int) -> None:
    new = cost_value(amount, adjustment=1)
    worn = cost_value(amount, adjustment=1, depreciated=depreciation(used, remaining))
    assert 0 <= worn <= new
