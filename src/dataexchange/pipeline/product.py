"""Products 数据产品: developed from versions of resources for a scenario, with their lineage."""

from enum import StrEnum

from dataexchange.asset.title import Asset, AssetForm, require_dealable, require_holder
from dataexchange.asset.version import version_key
from dataexchange.identity.party import Party
from dataexchange.pipeline.collection import (
    LEVEL_UNFIT,
    described,
    registered,
    require_form,
)
from dataexchange.pipeline.content import Content, committed_version
from dataexchange.pipeline.elements import (
    LEVELS_OF,
    CatalogueEntry,
    Elements,
    Level,
    catalogue_key,
)
from dataexchange.pipeline.lineage import Sources, Use, lineage_keys, require_lineage
from dataexchange.pipeline.scenario import Scenario
from dataexchange.rules import Changes, Event, Payload, Role, View, event
from dataexchange.rules.guard import require_status
from dataexchange.rules.payload import PositiveCount
from dataexchange.rules.reference import AssetId, ScenarioId

FIRST = 1


class ProductType(StrEnum):
    """What a product is to its buyer."""

    DATASET = "dataset"  # 数据集
    API = "api"  # 数据接口
    REPORT = "report"  # 数据报告
    APPLICATION = "application"  # 数据应用
    MODEL = "model"  # 模型
    SERVICE = "service"  # 数据服务


class ProductDeveloped(Payload):
    """A new product with its first version's content and its sources."""

    asset: AssetId
    level: Level
    product_type: ProductType
    elements: Elements
    scenario: ScenarioId
    sources: Sources
    content: Content


class ProductVersionAdded(Payload):
    """A version of a product, its sources pinned anew."""

    asset: AssetId
    number: PositiveCount
    sources: Sources
    content: Content


@event(
    "product.developed@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="开发数据产品",
    en="Develop a product",
    clause="数据二十条: 数据加工使用权; W3C PROV-DM",
    also=lambda payload, actor: (
        catalogue_key(payload.asset),
        version_key(payload.asset, FIRST),
        *lineage_keys(payload.sources),
    ),
)
def develop(view: View, event: Event[ProductDeveloped]) -> Changes:
    """A developer makes a product of sources that it may use, for an open scenario."""
    given = event.payload
    view.require_new(given.asset)
    require_status(view.get(Scenario, given.scenario), "open")
    kind = view.get(Party, event.actor).party_kind
    if given.level not in LEVELS_OF[kind]:
        raise LEVEL_UNFIT(kind=kind, level=given.level)
    sources = require_lineage(
        view, Use(event.actor, given.asset, given.scenario, event.recorded_at), given.sources
    )
    entry = described(given.asset, given.elements).but(product_type=given.product_type.value)
    product = registered(entry, form=AssetForm.PRODUCT, holder=event.actor, level=given.level).but(
        scenario=given.scenario, sources=sources, latest_version=FIRST
    )
    version = committed_version(entry, given.content, number=FIRST, latest=0, index=event.index)
    return (product, entry, version)


@event(
    "product.version_added@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="新增产品版本",
    en="Add a version of a product",
    clause="数据二十条: 数据加工使用权; W3C PROV-DM",
    also=lambda payload, actor: (
        catalogue_key(payload.asset),
        version_key(payload.asset, payload.number),
        *lineage_keys(payload.sources),
    ),
)
def add_version(view: View, event: Event[ProductVersionAdded]) -> Changes:
    """The holder makes the product anew; pinning the latest sources ends its staleness."""
    given = event.payload
    product = view.get(Asset, given.asset)
    require_form(product, AssetForm.PRODUCT)
    require_holder(product, event.actor)
    require_dealable(product)
    sources = require_lineage(
        view, Use(event.actor, product.id, product.scenario, event.recorded_at), given.sources
    )
    version = committed_version(
        view.get(CatalogueEntry, catalogue_key(product.id)),
        given.content,
        number=given.number,
        latest=product.latest_version,
        index=event.index,
    )
    return (product.but(latest_version=given.number, sources=sources), version)
