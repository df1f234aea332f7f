"""Real options: published values, put–call parity, early exercise, and the tree as a check."""

from dataclasses import replace
from decimal import Decimal
from statistics import NormalDist

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dataexchange.valuation.arithmetic import round_yuan
from dataexchange.valuation.library import value
from dataexchange.valuation.option import (
    Option,
    OptionKind,
    binomial_tree,
    black_scholes,
    normal_cdf,
    steps_needed,
)
from dataexchange.valuation.refusal import ValuationRefusedError
from dataexchange.valuation.result import Valuation


def option(*terms: str, kind: OptionKind = OptionKind.CALL, leakage: str = "0") -> Option:
    worth, strike, rate, volatility, years = map(Decimal, terms)
    return Option(worth, strike, rate, volatility, years, Decimal(leakage), kind)


HULL = ("42", "40", "0.10", "0.20", "0.5")
PLATFORM = ("6000000", "8000000", "0.025", "0.45", "3")


@st.composite
def options(draw: st.DrawFn) -> Option:
    def cents(low: int, high: int) -> st.SearchStrategy[Decimal]:
        return st.integers(low, high).map(lambda hundredths: Decimal(hundredths) / 100)

    return Option(
        draw(cents(100, 100_000)),
        draw(cents(100, 100_000)),
        draw(cents(0, 10)),
        draw(cents(15, 90)),
        draw(cents(25, 500)),
        draw(cents(0, 10)),
        draw(st.sampled_from(OptionKind)),
    )


def test_the_textbook_call_has_the_textbook_value() -> None:
    assert abs(black_scholes(option(*HULL)) - Decimal("4.7594")) < Decimal("0.00005")


def test_the_textbook_put_has_the_textbook_value() -> None:
    value = black_scholes(option(*HULL, kind=OptionKind.PUT))
    assert abs(value - Decimal("0.8086")) < Decimal("0.00005")


def test_the_option_to_expand_a_platform_is_worth_as_worked_out() -> None:
    assert round_yuan(black_scholes(option(*PLATFORM))) == Decimal("1395357.44")


def test_a_tree_of_three_steps_is_worth_as_worked_out() -> None:
    assert round_yuan(binomial_tree(option(*PLATFORM), 3)) == Decimal("1412863.33")


def test_the_tree_comes_near_the_formula_as_its_steps_grow() -> None:
    exact = black_scholes(option(*PLATFORM))
    # Odd and even trees err to either side, so the mean of two neighbours is compared.
    trees = [[binomial_tree(option(*PLATFORM), n) for n in (n, n + 1)] for n in (5, 50, 300)]
    gaps = [abs((odd + even) / 2 - exact) / exact for odd, even in trees]
    assert gaps[0] > gaps[1] > gaps[2]
    assert gaps[2] < Decimal("0.0005")


@given(options())
def test_a_call_less_a_put_is_worth_less_strike_discounted(found: Option) -> None:
    call, put = replace(found, kind=OptionKind.CALL), replace(found, kind=OptionKind.PUT)
    worth = found.worth * (-found.leakage * found.years).exp()
    strike = found.strike * (-found.rate * found.years).exp()
    parity = black_scholes(call) - black_scholes(put) - (worth - strike)
    assert abs(parity) < Decimal("1e-20")


@given(options(), st.integers(1, 10**6))
def test_the_value_scales_with_the_unit_of_money(found: Option, unit: int) -> None:
    scaled = replace(found, worth=found.worth * unit, strike=found.strike * unit)
    gap = black_scholes(scaled) - unit * black_scholes(found)
    assert abs(gap) < Decimal("1e-20") * unit


@settings(max_examples=30)
@given(options())
def test_the_right_to_exercise_early_is_never_worth_less(found: Option) -> None:
    european = binomial_tree(found, 25)
    american = binomial_tree(found, 25, early=True)
    assert american >= european - Decimal("1e-20")
    assert american >= found.payoff(found.worth) - Decimal("1e-20")


def test_an_american_put_is_worth_more_and_a_call_without_leakage_the_same() -> None:
    put = option("50", "50", "0.10", "0.40", "0.4167", kind=OptionKind.PUT)
    # Hull, Options, Futures and Other Derivatives: five steps, American put, 4.49 (from knowledge).
    assert abs(binomial_tree(put, 5, early=True) - Decimal("4.49")) < Decimal("0.005")
    assert binomial_tree(put, 5, early=True) > binomial_tree(put, 5)
    call = option(*PLATFORM)
    assert abs(binomial_tree(call, 50, early=True) - binomial_tree(call, 50)) < Decimal("1e-30")


def test_leakage_lowers_a_call_and_raises_a_put() -> None:
    for kind, sign in [(OptionKind.CALL, -1), (OptionKind.PUT, 1)]:
        dry, leaking = (option(*PLATFORM, kind=kind, leakage=q) for q in ("0", "0.05"))
        assert sign * (black_scholes(leaking) - black_scholes(dry)) > 0


@given(st.integers(-9_000, 9_000).map(lambda thousandths: Decimal(thousandths) / 1000))
def test_the_normal_distribution_agrees_with_the_standard_library(x: Decimal) -> None:
    assert abs(float(normal_cdf(x)) - NormalDist().cdf(float(x))) < 1e-15
    assert abs(normal_cdf(x) + normal_cdf(-x) - 1) < Decimal("1e-30")


@pytest.mark.parametrize("index", [0, 1, 3, 4])
def test_without_worth_strike_risk_or_term_there_is_no_option(index: int) -> None:
    terms = [*HULL]
    terms[index] = "0"
    with pytest.raises(ValuationRefusedError) as refused:
        option(*terms)
    assert refused.value.code == "valuation.option_without_risk"


def test_a_tree_too_coarse_for_its_risk_is_refused() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        binomial_tree(option("100", "100", "0.5", "0.05", "1"), 1)
    assert refused.value.code == "valuation.tree_too_coarse"


@pytest.mark.parametrize("steps", [0, 2001])
def test_a_tree_without_steps_or_with_too_many_is_an_error(steps: int) -> None:
    with pytest.raises(ValueError, match="steps"):
        binomial_tree(option(*HULL), steps)


def test_the_card_never_values_a_right_of_early_exercise_below_the_formula() -> None:
    names = ("worth", "strike", "rate", "volatility", "years")
    inputs = dict(zip(names, PLATFORM, strict=True))
    european, american = (value("option", {**inputs, "style": s}) for s in ("european", "american"))
    assert european.yuan == "1395357.44"
    assert Decimal(american.yuan) >= Decimal(european.yuan)


def valued(**terms: str) -> Valuation:
    return value("option", {"worth": "42", "strike": "40", "rate": "0.1", "years": "0.5", **terms})


def test_a_low_volatility_takes_as_many_steps_as_its_tree_needs() -> None:
    result = valued(volatility="0.004")
    assert abs(result["tree"] - result["value"]) < Decimal("0.001")
    assert steps_needed(option("42", "40", "0.1", "0.004", "0.5")) > 300


def test_where_no_tree_can_check_it_a_european_option_is_valued_with_a_warning() -> None:
    result = valued(volatility="0.001")
    # Without risk the right is worth S − K·e^(−rT).
    assert result.yuan == "3.95"
    assert "valuation.tree_left_out" in {warning.code for warning in result.warnings}
    with pytest.raises(ValuationRefusedError) as refused:
        valued(volatility="0.001", style="american")
    assert refused.value.code == "valuation.tree_too_coarse"
