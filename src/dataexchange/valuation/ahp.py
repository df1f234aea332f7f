"""AHP (层次分析法): weights from pairwise judgements, with the checks that make them honest.

Weights are the principal eigenvector; `CI = (λ−n)/(n−1)`, `CR = CI/RI`, refused at CR ≥ 0.10. The
eigenvector is found by power iteration in `Decimal`, so that the last digit is the same on every
machine (NumPy's agrees to 1e-12, see the tests). The common column-average shortcut gives other
weights and another CR: a result always records its algorithm. Source: Saaty; unverified.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from annotated_types import Len

from dataexchange.valuation.arithmetic import ONE, ZERO, Number, exact, plain, total
from dataexchange.valuation.bounded import positive
from dataexchange.valuation.method import (
    Computed,
    Kind,
    Method,
    Output,
    Parameters,
    Working,
    coefficient,
    coefficients,
)
from dataexchange.valuation.quantity import Inputs, Positive, Text
from dataexchange.valuation.refusal import INPUT_INCONSISTENT, ValuationRefusal

NOT_RECIPROCAL = ValuationRefusal(
    "valuation.not_reciprocal",
    clause="AHP, a_ij·a_ji = 1 and a_ii = 1",
    zh="判断矩阵不互反：第 {row} 行第 {column} 列",
    en="The judgements are not reciprocal at row {row}, column {column}",
)
NOT_CONSISTENT = ValuationRefusal(
    "valuation.not_consistent",
    clause="AHP, CR < 0.10",
    zh="判断矩阵未通过一致性检验：CR = {cr}，应小于 {limit}",
    en="The judgements are not consistent: CR = {cr}, which must be below {limit}",
)
TOO_MANY_CRITERIA = ValuationRefusal(
    "valuation.too_many_criteria",
    clause="AHP, random index up to n = {most}",
    zh="指标数 {count} 超过随机一致性指标表的 {most}",
    en="{count} criteria exceed the table of the random index, which ends at {most}",
)

# n = 1..9 as commonly published; for n = 10 both 1.49 and 1.51 are in use: we fix 1.49.
RANDOM_INDEX = tuple(
    map(Decimal, ("0", "0", "0.58", "0.90", "1.12", "1.24", "1.32", "1.41", "1.45", "1.49"))
)
CR_LIMIT = Decimal("0.10")
# Judgements are written with few decimals (0.333 for 1/3); more is a contradiction.
RECIPROCITY = Decimal("0.005")
_CONVERGED, _ROUNDS_MAX = Decimal("1e-40"), 20_000

Matrix: TypeAlias = Sequence[Sequence[Decimal]]
Algorithm: TypeAlias = Literal["eigenvector", "column_average"]


class AhpInputs(Inputs):
    """Pairwise judgements: `matrix[i][j]` says how many times criterion i outweighs j."""

    criteria: tuple[Text, ...] | None = None
    matrix: Annotated[tuple[tuple[Positive, ...], ...], Len(1, 50)]
    algorithm: Algorithm = "eigenvector"


@exact
def ahp_weights(
    matrix: Sequence[Sequence[Number]], *, algorithm: Algorithm = "eigenvector"
) -> tuple[list[Decimal], Decimal]:
    """Return the weights and λ; `matrix` is positive, square and reciprocal.

    Raises `valuation.not_reciprocal` and `valuation.input_inconsistent`.
    """
    rows = [[positive(one, "matrix") for one in row] for row in matrix]
    _check_reciprocal(rows)
    weights = _eigenvector(rows) if algorithm == "eigenvector" else _column_average(rows)
    # Σ_j (column sum)_j·w_j: λ itself for the eigenvector, the usual estimate for the shortcut.
    return weights, total(_times(rows, weights))


def _check_reciprocal(rows: Matrix) -> None:
    if any(len(row) != len(rows) for row in rows):
        raise INPUT_INCONSISTENT(
            input="matrix", why="expects as many columns as rows", why_zh="行数与列数应相等"
        )
    for i, row in enumerate(rows):
        for j in range(i + 1):
            given = row[j] * rows[j][i] if i != j else row[i]
            if abs(given - ONE) > RECIPROCITY:
                raise NOT_RECIPROCAL(row=i + 1, column=j + 1)


def _eigenvector(rows: Matrix) -> list[Decimal]:
    weights = _column_average(rows)
    for _round in range(_ROUNDS_MAX):
        image = _times(rows, weights)
        size = total(image)
        improved = [one / size for one in image]
        moved = max(abs(a - b) for a, b in zip(improved, weights, strict=True))
        weights = improved
        if moved < _CONVERGED:
            break
    return weights


def _column_average(rows: Matrix) -> list[Decimal]:
    sums = [total(column) for column in zip(*rows, strict=True)]
    shares = [[one / size for one, size in zip(row, sums, strict=True)] for row in rows]
    return [total(row) / len(rows) for row in shares]


def _times(rows: Matrix, vector: Sequence[Decimal]) -> list[Decimal]:
    return [total(a * b for a, b in zip(row, vector, strict=True)) for row in rows]


@exact
def consistency(
    lambda_max: Decimal, count: int, *, random_index: Sequence[Decimal] = RANDOM_INDEX
) -> tuple[Decimal, Decimal]:
    """Return (CI, CR) of `count` criteria; both are 0 up to two."""
    if count > len(random_index):
        raise TOO_MANY_CRITERIA(count=count, most=len(random_index))
    if count <= 2:
        return ZERO, ZERO
    index = (lambda_max - count) / (count - 1)
    return index, index / random_index[count - 1]


def _compute(inputs: AhpInputs, parameters: Parameters, working: Working) -> Mapping[str, Computed]:
    table, limit = coefficients(parameters, "random_index"), coefficient(parameters, "cr_limit")
    names = _names(inputs)
    weights, lambda_max = ahp_weights(inputs.matrix, algorithm=inputs.algorithm)
    index, ratio = consistency(lambda_max, len(names), random_index=table)
    working.step("λ", lambda_max, zh=f"最大特征值（{inputs.algorithm}）", en=inputs.algorithm)
    working.step("CI", index, zh="一致性指标", en="consistency index")
    working.step("CR", ratio, zh="一致性比率", en="consistency ratio")
    if ratio >= limit:
        raise NOT_CONSISTENT(cr=plain(round(ratio, 6)), limit=plain(limit))
    return {
        "weights": dict(zip(names, weights, strict=True)),
        "lambda_max": lambda_max,
        "ci": index,
        "cr": ratio,
    }


def _names(inputs: AhpInputs) -> tuple[str, ...]:
    names = inputs.criteria or tuple(f"C{i + 1}" for i in range(len(inputs.matrix)))
    if len(names) != len(inputs.matrix) or len(set(names)) != len(names):
        raise INPUT_INCONSISTENT(
            input="criteria", why="expects one name for each row", why_zh="每行应有一个不重复的名称"
        )
    return names


AHP = Method(
    name="ahp",
    inputs=AhpInputs,
    compute=_compute,
    outputs=(
        Output("weights", Kind.RATIO, "权重", "Weights", many=True),
        Output("lambda_max", Kind.NUMBER, "最大特征值", "Principal eigenvalue"),
        Output("ci", Kind.RATIO, "一致性指标", "Consistency index"),
        Output("cr", Kind.RATIO, "一致性比率", "Consistency ratio"),
    ),
    refusals=(NOT_RECIPROCAL, NOT_CONSISTENT, TOO_MANY_CRITERIA),
    parameters={"random_index": RANDOM_INDEX, "cr_limit": CR_LIMIT},
)
