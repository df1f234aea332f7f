"""The fee ceiling of authorised public data."""

import pytest

from dataexchange.valuation import ValuationRefusedError, public_data_fee_cap, value

INPUTS = {
    "use": "commercial",
    "operating_cost": 12000000,
    "subsidy": 2000000,
    "allowed_profit": 600000,
    "profit_basis": "decision of the pricing authority",
    "tax": 636000,
}


def test_the_ceiling_is_borne_cost_plus_profit_and_tax() -> None:
    assert value("public_data_fee", INPUTS).fen == 1_123_600_000


def test_public_welfare_use_is_free_whatever_it_costs() -> None:
    assert value("public_data_fee", INPUTS | {"use": "public_welfare"}).fen == 0


def test_an_earlier_excess_is_given_back_down_to_nothing() -> None:
    given_back = public_data_fee_cap(100, allowed_profit=10, tax=5, prior_excess=20)
    eaten_up = public_data_fee_cap(100, allowed_profit=10, tax=5, prior_excess=500)
    assert (given_back, eaten_up) == (95, 0)


def test_a_profit_without_its_legal_basis_is_refused() -> None:
    without = {name: given for name, given in INPUTS.items() if name != "profit_basis"}
    with pytest.raises(ValuationRefusedError) as refused:
        value("public_data_fee", without)
    assert refused.value.code == "valuation.input_missing"


def test_a_subsidy_above_the_cost_is_refused() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        public_data_fee_cap(100, subsidy=101, allowed_profit=0, tax=0)
    assert refused.value.code == "valuation.subsidy_above_cost"
