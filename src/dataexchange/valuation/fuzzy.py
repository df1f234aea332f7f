"""Fuzzy comprehensive evaluation (模糊综合评价): `B = W∘R`, weighted-average operator.

Each row of R spreads one criterion over the grades and sums to 1; the score is the grades' mean
under B.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated

from annotated_types import Len

from dataexchange.valuation.arithmetic import ONE, Number, exact, plain, total
from dataexchange.valuation.bounded import figures, share
from dataexchange.valuation.method import Computed, Kind, Method, Output, Parameters, Working
from dataexchange.valuation.quantity import Inputs, Quantity, Ratio, Text
from dataexchange.valuation.refusal import INPUT_INCONSISTENT, ValuationRefusal
from dataexchange.valuation.weights import TOLERANCE, check_weights

ROW_NOT_ONE = ValuationRefusal(
    "valuation.membership_not_one",
    clause="fuzzy evaluation, Σ_j r_ij = 1",
    zh="第 {row} 行隶属度之和为 {sum}，应为 1（容差 1e-9）",
    en="The memberships of row {row} sum to {sum}, not to 1 (within 1e-9)",
)


class Criterion(Inputs):
    """One criterion: its weight, and how far it belongs to each grade."""

    name: Text
    weight: Ratio
    memberships: tuple[Ratio, ...]


class Grade(Inputs):
    """One grade and its points."""

    name: Text
    points: Quantity


class FuzzyInputs(Inputs):
    """Criteria by grades."""

    criteria: Annotated[tuple[Criterion, ...], Len(1, 200)]
    grades: Annotated[tuple[Grade, ...], Len(1, 50)]


@exact
def fuzzy_evaluation(
    weights: Sequence[Number], memberships: Sequence[Sequence[Number]]
) -> list[Decimal]:
    """Return B, how far the whole belongs to each grade.

    Raises `valuation.weights_not_one`, `valuation.membership_not_one` and
    `valuation.input_inconsistent`.
    """
    by_criterion = figures(weights, "weights")
    rows = [[share(one, "memberships") for one in row] for row in memberships]
    check_weights(by_criterion, name="criteria")
    if len(rows) != len(by_criterion) or len({len(row) for row in rows}) != 1:
        raise INPUT_INCONSISTENT(
            input="criteria",
            why="expects one membership for each grade",
            why_zh="每个等级应有一个隶属度",
        )
    for index, row in enumerate(rows, start=1):
        if abs(total(row) - ONE) > TOLERANCE:
            raise ROW_NOT_ONE(row=index, sum=plain(total(row)))
    columns = zip(*rows, strict=True)
    return [total(w * r for w, r in zip(by_criterion, c, strict=True)) for c in columns]


@exact
def graded_score(membership: Sequence[Number], points: Sequence[Number]) -> Decimal:
    """Return Σ B_j·v_j, in points."""
    degrees, worth = figures(membership, "membership"), figures(points, "points")
    if len(degrees) != len(worth):
        raise INPUT_INCONSISTENT(
            input="points", why="expects the points of each grade", why_zh="每个等级应有分值"
        )
    return total(b * v for b, v in zip(degrees, worth, strict=True))


def _compute(
    inputs: FuzzyInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    del parameters  # fuzzy evaluation has no coefficients
    grades = inputs.grades
    if any(len(one.memberships) != len(grades) for one in inputs.criteria):
        raise INPUT_INCONSISTENT(
            input="criteria",
            why="expects one membership for each grade",
            why_zh="每个等级应有一个隶属度",
        )
    membership = fuzzy_evaluation(
        [one.weight for one in inputs.criteria], [one.memberships for one in inputs.criteria]
    )
    for grade, degree in zip(grades, membership, strict=True):
        working.step("B", degree, zh=f"隶属于“{grade.name}”", en=f"membership of {grade.name}")
    score = graded_score(membership, [grade.points for grade in grades])
    working.step("S", score, zh="综合得分", en="score")
    return {"score": score, "membership": membership}


FUZZY = Method(
    name="fuzzy",
    inputs=FuzzyInputs,
    compute=_compute,
    outputs=(
        Output("score", Kind.NUMBER, "综合得分", "Score"),
        Output("membership", Kind.RATIO, "各等级隶属度", "Membership of each grade", many=True),
    ),
    refusals=(ROW_NOT_ONE,),
)
