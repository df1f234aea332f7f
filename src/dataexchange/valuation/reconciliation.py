"""Reconciliation (评估结论的确定): from the figures of several methods to one conclusion.

Each weight has its reason. A report that rests on one approach says which norm allows only that
one and why the others were rejected; otherwise it is refused (资产评估法 art. 26).
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Annotated

from annotated_types import Len

from dataexchange.valuation.arithmetic import Number, exact, plain, total
from dataexchange.valuation.bounded import figures, not_negative
from dataexchange.valuation.method import (
    Approach,
    Computed,
    Kind,
    Method,
    Output,
    Parameters,
    Working,
    coefficient,
)
from dataexchange.valuation.quantity import Currency, Hash, Inputs, Money, Ratio, Text
from dataexchange.valuation.refusal import INPUT_INCONSISTENT, ValuationRefusal
from dataexchange.valuation.weights import check_weights

ONE_METHOD = ValuationRefusal(
    "valuation.one_method",
    clause="资产评估法 art. 26",
    zh="只用了一种评估途径（{approach}）；除准则规定只能选择一种外，应当选择两种以上方法",
    en="Only the {approach} approach is used; two or more are due unless a norm allows only one",
    remedy_zh="增加一种方法，或写明准则依据，并说明其余途径不适用的理由",
    remedy_en="Add a method, or state the norm and why each other approach was rejected",
)
RANGE_TOO_WIDE = ValuationRefusal(
    "valuation.range_unexplained",
    clause="资产评估法 art. 26 (analysis of the results of the methods)",
    zh="各方法结果相差 {spread}，超过 {limit}，须说明差异原因",
    en="The methods differ by {spread}, more than {limit}: the difference is to be explained",
)

APPROACHES: tuple[Approach, ...] = ("cost", "income", "market")


class MethodResult(Inputs):
    """The figure of one method, its weight and the reason for the weight."""

    approach: Approach
    method: Text
    value: Money
    weight: Ratio
    reason: Text
    card_sha256: Hash | None = None
    inputs_sha256: Hash | None = None
    currency: Currency = "CNY"


class Rejected(Inputs):
    """An approach that was not used, and why."""

    approach: Approach
    reason: Text


class ReconciliationInputs(Inputs):
    """The figures to reconcile, and what is said about them."""

    results: Annotated[tuple[MethodResult, ...], Len(1, 20)]
    rejected: tuple[Rejected, ...] = ()
    only_method_norm: Text | None = None
    difference_explained: Text | None = None


@exact
def reconciled_value(values: Sequence[Number], weights: Sequence[Number]) -> Decimal:
    """Return the weighted mean in 元; raises `valuation.weights_not_one`."""
    amounts = [not_negative(one, "values") for one in values]
    stated = figures(weights, "weights")
    check_weights(stated, name="results[].weight")
    if len(amounts) != len(stated):
        raise INPUT_INCONSISTENT(
            input="weights", why="expects one for each value", why_zh="每个评估值应有一个权重"
        )
    return total(v * w for v, w in zip(amounts, stated, strict=True))


@exact
def spread(values: Sequence[Number]) -> Decimal:
    """Return (highest − lowest) / lowest, 0 where all are 0."""
    amounts = [not_negative(one, "values") for one in values]
    low, high = min(amounts), max(amounts)
    return (high - low) / low if high != low else Decimal(0)


def _compute(
    inputs: ReconciliationInputs, parameters: Parameters, working: Working
) -> Mapping[str, Computed]:
    _check_approaches(inputs)
    values = [result.value for result in inputs.results]
    for result in inputs.results:
        working.step(
            "P", result.value, zh=f"{result.method}：{result.reason}", en=f"{result.method}, 元"
        )
    conclusion = reconciled_value(values, [result.weight for result in inputs.results])
    working.step("V", conclusion, zh="评估结论，元", en="conclusion, 元")
    found = _range(inputs, values, coefficient(parameters, "spread_limit"))
    return {"value": conclusion, "low": min(values), "high": max(values), "spread": found}


def approach_of(method: str) -> Approach | None:
    """Return the approach of one of our methods; None for any other name."""
    from dataexchange.valuation.methods import METHODS  # it lists this module's method too

    return METHODS[method].approach if method in METHODS else None


def _check_approaches(inputs: ReconciliationInputs) -> None:
    used = {result.approach for result in inputs.results if result.weight}
    rejected = {one.approach for one in inputs.rejected}
    if used & rejected:
        raise INPUT_INCONSISTENT(
            input="rejected",
            why="an approach is both used and rejected",
            why_zh="同一途径既采用又不采用",
        )
    for result in inputs.results:
        if approach_of(result.method) not in {None, result.approach}:
            raise INPUT_INCONSISTENT(
                input="results",
                why=f"{result.method} is not of the {result.approach} approach",
                why_zh=f"{result.method} 不属于 {result.approach} 途径",
            )
    if len(used) == 1 and not (inputs.only_method_norm and used | rejected == set(APPROACHES)):
        raise ONE_METHOD(approach=next(iter(used)))


def _range(inputs: ReconciliationInputs, values: Sequence[Decimal], limit: Decimal) -> Decimal:
    lowest = min(values)
    if not lowest:
        if max(values) and not inputs.difference_explained:
            raise RANGE_TOO_WIDE(spread="∞", limit=plain(limit))
        return Decimal(0)
    found = spread(values)
    if found > limit and not inputs.difference_explained:
        raise RANGE_TOO_WIDE(spread=plain(round(found, 6)), limit=plain(limit))
    return found


RECONCILIATION = Method(
    name="reconciliation",
    inputs=ReconciliationInputs,
    compute=_compute,
    outputs=(
        Output("value", Kind.MONEY, "评估结论", "Conclusion"),
        Output("low", Kind.MONEY, "各方法最低值", "Lowest of the methods"),
        Output("high", Kind.MONEY, "各方法最高值", "Highest of the methods"),
        Output("spread", Kind.RATIO, "各方法差异率", "Spread between the methods"),
    ),
    refusals=(ONE_METHOD, RANGE_TOO_WIDE),
    parameters={"spread_limit": Decimal("0.5")},
)
