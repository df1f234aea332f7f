"""Collection 汇聚: resources enter the catalogue, get versions of content, and retire."""

from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import (
    Asset,
    AssetForm,
    require_dealable,
    require_holder,
)
from dataexchange.asset.version import version_key
from dataexchange.identity.party import Party
from dataexchange.pipeline.content import Content, committed_version
from dataexchange.pipeline.elements import (
    LEVELS_OF,
    CatalogueEntry,
    Elements,
    Level,
    Library,
    SharingType,
    catalogue_key,
)
from dataexchange.pipeline.field import fields_hash
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, View, event
from dataexchange.rules.guard import require_status
from dataexchange.rules.payload import Line, PositiveCount
from dataexchange.rules.reference import AssetId

LEVEL_UNFIT = RefusalCode(
    "resource.level_unfit",
    clause="domain: catalogue levels 政务, 事业单位, 公用企业, 企业",
    zh="主体类型为 {kind} 的单位不能登记 {level} 级目录的资源",
    en="A party of kind {kind} cannot register a resource in the {level} catalogue",
    remedy_zh="按单位性质选择目录层级。",
    remedy_en="Choose the level that fits what the body is.",
)
SHARING_UNSTATED = RefusalCode(
    "resource.sharing_unstated",
    clause="政务数据共享条例",
    zh="公共数据须写明共享属性；不予共享和有条件共享须写明依据",
    en="Public data state their sharing type; conditional and refused sharing state the basis",
)
FORM_WRONG = RefusalCode(
    "asset.form_wrong",
    clause="数据二十条; domain: resource and product",
    zh="资产 {asset} 的形态是 {form}，此事件要求 {needed}",
    en="Asset {asset} is a {form}; this event needs a {needed}",
    kind="conflict",
)
STILL_BOUND = RefusalCode(
    "resource.still_bound",
    clause="民法典 art. 509; domain: resource.retired",
    zh="资产 {asset} 尚有 {liens} 项担保、{licences} 项有效许可，不得下架",
    en="Asset {asset} has {liens} liens and {licences} running licences; it cannot retire yet",
    remedy_zh="先解除担保，待许可到期或终止。",
    remedy_en="Discharge the liens and let the licences end first.",
    kind="conflict",
)


class ResourceRegistered(Payload):
    """A resource 数据资源, by the catalogue elements of GB/T 21063."""

    asset: AssetId
    level: Level
    library: Library | None = None
    elements: Elements
    sharing: SharingType | None = None
    sharing_basis: Annotated[
        Line | None, Field(description="The law or rule that a condition or refusal rests on")
    ] = None


class ResourceRevised(Payload):
    """New catalogue elements for an asset; fields that change are graded anew."""

    asset: AssetId
    elements: Elements
    sharing: SharingType | None = None
    sharing_basis: Line | None = None


class ResourceVersionAdded(Payload):
    """A version of a resource's content."""

    asset: AssetId
    number: PositiveCount
    content: Content


class ResourceRetired(Payload):
    """The end of an asset's life in the catalogue."""

    asset: AssetId
    reason: Line


@event(
    "resource.registered@1",
    by={Role.PROVIDER},
    zh="登记数据资源",
    en="Register a data resource",
    clause="GB/T 21063.3-2007",
    also=lambda payload, actor: (catalogue_key(payload.asset),),
)
def register(view: View, event: Event[ResourceRegistered]) -> Changes:
    """A provider enters a resource that it holds."""
    given = event.payload
    view.require_new(given.asset)
    kind = view.get(Party, event.actor).party_kind
    if given.level not in LEVELS_OF[kind]:
        raise LEVEL_UNFIT(kind=kind, level=given.level)
    _require_sharing(given.level, given.sharing, given.sharing_basis)
    entry = described(given.asset, given.elements).but(
        sharing=given.sharing, sharing_basis=given.sharing_basis, library=given.library
    )
    asset = registered(entry, form=AssetForm.RESOURCE, holder=event.actor, level=given.level)
    return (asset, entry)


