"""The quarterly evaluation 季度评估: a fold over the log's first entries, recomputed by anyone.

What happened is counted within the quarter; what stands is counted as of the last entry covered.
The report is canonical JSON: whoever holds those entries folds them to the same bytes. Money is in
分, ratios are decimal strings of six places, half up.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from dataexchange.ledger import canonical
from dataexchange.ledger.statement import format_time
from dataexchange.rules.time import day_of
from dataexchange.supervision.record import Record
from dataexchange.supervision.stock import Holding, Stock

Json = dict[str, Any]

# What is counted in the quarter, by the event that says it happened.
COUNTED = {
    "parties_admitted": "party.admitted@1",
    "resources_registered": "resource.registered@1",
    "versions_added": "resource.version_added@1",
    "versions_assessed": "quality.assessed@1",
    "rights_registered": "rights.registered@1",
    "shares_approved": "share.approved@1",
    "openings_planned": "opening.planned@1",
    "openings_published": "opening.published@1",
    "scenarios_registered": "scenario.registered@1",
    "scenario_results": "scenario.result_reported@1",
    "operations_accepted": "operation.accepted@1",
    "products_developed": "product.developed@1",
    "listings_published": "listing.published@1",
    "licences_finalised": "licence.finalised@1",
    "deliveries_accepted": "delivery.accepted@1",
    "titles_transferred": "title.transferred@1",
    "disputes_opened": "dispute.opened@1",
    "valuations_issued": "valuation.issued@1",
    "pledges_registered": "pledge.registered@1",
    "loans_drawn": "pledge.drawn@1",
    "pledges_defaulted": "pledge.defaulted@1",
    "guarantees_accepted": "guarantee.accepted@1",
    "policies_incepted": "cover.incepted@1",
    "claims_notified": "claim.notified@1",
    "claims_paid": "claim.paid@1",
    "incidents_confirmed": "incident.confirmed@1",
    "errors_corrected": "error.corrected@1",
    "assets_frozen": "asset.frozen@1",
    "duties_assigned": "duty.assigned@1",
    "alerts_raised": "alert.raised@1",
    "opinions_given": "opinion.given@1",
}


# What is summed in the quarter.
AMOUNTS = (
    "deposited_fen",
    "escrow_locked_fen",
    "turnover_fen",
    "valued_fen",
    "secured_fen",
    "lent_fen",
)


class Evaluation:
    """The fold of one quarter; `take` every covered entry in order, then `report`."""

    def __init__(self, quarter: str) -> None:
        self.quarter = quarter
        self.stock = Stock()
        self.events: Counter[str] = Counter()
        self.openings: Counter[str] = Counter()
        self.amounts: Counter[str] = Counter()
        self.turnover_fen: Counter[str] = Counter()
        self.licences: Counter[str] = Counter()
        self.scores: list[Decimal] = []
        self.waits: list[timedelta] = []
        self.covers = 0
        self.now: datetime | None = None

    def take(self, record: Record) -> None:
        """Take the next entry, and count it if it is of the quarter."""
        if quarter_of(record) == self.quarter:
            self.events[record.event] += 1
            self._count(record)
        self.stock.take(record)
        self.covers, self.now = record.index + 1, record.recorded_at

    def report(self) -> Json:
        """Return the report, as plain JSON."""
        stock, now = self.stock, self.now
        return {
            "amounts": {name: self.amounts[name] for name in AMOUNTS},
            "as_of": format_time(now) if now else None,
            "counts": {name: self.events[event] for name, event in COUNTED.items()},
            "covers": self.covers,
            "events": dict(self.events),
            "listing_to_licence_days_mean": self._mean_wait(),
            "openings": dict(self.openings),
            "providers": self._providers(),
            "quality_mean": _mean(self.scores),
            "quarter": self.quarter,
            "standing": standing(stock, now) if now else {},
        }

    def _count(self, record: Record) -> None:
        said, stock = record.payload, self.stock
        match record.event:
            case "quality.assessed@1":
                self.scores.append(Decimal(said["score"]))
            case "opening.published@1":
                self.openings[said["opening"]] += 1
            case "funds.deposited@1":
                self.amounts["deposited_fen"] += said["amount_fen"]
            case "escrow.locked@1":
                self.amounts["escrow_locked_fen"] += said["amount_fen"]
            case "valuation.issued@1":
                self.amounts["valued_fen"] += stock.values_fen[said["valuation"]]
            case "pledge.registered@1":
                self.amounts["secured_fen"] += stock.secured_fen[said["pledge"]]
            case "pledge.drawn@1":
                self.amounts["lent_fen"] += stock.loans_fen[said["pledge"]]
            case "licence.finalised@1" | "title.transferred@1":
                self._conclude(record)

    def _conclude(self, record: Record) -> None:
        """Count a deal: its price is the turnover of whoever held the asset."""
        said, stock = record.payload, self.stock
        seller = stock.assets[said["asset"]].holder
        if record.event == "title.transferred@1":
            price_fen = stock.prices_fen[said["transfer"]]
        else:
            price_fen = stock.locked_fen.get(said["licence"], 0)
            self.licences[seller] += 1
            listed = stock.listings[stock.listing_of[said["licence"]]].since
            self.waits.append(record.recorded_at - listed)
        self.amounts["turnover_fen"] += price_fen
        self.turnover_fen[seller] += price_fen

    def _mean_wait(self) -> str | None:
        """Return the mean days from a listing to a licence of it in force."""
        if not self.waits:
            return None
        seconds = Decimal(int(sum(self.waits, timedelta()).total_seconds()))
        return str(_six(seconds / 86_400 / len(self.waits)))

    def _providers(self) -> Json:
        """Return one line per party that holds assets, sold any, or owes a duty."""
        stock = self.stock
        held: dict[str, list[Holding]] = {}
        for asset in stock.assets.values():
            held.setdefault(asset.holder, []).append(asset)
        overdue = Counter(
            task.owner for task in stock.tasks.values() if self.now and task.is_overdue(self.now)
        )
        parties = sorted({*held, *self.turnover_fen, *overdue})
        return {
            party: {
                **_holdings(held.get(party, [])),
                "duties_overdue": overdue[party],
                "licences_finalised": self.licences[party],
                "turnover_fen": self.turnover_fen[party],
            }
            for party in parties
        }


def standing(stock: Stock, now: datetime) -> Json:
    """Return what stands at `now`: counts, money in 分, and shares of one."""
    assets = list(stock.assets.values())
    assessed = sum(asset.is_assessed for asset in assets)
    today, at = day_of(now).isoformat(), format_time(now)
    return {
        "alerts_open": len(stock.alerts),
        "assessed_share": _share(assessed, len(assets)),
        "assets_assessed": assessed,
        "assets_frozen": sum(bool(asset.frozen) for asset in assets),
        "claims_open": len(stock.claims),
        "disputes_open": len(stock.disputes),
        "duties_open": len(stock.tasks),
        "duties_overdue": sum(task.is_overdue(now) for task in stock.tasks.values()),
        "guaranteed_fen": sum(stock.guaranteed_fen[key] for key in stock.guarantees),
        "guarantees_in_force": len(stock.guarantees),
        "licences_in_force": len(stock.licences),
        "listings_open": sum(one.until > at and not one.paused for one in stock.listings.values()),
        "loans_outstanding": len(stock.loans),
        "opened": dict(Counter(asset.opening for asset in assets if asset.opening)),
        "openings_overdue": sum(by < today for by in stock.plans.values()),
        "parties_active": len(stock.members),
        "pledges_standing": len(stock.pledges),
        "policies_in_force": sum(ends >= now for ends in stock.covers.values()),
        "products": sum(asset.is_product for asset in assets),
        "resources": sum(not asset.is_product for asset in assets),
        "secured_fen": sum(stock.secured_fen[key] for key in stock.pledges),
    }


def evaluate(records: Iterable[Record], quarter: str, covers: int) -> bytes:
    """Return the report of `quarter` over the first `covers` entries, as canonical JSON."""
    evaluation = Evaluation(quarter)
    for record in records:
        if record.index >= covers:
            break
        evaluation.take(record)
    return canonical.encode(evaluation.report())


def report_hash(report: bytes) -> str:
    """Return the hash (hex) by which `report` is published."""
    return hashlib.sha256(report).hexdigest()


def quarter_of(record: Record) -> str:
    """Return the quarter of a record, in +08:00: `2026Q4`."""
    day = day_of(record.recorded_at)
    return f"{day.year}Q{(day.month + 2) // 3}"


def _holdings(assets: list[Holding]) -> Json:
    scores = [asset.score for asset in assets if asset.score is not None]
    return {
        "assessed": sum(asset.is_assessed for asset in assets),
        "opened": sum(asset.opening in ("unconditional", "conditional") for asset in assets),
        "products": sum(asset.is_product for asset in assets),
        "quality_mean": _mean(scores),
        "resources": sum(not asset.is_product for asset in assets),
        "versions": sum(asset.latest for asset in assets),
    }


def _mean(scores: list[Decimal]) -> str | None:
    return str(_six(sum(scores, Decimal(0)) / len(scores))) if scores else None


def _share(part: int, whole: int) -> str | None:
    return str(_six(Decimal(part) / whole)) if whole else None


def _six(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.000001"), ROUND_HALF_UP)
