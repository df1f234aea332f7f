"""Entropy weights (熵权法): a criterion that tells the alternatives apart weighs more.

Min-max normalisation (cost columns reversed), `p = z/Σz`, `e = −Σ p·ln p/ln m` with 0·ln 0 = 0,
`w = (1−e)/Σ(1−e)`. A constant column weighs nothing. Natural logarithms are exact in `Decimal`.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from annotated_types import Len

from dataexchange.valuation.arithmetic import ONE, ZERO, Number, exact, total
from dataexchange.valuation.bounded import figures
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.quantity import Inputs, Quantity, Text
from dataexchange.valuation.refusal import INPUT_INCONSISTENT, ValuationRefusal

TOO_FEW_ALTERNATIVES = ValuationRefusal(
    "valuation.too_few_alternatives",
    clause="entropy weights, m ≥ 2",
    zh="熵权法至少需要两个评价对象，现有 {count} 个",
    en="Entropy weights need at least two alternatives; there are {count}",
)
ALL_CONSTANT = ValuationRefusal(
    "valuation.all_constant",
    clause="entropy weights, Σ(1−e) > 0",
    zh="所有指标都没有差异，无法求熵权",
    en="No criterion differs between the alternatives, so that none can be weighed",
)

Direction: TypeAlias = Literal["benefit", "cost"]


class Criterion(Inputs):
    """A column: its name, and whether more is better (benefit) or worse (cost)."""

    name: Text
    direction: Direction


class EntropyInputs(Inputs):
    """A table of alternatives (rows) by criteria (columns)."""

    criteria: Annotated[tuple[Criterion, ...], Len(1, 200)]
    rows: tuple[tuple[Quantity, ...], ...]


@exact
def entropy_weights(
    rows: Sequence[Sequence[Number]], directions: Sequence[Direction]
) -> tuple[list[Decimal], list[Decimal]]:
    """Return the weight of each criterion and the score of each alternative.

    Raises `valuation.too_few_alternatives`, `valuation.all_constant` and
    `valuation.input_inconsistent`.
    """
    table = [figures(row, "rows") for row in rows]
    _check_shape(table, len(directions))
    columns = [
        _scaled(list(c), d) for c, d in zip(zip(*table, strict=True), directions, strict=True)
    ]
    distances = [ONE - _entropy(column) for column in columns]
    if not total(distances):
        raise ALL_CONSTANT()
    weights = [distance / total(distances) for distance in distances]
    scores = [
        total(w * z for w, z in zip(weights, row, strict=True))
        for row in zip(*columns, strict=True)
    ]
    return weights, scores


def _check_shape(table: Sequence[Sequence[Decimal]], columns: int) -> None:
    if len(table) < 2:
        raise TOO_FEW_ALTERNATIVES(count=len(table))
    if any(len(row) != columns for row in table):
        raise INPUT_INCONSISTENT(
            input="rows",
            why=f"expects {columns} figures in each row",
            why_zh=f"每行应有 {columns} 个数",
        )


def _scaled(column: Sequence[Decimal], direction: Direction) -> list[Decimal]:
    low, high = min(column), max(column)
    if low == high:
        return [ZERO] * len(column)
    if direction == "benefit":
        return [(one - low) / (high - low) for one in column]
    return [(high - one) / (high - low) for one in column]


def _entropy(column: Sequence[Decimal]) -> Decimal:
    size = total(column)
    if not size:
        return ONE  # a constant column says nothing
    shares = [one / size for one in column if one]
    return -total(share * share.ln() for share in shares) / Decimal(len(column)).ln()


def _compute(
    inputs: EntropyInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # entropy weights have no coefficients
    names = [criterion.name for criterion in inputs.criteria]
    if len(set(names)) != len(names):
        raise INPUT_INCONSISTENT(input="criteria", why="a name is given twice", why_zh="名称重复")
    directions = [criterion.direction for criterion in inputs.criteria]
    weights, scores = entropy_weights(inputs.rows, directions)
    for name, weight in zip(names, weights, strict=True):
        working.step("w", weight, zh=f"{name} 的权重", en=f"weight of {name}")
        if not weight:
            working.warn(
                "valuation.constant_criterion",
                zh=f"{name} 没有差异，权重为零",
                en=f"{name} does not differ between the alternatives and weighs nothing",
            )
    return {"weights": dict(zip(names, weights, strict=True)), "scores": scores}


ENTROPY = Method(
    name="entropy",
    inputs=EntropyInputs,
    compute=_compute,
    outputs=(
        Output("weights", Kind.RATIO, "权重", "Weights", many=True),
        Output("scores", Kind.RATIO, "各评价对象得分", "Score of each alternative", many=True),
    ),
    refusals=(TOO_FEW_ALTERNATIVES, ALL_CONSTANT),
)