@event(
    "resource.revised@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="修订目录",
    en="Revise a catalogue entry",
    clause="GB/T 21063.3-2007",
    also=lambda payload, actor: (catalogue_key(payload.asset),),
)
def revise(view: View, event: Event[ResourceRevised]) -> Changes:
    """The holder describes its asset anew."""
    given = event.payload
    asset = view.get(Asset, given.asset)
    require_status(asset, "registered")
    require_holder(asset, event.actor)
    old = view.get(CatalogueEntry, catalogue_key(asset.id))
    if asset.form is AssetForm.RESOURCE:
        _require_sharing(Level(asset.level), given.sharing, given.sharing_basis)
    entry = described(asset.id, given.elements).but(
        revision=old.revision + 1,
        sharing=given.sharing,
        sharing_basis=given.sharing_basis,
        library=old.library,
        product_type=old.product_type,
    )
    return (asset.but(title=entry.title, title_en=entry.title_en, theme=entry.theme), entry)


@event(
    "resource.version_added@1",
    by={Role.PROVIDER},
    zh="新增资源版本",
    en="Add a version of a resource",
    clause="domain: 汇聚, content commitment",
    also=lambda payload, actor: (
        catalogue_key(payload.asset),
        version_key(payload.asset, payload.number),
    ),
)
def add_version(view: View, event: Event[ResourceVersionAdded]) -> Changes:
    """The holder commits to new content; products pinned to an older version become stale."""
    given = event.payload
    asset = view.get(Asset, given.asset)
    require_form(asset, AssetForm.RESOURCE)
    require_holder(asset, event.actor)
    require_status(asset, "registered")
    version = committed_version(
        view.get(CatalogueEntry, catalogue_key(asset.id)),
        given.content,
        number=given.number,
        latest=asset.latest_version,
        index=event.index,
    )
    return (asset.but(latest_version=given.number), version)


@event(
    "resource.retired@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="资产下架",
    en="Retire an asset",
    clause="domain: resource.retired",
)
def retire(view: View, event: Event[ResourceRetired]) -> Changes:
    """The holder takes an asset out of the catalogue; its history stays."""
    asset = view.get(Asset, event.payload.asset)
    require_holder(asset, event.actor)
    require_dealable(asset)
    if asset.liens or asset.licences_active:
        raise STILL_BOUND(asset=asset.id, liens=len(asset.liens), licences=asset.licences_active)
    return asset.but(status="retired")


def require_form(asset: Asset, form: AssetForm) -> None:
    """Refuse unless `asset` has this form."""
    if asset.form is not form:
        raise FORM_WRONG(asset=asset.id, form=asset.form, needed=form)


def registered(entry: CatalogueEntry, *, form: AssetForm, holder: str, level: Level) -> Asset:
    """Return a new asset as its catalogue entry describes it."""
    return Asset(
        id=entry.asset,
        form=form,
        holder=holder,
        title=entry.title,
        title_en=entry.title_en,
        status="registered",
        theme=entry.theme,
        level=level.value,
    )


def described(asset: str, elements: Elements) -> CatalogueEntry:
    """Return the first revision of the catalogue entry that `elements` make."""
    return CatalogueEntry(
        id=catalogue_key(asset),
        asset=asset,
        revision=1,
        title=elements.title.zh,
        title_en=elements.title.en,
        theme=elements.theme,
        keywords=elements.keywords,
        format=elements.format,
        fields=len(elements.fields),
        fields_hash=fields_hash(field.name for field in elements.fields),
        spatial=elements.spatial,
        temporal_start=elements.temporal_start,
        temporal_end=elements.temporal_end,
        update_cycle=elements.update_cycle,
    )


def _require_sharing(level: Level, sharing: SharingType | None, basis: str | None) -> None:
    if level.is_public and (
        sharing is None or (sharing is not SharingType.UNCONDITIONAL and basis is None)
    ):
        raise SHARING_UNSTATED()
