"""汇聚、治理、开放、应用: from a file to a product that may be listed."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from dataexchange.client.signing import Actor
from dataexchange.client.typeid import new_id
from dataexchange.content.commitment import version_content
from dataexchange.demo.cast import Cast
from dataexchange.demo.data import Data, elements, product_data, raw_data
from dataexchange.demo.stage import Stage
from dataexchange.ledger.statement import format_time

RIGHTS = ["holding", "processing", "operating"]


@dataclass(frozen=True)
class Made:
    """The resource and the product made of it, each with its data."""

    resource: str
    resource_data: Data
    product: str
    product_data: Data
    scenario: str


async def make(stage: Stage, cast: Cast, chosen: Path | None) -> Made:
    """Carry the file through the stages; return what came of it."""
    raw = await _collect(stage, cast, chosen)
    resource = new_id("asset")
    await _register(stage, cast, resource, raw)
    await _govern(stage, cast, cast.bureau, resource, raw, public_level="L1")
    await _open(stage, cast, resource)
    return await _develop(stage, cast, resource, raw)


async def _collect(stage: Stage, cast: Cast, chosen: Path | None) -> Data:
    stage.chapter("汇聚", "Collection")
    raw = raw_data(chosen, stage.folder, stage.clock.now())
    content = raw.measured.commitment
    stage.say(
        f"读取 {raw.path.name}：{content.rows} 行 × {len(content.columns)} 列，"
        f"{content.digest.size_bytes} 字节（{raw.source}，许可 {raw.licence}）",
        f"SHA-256 {content.digest.sha256[:16]}…",
    )
    return raw


async def _register(stage: Stage, cast: Cast, resource: str, raw: Data) -> None:
    await stage.do(
        cast.bureau,
        "resource.registered@1",
        asset=resource,
        level="government",
        elements=elements(raw, "weather"),
        sharing="unconditional",
    )
    await stage.do(
        cast.bureau,
        "resource.version_added@1",
        asset=resource,
        number=1,
        content=_content(raw),
    )
    stage.say("资源登记，版本 1 作出内容承诺（分块默克尔根）", "resource registered, version 1")


async def _govern(
    stage: Stage, cast: Cast, holder: Actor, asset: str, data: Data, **grading: Any
) -> None:
    """Measure, classify, review and register the rights of version 1."""
    stage.chapter("治理", "Governance")
    await stage.do(
        holder,
        "service.commissioned@1",
        asset=asset,
        party=cast.service.party,
        services=["quality", "compliance", "deidentification"],
        until=format_time(stage.clock.now() + timedelta(days=365)),
    )
    await _assess(stage, cast, asset, data)
    await _classify(stage, cast, holder, asset, data, **grading)
    await _register_rights(stage, cast, holder, asset)


async def _assess(stage: Stage, cast: Cast, asset: str, data: Data) -> None:
    report = data.measured.report
    root = version_content([data.measured.commitment]).root
    assessment = report.assessment(asset=asset, version=1, content_root=root)
    await stage.do(cast.service, "quality.assessed@1", **assessment.model_dump(exclude_none=True))
    await keep(stage, cast.service, report.to_bytes())
    scores = "，".join(f"{name} {score}" for name, score in report.scores().items() if score)
    stage.say(f"质量实测 {report.score_text}：{scores}", "quality measured from the file itself")
    stage.facts.setdefault("quality", {})[data.title] = {
        "score": report.score_text,
        **report.scores(),
    }


async def _classify(
    stage: Stage, cast: Cast, holder: Actor, asset: str, data: Data, **grading: Any
) -> None:
    columns = data.measured.commitment.columns
    await stage.do(
        holder,
        "classification.assigned@1",
        asset=asset,
        version=1,
        category="weather",
        fields=[{"name": column.name, "grade": "general"} for column in columns],
        basis="GB/T 43697-2024",
        **grading,
    )
    await stage.do(
        cast.service,
        "compliance.reviewed@1",
        asset=asset,
        version=1,
        outcome="passed",
        report=await keep(stage, cast.service, f"合规审查：{data.title}：通过".encode()),
    )
    stage.say("分类分级：一般数据；合规审查通过", "graded general, compliance passed")


async def _register_rights(stage: Stage, cast: Cast, holder: Actor, asset: str) -> None:
    registration = new_id("registration")
    await stage.do(
        holder,
        "rights.claimed@1",
        registration=registration,
        asset=asset,
        version=1,
        rights=RIGHTS,
        basis="依法收集与加工",
        evidence=[digest(b"evidence")],
    )
    certificate = {"registration": registration, "asset": asset, "version": 1}
    await stage.refused(
        "公示期内登记权利",
        "rights.window_open",
        cast.registrar,
        "rights.registered@1",
        **certificate,
        certificate="FJ-DEMO-0",
    )
    stage.clock.skip(days=7)
    await stage.do(
        cast.registrar,
        "rights.registered@1",
        **certificate,
        certificate=f"FJ-DEMO-{registration[-6:]}",
    )
    stage.say("三权公示七日无异议，登记并发证", "three rights registered after the notice period")


async def _open(stage: Stage, cast: Cast, resource: str) -> None:
    stage.chapter("开放", "Opening")
    by = (stage.clock.now() + timedelta(days=30)).date().isoformat()
    await stage.do(
        cast.bureau,
        "opening.planned@1",
        plan=new_id("plan"),
        asset=resource,
        opening="unconditional",
        by=by,
    )
    await stage.do(
        cast.bureau, "opening.published@1", asset=resource, version=1, opening="unconditional"
    )
    stage.say("列入开放计划并无条件开放", "planned, then opened without conditions")


async def _develop(stage: Stage, cast: Cast, resource: str, raw: Data) -> Made:
    stage.chapter("应用", "Application")
    scenario, product = new_id("scenario"), new_id("asset")
    await stage.do(
        cast.developer,
        "scenario.registered@1",
        scenario=scenario,
        title={"zh": "航空物流天气风险定价", "en": "Pricing weather risk in air logistics"},
        description="以逐时气象数据为航空物流的天气风险定价。",
        sector="G56",
        purposes=["risk_pricing"],
        beneficiaries="物流与保险企业",
    )
    made = product_data(raw, stage.folder, stage.clock.now())
    await stage.do(
        cast.developer,
        "product.developed@1",
        asset=product,
        level="enterprise",
        product_type="dataset",
        elements=elements(made, "weather"),
        scenario=scenario,
        sources=[{"asset": resource, "version": 1, "weight": "1"}],
        content=_content(made),
    )
    stage.say(
        f"由版本 1 加工出产品：{made.measured.commitment.rows} 行，血缘固定到来源版本",
        "a product, its lineage pinned to the source's version",
    )
    await stage.refused(
        "未评估即挂牌",
        "gate.not_assessed",
        cast.developer,
        "listing.published@1",
        **listing(stage, product, resource),
    )
    await _govern(stage, cast, cast.developer, product, made, sources=[resource])
    return Made(resource, raw, product, made, scenario)


def listing(stage: Stage, product: str, resource: str, fee_fen: int = 5_000_000) -> dict[str, Any]:
    """Return the listing of the product at a fixed fee, open to offers."""
    return {
        "listing": new_id("listing"),
        "asset": product,
        "version": 1,
        "sources": [resource],
        "price": {"model": "fixed", "fee_fen": fee_fen},
        "terms": {"term_days": 365, "territory": ["CN"], "deletion_days": 30},
        "forms": ["file"],
        "negotiable": True,
        "valid_until": format_time(stage.clock.now() + timedelta(days=90)),
    }


async def keep(stage: Stage, actor: Actor, content: bytes) -> str:
    """Put `content` into the exchange's store; return its SHA-256 (hex)."""
    path = stage.folder / "content.part"
    path.write_bytes(content)
    sha256 = digest(content)
    await stage.client(actor).put_content(path, sha256)
    path.unlink()
    return sha256


def digest(content: bytes) -> str:
    """Return the SHA-256 (hex) of `content`."""
    return hashlib.sha256(content).hexdigest()


def _content(data: Data) -> dict[str, Any]:
    content = version_content([data.measured.commitment])
    return content.model_dump(mode="json", exclude_none=True)
