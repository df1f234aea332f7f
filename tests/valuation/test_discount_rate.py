"""The discount-rate build-up."""

from decimal import Decimal

import pytest

from dataexchange.valuation import (
    ValuationRefusedError,
    before_tax,
    cost_of_equity,
    intangible_return,
    value,
    wacc,
)


def test_the_build_up_reaches_the_return_on_intangibles() -> None:
    equity = cost_of_equity("0.026", "1.10", equity_risk_premium="0.069", specific_premium="0.03")
    after = wacc(equity, "0.045", equity_weight="0.7", debt_weight="0.3", tax_rate="0.25")
    pretax = before_tax(after, "0.25")
    rest = [("0.2", "0.031"), ("0.3", "0.042")]
    found = intangible_return(pretax, rest, intangible_weight="0.5")
    assert (equity, after) == (Decimal("0.1319"), Decimal("0.102455"))
    assert (round(pretax, 6), round(found, 6)) == (Decimal("0.136607"), Decimal("0.235613"))


def test_weights_may_miss_one_by_a_billionth_and_no_more() -> None:
    wacc("0.1", "0.05", equity_weight="0.7000000009", debt_weight="0.3", tax_rate=0)
    with pytest.raises(ValuationRefusedError) as refused:
        wacc("0.1", "0.05", equity_weight="0.700000002", debt_weight="0.3", tax_rate=0)
    assert refused.value.code == "valuation.weights_not_one"


def test_without_an_intangible_share_no_return_can_be_derived() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        intangible_return("0.13", [(1, "0.04")], intangible_weight=0)
    assert refused.value.code == "valuation.no_intangible_share"


def test_a_tax_that_takes_all_has_no_rate_before_it() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        before_tax("0.1", 1)
    assert refused.value.code == "valuation.tax_takes_all"


def test_a_rate_above_one_half_is_warned_of() -> None:
    inputs = {
        "risk_free": "0.6",
        "beta": 1,
        "equity_risk_premium": "0.07",
        "specific_premium": 0,
        "equity_weight": 1,
        "debt_weight": 0,
        "cost_of_debt": 0,
        "tax_rate": 0,
    }
    codes = {warning.code for warning in value("discount_rate", inputs).warnings}
    assert "valuation.unusual_input" in codes
