"""What governance records beside quality and grade: de-identification, compliance, controls."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import Asset, require_holder
from dataexchange.asset.version import Version, version_key
from dataexchange.pipeline.commission import Service, commission_key, require_commissioned
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.guard import require_status
from dataexchange.rules.payload import Code, Hash, Line, PositiveCount, Ratio
from dataexchange.rules.reference import AssetId

REVIEWER_IS_HOLDER = RefusalCode(
    "compliance.reviewer_is_holder",
    clause="domain: compliance.reviewed by a data service",
    zh="合规审查须由持有人以外的服务方作出",
    en="A holder cannot review the compliance of its own asset",
    remedy_zh="委托独立的合规服务方。",
    remedy_en="Commission an independent compliance service.",
    kind="forbidden",
)


class DeidentificationMethod(StrEnum):
    """How personal data were made unrecognisable (GB/T 37964-2019)."""

    SUPPRESSION = "suppression"  # 抑制
    PSEUDONYMISATION = "pseudonymisation"  # 假名化
    GENERALISATION = "generalisation"  # 泛化
    RANDOMISATION = "randomisation"  # 随机化
    AGGREGATION = "aggregation"  # 聚合
    K_ANONYMITY = "k_anonymity"
    DIFFERENTIAL_PRIVACY = "differential_privacy"
    SYNTHESIS = "synthesis"  # 数据合成


class ComplianceOutcome(StrEnum):
    """The conclusion of a compliance review."""

    PASSED = "passed"
    FAILED = "failed"


class SecurityControls(State, frozen=True, kw_only=True):
    """The controls under which an asset is kept; its key is `security/<asset>`."""

    KIND = "security"

    asset: str
    level: int
    controls: tuple[str, ...]
    evidence: str
    set_index: int


class DeidentificationRecorded(Payload):
    """How a version was de-identified, and the residual risk that was measured."""

    asset: AssetId
    version: PositiveCount
    methods: Annotated[tuple[DeidentificationMethod, ...], Field(min_length=1, max_length=8)]
    reidentification_risk: Annotated[
        Ratio | None, Field(description="Highest risk of one record, GB/T 37964-2019")
    ] = None
    report: Hash


class ComplianceReviewed(Payload):
    """A compliance opinion on a version: source, content, purpose, and ways of processing."""

    asset: AssetId
    version: PositiveCount
    outcome: ComplianceOutcome
    findings: Annotated[Line | None, Field(description="What must be mended")] = None
    report: Hash


class SecurityControlSet(Payload):
    """Security controls of an asset; `level` is that of 等级保护 (GB/T 22239-2019)."""

    asset: AssetId
    level: Annotated[int, Field(ge=1, le=4)]
    controls: Annotated[tuple[Code, ...], Field(min_length=1, max_length=32)]
    evidence: Annotated[Hash, Field(description="SHA-256 of the evaluation report 等保测评")]


def security_key(asset: str) -> str:
    """Return the key of the security controls of `asset`."""
    return f"security/{asset}"


@event(
    "deidentification.recorded@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="记录去标识化",
    en="Record de-identification",
    clause="个人信息保护法 art. 51; GB/T 37964-2019",
    also=lambda payload, actor: (
        version_key(payload.asset, payload.version),
        commission_key(payload.asset, actor),
    ),
)
def deidentify(view: View, event: Event[DeidentificationRecorded]) -> Changes:
    """The holder, or a commissioned service, records how a version was de-identified."""
    asset, version = _governed(view, event.payload)
    require_commissioned(
        view, asset, Service.DEIDENTIFICATION, actor=event.actor, now=event.recorded_at
    )
    return version.but(deidentification_report=event.payload.report)


@event(
    "compliance.reviewed@1",
    by={Role.DATA_SERVICE},
    zh="合规审查",
    en="Review compliance",
    clause="福建省数据流通交易管理办法(试行)",
    also=lambda payload, actor: (
        version_key(payload.asset, payload.version),
        commission_key(payload.asset, actor),
    ),
)
def review(view: View, event: Event[ComplianceReviewed]) -> Changes:
    """A commissioned service that does not hold the asset gives its opinion on a version."""
    given = event.payload
    asset, version = _governed(view, given)
    if event.actor == asset.holder:
        raise REVIEWER_IS_HOLDER()
    require_commissioned(view, asset, Service.COMPLIANCE, actor=event.actor, now=event.recorded_at)
    reviewed = version.but(compliance=given.outcome.value, compliance_report=given.report)
    if given.outcome is ComplianceOutcome.FAILED:
        return reviewed
    latest = max(asset.compliance_version, given.version)
    return (asset.but(compliance_version=latest), reviewed)


@event(
    "security.control_set@1",
    by={Role.PROVIDER, Role.DATA_SERVICE},
    zh="落实安全措施",
    en="Set security controls",
    clause="数据安全法 art. 27; GB/T 22239-2019",
    also=lambda payload, actor: (security_key(payload.asset),),
)
def set_controls(view: View, event: Event[SecurityControlSet]) -> Changes:
    """The holder states the controls that its asset is kept under."""
    given = event.payload
    asset = view.get(Asset, given.asset)
    require_status(asset, "registered")
    require_holder(asset, event.actor)
    controls = SecurityControls(
        id=security_key(asset.id),
        asset=asset.id,
        level=given.level,
        controls=given.controls,
        evidence=given.evidence,
        set_index=event.index,
    )
    return (asset.but(controls_level=given.level), controls)


def _governed(
    view: View, named: DeidentificationRecorded | ComplianceReviewed
) -> tuple[Asset, Version]:
    asset = view.get(Asset, named.asset)
    require_status(asset, "registered")
    return asset, view.get(Version, version_key(asset.id, named.version))
