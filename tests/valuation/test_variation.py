"""Varying one input of a document."""

from decimal import Decimal
from typing import Any

import pytest

from dataexchange.valuation import ValuationRefusedError
from dataexchange.valuation.variation import figure_at, scaled, with_value

INPUTS: dict[str, Any] = {
    "rate": "0.1",
    "costs": [{"item": "direct", "amount": 100}, {"item": "tax", "amount": 50}],
    "revenue": {"first": 10, "growth": "0.5"},
    "row": [1, 2],
}


def test_a_figure_is_set_without_touching_the_original() -> None:
    changed = with_value(INPUTS, "costs[1].amount", "7")
    assert (changed["costs"][1]["amount"], INPUTS["costs"][1]["amount"]) == ("7", 50)
    assert with_value(INPUTS, "overhead", 1)["overhead"] == "1"


def test_scaling_takes_a_figure_a_row_every_member_or_a_growing_row() -> None:
    assert scaled(INPUTS, "rate", "1.1")["rate"] == "0.11"
    assert scaled(INPUTS, "row", 2)["row"] == ["2", "4"]
    assert [one["amount"] for one in scaled(INPUTS, "costs[].amount", 2)["costs"]] == ["200", "100"]
    assert scaled(INPUTS, "revenue", 2)["revenue"] == {"first": "20", "growth": "0.5"}


@pytest.mark.parametrize("path", ["luck", "costs", "costs[0].item", "costs[9].amount", "rate.x"])
def test_what_is_no_figure_cannot_be_scaled(path: str) -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        scaled(INPUTS, path, 2)
    assert refused.value.code in {"valuation.input_missing", "valuation.input_malformed"}


def test_a_figure_is_read_where_it_stands() -> None:
    assert figure_at(INPUTS, "costs[0].amount") == Decimal(100)
    with pytest.raises(ValuationRefusedError):
        figure_at(INPUTS, "costs[5].amount")
