"""Booking of data resources, the accounting view."""

from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dataexchange.valuation import ValuationRefusedError, amortise, value

OWN_USE: dict[str, Any] = {
    "holding": "own_use",
    "costs": [{"item": "processing", "amount": 3600000}],
    "ready_on": "2026-04-01",
    "life_months": 60,
    "as_of": "2027-12-31",
}


def refusal_of(inputs: dict[str, Any]) -> str:
    with pytest.raises(ValuationRefusedError) as refused:
        value("recognition", inputs)
    return refused.value.code


def test_amortisation_starts_in_the_month_the_data_is_ready() -> None:
    result = value("recognition", OWN_USE | {"as_of": "2026-12-31"})
    assert result.figure("amortised_this_year").shown == ("540000.00",)


def test_the_year_restarts_in_january() -> None:
    result = value("recognition", OWN_USE)
    assert result.figure("amortised_this_year").shown == ("720000.00",)
    assert result.yuan == "2340000.00"


def test_an_impairment_lowers_every_later_charge() -> None:
    tests = [{"tested_on": "2027-12-31", "recoverable": 2000000}]
    result = value("recognition", OWN_USE | {"impairment_tests": tests})
    shown = {name: result.figure(name).shown[0] for name in ("impairment", "monthly_charge")}
    assert shown == {"impairment": "340000.00", "monthly_charge": "51282.05"}


def test_nothing_is_amortised_before_the_data_is_ready_nor_after_its_life() -> None:
    early = amortise(60, life_months=6, ready_on=date(2026, 4, 1), as_of=date(2026, 3, 31))
    late = amortise(60, life_months=6, ready_on=date(2026, 4, 1), as_of=date(2030, 1, 1))
    assert (early.carrying, late.carrying, late.monthly_charge) == (60, 0, 0)


@given(
    cost=st.integers(1, 10**9),
    life=st.integers(1, 120),
    tests=st.dictionaries(st.integers(1, 12), st.integers(0, 10**9)),
)
def test_the_carrying_amount_never_rises_and_never_falls_below_zero(
    cost: int, life: int, tests: dict[int, int]
) -> None:
    found = [(date(2026, month, 15), amount) for month, amount in sorted(tests.items())]
    carried = [
        amortise(
            cost,
            life_months=life,
            ready_on=date(2026, 1, 1),
            as_of=date(2026, month, 28),
            tests=found,
        ).carrying
        for month in range(1, 13)
    ]
    # The last digit of a 50-digit quotient may leave a speck.
    assert all(a - b > Decimal("-1e-30") for a, b in pairwise(carried))
    assert carried[-1] > Decimal("-1e-30")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"measured_at": "appraised_value"}, "valuation.booking_basis"),
        ({"costs": []}, "valuation.no_cost_to_book"),
        ({"costs": [{"item": "research", "amount": 5}]}, "valuation.no_cost_to_book"),
        ({"ready_on": None}, "valuation.input_missing"),
        ({"life_months": 0}, "valuation.input_out_of_range"),
        ({"net_realisable_value": 5}, "valuation.input_unknown"),
        ({"holding": "for_sale"}, "valuation.input_unknown"),
        ({"impairment_tests": [{"tested_on": "2028-01-01", "recoverable": 1}]},
         "valuation.input_inconsistent"),
        ({"impairment_tests": [{"tested_on": "2027-01-01", "recoverable": 1, "reverse": True}]},
         "valuation.impairment_reversed"),
    ],
)  # fmt: skip
def test_each_fault_of_the_books_has_its_own_refusal(change: dict[str, Any], code: str) -> None:
    assert refusal_of(OWN_USE | change) == code


def test_the_refusal_to_book_at_value_cites_its_norm() -> None:
    with pytest.raises(ValuationRefusedError) as refused:
        value("recognition", OWN_USE | {"measured_at": "appraised_value"})
    assert "财会〔2025〕33号" in refused.value.clause
