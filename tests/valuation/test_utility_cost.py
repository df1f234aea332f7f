"""The utility cost method: total cost times four coefficients."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation import ValuationRefusedError, utility, value

INPUTS = {
    "total_cost": 5000000,
    "quality": "0.9",
    "circulation": "1.1",
    "monopoly": "0.2",
    "risk": "0.15",
}


def test_the_value_is_the_total_cost_times_the_utility() -> None:
    result = value("utility_cost", INPUTS)
    assert (result.yuan, str(result["utility"])) == ("5049000.00", "1.0098")


def test_a_utility_above_one_is_warned_of() -> None:
    codes = {warning.code for warning in value("utility_cost", INPUTS).warnings}
    assert "valuation.utility_above_one" in codes


@pytest.mark.parametrize(
    ("name", "given"), [("quality", "1.01"), ("monopoly", "-0.1"), ("risk", "2"), ("risk", "NaN")]
)
def test_a_coefficient_outside_its_range_is_refused_with_and_without_a_card(
    name: str, given: str
) -> None:
    coefficients = {key: INPUTS[key] for key in ("quality", "circulation", "monopoly", "risk")}
    for refuse in (
        lambda: value("utility_cost", INPUTS | {name: given}),
        lambda: utility(**(coefficients | {name: given})),  # type: ignore[arg-type]
    ):
        with pytest.raises(ValuationRefusedError) as refused:
            refuse()
        assert refused.value.code in {"valuation.input_out_of_range", "valuation.input_malformed"}


@given(risk=st.decimals(0, 1, places=4))
def test_more_risk_never_raises_the_utility(risk: object) -> None:
    calm = utility(quality=1, circulation=1, monopoly=0, risk=0)
    assert utility(quality=1, circulation=1, monopoly=0, risk=str(risk)) <= calm
