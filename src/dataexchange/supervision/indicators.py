"""The quarterly evaluation 季度评估: a fold over the log, published by hash, recomputed by anyone.

The event names how many entries it covers and the hash of the report. The report is canonical
JSON; whoever holds those entries folds them again and must get the same bytes.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any

from pydantic import Field

from dataexchange.ledger import canonical
from dataexchange.rules import (
    Changes,
    Event,
    Payload,
    RefusalCode,
    Role,
    State,
    View,
    event,
)
from dataexchange.rules.payload import Hash, PositiveCount
from dataexchange.rules.reference import ReportId
from dataexchange.rules.time import day_of

COVERS_THE_FUTURE = RefusalCode(
    "indicators.cover_the_future",
    clause="domain: supervision, the event carries N",
    zh="指标只能覆盖已入账的条目：至多 {index} 条，而非 {covers} 条",
    en="Indicators cover entries that exist: {index} at most, not {covers}",
)

# What is counted, by the event that says it happened.
COUNTED = {
    "parties_admitted": "party.admitted@1",
    "resources_registered": "resource.registered@1",
    "versions_added": "resource.version_added@1",
    "versions_assessed": "quality.assessed@1",
    "rights_registered": "rights.registered@1",
    "openings_planned": "opening.planned@1",
    "openings_published": "opening.published@1",
    "scenarios_registered": "scenario.registered@1",
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
    "claims_paid": "claim.paid@1",
    "incidents_confirmed": "incident.confirmed@1",
    "assets_frozen": "asset.frozen@1",
}
# What is summed, in 分: the event and the member of its payload.
SUMMED = {
    "deposited_fen": ("funds.deposited@1", "amount_fen"),
    "escrow_locked_fen": ("escrow.locked@1", "amount_fen"),
    "valued_fen": ("valuation.drafted@1", "value_fen"),
    "secured_fen": ("pledge.drafted@1", "secured_fen"),
}


@dataclass(frozen=True, slots=True)
class Record:
    """What the fold needs of one entry."""

    index: int
    event: str
    payload: Mapping[str, Any]
    recorded_at: datetime


class IndicatorReport(State, frozen=True, kw_only=True):
    """A published evaluation."""

    KIND = "report"

    quarter: str
    covers: int
    report: str


class IndicatorsPublished(Payload):
    """An evaluation of one quarter over the first `covers` entries, by its hash."""

    report: ReportId
    quarter: Annotated[str, Field(pattern=r"^\d{4}Q[1-4]$")]
    covers: PositiveCount
    report_sha256: Hash


@event(
    "indicators.published@1",
    by={Role.OPERATOR},
    zh="发布季度评估",
    en="Publish the quarterly evaluation",
    clause="福州市公共数据开放计划: 季度评估",
)
def publish(view: View, event: Event[IndicatorsPublished]) -> Changes:
    """Publish; whether the figures are right is for every verifier to recompute."""
    said = event.payload
    view.require_new(said.report)
    if said.covers > event.index:
        raise COVERS_THE_FUTURE(index=event.index, covers=said.covers)
    return IndicatorReport(
        id=said.report, quarter=said.quarter, covers=said.covers, report=said.report_sha256
    )


def evaluate(records: Iterable[Record], quarter: str, covers: int) -> bytes:
    """Return the report of `quarter` over the first `covers` entries, as canonical JSON."""
    within = [one for one in records if one.index < covers and quarter_of(one) == quarter]
    events = Counter(one.event for one in within)
    sums: Counter[str] = Counter()
    for one in within:
        for name, (named, member) in SUMMED.items():
            if one.event == named:
                sums[name] += one.payload[member]
    return canonical.encode(
        {
            "amounts": {name: sums[name] for name in SUMMED},
            "counts": {name: events[named] for name, named in COUNTED.items()},
            "covers": covers,
            "events": dict(events),
            "openings": _openings(within),
            "quality_mean": _mean_score(within),
            "quarter": quarter,
        }
    )


def report_hash(report: bytes) -> str:
    """Return the hash (hex) by which `report` is published."""
    return hashlib.sha256(report).hexdigest()


def quarter_of(record: Record) -> str:
    """Return the quarter of a record, in +08:00: `2026Q4`."""
    day = day_of(record.recorded_at)
    return f"{day.year}Q{(day.month + 2) // 3}"


def render(report: bytes) -> str:
    """Return the report as a Markdown table, in both languages."""
    said = canonical.decode(report)
    lines = [f"{said['quarter']} · 覆盖前 {said['covers']} 条 first {said['covers']} entries", ""]
    lines += ["| 指标 indicator | 值 value |", "|---|---|"]
    lines += [f"| {ZH[name]} {name} | {count} |" for name, count in said["counts"].items()]
    lines += [
        f"| {ZH[name]} {name} | {fen / 100:,.2f} 元 |" for name, fen in said["amounts"].items()
    ]
    lines.append(f"| 平均质量得分 quality_mean | {said['quality_mean'] or '—'} |")
    return "\n".join(lines) + "\n"


def _openings(records: list[Record]) -> dict[str, int]:
    published = (one for one in records if one.event == "opening.published@1")
    return dict(Counter(one.payload["opening"] for one in published))


def _mean_score(records: list[Record]) -> str | None:
    """Return the mean of all assessed scores, half up to six places."""
    scores = [Decimal(one.payload["score"]) for one in records if one.event == "quality.assessed@1"]
    if not scores:
        return None
    mean = sum(scores, Decimal(0)) / len(scores)
    return str(mean.quantize(Decimal("0.000001"), ROUND_HALF_UP))


ZH = {
    "parties_admitted": "入场主体",
    "resources_registered": "登记资源",
    "versions_added": "新增版本",
    "versions_assessed": "质量评估",
    "rights_registered": "权利登记",
    "openings_planned": "开放计划",
    "openings_published": "已开放",
    "scenarios_registered": "应用场景",
    "products_developed": "数据产品",
    "listings_published": "挂牌",
    "licences_finalised": "成交许可",
    "deliveries_accepted": "验收交付",
    "titles_transferred": "权属转让",
    "disputes_opened": "争议",
    "valuations_issued": "评估报告",
    "pledges_registered": "质押登记",
    "loans_drawn": "放款",
    "pledges_defaulted": "违约",
    "guarantees_accepted": "担保",
    "policies_incepted": "保单",
    "claims_paid": "赔付",
    "incidents_confirmed": "安全事件",
    "assets_frozen": "冻结",
    "deposited_fen": "入金",
    "escrow_locked_fen": "托管成交额",
    "valued_fen": "评估值",
    "secured_fen": "质押担保额",
}
