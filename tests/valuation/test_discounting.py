"""Discount factors, annuities and the tax amortisation benefit."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation import ValuationRefusedError, annuity, present_value
from dataexchange.valuation.discounting import tax_amortisation_factor, times

CLOSE = Decimal("1e-25")


def test_a_stub_year_moves_every_later_flow_forward() -> None:
    assert times(3, first_fraction="0.5") == [Decimal("0.5"), Decimal("1.5"), Decimal("2.5")]


def test_mid_year_flows_come_in_the_middle_of_their_own_year() -> None:
    mid = times(3, timing="mid", first_fraction="0.5")
    assert mid == [Decimal("0.25"), Decimal(1), Decimal(2)]


def test_the_annuity_is_the_closed_formula() -> None:
    closed = (1 - Decimal("1.12") ** -5) / Decimal("0.12")
    assert abs(annuity("0.12", 5) - closed) < Decimal("1e-25")


def test_an_annuity_after_a_stub_still_pays_for_whole_years() -> None:
    assert annuity(0, 5, first_fraction="0.25") == 5


def test_the_tax_amortisation_factor_of_the_published_royalty_case() -> None:
    factor = tax_amortisation_factor("0.25", "0.12", 5)
    assert round(factor, 6) == Decimal("1.219867")


def test_a_tax_shield_that_never_ends_is_refused() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        tax_amortisation_factor("0.9", "-0.3", 5)
    assert refused.value.code == "valuation.tab_unbounded"


@pytest.mark.parametrize("rate", ["-1", "-1.5", "NaN", 0.1])
def test_a_rate_of_minus_one_or_less_or_no_decimal_is_refused(rate: object) -> None:
    with pytest.raises(ValuationRefusedError):
        present_value([1, 1], rate)  # type: ignore[arg-type]


def test_no_flows_at_all_are_refused() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        present_value([], "0.1")
    assert refused.value.code == "valuation.input_out_of_range"


flows = st.lists(st.integers(0, 10**12), min_size=1, max_size=8)
rates = st.integers(-50, 200).map(lambda percent: Decimal(percent) / 100)


@given(flows=flows, rate=rates)
def test_mid_year_is_worth_half_a_year_of_growth_more(flows: list[int], rate: Decimal) -> None:
    end, mid = present_value(flows, rate), present_value(flows, rate, timing="mid")
    assert abs(mid - end * (1 + rate).sqrt()) <= max(end, Decimal(1)) * Decimal("1e-25")


@given(first=flows, rate=rates)
def test_present_value_is_additive(first: list[int], rate: Decimal) -> None:
    doubled = present_value([2 * flow for flow in first], rate)
    assert abs(doubled - 2 * present_value(first, rate)) <= max(doubled, Decimal(1)) * CLOSE


def test_the_callers_own_context_changes_no_figure() -> None:
    with localcontext() as context:
        context.prec = 6
        coarse = present_value([1000000] * 5, "0.12")
    assert coarse == present_value([1000000] * 5, "0.12")
