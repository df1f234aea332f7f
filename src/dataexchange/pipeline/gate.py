"""The gates between the stages, as functions that every later stage and room asks.

A gate looks at the asset, at the version in question and, for a product, at all its sources; the
caller's event names them, and nobody passes by leaving one out.
"""

from collections.abc import Sequence
from decimal import Decimal

from dataexchange.asset.title import Asset, require_dealable, require_no_incident
from dataexchange.asset.version import Version
from dataexchange.pipeline.grade import Grade
from dataexchange.rules import RefusalCode, View
from dataexchange.rules.guard import require_same

NOT_ASSESSED = RefusalCode(
    "gate.not_assessed",
    clause="GB/T 36344-2018; domain: governance gate",
    zh="资产 {asset} 的版本 {version} 未经质量评估",
    en="Version {version} of {asset} has no quality assessment",
    remedy_zh="先对该版本提交 quality.assessed。",
    remedy_en="Submit quality.assessed for that version first.",
)
SCORE_TOO_LOW = RefusalCode(
    "gate.score_too_low",
    clause="GB/T 36344-2018; policy quality_score_min",
    zh="资产 {asset} 版本 {version} 的质量得分 {score} 低于下限 {minimum}",
    en="Version {version} of {asset} scores {score}, below the minimum of {minimum}",
    remedy_zh="改进数据质量，发布新版本并重新评估。",
    remedy_en="Improve the data, add a version and have it assessed.",
)
NOT_CLASSIFIED = RefusalCode(
    "gate.not_classified",
    clause="GB/T 43697-2024; 数据安全法 art. 21",
    zh="资产 {asset} 版本 {version} 的数据项未分类分级",
    en="The fields of version {version} of {asset} are not classified",
    remedy_zh="对目录中的全部数据项提交 classification.assigned。",
    remedy_en="Submit classification.assigned for every field of the catalogue.",
)
CORE_DATA = RefusalCode(
    "gate.core_data",
    clause="数据安全法 art. 21; GB/T 43697-2024",
    zh="资产 {asset} 属核心数据，不登记、不开放、不运营、不流通",
    en="Asset {asset} is core data: not registered, opened, operated or traded",
)
CONTROLS_MISSING = RefusalCode(
    "gate.controls_missing",
    clause="数据安全法 art. 27; GB/T 22239-2019",
    zh="资产 {asset} 属重要数据，须先落实等级保护 {needed} 级以上的安全措施",
    en="Asset {asset} is important data; it needs security controls of level {needed} or above",
    remedy_zh="提交 security.control_set。",
    remedy_en="Submit security.control_set.",
)
PERSONAL_DATA = RefusalCode(
    "gate.personal_data",
    clause="个人信息保护法 arts. 4, 13, 25",
    zh="资产 {asset} 版本 {version} 含个人信息，且未记录去标识化",
    en="Version {version} of {asset} holds personal data and no de-identification is recorded",
    remedy_zh="去标识化后提交 deidentification.recorded。",
    remedy_en="De-identify it and submit deidentification.recorded.",
)
NOT_COMPLIANT = RefusalCode(
    "gate.not_compliant",
    clause="福建省数据流通交易管理办法(试行)",
    zh="资产 {asset} 版本 {version} 的合规审查结论为 {compliance}，此步骤要求 passed",
    en="Version {version} of {asset} has compliance {compliance}; this step needs passed",
    remedy_zh="由合规服务方审查并提交 compliance.reviewed。",
    remedy_en="Have a compliance service review it (compliance.reviewed).",
)
NOT_FOR_DELIVERY = RefusalCode(
    "gate.not_for_delivery",
    clause="domain: 不予开放 data are used in place, never delivered",
    zh="资产 {asset} 不予开放，只能在授权运营中原地使用，不得挂牌交付",
    en="Asset {asset} is refused to the public: used in place under an operation, never listed",
)

CONTROLS_LEVEL_MIN = 3


def require_governed(view: View, asset: Asset, version: Version) -> None:
    """Refuse unless `version` is assessed well enough and graded, and the asset is not core data.

    Refuses as well where the asset is retired, frozen or under objection, where a review found
    the version not compliant, and where important data has no security controls.
    """
    require_same("version", version.asset, asset.id)
    require_dealable(asset)
    if version.quality_score is None:
        raise NOT_ASSESSED(asset=asset.id, version=version.number)
    minimum = view.policy.quality_score_min
    if Decimal(version.quality_score) < Decimal(minimum):
        raise SCORE_TOO_LOW(
            asset=asset.id, version=version.number, score=version.quality_score, minimum=minimum
        )
    require_classified(asset, version)
    if version.compliance == "failed":
        raise NOT_COMPLIANT(asset=asset.id, version=version.number, compliance="failed")


def require_classified(asset: Asset, version: Version) -> None:
    """Refuse unless the version's fields are graded and none is core; important needs controls."""
    if asset.grade is None or asset.classified_fields != version.fields_hash:
        raise NOT_CLASSIFIED(asset=asset.id, version=version.number)
    require_not_core(asset)
    if asset.grade == Grade.IMPORTANT and asset.controls_level < CONTROLS_LEVEL_MIN:
        raise CONTROLS_MISSING(asset=asset.id, needed=CONTROLS_LEVEL_MIN)


def require_not_core(asset: Asset) -> None:
    """Refuse core data 核心数据."""
    if asset.grade == Grade.CORE:
        raise CORE_DATA(asset=asset.id)


def require_deidentified(asset: Asset, version: Version) -> None:
    """Refuse a version with personal data of which no de-identification is recorded."""
    if asset.personal_data and version.deidentification_report is None:
        raise PERSONAL_DATA(asset=asset.id, version=version.number)


def require_listable(
    view: View, asset: Asset, version: Version, sources: Sequence[Asset] = ()
) -> None:
    """Refuse unless `version` may be listed: governed, compliant, safe, deliverable.

    `sources` are all the assets that a product is made of; the rule refuses unless they are the
    ones that the ledger holds, and none of them is frozen, under objection, core or in an incident.
    """
    require_governed(view, asset, version)
    require_no_incident(asset)
    require_deidentified(asset, version)
    if asset.opening == "refused":
        raise NOT_FOR_DELIVERY(asset=asset.id)
    if version.compliance != "passed":
        raise NOT_COMPLIANT(
            asset=asset.id, version=version.number, compliance=version.compliance or "none"
        )
    require_sources(asset, sources)
    for source in sources:
        require_usable(source)


def require_sources(product: Asset, sources: Sequence[Asset]) -> None:
    """Refuse unless `sources` are exactly the assets that `product` is made of."""
    named = sorted(source.id for source in sources)
    held = sorted(source.asset for source in product.sources)
    require_same("sources", ", ".join(named), ", ".join(held))


def require_usable(source: Asset) -> None:
    """Refuse a source that is frozen, under objection, core data, or in an open incident.

    A retired source does not stop the products made while it lived.
    """
    require_dealable(source.but(status="registered"))
    require_no_incident(source)
    require_not_core(source)


def is_stale(product: Asset, sources: Sequence[Asset]) -> bool:
    """Tell whether a source of `product` has a later version than the one it is pinned to."""
    latest = {source.id: source.latest_version for source in sources}
    return any(latest[source.asset] > source.version for source in product.sources)
