"""Ceilings are never passed by rounding, and a cure truly cures, with not a fen to spare."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.guarantee.loan_to_value import (
    MarginTerms,
    check_secured_sum,
    collateral_value_fen,
    expected_credit_loss_fen,
    interval_haircut,
    loan_to_value,
    margin_call,
    prepay_fen,
    secured_ceiling_fen,
    top_up_fen,
)
from dataexchange.rules.refusal import RefusedError

HALF = Decimal("0.5")
loans = st.integers(0, 10**13)
values = st.integers(1, 10**13)
ratios = st.integers(1, 10_000).map(lambda basis_points: Decimal(basis_points) / 10_000)


def test_a_fall_of_value_calls_for_the_worked_cures() -> None:
    call = margin_call(
        500_000_000, 760_000_000, value_at_draw_fen=1_000_000_000, terms=MarginTerms()
    )
    assert call is not None
    assert abs(call.ltv - Fraction("0.657895")) < Fraction(1, 10**6)
    assert (call.top_up_fen, call.prepay_fen) == (240_000_000, 120_000_000)
    assert call.over_ltv
    assert call.over_fall


def test_a_fall_of_twenty_percent_calls_even_where_the_ratio_holds() -> None:
    terms = MarginTerms()
    call = margin_call(100, 800, value_at_draw_fen=1000, terms=terms)
    assert call is not None
    assert (call.over_ltv, call.over_fall, call.top_up_fen) == (False, True, 0)
    assert margin_call(100, 801, value_at_draw_fen=1000, terms=terms) is None


def test_a_ratio_at_its_ceiling_and_a_loan_repaid_call_for_nothing() -> None:
    assert margin_call(50, 100, value_at_draw_fen=100, terms=MarginTerms()) is None
    assert margin_call(0, 1, value_at_draw_fen=100, terms=MarginTerms()) is None


@given(loans, values, ratios)
def test_a_top_up_cures_and_one_fen_less_does_not(loan: int, value: int, ltv_max: Decimal) -> None:
    added = top_up_fen(loan, value, ltv_max)
    assert loan_to_value(loan, value + added) <= Fraction(ltv_max)
    assert added == 0 or loan_to_value(loan, max(1, value + added - 1)) > Fraction(ltv_max)


@given(loans, values, ratios)
def test_a_prepayment_cures_and_one_fen_less_does_not(
    loan: int, value: int, ltv_max: Decimal
) -> None:
    repaid = prepay_fen(loan, value, ltv_max)
    assert loan_to_value(loan - repaid, value) <= Fraction(ltv_max)
    assert repaid == 0 or loan_to_value(loan - repaid + 1, value) > Fraction(ltv_max)


@given(values, ratios)
def test_the_ceiling_passes_and_one_fen_more_is_refused_with_both_cures(
    value: int, ltv_max: Decimal
) -> None:
    ceiling = secured_ceiling_fen(value, ltv_max)
    check_secured_sum(ceiling, value, ltv_max)
    with pytest.raises(RefusedError) as refused:
        check_secured_sum(ceiling + 1, value, ltv_max)
    assert refused.value.code == "pledge.ltv_exceeded"
    facts = refused.value.facts
    assert facts["prepay_fen"] == 1
    assert str(facts["top_up_fen"]) in refused.value.remedy_en


def test_three_haircuts_come_off_once_each() -> None:
    kept_fen = collateral_value_fen(
        1_000_000_000,
        haircut=Decimal("0.25"),
        currency_haircut=Decimal("0.08"),
        additional_haircut=Decimal("0.05"),
    )
    assert kept_fen == 620_000_000


def test_haircuts_beyond_the_whole_leave_nothing() -> None:
    assert collateral_value_fen(100, haircut=HALF, additional_haircut=Decimal("0.6")) == 0


def test_the_expected_loss_is_as_worked_out() -> None:
    loss_fen = expected_credit_loss_fen(500_000_000, pd=Decimal("0.04"), lgd=Decimal("0.55"))
    assert loss_fen == 11_000_000


def test_a_wide_interval_asks_for_a_deep_haircut() -> None:
    assert interval_haircut(1000, 750) == Fraction(1, 4)
    assert interval_haircut(1000, 1100) == 0


@given(values, ratios, st.integers(1, 10**4))
def test_the_ceiling_never_falls_as_the_value_rises(
    value: int, ltv_max: Decimal, more: int
) -> None:
    assert secured_ceiling_fen(value + more, ltv_max) >= secured_ceiling_fen(value, ltv_max)


def test_ratios_out_of_range_and_worthless_assets_are_refused() -> None:
    with pytest.raises(RefusedError, match="between 0 and 1"):
        secured_ceiling_fen(100, Decimal("1.01"))
    with pytest.raises(RefusedError, match="between 0 and 1"):
        collateral_value_fen(100, haircut=Decimal("-0.1"))
    with pytest.raises(RefusedError, match="above zero"):
        loan_to_value(1, 0)
    with pytest.raises(RefusedError, match="0 or more"):
        secured_ceiling_fen(-1, HALF)
    with pytest.raises(RefusedError, match="a value is above zero"):
        interval_haircut(0, 0)
    with pytest.raises(RefusedError, match="at the draw"):
        margin_call(1, 1, value_at_draw_fen=0, terms=MarginTerms())
    with pytest.raises(RefusedError, match="none is allowed"):
        top_up_fen(1, 1, 0)
