"""Nobody is paid more than the loss, the value or the sum insured."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.insurance.indemnity import (
    Insured,
    check_confirmed,
    check_retention,
    check_subrogation,
    daily_refund_fen,
    double_cover_fen,
    excess_refund_fen,
    indemnity_fen,
    mitigation_fen,
    retention_limit_fen,
)
from dataexchange.rules.refusal import RefusedError

MILLION = 100_000_000
sums = st.integers(1, 10**12)
losses = st.integers(0, 10**12)


def test_underinsurance_pays_in_proportion_and_the_deductible_comes_off_after() -> None:
    insured = Insured(6 * MILLION, 8 * MILLION, deductible_fen=10_000_000)
    assert indemnity_fen(3 * MILLION, insured) == 215_000_000


@given(losses, sums, sums, losses)
def test_an_indemnity_never_passes_loss_value_or_sum_insured(
    loss: int, sum_insured: int, value: int, deductible: int
) -> None:
    paid = indemnity_fen(loss, Insured(sum_insured, value, deductible))
    assert 0 <= paid <= min(loss, sum_insured, value)


@given(losses, sums, sums)
def test_overinsurance_pays_as_full_insurance_does(loss: int, value: int, excess: int) -> None:
    over, full = Insured(value + excess, value), Insured(value, value)
    assert indemnity_fen(loss, over) == indemnity_fen(loss, full) == min(loss, value)
    assert over.void_excess_fen == excess


def test_the_premium_for_a_void_excess_is_returned() -> None:
    assert excess_refund_fen(10_000, Insured(10 * MILLION, 8 * MILLION)) == 2_000
    assert excess_refund_fen(10_000, Insured(8 * MILLION, 8 * MILLION)) == 0


def test_two_insurers_share_a_loss_by_their_sums_insured() -> None:
    parts = double_cover_fen(
        5 * MILLION, {"A": 4 * MILLION, "B": 8 * MILLION}, insured_value_fen=12 * MILLION
    )
    assert parts == {"A": 166_666_667, "B": 333_333_333}


@given(losses, st.lists(sums, min_size=1, max_size=6), sums)
def test_double_cover_pays_the_loss_once_and_no_insurer_above_its_sum(
    loss: int, insured_sums: list[int], value: int
) -> None:
    named = {str(index): fen for index, fen in enumerate(insured_sums)}
    parts = double_cover_fen(loss, named, insured_value_fen=value)
    assert sum(parts.values()) == min(loss, value, sum(insured_sums))
    assert all(parts[name] <= fen for name, fen in named.items())


def test_a_policy_cancelled_on_day_ninety_refunds_by_the_day() -> None:
    assert daily_refund_fen(7_300_000, days_elapsed=90, days_total=365) == 5_500_000


@given(losses, st.integers(0, 365))
def test_what_is_kept_and_what_is_refunded_is_the_premium(premium: int, elapsed: int) -> None:
    refund = daily_refund_fen(premium, days_elapsed=elapsed, days_total=365)
    assert 0 <= refund <= premium
    assert abs((premium - refund) * 365 - premium * elapsed) * 2 <= 365


def test_mitigation_costs_are_paid_apart_up_to_the_sum_insured() -> None:
    insured = Insured(100, 200)
    assert (mitigation_fen(99, insured), mitigation_fen(101, insured)) == (99, 100)


def test_all_payouts_together_reach_the_sum_insured_and_no_further() -> None:
    check_confirmed(60, 40, 100)
    with pytest.raises(RefusedError) as refused:
        check_confirmed(60, 41, 100)
    assert refused.value.code == "claim.sum_insured_exceeded"
    assert "40" in refused.value.remedy_en


def test_subrogation_reaches_what_was_paid_and_no_further() -> None:
    check_subrogation(100, 100)
    with pytest.raises(RefusedError) as refused:
        check_subrogation(101, 100)
    assert refused.value.code == "claim.subrogation_exceeded"


def test_one_risk_keeps_to_a_tenth_of_capital_and_surplus() -> None:
    limit_fen = retention_limit_fen(80 * MILLION, 20 * MILLION)
    assert limit_fen == 10 * MILLION
    check_retention(limit_fen, limit_fen)
    with pytest.raises(RefusedError) as refused:
        check_retention(limit_fen + 7, limit_fen)
    assert refused.value.code == "policy.retention_exceeded"
    assert refused.value.facts["cede_fen"] == 7


def test_amounts_below_zero_and_days_beyond_the_term_are_refused() -> None:
    with pytest.raises(RefusedError, match="0 or more"):
        indemnity_fen(-1, Insured(1, 1))
    with pytest.raises(RefusedError, match="above 0"):
        Insured(0, 1)
    with pytest.raises(RefusedError, match="double cover"):
        double_cover_fen(1, {}, insured_value_fen=1)
    with pytest.raises(RefusedError, match="days"):
        daily_refund_fen(1, days_elapsed=366, days_total=365)
