"""Parametric cover pays by the index, and only by a reading that two feeds support."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.insurance.parametric import (
    Reading,
    Trigger,
    corroborated_value,
    parametric_payout_fen,
)
from dataexchange.rules.refusal import RefusedError

OUTAGE = Trigger(attach=Decimal(12), exit=Decimal(48), limit_fen=200_000_000)
hours = st.integers(0, 1000).map(lambda tenths: Decimal(tenths) / 10)


def readings(*values: str) -> list[Reading]:
    return [Reading(f"f{i}", f"o{i}", Decimal(value)) for i, value in enumerate(values)]


def test_an_outage_of_thirty_hours_pays_half_the_limit() -> None:
    assert parametric_payout_fen(Decimal(30), OUTAGE) == 100_000_000


@pytest.mark.parametrize(
    ("index", "payout_fen"), [("11.9", 0), ("12", 0), ("48", 200_000_000), ("100", 200_000_000)]
)
def test_nothing_is_paid_up_to_attach_and_the_limit_from_exit(index: str, payout_fen: int) -> None:
    assert parametric_payout_fen(Decimal(index), OUTAGE) == payout_fen


@given(hours, hours)
def test_a_greater_index_never_pays_less(one: Decimal, other: Decimal) -> None:
    low, high = sorted([one, other])
    assert parametric_payout_fen(low, OUTAGE) <= parametric_payout_fen(high, OUTAGE)


def test_the_second_greatest_reading_counts() -> None:
    assert corroborated_value(readings("30", "29")) == 29
    assert corroborated_value(readings("30", "29", "31")) == 30


@given(st.lists(hours, min_size=2, max_size=6), hours)
def test_one_feed_alone_never_raises_the_reading_above_what_another_supports(
    values: list[Decimal], wild: Decimal
) -> None:
    honest = readings(*map(str, values))
    lying = [*honest, Reading("wild", "liar", wild)]
    assert corroborated_value(lying) <= max(values)


def test_two_feeds_of_one_operator_are_not_independent() -> None:
    with pytest.raises(RefusedError) as refused:
        corroborated_value([Reading("a", "o", Decimal(1)), Reading("b", "o", Decimal(2))])
    assert refused.value.code == "claim.feeds_too_few"
    assert "1" in refused.value.zh


def test_feeds_that_differ_beyond_the_agreed_tolerance_are_refused() -> None:
    assert corroborated_value(readings("30", "29"), tolerance=Decimal(1)) == 29
    with pytest.raises(RefusedError) as refused:
        corroborated_value(readings("30", "28.9"), tolerance=Decimal(1))
    assert refused.value.code == "claim.feeds_disagree"


@pytest.mark.parametrize(("attach", "exit_at", "limit"), [(2, 2, 1), (3, 2, 1), (1, 2, 0)])
def test_a_trigger_that_cannot_rise_is_an_error(attach: int, exit_at: int, limit: int) -> None:
    with pytest.raises(RefusedError, match="trigger"):
        Trigger(Decimal(attach), Decimal(exit_at), limit)


def test_half_a_fen_is_rounded_up() -> None:
    trigger = Trigger(Decimal(0), Decimal(2), 100_001)
    assert parametric_payout_fen(Decimal(1), trigger) == 50_001
