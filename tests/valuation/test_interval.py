"""P10, P50 and P90 of a card's headline."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from dataexchange.valuation import Drawing, ValuationRefusedError, draw_interval, find_card
from dataexchange.valuation.distribution import Triangular
from dataexchange.valuation.evaluation import headline

CARD = find_card("income")
ANNUITY: dict[str, Any] = {
    "approach": "direct",
    "years": 5,
    "rate": "0.12",
    "revenue": {"constant": 1000000},
    "flow_basis": "post_tax",
}


def ask(inputs: Mapping[str, Any]) -> Decimal:
    return headline(CARD, inputs)


def drawing(**given: Any) -> Drawing:
    shape = {"input": "revenue.constant", "low": 800000, "mode": 1000000, "high": 1500000}
    return Drawing.model_validate({"seed": 11, "draws": 2000, "inputs": [shape]} | given)


def test_the_interval_of_an_uncertain_annuity_is_the_exact_one_within_its_error() -> None:
    found = draw_interval(ask, ANNUITY, drawing())
    assert abs(found.mean - Decimal("3965253.82")) <= 4 * found.standard_error
    exact = [Decimal(x) for x in ("3310343.83", "3899178.23", "4732772.43")]
    for simulated, meant in zip((found.p10, found.p50, found.p90), exact, strict=True):
        assert abs(simulated / meant - 1) < Decimal("0.02")


def test_the_exact_quantiles_are_those_of_the_worked_case() -> None:
    shape = Triangular(Decimal(800000), Decimal(1000000), Decimal(1500000))
    factor = ask(ANNUITY) / 1000000
    shown = [round(shape.quantile(Decimal(p)) * factor, 2) for p in ("0.1", "0.5", "0.9")]
    assert [str(one) for one in shown] == ["3310343.83", "3899178.23", "4732772.43"]


def test_the_same_seed_draws_the_same_interval_and_another_another() -> None:
    few, other = drawing(draws=50), drawing(draws=50, seed=12)
    assert draw_interval(ask, ANNUITY, few) == draw_interval(ask, ANNUITY, few)
    assert draw_interval(ask, ANNUITY, few) != draw_interval(ask, ANNUITY, other)


def test_a_relative_uncertainty_multiplies_what_is_written() -> None:
    shape = {"input": "revenue", "low": "0.8", "mode": 1, "high": "1.5", "relative": True}
    relative = draw_interval(ask, ANNUITY, drawing(draws=50, inputs=[shape]))
    absolute = draw_interval(ask, ANNUITY, drawing(draws=50))
    assert abs(relative.p50 / absolute.p50 - 1) < Decimal("1e-12")


@pytest.mark.parametrize(
    "given",
    [
        {"draws": 1},
        {"inputs": [{"input": "rate", "low": 2, "mode": 1, "high": 3}]},
        {"inputs": [{"input": "rate", "low": 1, "mode": 1, "high": 1}]},
        {"inputs": [{"input": "luck[0]", "low": 1, "mode": 1, "high": 2}]},
    ],
    ids=["one draw", "corners out of order", "no spread", "no such input"],
)
def test_an_interval_that_cannot_be_drawn_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValuationRefusedError):
        draw_interval(ask, ANNUITY, drawing(**given))
