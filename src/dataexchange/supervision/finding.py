"""A finding 预警线索: what an alert rule saw, with the entries that show it, in both languages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from dataexchange.rules import Text
from dataexchange.supervision.alert import ENTRIES_MAX, AlertKind, finding_key

_SAID = {
    AlertKind.PRICE_FAR_FROM_VALUE: (
        "价格 {price_fen} 分，偏离评估值 {value_fen} 分超过 {limit}",
        "The price of {price_fen} fen is more than {limit} off the value of {value_fen} fen",
    ),
    AlertKind.WASH_TRADE: (
        "{seller} 与 {buyer} 之间的交易：{how_zh}",
        "A deal between {seller} and {buyer}: {how_en}",
    ),
    AlertKind.SECOND_PLEDGE: (
        "质押 {first} 未解除，又起草质押 {second}",
        "Pledge {second} was drafted while pledge {first} stands",
    ),
    AlertKind.OVER_PLEDGED: (
        "担保总额 {secured_fen} 分，超过可担保额 {ceiling_fen} 分",
        "{secured_fen} fen are secured; the value in force allows {ceiling_fen}",
    ),
    AlertKind.STALE_QUALITY: (
        "版本 {version} 新增 {days} 天，尚未评估质量（已评估版本 {assessed}）",
        "Version {version} is {days} days old and not assessed; the last assessed is {assessed}",
    ),
    AlertKind.STALE_PRODUCT: (
        "来源 {source} 早有版本 {latest}，产品仍用版本 {pinned}",
        "Source {source} has long had version {latest}; the product is made of version {pinned}",
    ),
    AlertKind.OPENING_PLAN_MISSED: (
        "开放计划应于 {by} 完成，{state_zh}",
        "The opening was planned for {by}; {state_en}",
    ),
    AlertKind.CLAIM_CLOCK_MISSED: (
        "理赔时限（{clock}）已过",
        "A clock of the claim ({clock}) was missed",
    ),
    AlertKind.SHARE_CLOCK_MISSED: (
        "共享申请应于 {due_at} 前答复",
        "The request to share was due an answer by {due_at}",
    ),
    AlertKind.CORRECTION_CLOCK_MISSED: (
        "纠错应于 {due_at} 前办结",
        "The correction was due by {due_at}",
    ),
    AlertKind.DUTY_OVERDUE: (
        "任务应于 {due_at} 前报告",
        "The duty was due a report by {due_at}",
    ),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something looks wrong. Ratios are exact, money 分, days those of a calendar."""

    price_deviation: Decimal = Decimal("0.5")
    """How far a price may lie from the value, as a part of the value."""
    circle_days: int = 365
    """Within how many days title that comes back to a former holder has gone in a circle."""
    assessment_days: int = 30
    """How long a version may wait for its assessment."""
    renewal_days: int = 30
    """How long a product may stay behind its sources."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What looked wrong about `subject`; `entries` are the indexes that show it, ascending.

    Of more entries than an alert can name the first ones are kept.
    """

    kind: AlertKind
    subject: str
    entries: tuple[int, ...]
    facts: Mapping[str, str | int] = field(default_factory=dict, compare=False)

    @property
    def key(self) -> str:
        """The key that marks this finding as raised."""
        return finding_key(self.kind, self.subject, self.entries)

    @property
    def said(self) -> Text:
        """What was found, in Chinese and English."""
        zh, en = _SAID[self.kind]
        return Text(zh=zh.format(**self.facts), en=en.format(**self.facts))


def found(kind: AlertKind, subject: str, entries: Iterable[int], **facts: str | int) -> Finding:
    """Return a finding, its entries in order and each once."""
    return Finding(kind, subject, tuple(sorted(set(entries)))[:ENTRIES_MAX], facts)
