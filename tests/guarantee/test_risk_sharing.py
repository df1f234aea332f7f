"""Losses split without residual; agreed values keep to the interval, recourse to what was paid."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.guarantee.risk_sharing import (
    Interval,
    LinkedLoan,
    check_agreed_value,
    check_recourse,
    linked_return_fen,
    negotiated_value_fen,
    share_default_fen,
)
from dataexchange.rules.refusal import RefusedError
from dataexchange.valuation.option import Option, black_scholes

EIGHTY = {"guarantor": Decimal("0.8"), "bank": Decimal("0.2")}
RANGE = Interval(750_000_000, 1_020_000_000)
# At the money, three years: the option of 41.6642% in the worked loan.
WARRANT = Option(Decimal(1), Decimal(1), Decimal("0.022"), Decimal("0.60"), Decimal(3))


def test_the_guarantor_bears_and_recovers_its_share() -> None:
    assert share_default_fen(600_000_000, EIGHTY) == {
        "guarantor": 480_000_000,
        "bank": 120_000_000,
    }
    assert share_default_fen(240_000_000, EIGHTY) == {"guarantor": 192_000_000, "bank": 48_000_000}


@given(st.integers(0, 10**15), st.lists(st.integers(1, 97), min_size=1, max_size=5))
def test_shared_losses_leave_no_residual(default_fen: int, parts: list[int]) -> None:
    shares = {str(index): Fraction(part, sum(parts)) for index, part in enumerate(parts)}
    assert sum(share_default_fen(default_fen, shares).values()) == default_fen


def test_shares_that_do_not_sum_to_one_are_refused() -> None:
    with pytest.raises(RefusedError) as refused:
        share_default_fen(100, {"guarantor": Decimal("0.8"), "bank": Decimal("0.1")})
    assert refused.value.code == "guarantee.shares_not_one"


def test_recourse_reaches_what_was_paid_and_no_further() -> None:
    check_recourse(60, paid_fen=100, recovered_fen=40)
    with pytest.raises(RefusedError) as refused:
        check_recourse(61, paid_fen=100, recovered_fen=40)
    assert refused.value.code == "guarantee.recourse_exceeded"
    assert "60" in refused.value.remedy_zh


def test_a_negotiated_value_weighs_both_sides_as_worked_out() -> None:
    value_fen = negotiated_value_fen(
        720_000_000, 900_000_000, bank_weight=Decimal("0.6"), interval=RANGE
    )
    assert value_fen == 792_000_000


@given(
    st.integers(0, 10**11),
    st.integers(0, 10**11),
    st.integers(0, 100).map(lambda percent: Decimal(percent) / 100),
)
def test_a_negotiated_value_never_leaves_the_interval(
    bank: int, pledgor: int, weight: Decimal
) -> None:
    value_fen = negotiated_value_fen(bank, pledgor, bank_weight=weight, interval=RANGE)
    check_agreed_value(value_fen, RANGE)
    if min(bank, pledgor) >= RANGE.p10_fen and max(bank, pledgor) <= RANGE.p90_fen:
        assert min(bank, pledgor) <= value_fen <= max(bank, pledgor)


@pytest.mark.parametrize("agreed_fen", [RANGE.p10_fen - 1, RANGE.p90_fen + 1])
def test_an_agreed_value_outside_the_interval_is_refused(agreed_fen: int) -> None:
    with pytest.raises(RefusedError) as refused:
        check_agreed_value(agreed_fen, RANGE)
    assert refused.value.code == "financing.outside_interval"


def test_a_loan_with_a_warrant_gains_as_worked_out() -> None:
    option_value = black_scholes(WARRANT)
    assert abs(option_value - Decimal("0.416642")) < Decimal("1e-6")
    loan = LinkedLoan(
        principal_fen=1_000_000_000,
        interest=Decimal("0.0435"),
        pd=Decimal("0.04"),
        lgd=Decimal("0.55"),
        warrant_fen=80_000_000,
        option_value=option_value,
    )
    assert linked_return_fen(loan) == 53_091_359


def test_a_loan_without_a_warrant_may_lose() -> None:
    loan = LinkedLoan(100_000, Decimal("0.01"), Decimal("0.5"), Decimal(1), 0, 0)
    assert linked_return_fen(loan) == 500 - 50_000


def test_what_is_no_interval_ratio_or_loss_is_an_error() -> None:
    with pytest.raises(RefusedError, match="P10"):
        Interval(2, 1)
    with pytest.raises(RefusedError, match="between 0 and 1"):
        negotiated_value_fen(1, 1, bank_weight=2, interval=RANGE)
    with pytest.raises(RefusedError, match="0 or more"):
        share_default_fen(-1, EIGHTY)
