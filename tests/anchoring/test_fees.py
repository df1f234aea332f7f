"""Offers under a cap."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.anchoring.fees import (
    GWEI,
    FeePolicy,
    Fees,
    first_fees,
    replacement_fees,
)

POLICY = FeePolicy(max_fee_wei=100 * GWEI, priority_fee_wei=GWEI)
WEI = st.integers(0, 200 * GWEI)


def test_the_first_offer_leaves_room_for_the_base_fee_to_double() -> None:
    assert first_fees(10 * GWEI, POLICY) == Fees(21 * GWEI, GWEI)


def test_the_first_offer_ends_at_the_cap() -> None:
    assert first_fees(60 * GWEI, POLICY) == Fees(100 * GWEI, GWEI)
    assert first_fees(99 * GWEI, POLICY) == Fees(100 * GWEI, GWEI)


def test_over_the_cap_there_is_no_offer() -> None:
    assert first_fees(99 * GWEI + 1, POLICY) is None
    assert replacement_fees(Fees(GWEI, GWEI), 99 * GWEI + 1, POLICY) is None


def test_a_replacement_raises_both_fees_by_the_bump() -> None:
    bumped = replacement_fees(Fees(50 * GWEI, 10 * GWEI), GWEI, POLICY)
    assert bumped == Fees(56_500_000_000, 11_300_000_000)


@given(base=WEI, max_fee=WEI, tip=WEI)
def test_no_offer_exceeds_the_cap_and_each_pays_the_base_fee(
    base: int, max_fee: int, tip: int
) -> None:
    previous = Fees(max(max_fee, tip), tip)
    for offer in (first_fees(base, POLICY), replacement_fees(previous, base, POLICY)):
        if offer is not None:
            assert base <= offer.max_fee_wei <= POLICY.max_fee_wei
            assert offer.priority_fee_wei <= offer.max_fee_wei


@given(base=st.integers(0, 40 * GWEI), max_fee=st.integers(2, 80 * GWEI), tip=st.integers(1, GWEI))
def test_below_the_cap_nodes_accept_every_replacement(base: int, max_fee: int, tip: int) -> None:
    previous = Fees(max_fee, min(tip, max_fee))
    offer = replacement_fees(previous, base, POLICY)
    assert offer is not None
    assert offer.max_fee_wei * 10 >= previous.max_fee_wei * 11
    assert offer.priority_fee_wei * 10 >= previous.priority_fee_wei * 11


@pytest.mark.parametrize(
    "wrong", [{"priority_fee_wei": 101 * GWEI}, {"priority_fee_wei": -1}, {"bump_percent": 9}]
)
def test_a_policy_that_cannot_work_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        FeePolicy(**wrong)
