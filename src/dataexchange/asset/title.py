"""The title register 权属登记簿: who holds an asset, and what stands in the way of dealing in it.

Upper rooms change an asset through these functions only: a pledge is a lien here, a regulator's
order is a freeze here. A sale needs to know the asset, not who encumbered it.
"""

from enum import StrEnum

import msgspec

from dataexchange.rules import RefusalCode, State
from dataexchange.rules.guard import require_status

LIENS_MAX = 16
FREEZES_MAX = 8
INCIDENTS_MAX = 8


class AssetForm(StrEnum):
    """What an asset is: a data resource 数据资源, or a product 数据产品 made of some."""

    RESOURCE = "resource"
    PRODUCT = "product"


class Lien(msgspec.Struct, frozen=True):
    """An encumbrance: the aggregate behind it, who holds it, and how much (分) it secures."""

    by: str
    holder: str
    secured_fen: int
    registered_index: int


class Source(msgspec.Struct, frozen=True):
    """A source of a product, pinned to a version, with its weight in the upstream share."""

    asset: str
    version: int
    weight: str


class RegisteredRight(msgspec.Struct, frozen=True):
    """A right in the register: its certificate number, who holds it, and until when."""

    certificate: str
    holder: str
    registration: str
    until: str


class Asset(State, frozen=True, kw_only=True):
    """An asset in the title register. Versions, assessments and claims are aggregates below it."""

    KIND = "asset"

    form: AssetForm
    holder: str
    title: str
    title_en: str | None = None
    status: str  # registered | retired
    theme: str
    level: str  # catalogue level: government | public_institution | public_utility | enterprise
    latest_version: int = 0
    assessed_version: int = 0
    quality_score: str | None = None
    grade: str | None = None  # core | important | general
    classified_fields: str | None = None  # hash of the names of the fields that were graded
    public_level: str | None = None  # L1..L4
    compliance_version: int = 0
    rights: dict[str, RegisteredRight] = {}  # holding | processing | operating
    claim_open: str | None = None  # the registration in its objection window
    objections_open: int = 0
    opening: str | None = None  # unconditional | conditional | refused
    opening_approved: bool = False
    personal_data: bool = False
    controls_level: int = 0  # 等级保护 level of the security controls set; 0 for none
    incidents: tuple[str, ...] = ()
    errors_open: int = 0
    scenario: str | None = None
    sources: tuple[Source, ...] = ()
    liens: tuple[Lien, ...] = ()
    freezes: tuple[str, ...] = ()
    exclusive_licence: str | None = None
    licences_active: int = 0

    @property
    def secured_fen(self) -> int:
        """The sum that all liens secure, in 分."""
        return sum(lien.secured_fen for lien in self.liens)


RETIRED = RefusalCode(
    "asset.retired",
    clause="GB/T 21063; domain: resource.retired",
    zh="资产 {asset} 已下架",
    en="Asset {asset} is retired",
    kind="conflict",
)
FROZEN = RefusalCode(
    "asset.frozen",
    clause="domain: supervision, asset.frozen",
    zh="资产 {asset} 已被监管冻结（{orders}）",
    en="Asset {asset} is frozen by order {orders}",
    remedy_zh="由监管机构解除冻结后再办理。",
    remedy_en="The regulator must lift the freeze first.",
    kind="conflict",
)
UNDER_OBJECTION = RefusalCode(
    "asset.under_objection",
    clause="domain: 公示 objection window",
    zh="资产 {asset} 有未决的权属异议",
    en="Asset {asset} is under an open objection",
    remedy_zh="由登记机构裁决异议后再办理。",
    remedy_en="The registrar must decide the objection first.",
    kind="conflict",
)
ENCUMBERED = RefusalCode(
    "asset.encumbered",
    clause="民法典 arts. 406, 443-445",
    zh="资产 {asset} 上有未解除的担保 {liens}，未经担保权人同意不得转让",
    en="Asset {asset} is encumbered by {liens}; no transfer without the secured party's consent",
    remedy_zh="取得全部担保权人的同意，或先清偿解押。",
    remedy_en="Obtain every secured party's consent, or discharge the debt first.",
    kind="conflict",
)
CLAIM_OPEN = RefusalCode(
    "asset.claim_open",
    clause="domain: 公示 objection window",
    zh="资产 {asset} 的权属登记 {registration} 正在公示，期间不得转让",
    en="Registration {registration} of asset {asset} is in its objection window; no transfer now",
    remedy_zh="待公示期满并登记后再转让。",
    remedy_en="Transfer after the window has closed and the rights are registered.",
    kind="conflict",
)
INCIDENT_OPEN = RefusalCode(
    "asset.incident_open",
    clause="数据安全法 art. 29",
    zh="资产 {asset} 有未关闭的安全事件 {incidents}",
    en="Asset {asset} has open security incidents: {incidents}",
    remedy_zh="处置并关闭安全事件后再办理。",
    remedy_en="Contain and close the incident first.",
    kind="conflict",
)
NOT_HOLDER = RefusalCode(
    "asset.not_holder",
    clause="数据二十条: 数据资源持有权",
    zh="{actor} 不是资产 {asset} 的持有人",
    en="{actor} does not hold asset {asset}",
    kind="forbidden",
)
TOO_MANY_INCIDENTS = RefusalCode(
    "asset.too_many_incidents",
    clause="architecture: state rows stay small",
    zh="资产 {asset} 的未关闭安全事件已达 {limit} 件",
    en="Asset {asset} has {limit} open incidents already",
)
TOO_MANY_LIENS = RefusalCode(
    "asset.too_many_liens",
    clause="architecture: state rows stay small",
    zh="资产 {asset} 的担保已达 {limit} 项",
    en="Asset {asset} has {limit} liens already",
)
NOT_FROZEN_BY = RefusalCode(
    "asset.not_frozen_by",
    clause="domain: supervision, asset.unfrozen",
    zh="资产 {asset} 未因令号 {order} 被冻结",
    en="Asset {asset} is not frozen by order {order}",
    kind="conflict",
)
FROZEN_BY_ALREADY = RefusalCode(
    "asset.frozen_by_already",
    clause="domain: supervision, asset.frozen",
    zh="资产 {asset} 已因令号 {order} 被冻结，或冻结令已达上限",
    en="Asset {asset} is frozen by order {order} already, or has the most orders it can have",
    kind="conflict",
)


