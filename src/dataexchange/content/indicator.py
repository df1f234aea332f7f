"""The indicator tree of GB/T 36344-2018 (信息技术 数据质量评价指标) and its arithmetic.

Six dimensions, twenty indicators, each X = A/B with A and B whole numbers. For two of them,
重复率 and 脏数据出现率, lower is better: their score is 1 − X. B = 0 means not assessed, which is
neither good nor bad. The standard sets no weights: means here are plain means.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final, Literal, TypeAlias

Direction: TypeAlias = Literal["higher", "lower"]
_PLACES: Final = 10**6


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: its number in the standard, its names, and which way is better."""

    code: str
    name: str
    zh: str
    direction: Direction = "higher"


@dataclass(frozen=True, slots=True)
class Dimension:
    """One of the six dimensions, with its indicators."""

    name: str
    zh: str
    indicators: tuple[Indicator, ...]


DIMENSIONS: Final = (
    Dimension(
        "normativity",
        "规范性",
        (
            Indicator("0101", "data_standard", "数据标准"),
            Indicator("0102", "data_model", "数据模型"),
            Indicator("0103", "metadata", "元数据"),
            Indicator("0104", "business_rules", "业务规则"),
            Indicator("0105", "reference_data", "权威参考数据"),
            Indicator("0106", "security_rules", "安全规范"),
        ),
    ),
    Dimension(
        "completeness",
        "完整性",
        (
            Indicator("0201", "element_completeness", "数据元素完整性"),
            Indicator("0202", "record_completeness", "数据记录完整性"),
        ),
    ),
    Dimension(
        "accuracy",
        "准确性",
        (
            Indicator("0301", "content_correctness", "数据内容正确性"),
            Indicator("0302", "format_compliance", "数据格式合规性"),
            Indicator("0303", "duplicate_rate", "数据重复率", "lower"),
            Indicator("0304", "uniqueness", "数据唯一性"),
            Indicator("0305", "dirty_data_rate", "脏数据出现率", "lower"),
        ),
    ),
    Dimension(
        "consistency",
        "一致性",
        (
            Indicator("0401", "same_data_consistency", "相同数据一致性"),
            Indicator("0402", "related_data_consistency", "关联数据一致性"),
        ),
    ),
    Dimension(
        "timeliness",
        "时效性",
        (
            Indicator("0501", "period_correctness", "基于时间段的正确性"),
            Indicator("0502", "timeliness", "基于时间点的及时性"),
            Indicator("0503", "time_order", "时序性"),
        ),
    ),
    Dimension(
        "accessibility",
        "可访问性",
        (
            Indicator("0601", "accessibility", "可访问"),
            Indicator("0602", "availability", "可用性"),
        ),
    ),
)
INDICATORS: Final = {
    indicator.name: indicator for dimension in DIMENSIONS for indicator in dimension.indicators
}


@dataclass(frozen=True, slots=True)
class Count:
    """What one check counted: A of B elements, and the first row at fault (from 1), if any.

    A counts what is right, or, where lower is better, what is wrong.
    """

    check: str
    indicator: str
    columns: tuple[str, ...]
    a: int
    b: int
    first_defect_row: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.a <= self.b:
            raise ValueError(f"{self.check}: {self.a} of {self.b}")
        if self.indicator not in INDICATORS:
            raise ValueError(f"{self.check}: no indicator {self.indicator}")

    @property
    def defects(self) -> int:
        """How many elements are wrong."""
        wrong_is_counted = INDICATORS[self.indicator].direction == "lower"
        return self.a if wrong_is_counted else self.b - self.a


@dataclass(frozen=True, slots=True)
class Measured:
    """An indicator with what its checks counted; A and B are their sums."""

    indicator: Indicator
    counts: tuple[Count, ...]

    @property
    def a(self) -> int:
        """The sum of what was counted."""
        return sum(count.a for count in self.counts)

    @property
    def b(self) -> int:
        """The sum of what was looked at; 0 means not assessed."""
        return sum(count.b for count in self.counts)

    @property
    def defects(self) -> int:
        """How many elements are wrong: a score that rounds to one may still hide some."""
        return sum(count.defects for count in self.counts)

    @property
    def ratio(self) -> Fraction | None:
        """X = A/B as the standard has it."""
        return Fraction(self.a, self.b) if self.b else None

    @property
    def score(self) -> Fraction | None:
        """X turned so that higher is better."""
        if self.ratio is None or self.indicator.direction == "higher":
            return self.ratio
        return 1 - self.ratio


def measured(counts: Iterable[Count]) -> dict[str, Measured]:
    """Return all twenty indicators by name, in the standard's order, with their counts."""
    counts = tuple(counts)
    return {
        name: Measured(indicator, tuple(one for one in counts if one.indicator == name))
        for name, indicator in INDICATORS.items()
    }


def mean(scores: Sequence[Fraction | None]) -> Fraction | None:
    """Return the plain mean of what was assessed; None where nothing was."""
    assessed = [score for score in scores if score is not None]
    return sum(assessed, Fraction(0)) / len(assessed) if assessed else None


def ratio_text(ratio: Fraction | None) -> str | None:
    """Return an exact ratio ≥ 0 as a decimal string, rounded once, half-up, to six places."""
    if ratio is None:
        return None
    millionths = (2 * ratio.numerator * _PLACES + ratio.denominator) // (2 * ratio.denominator)
    return f"{millionths // _PLACES}.{millionths % _PLACES:06d}"
