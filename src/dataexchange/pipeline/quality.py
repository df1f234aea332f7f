"""Quality assessment 质量评估 of a version, by the six dimensions of GB/T 36344-2018.

The figures are measured from the file outside the rules; the report's hash lets anyone measure
again. Who assessed is kept with the version, so that a holder's own score is seen as such.
"""

from decimal import Decimal
from fractions import Fraction
from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import Asset
from dataexchange.asset.version import Version, version_key
from dataexchange.pipeline.commission import Service, commission_key, require_commissioned
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, View, event
from dataexchange.rules.guard import require_same, require_status
from dataexchange.rules.payload import Hash, Moment, PositiveCount, Ratio
from dataexchange.rules.reference import AssetId

NOTHING_ASSESSED = RefusalCode(
    "quality.nothing_assessed",
    clause="GB/T 36344-2018",
    zh="六个维度至少须评估一个",
    en="At least one of the six dimensions must be assessed",
    kind="malformed",
)
SCORE_WRONG = RefusalCode(
    "quality.score_wrong",
    clause="GB/T 36344-2018",
    zh="得分 {score} 与已评估维度的平均值 {mean} 不符",
    en="The score {score} is not the mean {mean} of the dimensions that were assessed",
    remedy_zh="得分为已评估维度得分的算术平均，误差不超过 0.000001。",
    remedy_en="The score is the plain mean of the assessed dimensions, within 0.000001.",
    kind="malformed",
)

_TOLERANCE = Fraction(1, 1_000_000)  # every ratio is rounded once, to six places


class Dimensions(Payload):
    """The six dimensions' scores; null for one that was not assessed."""

    normativity: Annotated[Ratio | None, Field(description="规范性")] = None
    completeness: Annotated[Ratio | None, Field(description="完整性")] = None
    accuracy: Annotated[Ratio | None, Field(description="准确性")] = None
    consistency: Annotated[Ratio | None, Field(description="一致性")] = None
    timeliness: Annotated[Ratio | None, Field(description="时效性")] = None
    accessibility: Annotated[Ratio | None, Field(description="可访问性")] = None

    def assessed(self) -> list[Fraction]:
        """Return the scores of the dimensions that were assessed."""
        return [Fraction(score) for _, score in self if score is not None]


class QualityAssessed(Payload):
    """The quality of one version; `report` and `rules` are the hashes of what can be rerun."""

    asset: AssetId
    version: PositiveCount
    dimensions: Dimensions
    score: Ratio
    report: Annotated[Hash, Field(description="SHA-256 of the assessment report")]
    rules: Annotated[Hash | None, Field(description="SHA-256 of the rule set used")] = None
    profile: Annotated[Hash | None, Field(description="SHA-256 of the profile")] = None
    content_root: Annotated[Hash, Field(description="The content that was measured")]
    as_of: Annotated[Moment, Field(description="The moment for which timeliness was measured")]


@event(
    "quality.assessed@1",
    by={Role.DATA_SERVICE, Role.PROVIDER},
    zh="质量评估",
    en="Assess quality",
    clause="GB/T 36344-2018",
    also=lambda payload, actor: (
        version_key(payload.asset, payload.version),
        commission_key(payload.asset, actor),
    ),
)
def assess(view: View, event: Event[QualityAssessed]) -> Changes:
    """A commissioned assessor, or the holder itself, states what was measured of a version."""
    given = event.payload
    asset = view.get(Asset, given.asset)
    version = view.get(Version, version_key(asset.id, given.version))
    require_status(asset, "registered")
    require_commissioned(view, asset, Service.QUALITY, actor=event.actor, now=event.recorded_at)
    require_same("content_root", given.content_root, version.content_root)
    _require_score(given)
    assessed = version.but(
        quality_report=given.report,
        quality_score=given.score,
        assessor=event.actor,
        self_assessed=event.actor == asset.holder,
        assessed_index=event.index,
    )
    if given.version < asset.assessed_version:
        return assessed
    return (asset.but(assessed_version=given.version, quality_score=given.score), assessed)


def _require_score(given: QualityAssessed) -> None:
    scores = given.dimensions.assessed()
    if not scores:
        raise NOTHING_ASSESSED()
    mean = sum(scores, Fraction(0)) / len(scores)
    if abs(Fraction(given.score) - mean) > _TOLERANCE:
        shown = Decimal(mean.numerator) / Decimal(mean.denominator)
        raise SCORE_WRONG(score=given.score, mean=f"{shown:.6f}")
