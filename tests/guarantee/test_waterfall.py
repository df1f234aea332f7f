"""The waterfall pays by priority, loses no fen, and never overpays a claim."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.errors import RefusedError
from dataexchange.guarantee.waterfall import Distribution, Lien, Payment, distribute

MILLION = 100_000_000
FIRST, SECOND = datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 2, 5, tzinfo=UTC)

amounts = st.integers(0, 10**6)


@st.composite
def lien_sets(draw: st.DrawFn) -> list[Lien]:
    times = st.sampled_from([None, FIRST, SECOND])
    rows = draw(st.lists(st.tuples(times, amounts, amounts, amounts), max_size=8))
    return [Lien(str(index), *row) for index, row in enumerate(rows)]


def paid(distribution: Distribution) -> dict[str, int]:
    return {payment.lien: payment.paid_fen for payment in distribution.payments}


def test_the_earlier_lien_is_paid_in_full_and_the_later_gets_the_rest() -> None:
    liens = [Lien("B", SECOND, 4 * MILLION), Lien("A", FIRST, 32 * MILLION // 10)]
    found = distribute(6 * MILLION, liens, realisation_costs_fen=2 * MILLION // 10)
    assert paid(found) == {"A": 320_000_000, "B": 260_000_000}
    assert found.surplus_fen == 0
    assert found.payments[1].unpaid_fen == 140_000_000


@given(amounts.map(lambda n: 4 * n), amounts, lien_sets())
def test_every_fen_goes_somewhere(proceeds: int, costs: int, liens: list[Lien]) -> None:
    found = distribute(proceeds, liens, realisation_costs_fen=costs)
    total = found.realisation_costs_fen + sum(paid(found).values()) + found.surplus_fen
    assert total == proceeds
    assert found.realisation_costs_fen == min(proceeds, costs)


@given(amounts.map(lambda n: 4 * n), lien_sets())
def test_no_claim_is_overpaid_and_a_surplus_means_all_are_paid(
    proceeds: int, liens: list[Lien]
) -> None:
    found = distribute(proceeds, liens)
    assert all(payment.unpaid_fen >= 0 for payment in found.payments)
    assert found.surplus_fen == 0 or all(p.unpaid_fen == 0 for p in found.payments)


@given(amounts.map(lambda n: 4 * n), lien_sets())
def test_a_later_lien_gets_nothing_until_every_earlier_one_is_paid(
    proceeds: int, liens: list[Lien]
) -> None:
    found = distribute(proceeds, liens)
    ranks = {lien.lien: (lien.registered_at is None, lien.registered_at) for lien in liens}
    for earlier, later in (
        (a, b) for i, a in enumerate(found.payments) for b in found.payments[i:]
    ):
        if ranks[earlier.lien] != ranks[later.lien]:
            assert earlier.unpaid_fen == 0 or later.paid_fen == 0


@given(amounts, amounts, lien_sets())
def test_more_proceeds_never_pay_anyone_less_by_more_than_a_fen(
    proceeds: int, more: int, liens: list[Lien]
) -> None:
    before, after = paid(distribute(proceeds, liens)), paid(distribute(proceeds + more, liens))
    assert all(after[lien] >= amount - 1 for lien, amount in before.items())


def test_costs_come_before_interest_and_interest_before_principal() -> None:
    lien = Lien("A", FIRST, principal_fen=100, interest_fen=20, costs_fen=5)
    assert distribute(3, [lien]).payments == (Payment("A", 3, 0, 0, 122),)
    assert distribute(15, [lien]).payments == (Payment("A", 5, 10, 0, 110),)
    assert distribute(75, [lien]).payments == (Payment("A", 5, 20, 50, 50),)


def test_liens_registered_at_the_same_instant_share_by_claim() -> None:
    shanghai = timezone(timedelta(hours=8))
    same = datetime(2026, 1, 5, 8, tzinfo=shanghai)
    found = distribute(100, [Lien("A", FIRST, 100), Lien("B", same, 200)])
    assert paid(found) == {"A": 33, "B": 67}


def test_unregistered_liens_come_last_and_share_by_claim() -> None:
    liens = [Lien("A", None, 300), Lien("B", None, 100), Lien("C", SECOND, 50)]
    assert paid(distribute(150, liens)) == {"C": 50, "A": 75, "B": 25}


def test_what_is_left_returns_to_the_pledgor() -> None:
    assert distribute(100, [Lien("A", FIRST, 60)]).surplus_fen == 40
    assert distribute(100, []).surplus_fen == 100


def test_claims_and_proceeds_below_zero_are_refused() -> None:
    with pytest.raises(RefusedError, match="claim"):
        Lien("A", FIRST, -1)
    with pytest.raises(RefusedError, match="proceeds"):
        distribute(-1, [])


def test_a_time_without_a_zone_and_a_lien_named_twice_are_refused() -> None:
    with pytest.raises(RefusedError, match="zone"):
        Lien("A", datetime(2026, 1, 5), 1)  # noqa: DTZ001  # the fault under test
    with pytest.raises(RefusedError, match="twice"):
        distribute(1, [Lien("A", FIRST, 1), Lien("A", SECOND, 1)])
