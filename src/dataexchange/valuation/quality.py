"""Data quality (数据质量评价): X = A/B of each indicator, turned so that higher is better.

Under GB/T 36344-2018 重复率 and 脏数据出现率 are A/B and lower is better; DB31/T 1523-2024 stores
1 − A/B for the same indicators. An indicator with B = 0 was not assessed: it is left out, named,
and its weight is spread over the others. The norms set no weights.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from annotated_types import Len

from dataexchange.valuation.arithmetic import ONE, Number, exact, plain, total
from dataexchange.valuation.bounded import not_negative
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.quantity import Inputs, NonNegative, Ratio, Text
from dataexchange.valuation.refusal import (
    INPUT_INCONSISTENT,
    INPUT_OUT_OF_RANGE,
    ValuationRefusal,
)
from dataexchange.valuation.weights import all_or_none

NOT_ASSESSED = ValuationRefusal(
    "valuation.not_assessed",
    clause="GB/T 36344-2018, X = A/B",
    zh="没有任何指标可评（B 均为零）",
    en="Nothing was assessed: every denominator B is zero",
)
DIRECTION_WRONG = ValuationRefusal(
    "valuation.direction_wrong",
    clause="GB/T 36344-2018, accuracy indicators",
    zh="指标“{name}”是越{right_zh}越好的指标",
    en="The indicator {name} is one where {right} is better",
)
DIRECTION_MISSING = ValuationRefusal(
    "valuation.direction_missing",
    clause="GB/T 36344-2018",
    zh="指标“{name}”不在标准目录内，须写明方向",
    en="The indicator {name} is not in the norm's catalogue: state its direction",
)

Direction: TypeAlias = Literal["higher", "lower"]
Standard: TypeAlias = Literal["GB/T 36344-2018", "DB31/T 1523-2024"]

LOWER_IS_BETTER = frozenset(
    {"重复率", "数据重复率", "脏数据出现率", "duplicate_rate", "dirty_data_rate"}
)
HIGHER_IS_BETTER = frozenset(
    {
        *("数据标准", "数据模型", "元数据", "业务规则", "权威参考数据", "安全规范"),
        *("元素完整性", "数据元素完整性", "记录完整性", "数据记录完整性"),
        *("内容正确性", "数据内容正确性", "格式合规性", "数据格式合规性", "唯一性", "数据唯一性"),
        *("相同数据一致性", "关联数据一致性"),
        *("时间段正确性", "基于时间段的正确性", "时间点及时性", "基于时间点的及时性", "时序性"),
        *("可访问", "可访问性", "可用性"),
        *("data_standard", "data_model", "metadata", "business_rules", "reference_data"),
        *("security_rules", "element_completeness", "record_completeness"),
        *("content_correctness", "format_compliance", "uniqueness"),
        *("same_data_consistency", "related_data_consistency"),
        *("period_correctness", "timeliness", "time_order", "accessibility", "availability"),
    }
)


class Indicator(Inputs):
    """One indicator: A of B elements, or their ratio as the standard stores it."""

    name: Text
    direction: Direction | None = None
    a: NonNegative | None = None
    b: NonNegative | None = None
    ratio: Ratio | None = None
    weight: NonNegative | None = None


class Dimension(Inputs):
    """One dimension: its indicators, or a score that was found elsewhere."""

    name: Text
    weight: NonNegative | None = None
    score: Ratio | None = None
    indicators: tuple[Indicator, ...] | None = None


class QualityInputs(Inputs):
    """The measured indicators under the tree of one standard."""

    standard: Standard = "GB/T 36344-2018"
    dimensions: Annotated[tuple[Dimension, ...], Len(1, 50)]


@exact
def indicator_score(a: Number, b: Number, *, direction: Direction = "higher") -> Decimal | None:
    """Return A/B, turned if lower is better; None where B = 0 (not assessed)."""
    part, whole = not_negative(a, "a"), not_negative(b, "b")
    if part > whole:
        raise INPUT_OUT_OF_RANGE(input="a", given=plain(part), range=f"A ≤ B = {plain(whole)}")
    if not whole:
        return None
    return part / whole if direction == "higher" else ONE - part / whole


@exact
def weighted_score(
    scores: Sequence[Decimal | None], weights: Sequence[Decimal | None]
) -> Decimal | None:
    """Return the weighted mean of what was assessed; None if nothing was."""
    stated = all_or_none(weights, name="weights")
    kept = [(s, w) for s, w in zip(scores, stated, strict=True) if s is not None and w]
    size = total(weight for _, weight in kept)
    return total(score * weight for score, weight in kept) / size if kept else None


def _score(indicator: Indicator, standard: Standard, working: Working) -> Decimal | None:
    direction = _direction(indicator)
    score = _turned(indicator, direction, standard)
    if score is None:
        working.warn(
            "valuation.indicator_not_assessed",
            zh=f"指标“{indicator.name}”未评（B = 0），权重分摊到其他指标",
            en=f"{indicator.name} was not assessed (B = 0); its weight is spread over the others",
        )
        return None
    arrow = "↑" if direction == "higher" else "↓ 已反向"
    return working.step("X", score, zh=f"{indicator.name}（{arrow}）", en=indicator.name)


def _turned(indicator: Indicator, direction: Direction, standard: Standard) -> Decimal | None:
    counted = indicator.a is not None and indicator.b is not None
    if counted == (indicator.ratio is not None) or (indicator.a is None) != (indicator.b is None):
        raise INPUT_INCONSISTENT(
            input=indicator.name,
            why="give either a and b, or ratio",
            why_zh="a、b 与 ratio 只填其一",
        )
    if indicator.a is not None and indicator.b is not None:
        return indicator_score(indicator.a, indicator.b, direction=direction)
    assert indicator.ratio is not None  # noqa: S101  # checked above; for the type checker
    stored_turned = standard == "DB31/T 1523-2024"
    turn = direction == "lower" and not stored_turned
    return ONE - indicator.ratio if turn else indicator.ratio


def _direction(indicator: Indicator) -> Direction:
    known = known_direction(indicator.name)
    stated = indicator.direction
    if known and stated and known != stated:
        raise DIRECTION_WRONG(
            name=indicator.name, right=known, right_zh="高" if known == "higher" else "低"
        )
    found = known or stated
    if found is None:
        raise DIRECTION_MISSING(name=indicator.name)
    return found


def known_direction(name: str) -> Direction | None:
    """Return the direction of an indicator of the norm's catalogue, or None."""
    if name in LOWER_IS_BETTER:
        return "lower"
    return "higher" if name in HIGHER_IS_BETTER else None


