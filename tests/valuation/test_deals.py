"""Comparables from the ledger's own closed deals."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from dataexchange.valuation import (
    ClosedDeal,
    Comparison,
    ValuationRefusedError,
    comparables_from_deals,
    usable_deals,
    value,
)

BASE = date(2026, 6, 30)
DEAL = ClosedDeal(7, "ab" * 32, "traffic", date(2026, 3, 15), 100_000_00)
INDEX = {"2026-03": Decimal(104), "2026-06": Decimal(110)}


@pytest.mark.parametrize(
    "deal",
    [
        replace(DEAL, category="weather"),
        replace(DEAL, arms_length=False),
        replace(DEAL, disputed=True),
        replace(DEAL, price_fen=0),
        replace(DEAL, closed_on=date(2026, 7, 1)),
        replace(DEAL, closed_on=date(2023, 1, 1)),
    ],
    ids=["other kind", "related", "disputed", "free", "after the base date", "too old"],
)
def test_a_deal_that_says_nothing_of_the_price_is_left_out(deal: ClosedDeal) -> None:
    assert usable_deals([deal, DEAL], category="traffic", base_date=BASE) == [DEAL]


def test_a_ledger_deal_is_carried_to_the_base_date_by_the_index_and_keeps_its_proof() -> None:
    (found,) = comparables_from_deals([DEAL], base_date=BASE, index=INDEX)
    result = value("market", {"datasets": [{"name": "A", "comparables": [found]}]})
    assert (result.yuan, found["entry_index"], found["leaf_hash"]) == ("105769.23", 7, "ab" * 32)


def test_the_appraisers_comparison_is_applied_by_entry() -> None:
    stated = {7: Comparison(quality=Decimal("1.1"))}
    (found,) = comparables_from_deals([DEAL], base_date=BASE, index=INDEX, comparisons=stated)
    assert (found["quality"], found["capacity"]) == ("1.1", "1")


def test_a_ledger_deal_after_the_base_date_is_refused_even_if_handed_in() -> None:
    (found,) = comparables_from_deals([DEAL], base_date=BASE, index=INDEX)
    with pytest.raises(ValuationRefusedError) as refused:
        value(
            "market",
            {"datasets": [{"name": "A", "comparables": [found]}]},
            engagement={"base_date": date(2026, 1, 1)},
            sources={"datasets": "ledger"},
        )
    assert refused.value.code == "valuation.after_base_date"
