"""Opening 开放 of public data: approved where important, published with a type, withdrawn."""

from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import Asset, require_holder, require_no_incident
from dataexchange.asset.version import Version, version_key
from dataexchange.ledger.statement import format_time
from dataexchange.pipeline.gate import (
    require_deidentified,
    require_governed,
    require_not_core,
)
from dataexchange.pipeline.grade import Grade, PublicLevel
from dataexchange.pipeline.plan import OpeningType, Plan, fulfilled, require_public
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.guard import require_status
from dataexchange.rules.payload import Code, Hash, Line, PositiveCount, Prose
from dataexchange.rules.reference import AssetId, PlanId

ONLY_CONDITIONAL = RefusalCode(
    "opening.only_conditional",
    clause="数据安全法 art. 21; domain: 重要 only conditional with approval",
    zh="资产 {asset} 为 {reason}，只能有条件开放或不予开放",
    en="Asset {asset} is {reason}: it opens conditionally or not at all",
    remedy_zh="opening 取 conditional 或 refused。",
    remedy_en="Set opening to conditional or refused.",
)
NOT_APPROVED = RefusalCode(
    "opening.not_approved",
    clause="数据安全法 art. 21; domain: 重要 only conditional with approval",
    zh="资产 {asset} 属重要数据，开放须先经监管机构批准",
    en="Asset {asset} is important data: a regulator approves its opening first",
    remedy_zh="由监管机构提交 opening.approved。",
    remedy_en="Have a regulator submit opening.approved.",
)
TERMS_MISSING = RefusalCode(
    "opening.terms_missing",
    clause="domain: 开放 opening",
    zh="有条件开放须写明条件，不予开放须写明依据",
    en="A conditional opening states its conditions; a refusal states its basis",
)


class Opening(State, frozen=True, kw_only=True):
    """How an asset is open; its key is `opening/<asset>`."""

    KIND = "opening"

    asset: str
    status: str  # approved | published | withdrawn
    opening: OpeningType | None = None
    version: int | None = None
    terms: str | None = None
    since: str | None = None
    approval: str | None = None
    approved_by: str | None = None


class OpeningApproved(Payload):
    """A regulator's approval to open important data, under conditions."""

    asset: AssetId
    number: Annotated[Code, Field(description="The number of the approval")]
    conditions: Prose


class OpeningPublished(Payload):
    """An opening by its type. `terms`: the conditions, or the basis of a refusal."""

    asset: AssetId
    version: PositiveCount
    opening: OpeningType
    terms: Line | None = None
    plan: PlanId | None = None
    licence: Annotated[Hash | None, Field(description="SHA-256 of the open licence")] = None


class OpeningWithdrawn(Payload):
    """The end of an opening; what was made of the data stays."""

    asset: AssetId
    reason: Line


def opening_key(asset: str) -> str:
    """Return the key of the opening of `asset`."""
    return f"opening/{asset}"


@event(
    "opening.approved@1",
    by={Role.REGULATOR},
    zh="批准开放",
    en="Approve an opening",
    clause="数据安全法 art. 21",
    also=lambda payload, actor: (opening_key(payload.asset),),
)
def approve(view: View, event: Event[OpeningApproved]) -> Changes:
    """A regulator lets important data open conditionally."""
    given = event.payload
    asset = view.get(Asset, given.asset)
    require_status(asset, "registered")
    require_not_core(asset)
    old = view.find(Opening, opening_key(asset.id)) or Opening(
        id=opening_key(asset.id), asset=asset.id, status="approved"
    )
    approved = old.but(
        status="published" if old.status == "published" else "approved",
        approval=given.number,
        approved_by=event.actor,
    )
    return (asset.but(opening_approved=True), approved)


@event(
    "opening.published@1",
    by={Role.PROVIDER},
    zh="开放",
    en="Publish an opening",
    clause="domain: 无条件, 有条件, 不予开放",
    also=lambda payload, actor: (
        opening_key(payload.asset),
        version_key(payload.asset, payload.version),
    ),
)
def publish(view: View, event: Event[OpeningPublished]) -> Changes:
    """The holder sets the type; whatever opens has passed governance."""
    given = event.payload
    asset = view.get(Asset, given.asset)
    require_holder(asset, event.actor)
    require_public(asset)
    _require_openable(view, asset, given)
    old = view.find(Opening, opening_key(asset.id)) or Opening(
        id=opening_key(asset.id), asset=asset.id, status="published"
    )
    opened = old.but(
        status="published",
        opening=given.opening,
        version=given.version,
        terms=given.terms,
        since=format_time(event.recorded_at),
    )
    changed = (asset.but(opening=given.opening.value), opened)
    if given.plan is None:
        return changed
    plan = view.get(Plan, given.plan)
    return (*changed, fulfilled(plan, given.opening, asset.id, event.recorded_at))


@event(
    "opening.withdrawn@1",
    by={Role.PROVIDER, Role.REGULATOR},
    zh="撤回开放",
    en="Withdraw an opening",
    clause="domain: opening.withdrawn",
    also=lambda payload, actor: (opening_key(payload.asset),),
)
def withdraw(view: View, event: Event[OpeningWithdrawn]) -> Changes:
    """The holder or a regulator ends an opening, and with it an approval."""
    asset = view.get(Asset, event.payload.asset)
    if Role.REGULATOR not in event.roles:
        require_holder(asset, event.actor)
    opened = view.get(Opening, opening_key(asset.id))
    require_status(opened, "approved", "published")
    return closed(asset, opened)


def closed(asset: Asset, opened: Opening) -> tuple[Asset, Opening]:
    """Return the asset, and its opening, open no longer."""
    return (
        asset.but(opening=None, opening_approved=False),
        opened.but(status="withdrawn", opening=None, approval=None, approved_by=None),
    )


def may_stay_open(asset: Asset) -> bool:
    """Tell whether the asset's opening fits its grade: core never, important not freely."""
    if asset.opening in (None, OpeningType.REFUSED):
        return True
    if asset.grade == Grade.IMPORTANT:
        return asset.opening == OpeningType.CONDITIONAL and asset.opening_approved
    return asset.grade != Grade.CORE


def _require_openable(view: View, asset: Asset, given: OpeningPublished) -> None:
    version = view.get(Version, version_key(asset.id, given.version))
    if given.opening is not OpeningType.UNCONDITIONAL and given.terms is None:
        raise TERMS_MISSING()
    if given.opening is OpeningType.REFUSED:
        require_status(asset, "registered")
        return
    require_governed(view, asset, version)
    require_no_incident(asset)
    require_deidentified(asset, version)
    important = asset.grade == Grade.IMPORTANT
    if given.opening is OpeningType.UNCONDITIONAL and important:
        raise ONLY_CONDITIONAL(asset=asset.id, reason="重要数据 important data")
    if given.opening is OpeningType.UNCONDITIONAL and asset.public_level == PublicLevel.L4:
        raise ONLY_CONDITIONAL(asset=asset.id, reason="L4")
    if important and not asset.opening_approved:
        raise NOT_APPROVED(asset=asset.id)