def _dimension(dimension: Dimension, standard: Standard, working: Working) -> Decimal | None:
    indicators = dimension.indicators or ()
    if (dimension.score is None) == (not indicators):
        raise INPUT_INCONSISTENT(
            input=dimension.name,
            why="give either indicators or a score",
            why_zh="指标与得分只填其一",
        )
    if dimension.score is not None:
        return dimension.score
    scores = [_score(one, standard, working) for one in indicators]
    return weighted_score(scores, [one.weight for one in indicators])


def _compute(
    inputs: QualityInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # the norms set no weights
    names = [dimension.name for dimension in inputs.dimensions]
    if len(set(names)) != len(names):
        raise INPUT_INCONSISTENT(input="dimensions", why="a name is given twice", why_zh="名称重复")
    scores = [_dimension(one, inputs.standard, working) for one in inputs.dimensions]
    score = weighted_score(scores, [one.weight for one in inputs.dimensions])
    if score is None:
        raise NOT_ASSESSED()
    named = {n: s for n, s in zip(names, scores, strict=True) if s is not None}
    for name, one in named.items():
        working.step("D", one, zh=f"维度“{name}”", en=f"dimension {name}")
    return {"score": score, "dimensions": named}


QUALITY = Method(
    name="quality",
    inputs=QualityInputs,
    compute=_compute,
    outputs=(
        Output("score", Kind.RATIO, "质量得分", "Quality score"),
        Output("dimensions", Kind.RATIO, "各维度得分", "Score of each dimension", many=True),
    ),
    refusals=(NOT_ASSESSED, DIRECTION_WRONG, DIRECTION_MISSING),
)
