"""The quarterly evaluation 季度评估: a fold over the log, published by hash, recomputed by anyone.

The event names how many entries it covers and the hash of the report. Whoever holds those entries
makes the report again (`supervision.evaluation`) and must get the same bytes.
"""

from typing import Annotated

from pydantic import Field

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

COVERS_THE_FUTURE = RefusalCode(
    "indicators.cover_the_future",
    clause="domain: supervision, the event carries N",
    zh="指标只能覆盖已入账的条目：至多 {index} 条，而非 {covers} 条",
    en="Indicators cover entries that exist: {index} at most, not {covers}",
)


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