def require_holder(asset: Asset, actor: str) -> None:
    """Refuse unless `actor` holds `asset`."""
    if asset.holder != actor:
        raise NOT_HOLDER(actor=actor, asset=asset.id)


def require_dealable(asset: Asset) -> None:
    """Refuse where `asset` is retired, frozen, or under an open objection."""
    if asset.status == "retired":
        raise RETIRED(asset=asset.id)
    if asset.freezes:
        raise FROZEN(asset=asset.id, orders=", ".join(asset.freezes))
    if asset.objections_open:
        raise UNDER_OBJECTION(asset=asset.id)


def require_no_incident(asset: Asset) -> None:
    """Refuse where a confirmed security incident of `asset` is open."""
    if asset.incidents:
        raise INCIDENT_OPEN(asset=asset.id, incidents=", ".join(asset.incidents))


def marked(asset: Asset, incident: str) -> Asset:
    """Return `asset` with one more open security incident."""
    if len(asset.incidents) >= INCIDENTS_MAX:
        raise TOO_MANY_INCIDENTS(asset=asset.id, limit=INCIDENTS_MAX)
    return asset.but(incidents=(*asset.incidents, incident))


def cleared(asset: Asset, incident: str) -> Asset:
    """Return `asset` without the security incident `incident`."""
    return asset.but(incidents=tuple(other for other in asset.incidents if other != incident))


def encumbered(asset: Asset, lien: Lien) -> Asset:
    """Return `asset` with one more lien, last in priority."""
    if len(asset.liens) >= LIENS_MAX:
        raise TOO_MANY_LIENS(asset=asset.id, limit=LIENS_MAX)
    return asset.but(liens=(*asset.liens, lien))


def released(asset: Asset, by: str) -> Asset:
    """Return `asset` without the liens of the aggregate `by`."""
    return asset.but(liens=tuple(lien for lien in asset.liens if lien.by != by))


def frozen(asset: Asset, order: str) -> Asset:
    """Return `asset` frozen by `order` too."""
    if order in asset.freezes or len(asset.freezes) >= FREEZES_MAX:
        raise FROZEN_BY_ALREADY(asset=asset.id, order=order)
    return asset.but(freezes=(*asset.freezes, order))


def unfrozen(asset: Asset, order: str) -> Asset:
    """Return `asset` without the freeze of `order`."""
    if order not in asset.freezes:
        raise NOT_FROZEN_BY(asset=asset.id, order=order)
    return asset.but(freezes=tuple(other for other in asset.freezes if other != order))


def transferred(asset: Asset, to: str, consenting: frozenset[str]) -> Asset:
    """Return `asset` held by `to`; refuse while a lien's holder is not among `consenting`."""
    require_status(asset, "registered")
    require_dealable(asset)
    if asset.claim_open is not None:
        raise CLAIM_OPEN(asset=asset.id, registration=asset.claim_open)
    unheard = [lien.by for lien in asset.liens if lien.holder not in consenting]
    if unheard:
        raise ENCUMBERED(asset=asset.id, liens=", ".join(unheard))
    return asset.but(holder=to)
