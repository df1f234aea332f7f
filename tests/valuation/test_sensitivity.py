"""Tornado bars and two-way tables."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from dataexchange.valuation import (
    Grid,
    Swing,
    ValuationRefusedError,
    find_card,
    tornado,
    two_way,
)
from dataexchange.valuation.evaluation import headline
from dataexchange.valuation.sensitivity import elasticity

CARD = find_card("cost")
INPUTS: dict[str, Any] = {
    "costs": [{"item": "direct", "amount": 1000}],
    "overhead": "0.1",
    "adjustment": "0.5",
}


def ask(inputs: Mapping[str, Any]) -> Decimal:
    return headline(CARD, inputs)


def swing(**given: Any) -> Swing:
    return Swing.model_validate(given)


def test_the_longest_bar_comes_first() -> None:
    swings = [
        swing(input="overhead", low="0", high="0.2"),
        swing(input="adjustment", low="0.4", high="0.6"),
    ]
    bars = tornado(ask, INPUTS, swings)
    assert [(bar.input, bar.value_low, bar.value_high) for bar in bars] == [
        ("adjustment", 440, 660),
        ("overhead", 500, 600),
    ]
    assert (bars[0].base, bars[0].swing) == (550, 220)


def test_a_change_varies_an_input_by_a_share_of_itself() -> None:
    (bar,) = tornado(ask, INPUTS, [swing(input="costs[0].amount", change="0.1")])
    assert (bar.low, bar.value_low, bar.value_high) == ("×0.9", 495, 605)


@pytest.mark.parametrize("given", [{"low": 1}, {"low": 1, "high": 2, "change": "0.1"}, {}])
def test_a_swing_is_either_two_ends_or_a_change(given: dict[str, Any]) -> None:
    with pytest.raises(ValuationRefusedError):
        tornado(ask, INPUTS, [swing(input="overhead", **given)])


def test_a_table_applies_the_card_in_every_cell() -> None:
    grid = Grid.model_validate(
        {
            "rows": {"input": "adjustment", "values": ["0.5", "1"]},
            "columns": {"input": "overhead", "values": [0, "0.1", "0.2"]},
        }
    )
    assert two_way(ask, INPUTS, grid).cells == ((500, 550, 600), (1000, 1100, 1200))


def test_varying_an_input_out_of_its_range_is_refused() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        tornado(ask, INPUTS, [swing(input="adjustment", low="-0.1", high=1)])
    assert refused.value.code == "valuation.input_out_of_range"


def test_a_value_in_proportion_to_an_input_has_an_elasticity_of_one() -> None:
    assert elasticity(ask, INPUTS, "adjustment", by="0.01") == 1
    with pytest.raises(ValueError, match="elasticity"):
        elasticity(ask, INPUTS, "adjustment", by=0)
