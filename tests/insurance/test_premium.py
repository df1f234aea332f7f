"""Premiums cover expected payouts and loadings, and divide without residual."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.insurance.premium import (
    Cover,
    Fee,
    FeeTerms,
    Loadings,
    LossChance,
    divide_premium,
    gross_premium_fen,
    pure_premium,
    severity,
)
from dataexchange.rules.refusal import RefusedError

MILLION = 100_000_000
LOSSES = [
    LossChance(MILLION // 2, Decimal("0.6")),
    LossChance(2 * MILLION, Decimal("0.3")),
    LossChance(12 * MILLION, Decimal("0.1")),
]
COVER = Cover(limit_fen=8 * MILLION, deductible_fen=20_000_000, coinsurance=Decimal("0.10"))
LOADINGS = Loadings(fixed_fen=500_000, expense=Decimal("0.25"), profit=Decimal("0.05"))
FEES = FeeTerms(
    product=Fee(Decimal("0.03"), fixed_fen=5_000),
    pool=Fee(Decimal("0.01")),
    bundle=Fee(Decimal("0.005")),
    distribution=Fee(Decimal("0.12")),
    commission=Decimal("0.05"),
    discount=Decimal("0.02"),
)

percents = st.integers(0, 30).map(lambda percent: Decimal(percent) / 100)
fees = st.builds(Fee, percents, st.integers(0, 10_000))


def test_severity_pure_and_gross_premium_are_as_worked_out() -> None:
    assert severity(LOSSES, COVER) == 144_800_000
    pure = pure_premium(Decimal("0.03"), LOSSES, COVER)
    assert pure == 4_344_000
    assert gross_premium_fen(pure, LOADINGS) == 6_920_000


def test_a_payout_respects_deductible_coinsurance_and_limit() -> None:
    assert [COVER.payout_fen(loss.loss_fen) for loss in LOSSES] == [
        27_000_000,
        162_000_000,
        8 * MILLION,
    ]
    assert COVER.payout_fen(20_000_000) == 0


@given(st.integers(0, 10**12), st.integers(0, 10**9))
def test_a_greater_loss_never_pays_less_nor_more_than_the_loss_grew(loss: int, more: int) -> None:
    grown = COVER.payout(loss + more) - COVER.payout(loss)
    assert 0 <= grown <= more
    assert COVER.payout(loss) <= min(loss, COVER.limit_fen)


@given(st.fractions(min_value=0, max_value=10**9, max_denominator=1000), percents, percents)
def test_a_gross_premium_is_what_payouts_costs_and_loadings_come_to_half_up(
    pure: Fraction, expense: Decimal, profit: Decimal
) -> None:
    gross_fen = gross_premium_fen(pure, Loadings(100, expense, profit))
    due = (pure + 100) / (1 - Fraction(expense) - Fraction(profit))
    assert -Fraction(1, 2) < gross_fen - due <= Fraction(1, 2)


def test_a_premium_divides_as_the_framework_does() -> None:
    parts = divide_premium(1_000_000, FEES)
    assert (parts.full_fen, parts.premium_fen) == (1_170_000, 1_146_600)
    assert parts.product_fen == 35_000
    assert parts.distribution_fen + parts.commission_fen == 96_600
    assert parts.pool_fen == 1_015_000


small = st.integers(0, 5).map(lambda percent: Decimal(percent) / 100)
ample = st.just(Fee(Decimal("0.30"), 10_000))


@given(st.integers(0, 10**12), st.builds(FeeTerms, fees, fees, fees, ample, small, small))
def test_the_parts_of_a_premium_leave_no_residual(net_fen: int, terms: FeeTerms) -> None:
    parts = divide_premium(net_fen, terms)
    divided = parts.product_fen + parts.distribution_fen + parts.commission_fen + parts.pool_fen
    assert divided == parts.premium_fen == parts.full_fen - parts.discount_fen
    assert min(parts.distribution_fen, parts.commission_fen, parts.product_fen) >= 0


def test_a_discount_that_eats_the_distribution_fee_is_refused() -> None:
    with pytest.raises(RefusedError) as refused:
        divide_premium(1_000_000, FeeTerms(discount=Decimal("0.02")))
    assert refused.value.code == "policy.distribution_fee_spent"


def test_loadings_that_leave_nothing_for_payouts_are_refused() -> None:
    with pytest.raises(RefusedError) as refused:
        gross_premium_fen(Fraction(1), Loadings(0, Decimal("0.6"), Decimal("0.4")))
    assert refused.value.code == "policy.loadings_too_high"


@pytest.mark.parametrize("chances", [["0.5"], ["1.5", "-0.5"]])
def test_an_incomplete_loss_distribution_is_refused(chances: list[str]) -> None:
    with pytest.raises(RefusedError) as refused:
        severity([LossChance(1, Decimal(chance)) for chance in chances], COVER)
    assert refused.value.code == "policy.chances_not_one"


def test_cover_and_frequencies_out_of_range_are_refused() -> None:
    with pytest.raises(RefusedError, match="limit"):
        Cover(limit_fen=0)
    with pytest.raises(RefusedError, match="limit"):
        Cover(limit_fen=1, coinsurance=Decimal(1))
    with pytest.raises(RefusedError, match="frequency"):
        pure_premium(Decimal("-0.1"), LOSSES, COVER)
    with pytest.raises(RefusedError, match="net premium"):
        divide_premium(-1, FEES)
    with pytest.raises(RefusedError, match="fee"):
        Fee(fixed_fen=-1)
    with pytest.raises(RefusedError, match="commission"):
        FeeTerms(commission=Decimal("1.1"))
