"""监管: a freeze that stops a deal, and the quarter's indicators."""

from dataexchange.client.exchange_client import ExchangeClient
from dataexchange.client.typeid import new_id
from dataexchange.demo.cast import Cast
from dataexchange.demo.pipeline import Made, keep, listing
from dataexchange.demo.stage import Stage
from dataexchange.ledger.entry import Entry
from dataexchange.registry.submission import read
from dataexchange.supervision.evaluation import evaluate, quarter_of, report_hash
from dataexchange.supervision.record import Record
from dataexchange.supervision.rendering import render
from dataexchange.supervision.stock import record_of


async def supervise(stage: Stage, cast: Cast, made: Made) -> None:
    """Freeze, see the effect, lift the freeze."""
    stage.chapter("监管", "Supervision")
    order = {"asset": made.product, "order_number": "JG-DEMO-1", "reason": "核查"}
    await stage.do(cast.regulator, "asset.frozen@1", **order)
    stage.say("监管机构冻结产品", "the regulator freezes the product")
    await stage.refused(
        "冻结期间挂牌",
        "asset.frozen",
        cast.developer,
        "listing.published@1",
        **listing(stage, made.product, made.resource),
    )
    await stage.do(cast.regulator, "asset.unfrozen@1", **order)
    stage.say("解除冻结", "the freeze is lifted")
    await _publish_indicators(stage, cast)


async def _publish_indicators(stage: Stage, cast: Cast) -> None:
    """Fold the log so far into the quarter's evaluation, and publish its hash."""
    client = stage.client(cast.operator)
    size = (await stage.http.get("/v1/log")).json()["size"]
    records = [await _record(client, index) for index in range(size)]
    quarter = quarter_of(records[0])
    report = evaluate(records, quarter, size)
    await keep(stage, cast.operator, report)
    await stage.do(
        cast.operator,
        "indicators.published@1",
        report=new_id("report"),
        quarter=quarter,
        covers=size,
        report_sha256=report_hash(report),
    )
    stage.facts["indicators"] = render(report, "zh") + "\n" + render(report, "en")
    stage.say(f"发布 {quarter} 季度评估，验证方逐条重算", "the quarter's evaluation, recomputable")


async def _record(client: ExchangeClient, index: int) -> Record:
    entry = Entry.parse(await client.fetch(f"/v1/entries/{index}"))
    submitted = read(entry.statement, entry.fields.signature)
    return record_of(
        index,
        submitted.type.name,
        submitted.payload,
        recorded_at=entry.recorded_at,
        actor=submitted.actor,
    )
