"""Classification and grading 分类分级: every field graded, the strictest grade wins."""

from typing import Annotated

from pydantic import Field

from dataexchange.asset.title import Asset, require_holder
from dataexchange.asset.version import Version, version_key
from dataexchange.pipeline.elements import CatalogueEntry, Level, catalogue_key
from dataexchange.pipeline.field import FIELDS_DIFFER, fields_hash
from dataexchange.pipeline.gate import require_sources
from dataexchange.pipeline.grade import Grade, PublicLevel, strictest
from dataexchange.pipeline.opening import Opening, closed, may_stay_open, opening_key
from dataexchange.rules import Changes, Event, Payload, RefusalCode, Role, State, View, event
from dataexchange.rules.guard import require_status
from dataexchange.rules.payload import Code, Hash, Line, PositiveCount
from dataexchange.rules.reference import AssetId

LEVEL_UNSTATED = RefusalCode(
    "classification.level_unstated",
    clause="domain: 公共数据 L1–L4",
    zh="公共数据须定 L1–L4 级；企业数据不定",
    en="Public data are given a level from L1 to L4; other data are not",
)
LOWERED = RefusalCode(
    "classification.lowered",
    clause="数据安全法 art. 21; GB/T 43697-2024 附录 J",
    zh="资产 {asset} 现为 {held}，改定为 {given} 须由监管机构作出",
    en="Asset {asset} is graded {held}; only a regulator lowers it to {given}",
    remedy_zh="报监管机构动态更新级别。",
    remedy_en="Ask the regulator to update the grade.",
    kind="forbidden",
)
BELOW_SOURCES = RefusalCode(
    "classification.below_sources",
    clause="GB/T 43697-2024 附录 I (衍生数据分级)",
    zh="产品定为 {given}，低于其来源的 {held}，而版本 {version} 未记录去标识化或聚合处理",
    en="The product is graded {given}, below its sources' {held}, and no de-identification of"
    " version {version} is recorded",
    remedy_zh="先提交 deidentification.recorded，或按来源的级别定级。",
    remedy_en="Submit deidentification.recorded first, or grade it as its sources are.",
)


class Classification(State, frozen=True, kw_only=True):
    """The grading of an asset; its key is `classification/<asset>`. The grades stand in the log."""

    KIND = "classification"

    asset: str
    grade: Grade
    public_level: PublicLevel | None
    category: str
    fields_hash: str
    core_fields: int
    important_fields: int
    general_fields: int
    strictest_field: str
    by: str
    basis: str
    assigned_index: int


class FieldGrade(Payload):
    """The grade of one field."""

    name: Line
    grade: Grade
    personal: Annotated[bool, Field(description="个人信息")] = False


class ClassificationAssigned(Payload):
    """Grades of all fields of an asset, as of a version; a product names its sources too."""

    asset: AssetId
    version: PositiveCount
    category: Annotated[Code, Field(description="The industry's category 行业领域分类")]
    fields: Annotated[tuple[FieldGrade, ...], Field(min_length=1, max_length=256)]
    public_level: PublicLevel | None = None
    sources: Annotated[tuple[AssetId, ...], Field(max_length=16)] = ()
    basis: Annotated[Line, Field(description="The catalogue or rule that the grading follows")]
    report: Annotated[Hash | None, Field(description="SHA-256 of the grading report")] = None


def classification_key(asset: str) -> str:
    """Return the key of the classification of `asset`."""
    return f"classification/{asset}"


@event(
    "classification.assigned@1",
    by={Role.PROVIDER, Role.DATA_SERVICE, Role.REGULATOR},
    zh="分类分级",
    en="Classify and grade",
    clause="GB/T 43697-2024; 数据安全法 art. 21",
    also=lambda payload, actor: (
        catalogue_key(payload.asset),
        classification_key(payload.asset),
        opening_key(payload.asset),
        version_key(payload.asset, payload.version),
    ),
)
def classify(view: View, event: Event[ClassificationAssigned]) -> Changes:
    """The holder grades every field; only a regulator lowers what was core or important.

    An opening that the new grade does not allow ends with this entry.
    """
    given = event.payload
    asset = view.get(Asset, given.asset)
    require_status(asset, "registered")
    grade = strictest(field.grade for field in given.fields)
    _require_authority(asset, grade, event)
    if Level(asset.level).is_public != (given.public_level is not None):
        raise LEVEL_UNSTATED()
    entry = view.get(CatalogueEntry, catalogue_key(asset.id))
    names = fields_hash(field.name for field in given.fields)
    if names != entry.fields_hash:
        raise FIELDS_DIFFER(asset=asset.id, needed=entry.fields, given=len(given.fields))
    _require_sources_grade(view, asset, grade, given)
    graded = asset.but(
        grade=grade.value,
        public_level=given.public_level.value if given.public_level else None,
        classified_fields=names,
        personal_data=any(field.personal for field in given.fields),
    )
    classification = _classification(event, grade, names)
    if may_stay_open(graded):
        return (graded, classification)
    return (*closed(graded, view.get(Opening, opening_key(asset.id))), classification)


def _require_authority(asset: Asset, grade: Grade, event: Event[ClassificationAssigned]) -> None:
    if Role.REGULATOR in event.roles:
        return
    require_holder(asset, event.actor)
    held = Grade(asset.grade) if asset.grade else grade
    if grade.rank < held.rank:
        raise LOWERED(asset=asset.id, held=held, given=grade)


def _require_sources_grade(
    view: View, asset: Asset, grade: Grade, given: ClassificationAssigned
) -> None:
    version = view.get(Version, version_key(asset.id, given.version))
    sources = [view.get(Asset, source) for source in given.sources]
    require_sources(asset, sources)
    grades = [Grade(source.grade) for source in sources if source.grade]
    held = strictest([*grades, Grade.GENERAL])
    if grade.rank < held.rank and version.deidentification_report is None:
        raise BELOW_SOURCES(given=grade, held=held, version=version.number)


def _classification(
    event: Event[ClassificationAssigned], grade: Grade, names: str
) -> Classification:
    given = event.payload
    counted = [field.grade for field in given.fields]
    return Classification(
        id=classification_key(given.asset),
        asset=given.asset,
        grade=grade,
        public_level=given.public_level,
        category=given.category,
        fields_hash=names,
        core_fields=counted.count(Grade.CORE),
        important_fields=counted.count(Grade.IMPORTANT),
        general_fields=counted.count(Grade.GENERAL),
        strictest_field=next(field.name for field in given.fields if field.grade is grade),
        by=event.actor,
        basis=given.basis,
        assigned_index=event.index,
    )
