"""Comparables from the ledger: the exchange's own closed deals, each with its proof.

`GET /v1/market/evidence` hands over closed deals with their proofs; here they are filtered and
turned into the `comparables` of the market card:

    deals = usable_deals(deals_from_evidence(items), category="transport", base_date=base_date)
    comparables = comparables_from_deals(deals, base_date=base_date, index=index)
    value("market", {"datasets": [{"name": "…", "comparables": comparables}]})
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from dataexchange.valuation.arithmetic import exact, plain


@dataclass(frozen=True, slots=True)
class ClosedDeal:
    """A settled deal of the log: entry index, leaf hash (hex), what, when, and for how much.

    `arms_length` is False where buyer and seller are related; `disputed` where the deal was
    contested or reversed.
    """

    entry_index: int
    leaf_hash: str
    category: str
    closed_on: date
    price_fen: int
    arms_length: bool = True
    disputed: bool = False


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the valued data compares with one deal; each factor is 1 where they are alike."""

    quality: Decimal = Decimal(1)
    supply_demand: Decimal = Decimal(1)
    capacity: Decimal = Decimal(1)
    other: Decimal = Decimal(1)


def deals_from_evidence(items: Iterable[Mapping[str, Any]]) -> list[ClosedDeal]:
    """Return the deals that the items of market evidence tell of.

    Their proofs are checked before (`dataexchange evidence --policy`, `client.evidence`), not here.
    """
    return [
        ClosedDeal(
            entry_index=item["entry_index"],
            leaf_hash=item["leaf_hash"],
            category=item["category"],
            closed_on=date.fromisoformat(item["closed_on"]),
            price_fen=item["price_fen"],
            arms_length=item["arms_length"],
            disputed=item["disputed"],
        )
        for item in items
    ]


def usable_deals(
    deals: Iterable[ClosedDeal], *, category: str, base_date: date, days_max: int = 730
) -> list[ClosedDeal]:
    """Return the deals that may be compared, newest first.

    Of the same category, at arm's length, undisputed, at a price, closed on or before the base
    date and no more than `days_max` days earlier.
    """
    since = base_date - timedelta(days=days_max)
    kept = [
        deal
        for deal in deals
        if deal.category == category
        and deal.arms_length
        and not deal.disputed
        and deal.price_fen > 0
        and since <= deal.closed_on <= base_date
    ]
    return sorted(kept, key=lambda deal: (deal.closed_on, deal.entry_index), reverse=True)


@exact
def comparables_from_deals(
    deals: Sequence[ClosedDeal],
    *,
    base_date: date,
    index: Mapping[str, Decimal] | None = None,
    comparisons: Mapping[int, Comparison] | None = None,
) -> list[dict[str, Any]]:
    """Return `comparables` for the market card from ledger deals.

    `index` holds a price index by month ("2026-06"), without one prices stay as they were;
    `comparisons` the appraiser's factors by entry index. `KeyError` where the index has no value
    for a month that is needed.
    """
    stated = comparisons or {}
    return [
        {
            **_comparable(deal, stated.get(deal.entry_index, Comparison())),
            **({} if index is None else _indexed(deal, index, base_date)),
        }
        for deal in deals
    ]


def _comparable(deal: ClosedDeal, compared: Comparison) -> dict[str, Any]:
    return {
        "price": plain(Decimal(deal.price_fen) / 100),
        "quality": plain(compared.quality),
        "supply_demand": plain(compared.supply_demand),
        "capacity": plain(compared.capacity),
        "other": plain(compared.other),
        "dealt_on": deal.closed_on,
        "origin": "ledger",
        "entry_index": deal.entry_index,
        "leaf_hash": deal.leaf_hash,
    }


def _indexed(deal: ClosedDeal, index: Mapping[str, Decimal], base_date: date) -> dict[str, Any]:
    return {
        "index_deal": plain(index[_month(deal.closed_on)]),
        "index_base": plain(index[_month(base_date)]),
    }


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
