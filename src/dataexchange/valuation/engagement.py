"""The engagement (评估委托): base date, purpose, signers; what a report may never do.

What is stated is checked; what a full report must state besides is asked by `require_report`.
"""

from collections.abc import Iterator
from datetime import date
from typing import Literal

from pydantic import BaseModel

from dataexchange.valuation.quantity import Currency, Day, Inputs, Ratio, Text
from dataexchange.valuation.refusal import INPUT_MISSING, ValuationRefusal

ONE_SIGNER = ValuationRefusal(
    "valuation.one_signer",
    clause="资产评估法 art. 27",
    zh="评估报告须由至少两名承办的评估专业人员签名，现有 {count} 名",
    en="A report is signed by at least two appraisers who did the work; there are {count}",
)
NO_SEAL = ValuationRefusal(
    "valuation.no_seal",
    clause="资产评估法 art. 27",
    zh="评估报告须加盖评估机构印章",
    en="A report bears the seal of the appraisal institution",
)
AFTER_BASE_DATE = ValuationRefusal(
    "valuation.after_base_date",
    clause="资产评估执业准则 (基准日); unverified",
    zh="{input} 的日期 {given} 晚于评估基准日 {base_date}",
    en="{input} is dated {given}, after the base date {base_date}",
)
APPRAISAL_EXPIRED = ValuationRefusal(
    "valuation.appraisal_expired",
    clause="资产评估执业准则——资产评估报告 (one year from the base date); unverified",
    zh="评估结论已于 {expires_on} 失效，使用日期为 {used_on}",
    en="The appraisal expired on {expires_on}; it would be used on {used_on}",
)
VALIDITY_TOO_LONG = ValuationRefusal(
    "valuation.validity_too_long",
    clause="资产评估执业准则——资产评估报告 (one year from the base date); unverified",
    zh="有效期至 {given}，超过基准日起一年（{latest}）",
    en="Validity until {given} exceeds one year from the base date ({latest})",
)
BOOKING_BASIS = ValuationRefusal(
    "valuation.booking_basis",
    clause="财会〔2025〕33号 (as quoted); 财会〔2023〕11号",
    zh="评估值不得作为入账依据；数据资源按成本初始计量",
    en="An appraised value is never the booking basis; data resources are booked at cost",
    remedy_zh="请用 recognition 规则卡，以实际成本入账",
    remedy_en="Use the recognition card and book at actual cost",
)
PUBLIC_BODY_SECURITY = ValuationRefusal(
    "valuation.public_body_security",
    clause="财资〔2024〕1号 (as quoted)",
    zh="行政事业单位不得以数据资产为融资提供担保，变相形成政府隐性债务",
    en="A public body may not use data assets as security that creates hidden government debt",
)

Purpose = Literal[
    "transfer",
    "licensing",
    "contribution",
    "pledge",
    "insurance",
    "reporting",
    "booking",
    "reference",
]
_SECURITY = {"pledge"}


class QualityEvaluation(Inputs):
    """The evaluation of the data's quality that the report relies on."""

    score: Ratio
    evaluator: Text
    evaluated_on: Day


class Engagement(Inputs):
    """What the client and the appraisers agreed, and who answers for the report."""

    base_date: Day
    currency: Currency = "CNY"
    purpose: Purpose | None = None
    value_type: Text | None = None
    owner_type: Literal["company", "public_body", "natural_person"] | None = None
    rights: tuple[Literal["hold", "process", "operate"], ...] | None = None
    scenario: Text | None = None
    assumptions: tuple[Text, ...] | None = None
    limits_of_use: tuple[Text, ...] | None = None
    quality_evaluation: QualityEvaluation | None = None
    independence: Text | None = None
    permitted_users: tuple[Text, ...] | None = None
    signers: tuple[Text, ...] | None = None
    sealed: bool | None = None
    valid_until: Day | None = None
    used_on: Day | None = None


def check_engagement(engagement: Engagement) -> None:
    """Raise the refusal that anything stated in `engagement` deserves."""
    _check_purpose(engagement)
    _check_signers(engagement)
    _check_validity(engagement)


def _check_purpose(engagement: Engagement) -> None:
    if engagement.purpose == "booking":
        raise BOOKING_BASIS()
    if engagement.purpose in _SECURITY and engagement.owner_type == "public_body":
        raise PUBLIC_BODY_SECURITY()


def _check_signers(engagement: Engagement) -> None:
    if engagement.signers is not None and len(set(engagement.signers)) < 2:
        raise ONE_SIGNER(count=len(set(engagement.signers)))
    if engagement.sealed is False:
        raise NO_SEAL()


def _check_validity(engagement: Engagement) -> None:
    latest = anniversary(engagement.base_date)
    expires_on = engagement.valid_until or latest
    if expires_on > latest:
        raise VALIDITY_TOO_LONG(given=expires_on, latest=latest)
    if engagement.used_on is not None and engagement.used_on > expires_on:
        raise APPRAISAL_EXPIRED(expires_on=expires_on, used_on=engagement.used_on)


def anniversary(base_date: date) -> date:
    """Return the last day of the year of validity that starts on `base_date`."""
    try:
        next_year = base_date.replace(year=base_date.year + 1)
    except ValueError:  # 29 February
        next_year = date(base_date.year + 1, 3, 1)
    return date.fromordinal(next_year.toordinal() - 1)


def check_dates(inputs: BaseModel, base_date: date) -> None:
    """Refuse evidence that is dated after the base date.

    A field whose name starts with `planned_` holds a forecast and may be later.
    """
    for path, day in _days(inputs, ""):
        if day > base_date:
            raise AFTER_BASE_DATE(input=path, given=day, base_date=base_date)


def _days(given: object, path: str) -> Iterator[tuple[str, date]]:
    if isinstance(given, date):
        yield path, given
    elif isinstance(given, BaseModel):
        for name in type(given).model_fields:
            if not name.startswith("planned_"):
                yield from _days(getattr(given, name), f"{path}.{name}".lstrip("."))
    elif isinstance(given, tuple):
        for index, one in enumerate(given):
            yield from _days(one, f"{path}[{index}]")


STATED_IN_A_REPORT = (
    "purpose",
    "value_type",
    "owner_type",
    "rights",
    "scenario",
    "assumptions",
    "limits_of_use",
    "quality_evaluation",
    "independence",
    "permitted_users",
    "signers",
    "sealed",
)


def require_report(engagement: Engagement) -> None:
    """Refuse a report that leaves out what it must state (资产评估法 art. 27, 32; 17号 ch. 6)."""
    for name in STATED_IN_A_REPORT:
        if getattr(engagement, name) in (None, ()):
            raise INPUT_MISSING(input=f"engagement.{name}")
